"""Room on the disk that is kept for the journal of a run, so that a full disk does not end the run unheard.

A file of some size lies beside the journal. When the journal cannot be written for want of room, the file is
removed, and the journal has that room: for what fails now, for why, and for the end. Logs stop growing before
the disk is that full (`log`), so nothing of ours takes it. Where the room cannot be had at the beginning, the
run begins without.
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

SIZE = 1 << 20
"""How many bytes are kept: the ends of some thousand tasks."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
"""The errors of a write for which there is no room: on the disk, or in what a user may have of it."""


class Reserve:
    """The room that is kept for a journal.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self) -> None:
        """Keep the room, if there is that much."""
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o644)
            try:
                _fill(file)
            finally:
                os.close(file)
        except OSError:
            # What little there is, the run itself needs.
            self.give_up()

    def give_up(self) -> bool:
        """Free the room; return whether there was any."""
        with contextlib.suppress(OSError):
            self._path.unlink()
            return True
        return False


def _fill(file: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, SIZE)
        return
    left = SIZE
    while left:
        left -= os.write(file, bytes(left))
