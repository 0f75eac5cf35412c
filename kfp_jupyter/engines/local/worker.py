"""A worker: one process in its own process group, whose output is read line by line.

The seam at which processes are made: something that starts steps faster takes this class's place.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from kfp_jupyter.engines.local.guard import Guard
from kfp_jupyter.engines.local.process import RUN_VARIABLE, kill_escaped, signal_group

LINE_LIMIT = 1 << 20
"""The most bytes of one line; a longer one is split."""

LEFTOVER_SECONDS = 0.2
"""How long the output may stay open after the process has ended; then what it left behind is killed."""

DRAIN_SECONDS = 30.0
"""How long reading the rest of the output may take after that."""


class Worker:
    """A running process.

    Args:
        command: The program and its arguments.
        environment: All its environment variables; `RUN_VARIABLE` names the attempt's folder.
        directory: Its working directory.
        guard: Whoever ends it if the supervisor cannot.
        on_line: Called with each line of output (without newline) from a thread of its own.

    Raises:
        OSError: The process could not be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        directory: str,
        guard: Guard,
        on_line: Callable[[str], None],
    ) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env=environment,
            start_new_session=True,
        )
        self._guard = guard
        self._folder = Path(environment[RUN_VARIABLE])
        self._deaf = False
        guard.add(self._process.pid)
        # Held while the process is reaped, so that no signal goes to whoever gets its id next.
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, args=(on_line,), daemon=True)
        self._reader.start()

    def wait(self) -> int:
        """Wait until the process and its output have ended; return the exit code, negative for a signal."""
        if hasattr(os, "waitid"):
            # Leaves the process unreaped, so that its group's id is still its own.
            os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        else:
            self._process.wait()
        self._reader.join(LEFTOVER_SECONDS)
        with self._lock:
            signal_group(self._process.pid, signal.SIGKILL)
            code = self._process.wait()
        self._reader.join(LEFTOVER_SECONDS)
        if self._reader.is_alive():
            # Held open by something that left the group.
            kill_escaped(self._folder)
            self._reader.join(DRAIN_SECONDS)
            self._deaf = True
        self._guard.remove(self._process.pid)
        return code

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and all in its group."""
        with self._lock:
            if self._process.returncode is None:
                signal_group(self._process.pid, number)

    def _read(self, on_line: Callable[[str], None]) -> None:
        stream = self._process.stdout
        if stream is None:
            return
        with stream:
            for line in iter(lambda: stream.readline(LINE_LIMIT), b""):
                if self._deaf:
                    return
                # A full disk must not block the step on a full pipe.
                with contextlib.suppress(OSError):
                    on_line(line.decode(errors="replace").rstrip("\r\n"))
