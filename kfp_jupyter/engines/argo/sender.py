"""What runs in a reader's pod: it prints an artifact for whoever follows the log.

Its text travels in the reader's Workflow (see `reader`); `parcel` is its other end.

The artifact becomes a tar archive that is always the same for the same contents, so that pods can each send a
part of it. A part is compressed, in base64, in lines of their own:

    ::kfp-jupyter-part:: 0 {"folder": false, "size": 9, "archive": 10240, "sha256": "…", "start": 0}
    ::kfp-jupyter-part:: 1 eJzt0k…
    ::kfp-jupyter-part:: 2 {"end": 10240}

They are numbered, because a log may lose lines, and shorter than what a pipe takes in one piece, because Argo
writes into the same log. A part ends before the log is so long that a kubelet would cut it.

Stdlib only, Python 3.8 and later, no import of ours.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import tarfile
import zlib
from typing import Any, Iterator

MARK = "::kfp-jupyter-part::"
"""What the lines of a part begin with."""

NAME = "artifact"
"""The archive's name of the file or folder."""

_LINE_BYTES = 3000


class Full(Exception):  # noqa: N818 (no fault: the part is complete)
    """No more fits into this part."""


class Part:
    """The archive as it is written: all of it counted and hashed, and a part of it printed.

    Args:
        start: The byte of the archive that the part begins at; None prints nothing.
        budget: The bytes of log that it may take, about.
    """

    def __init__(self, start: int | None = None, budget: int = 0) -> None:
        self.size = 0
        self.digest = hashlib.sha256()
        self._start = start
        self._budget = budget
        self._packer = zlib.compressobj(6)
        self._rest = b""
        self._number = 0
        self._full = False

    def write(self, data: bytes) -> int:
        """Take the next bytes of the archive.

        Raises:
            Full: The part is complete.
        """
        if self._full:
            # What tarfile still holds when it is closed.
            return len(data)
        before, self.size = self.size, self.size + len(data)
        if self._start is None:
            self.digest.update(data)
        elif self.size > self._start:
            self._print_packed(self._packer.compress(data[max(0, self._start - before) :]))
            if self._budget <= 0:
                self._full = True
                raise Full
        return len(data)

    def print_record(self, record: dict[str, Any]) -> None:
        """Print a line that describes the archive or the part."""
        self._print(json.dumps(record))

    def close(self) -> None:
        """Print what is left of the part, and where it ends."""
        self._print_packed(self._packer.flush())
        if self._rest:
            self._print(base64.b64encode(self._rest).decode("ascii"))
        self.print_record({"end": self.size})

    def _print_packed(self, packed: bytes) -> None:
        self._rest += packed
        while len(self._rest) >= _LINE_BYTES:
            self._print(base64.b64encode(self._rest[:_LINE_BYTES]).decode("ascii"))
            self._rest = self._rest[_LINE_BYTES:]

    def _print(self, text: str) -> None:
        line = ("%s %d %s\n" % (MARK, self._number, text)).encode("ascii")
        # One write, so that no other process's line comes into the middle of it.
        os.write(1, line)
        self._number += 1
        self._budget -= len(line)


def send(path: str, start: int, limit: int, budget: int) -> None:
    """Print the part of an artifact that begins at a byte of its archive; only its size if it is too large.

    Args:
        path: The file or folder.
        start: The byte.
        limit: Bytes that the artifact may have.
        budget: Bytes of log that the part may take, about.
    """
    path = os.path.realpath(path)
    part = Part(start, budget)
    files = list(files_in(path))
    size = sum(os.path.getsize(within(path, name)) for name in files)
    record = {"folder": os.path.isdir(path), "size": size, "start": start}
    if size > limit:
        part.print_record(record)
        return
    whole = Part()
    archive(path, files, whole)
    part.print_record(dict(record, archive=whole.size, sha256=whole.digest.hexdigest()))
    with contextlib.suppress(Full):
        archive(path, files, part)
    part.close()


def files_in(path: str) -> Iterator[str]:
    """Yield the paths of a folder's files, relative to it, in a fixed order; of a file the empty path."""
    if not os.path.isdir(path):
        yield ""
    for folder, folders, names in os.walk(path, followlinks=True):
        folders.sort()
        for name in sorted(names):
            yield os.path.relpath(os.path.join(folder, name), path)


def within(path: str, name: str) -> str:
    """Return the path of one of the files; `path` itself for the empty name."""
    return os.path.join(path, name) if name else path


def archive(path: str, files: list[str], target: Any) -> None:
    """Write the tar archive of a file or folder, without anything that depends on the pod."""
    with tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        if os.path.isdir(path):
            folder = tarfile.TarInfo(NAME)
            folder.type = tarfile.DIRTYPE
            folder.mode = 0o755
            tar.addfile(folder)
        for name in files:
            with open(within(path, name), "rb") as file:
                info = tarfile.TarInfo(within(NAME, name))
                info.size = os.path.getsize(file.name)
                tar.addfile(info, file)
