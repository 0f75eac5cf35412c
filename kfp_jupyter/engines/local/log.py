"""The log of an attempt: what its processes print, as it is kept.

Most blocks are written as they come. Those with something to hide or to translate are taken apart into lines:
the executor's markers, a progress bar that draws over itself, places in the source of a traceback, what is no
text. A log is cut at a size; what the run's state keeps of it are its last lines all the same.
"""

from __future__ import annotations

import contextlib
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
            self._write_all(
                f"— {self._left_out:,} bytes are left out here; the last lines are: —\n{end}".encode()
            )
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
        if self._left_out or self._size + len(block) > SIZE_LIMIT:
            self._left_out += len(block)
        else:
            self._size += len(block)
            self._write_all(block)

    def _write_all(self, block: bytes) -> None:
        # A full disk must not block the step on a full pipe; the last lines go into the run's state anyway.
        with contextlib.suppress(OSError):
            while block:
                block = block[os.write(self._file, block) :]


def _is_text(block: bytes) -> bool:
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True
