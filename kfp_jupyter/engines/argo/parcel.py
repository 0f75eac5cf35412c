"""An artifact on its way here: the lines of readers' logs become an archive, and that a file or folder.

The archive grows in a file beside the artifact's place, whatever number of logs it comes in; a log with a
hole is taken up to the hole, and the next reader is asked to go on from there. Only when length and SHA-256
are those that the reader saw is the archive unpacked, beside the place again, and then renamed to it. So at
an artifact's place there is never a part of it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import tarfile
import tempfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any

from kfp_jupyter.engines.argo.sender import MARK, NAME


class ParcelError(Exception):
    """What came is not what was sent; the message says what is wrong with it."""


class Parcel:
    """One artifact on its way to its place on this machine.

    Args:
        place: Where it is to be.

    Attributes:
        size: The bytes of its files; None before a reader has told it.
        refused: True if that is more than the reader was allowed to send.
        ended: True if the part that is being read is complete.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self.size: int | None = None
        self.refused = False
        self.ended = False
        place.parent.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix=f".{place.name[:40]}-", dir=place.parent))
        self._received = self._folder / "archive.tar"
        self._digest = hashlib.sha256()
        self._about: dict[str, Any] = {}
        self._length = 0
        self._next = 0
        self._unpacker = zlib.decompressobj()

    @property
    def position(self) -> int:
        """The bytes of the archive that are here: where the next reader is to go on."""
        return self._length

    @property
    def share(self) -> float:
        """How much of it is here, from 0 to 1."""
        return self._length / self._about["archive"] if "archive" in self._about else 0.0

    @property
    def complete(self) -> bool:
        """True if all of the archive is here."""
        return "archive" in self._about and self._length == self._about["archive"]

    def begin(self) -> None:
        """Make ready for the log of another reader, which begins at `position`."""
        self._next = 0
        self.ended = False
        self._unpacker = zlib.decompressobj()

    def take(self, line: str) -> None:
        """Take a line of a reader's log; what is none of its parts, came already, or follows a hole is left.

        Raises:
            ParcelError: It belongs to another artifact, or cannot be read.
        """
        found = line.partition(f"{MARK} ")[2]
        number, _, text = found.partition(" ")
        if not number.isdecimal() or int(number) != self._next:
            return
        self._next += 1
        try:
            if text.startswith("{"):
                self._note(json.loads(text))
            else:
                self._keep(self._unpacker.decompress(base64.b64decode(text, validate=True)))
        except (ValueError, zlib.error) as error:
            raise ParcelError(f"a line of the reader's log cannot be read ({error})") from error

    def deliver(self) -> Path:
        """Check it, unpack it, put it in its place and return that.

        Raises:
            ParcelError: It is not what was sent.
            OSError: There is no room for it.
        """
        if not self.complete or self._digest.hexdigest() != self._about["sha256"]:
            raise ParcelError("its SHA-256 is not that of the artifact in the cluster")
        made = self._folder / NAME
        with tarfile.open(self._received) as archive:
            for member in archive:
                _unpack(archive, member, self._folder)
        self._received.unlink()
        try:
            made.rename(self.place)
        except OSError:
            # Somebody else has brought it meanwhile; a folder is not renamed over another.
            if not self.place.exists():
                raise
        return self.place

    def close(self) -> None:
        """Remove what is left of it beside its place."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _note(self, told: dict[str, Any]) -> None:
        if "end" in told:
            self._keep(self._unpacker.flush())
            self.ended = True
            return
        self.size = int(told["size"])
        self.ended = self.refused = "archive" not in told
        about: dict[str, Any] = {key: told[key] for key in ("archive", "sha256") if key in told}
        if told["start"] != self._length or self._about not in ({}, about):
            raise ParcelError("the artifact was changed while it was read")
        self._about = about

    def _keep(self, data: bytes) -> None:
        self._digest.update(data)
        self._length += len(data)
        with self._received.open("ab") as file:
            file.write(data)


def _unpack(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Write one member below a folder; only files and folders, and nothing outside of it."""
    parts = PurePosixPath(member.name).parts
    if not parts or parts[0] != NAME or ".." in parts or not (member.isfile() or member.isdir()):
        raise ParcelError(f"its archive holds {member.name!r}, which is no file of it")
    place = folder.joinpath(*parts)
    if member.isdir():
        place.mkdir(parents=True, exist_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    content = archive.extractfile(member)
    assert content is not None
    with content, place.open("wb") as file:
        shutil.copyfileobj(content, file)
