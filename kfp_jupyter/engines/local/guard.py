"""The guard: a small process that ends what the supervisor has started when the supervisor is gone.

It is forked from the supervisor and reads a pipe whose other end only the supervisor has. When that closes,
the supervisor has ended, be it by `kill -9`; process groups it had told and not taken back are then killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path

from kfp_jupyter.engines.local.process import kill_escaped, signal_group


class Guard:
    """The supervisor's side.

    Args:
        run: The run's folder.
    """

    def __init__(self, run: Path) -> None:
        """Fork the guard; to be called before there are threads."""
        reading, self._pipe = os.pipe()
        if os.fork() == 0:
            os.close(self._pipe)
            _watch(reading, run)
        os.close(reading)

    def add(self, group: int) -> None:
        """Tell of a process group that must not outlive the supervisor."""
        self._tell(f"+{group}\n")

    def remove(self, group: int) -> None:
        """Take back a process group that has ended."""
        self._tell(f"-{group}\n")

    def _tell(self, text: str) -> None:
        # One write of a few bytes is atomic, so threads need no lock.
        with contextlib.suppress(BrokenPipeError):
            os.write(self._pipe, text.encode())


def _watch(reading: int, run: Path) -> None:
    try:
        # Its own session, so that a signal to the supervisor's group leaves it.
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        groups: set[int] = set()
        with os.fdopen(reading) as lines:
            for line in lines:
                change = groups.add if line.startswith("+") else groups.discard
                change(int(line[1:]))
        for group in groups:
            signal_group(group, signal.SIGKILL)
        kill_escaped(run)
    except BaseException as error:  # noqa: BLE001 (a forked child must never run on as its parent)
        sys.stderr.write(f"guard: {error!r}\n")
        sys.stderr.flush()
    finally:
        os._exit(0)
