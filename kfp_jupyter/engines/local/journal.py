"""The journal of a run: one encoded event a line, appended before it is acted on, read by whoever follows.

Events are put on the disk together, by the `commit` before the next thing is done. A line that was not
written whole (the machine lost power, the disk is full) is passed over. On a full disk the journal has the
room that was kept for it (`reserve`).
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from kfp_jupyter.engines.local.reserve import NO_ROOM, Reserve
from kfp_jupyter.model.codec import decode, encode
from kfp_jupyter.model.run import Event, RunState, apply


class Journal:
    """The writing side.

    Args:
        path: The file.

    Attributes:
        reserve: The room that may be kept for it.
    """

    def __init__(self, path: Path) -> None:
        self.reserve = Reserve(path.with_name("reserve"))
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        # Attempts write metrics from their threads while the supervisor writes states.
        self._lock = threading.Lock()
        self._uncommitted = False
        size = os.fstat(self._file).st_size
        self._torn = bool(size) and os.pread(self._file, 1, size - 1) != b"\n"

    def append(self, event: Event, *, durable: bool = True) -> None:
        """Write an event; a process that is killed does not lose it.

        Args:
            event: The event.
            durable: Whether the next `commit` is for it too.

        Raises:
            OSError: It could not be written whole; the next one begins a line of its own.
        """
        line = json.dumps(encode(event), separators=(",", ":")).encode() + b"\n"
        with self._lock:
            block = b"\n" + line if self._torn else line
            self._torn = True
            while block:
                block = block[self._write(block) :]
            self._torn = False
            self._uncommitted |= durable

    def _write(self, block: bytes) -> int:
        try:
            return os.write(self._file, block)
        except OSError as error:
            if error.errno not in NO_ROOM or not self.reserve.give_up():
                raise
            return os.write(self._file, block)

    def commit(self) -> None:
        """Put on the disk what was written; a machine that loses power does not lose it."""
        with self._lock:
            wanted, self._uncommitted = self._uncommitted, False
        if wanted:
            os.fsync(self._file)

    def close(self) -> None:
        """Commit, and close the file."""
        self.commit()
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


def state_in(path: Path) -> RunState | None:
    """Return the run as a journal has it; None if there is nothing in it."""
    state: RunState | None = None
    for event in events_in(Tail(path).lines()):
        state = apply(state, event)
    return state


def events_in(lines: Iterator[str]) -> Iterator[Event]:
    """Yield the events of a journal's lines."""
    for line in lines:
        with contextlib.suppress(ValueError):
            yield cast(Event, decode(cast(Any, Event), json.loads(line)))
