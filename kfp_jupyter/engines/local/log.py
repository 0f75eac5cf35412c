"""The log of an attempt: what its processes print, as it is kept.

Most blocks are written as they come. Those with something to hide or to translate are taken apart into lines:
the executor's markers, a progress bar that draws over itself, places in the source of a traceback, what is no
text. A log is cut at a size, and where the disk is nearly full: what a step prints must not take the room of
what it puts out, nor that of the journal. What the run's state keeps of it are its last lines all the same.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kfp_jupyter.engines.trouble import Trouble
from kfp_jupyter.executor.markers import parse
from kfp_jupyter.executor.report import PREFIX

SIZE_LIMIT = 50_000_000
"""The most bytes that are kept of one attempt's log."""

ROOM = 16_000_000
"""The bytes that logs leave free on their disk."""

SHARE = 8
"""They leave no more than one part of so many of a small disk."""

LOOK_BYTES = 1 << 18
"""After how many bytes is looked again at how much is free: on some disks that takes a while."""

TAIL_LINES = 20
"""The lines of the log that are kept with the run's state."""

TAIL_WIDTH = 500
"""The most characters of each of them."""


class Log:
    """Writes a log.

    Args:
        path: The file; added to if it is there.
        trouble: Translates places in the source.
        on_message: Called with each message of the executor.
    """

    def __init__(self, path: Path, trouble: Trouble, on_message: Callable[[Mapping[str, Any]], None]) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._trouble = trouble
        self._on_message = on_message
        self._marks = (PREFIX.encode(), b"\r", trouble.mark.encode())
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._size = os.fstat(self._file).st_size
        self._left_out = 0
        self._look_at = self._size
        self._disk_is_full = False

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines."""
        return tuple(self._tail)

    def add(self, block: bytes) -> None:
        """Take in whole lines, each with its newline."""
        if any(mark in block for mark in self._marks) or not _is_text(block):
            for line in block.split(b"\n")[:-1]:
                self._line(line)
        else:
            self._tail.extend(
                line.decode()[:TAIL_WIDTH]
                for line in block.rsplit(b"\n", TAIL_LINES + 1)[-TAIL_LINES - 1 : -1]
            )
            self._write(block)

    def note(self, text: str) -> None:
        """Write a line of our own."""
        self.add(f"— {text} —\n".encode())

    def close(self) -> None:
        """Write what is left to say, and close the file."""
        if self._left_out:
            end = "".join(f"{line}\n" for line in self._tail)
            why = "the disk is nearly full, so " if self._disk_is_full else ""
            said = f"— {why}{self._left_out:,} bytes are left out here; the last lines are: —\n{end}"
            self._write_all(said.encode())
        os.close(self._file)

    def _line(self, line: bytes) -> None:
        text, message = parse(line.decode(errors="replace").rstrip("\r\n"))
        if text is not None:
            # A progress bar draws over itself; the last picture stays.
            text = self._trouble.in_place(text.rstrip("\r").rpartition("\r")[2])
            self._tail.append(text[:TAIL_WIDTH])
            self._write(text.encode(errors="replace") + b"\n")
        if message is not None:
            self._on_message(message)

    def _write(self, block: bytes) -> None:
        if not self._left_out and self._size >= self._look_at:
            self._look_at = self._size + LOOK_BYTES
            self._disk_is_full = not has_room(self._file)
        if self._left_out or self._disk_is_full or self._size + len(block) > SIZE_LIMIT:
            self._left_out += len(block)
        else:
            self._size += len(block)
            self._write_all(block)

    def _write_all(self, block: bytes) -> None:
        # A full disk must not block the step on a full pipe.
        try:
            while block:
                block = block[os.write(self._file, block) :]
        except OSError:
            self._disk_is_full = True
            self._left_out += len(block)


def has_room(file: int) -> bool:
    """Say whether the disk of an open file has room for logs; one that does not say it is taken to have."""
    try:
        disk = os.fstatvfs(file)
    except OSError:
        return True
    return disk.f_bavail * disk.f_frsize >= min(ROOM, disk.f_blocks * disk.f_frsize // SHARE)


def _is_text(block: bytes) -> bool:
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True
