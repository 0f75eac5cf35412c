"""A worker: one process in its own process group, whose output is read in blocks of whole lines.

It is started by a fork server (`kfp_jupyter.engines.local.fork_server`), which tells of it over a socket.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kfp_jupyter.engines.local.fork_client import ForkServer, ServerLostError
from kfp_jupyter.engines.local.fork_server import kill_marked
from kfp_jupyter.engines.local.process import kill_holders, signal_group, started_at

LINE_LIMIT = 1 << 20
"""The most bytes of one line; a longer one is split."""

BLOCK = 1 << 16
"""How much of the output is read at once."""

LEFTOVER_SECONDS = 0.2
"""How long the output may stay open after the process has ended; then what it left behind is killed."""

DRAIN_SECONDS = 30.0
"""How long reading the rest of the output may take after that."""

LOST_SECONDS = 10.0
"""How long killed processes may take to be gone."""

POLL_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process has ended.

    Attributes:
        code: The exit code, negative for a signal.
        cpu_seconds: The processor time that it and the children it waited for have used.
        memory_bytes: The most memory that it had at once.
    """

    code: int
    cpu_seconds: float
    memory_bytes: int


class Worker:
    """A running process.

    Args:
        server: Who starts it.
        command: The program and its arguments.
        variables: All its environment variables. Marked by `RUN_VARIABLE`, it is killed with the run.
        folder: The attempt's folder.
        directory: Its working directory.
        on_lines: Called with blocks of whole lines, each ending in a newline, by whoever calls `wait`.
        execute: Start the program; otherwise fork, with the command as its `sys.argv`.

    Raises:
        ServerLostError: The server has ended.
    """

    def __init__(
        self,
        server: ForkServer,
        command: Sequence[str],
        variables: Mapping[str, str],
        folder: Path,
        directory: str,
        on_lines: Callable[[bytes], None],
        *,
        execute: bool,
    ) -> None:
        self._folder = folder
        self._on_lines = on_lines
        self._begun = b""
        self._told = b""
        self._pid = 0
        self._wanted: signal.Signals | None = None
        # Held while the process is buried, so that no signal goes to whoever gets its id next.
        self._lock = threading.Lock()
        self._output, writing = os.pipe()
        self._control, theirs = socket.socketpair()
        try:
            server.start(command, variables, directory, writing, theirs.fileno(), execute=execute)
        except BaseException:
            os.close(self._output)
            self._control.close()
            raise
        finally:
            os.close(writing)
            theirs.close()

    @property
    def pid(self) -> int:
        """The id of its process, which leads a session and a group; 0 while there is none."""
        return self._pid

    def wait(self) -> Ended:
        """Read what it prints until the process and its output have ended; return how it ended.

        Raises:
            ServerLostError: The server was killed, and now this process too.
            OSError: It could not be started.
        """
        try:
            self._listen()
            open_ = self._read(LEFTOVER_SECONDS)
            signal_group(self._pid, signal.SIGKILL)
            if open_ and self._read(LEFTOVER_SECONDS):
                # Held open by something that left the group.
                kill_marked(f"{self._folder}/")
                kill_holders(self._output)
                self._read(DRAIN_SECONDS)
            return self._bury()
        except (ServerLostError, ConnectionError) as error:
            # What is written to the socket of one who is gone, or was not read by them, is such an error.
            self._kill_orphans()
            raise ServerLostError from error
        finally:
            if self._begun:
                self._on_lines(self._begun + b"\n")
            os.close(self._output)
            with self._lock:
                self._pid = 0
                self._control.close()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and all in its group."""
        with self._lock:
            self._wanted = number
            if self._pid:
                signal_group(self._pid, number)

    def _listen(self) -> None:
        """Read until the process has ended."""
        poll = select.poll()
        poll.register(self._output, select.POLLIN)
        poll.register(self._control, select.POLLIN)
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == self._control.fileno():
                    if "exited" in self._news():
                        return
                elif not self._block():
                    poll.unregister(self._output)

    def _read(self, seconds: float) -> bool:
        """Read for some time; return whether the output is still open."""
        deadline = time.monotonic() + seconds
        poll = select.poll()
        poll.register(self._output, select.POLLIN)
        while poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            if not self._block():
                return False
        return True

    def _block(self) -> bool:
        block = os.read(self._output, BLOCK)
        whole, newline, rest = block.rpartition(b"\n")
        if newline:
            self._on_lines(self._begun + whole + newline)
            self._begun = b""
        self._begun += rest
        if len(self._begun) >= LINE_LIMIT:
            self._on_lines(self._begun + b"\n")
            self._begun = b""
        return bool(block)

    def _news(self) -> Iterator[str]:
        """Yield the first words of all messages that are there: for the second no poll would wake again."""
        yield self._heard()
        while b"\n" in self._told:
            yield self._heard()

    def _heard(self) -> str:
        """Take in one message of the server; return its first word."""
        while b"\n" not in self._told:
            block = self._control.recv(1 << 12)
            if not block:
                raise ServerLostError
            self._told += block
        line, _, self._told = self._told.partition(b"\n")
        word, _, rest = line.decode().partition(" ")
        if word == "failed":
            raise OSError(rest)
        if word == "started":
            with self._lock:
                self._pid = int(rest)
                if self._wanted is not None:
                    signal_group(self._pid, self._wanted)
        return f"ended {rest}" if word == "ended" else word

    def _bury(self) -> Ended:
        with self._lock:
            self._pid = 0
            self._control.sendall(b"bury")
        code, cpu_seconds, memory = self._heard().split()[1:]
        return Ended(int(code), float(cpu_seconds), int(memory))

    def _kill_orphans(self) -> None:
        """Kill what a lost server leaves, and see it gone, so that it writes no more."""
        pid, began = self._pid, started_at(self._pid) if self._pid else ""
        if pid:
            signal_group(pid, signal.SIGKILL)
        kill_marked(f"{self._folder}/")
        deadline = time.monotonic() + LOST_SECONDS
        while began and started_at(pid) == began and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
