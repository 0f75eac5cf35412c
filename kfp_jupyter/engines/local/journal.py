"""The journal of a run: one encoded event a line, appended before it is acted on, read by whoever follows.

A line that was not written whole (the machine lost power) is passed over.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from kfp_jupyter.model.codec import decode, encode
from kfp_jupyter.model.run import Event


class Journal:
    """The writing side.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        # Attempts write metrics from their threads while the supervisor writes states.
        self._lock = threading.Lock()
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")

    def append(self, event: Event, *, durable: bool = True) -> None:
        """Write an event; if `durable`, it is on the disk when this returns."""
        line = json.dumps(encode(event), separators=(",", ":")).encode() + b"\n"
        with self._lock:
            os.write(self._file, line)
            if durable:
                os.fsync(self._file)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


class Tail:
    """The reading side: the lines of a file that may still grow.

    Args:
        path: The file; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def lines(self) -> Iterator[str]:
        """Yield the whole lines (without newline) that were added since the last call."""
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            return
        with file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                yield line[:-1].decode(errors="replace")


def events_in(lines: Iterator[str]) -> Iterator[Event]:
    """Yield the events of a journal's lines."""
    for line in lines:
        with contextlib.suppress(ValueError):
            yield cast(Event, decode(cast(Any, Event), json.loads(line)))
