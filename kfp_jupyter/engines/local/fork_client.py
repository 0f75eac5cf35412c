"""The supervisor's side of fork servers: one for each Python, started when it is first needed.

A server that has ended (it was killed) is replaced by another with the next request.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from kfp_jupyter.engines.local.folder import RunFolder
from kfp_jupyter.engines.local.fork_server import LENGTH_BYTES, RUN_VARIABLE, kill_marked
from kfp_jupyter.engines.local.program import Programs

AT_START = ("PYTHON", "LD_", "DYLD_", "LC_", "LANG", "MALLOC_", "GLIBC_")
"""Beginnings of variables that a process heeds only when it starts."""

NOT_AT_START = ("PYTHONPATH", "PYTHONUNBUFFERED")
"""Those among them that a fork is given all the same."""

END_SECONDS = 10.0
"""How long a server may take to end what it has started."""

SPAWN_VARIABLE = "KFP_JUPYTER_SPAWN"
"""Set to anything, every step is a new interpreter; a fork of a warm one is not safe everywhere."""


class ServerLostError(Exception):
    """A fork server has ended; what it had started is killed."""


class ForkServer:
    """A fork server's process.

    Args:
        python: The path of the Python.
        programs: What it runs.
        run: The run's folder.
        lock: The descriptor of the run's lock.
        variables: The environment variables of its steps, as far as they are the same.
    """

    def __init__(
        self, python: str, programs: Programs, run: Path, lock: int, variables: Mapping[str, str]
    ) -> None:
        self._variables = {key: value for key, value in variables.items() if key not in NOT_AT_START}
        own = os.environ.get("PYTHONPATH")
        self._socket, theirs = socket.socketpair()
        with theirs:
            command = [python, "-u", str(programs.fork_server), str(theirs.fileno())]
            self._process = subprocess.Popen(
                [*command, str(lock), f"{run}/", str(programs.definitions)],
                stdin=subprocess.DEVNULL,
                cwd=run,
                env={
                    **self._variables,
                    **({"PYTHONPATH": own} if own else {}),
                    RUN_VARIABLE: f"{run}/",
                },
                start_new_session=True,
                pass_fds=[theirs.fileno(), lock],
            )
        # A request is two writes; held for these.
        self._lock = threading.Lock()

    @property
    def alive(self) -> bool:
        """Whether it takes requests."""
        return self._process.poll() is None

    def can_fork(self, variables: Mapping[str, str]) -> bool:
        """Say whether a fork would be what a new process with these variables is."""
        differing = dict(variables.items() ^ self._variables.items())
        return not any(name.startswith(AT_START) and name not in NOT_AT_START for name in differing)

    def start(
        self,
        command: Sequence[str],
        variables: Mapping[str, str],
        directory: str,
        output: int,
        control: int,
        *,
        execute: bool,
    ) -> None:
        """Have a process started; see `kfp_jupyter.engines.local.fork_server`.

        Args:
            command: The program and its arguments; a fork has them as its `sys.argv`.
            variables: All its environment variables.
            directory: Its working directory.
            output: Into what it prints.
            control: The socket on which the server tells of it.
            execute: Start the program; otherwise a fork carries out what the executor is asked for.

        Raises:
            ServerLostError: The server has ended.
        """
        known = self._variables
        request = {
            "command": list(command),
            "directory": directory,
            "execute": execute,
            "set": {name: value for name, value in variables.items() if known.get(name) != value},
            "unset": [name for name in (RUN_VARIABLE, *known) if name not in variables],
        }
        text = json.dumps(request).encode()
        try:
            with self._lock:
                socket.send_fds(self._socket, [len(text).to_bytes(LENGTH_BYTES, "big")], [output, control])
                self._socket.sendall(text)
        except OSError as error:
            raise ServerLostError from error

    def close(self) -> None:
        """Have it end, and everything that it has started."""
        self._socket.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class ForkServers:
    """The fork servers of a run.

    Args:
        programs: What they run.
        folder: The run's folder.
        lock: The descriptor of the run's lock.

    Attributes:
        forks: Whether steps are forks; otherwise each is a new interpreter.
        log: The file into which servers write what goes wrong in them.
    """

    def __init__(self, programs: Programs, folder: RunFolder, lock: int) -> None:
        self._programs = programs
        self._run = folder.path
        self.log = folder.supervisor_log
        self._run_lock = lock
        self._servers: dict[str, ForkServer] = {}
        # Two attempts that need the same server at once make one; held while a process is started.
        self._lock = threading.Lock()
        self.forks = sys.platform != "darwin" and not os.environ.get(SPAWN_VARIABLE)

    def of(self, python: str, variables: Mapping[str, str]) -> ForkServer:
        """Return the server of a Python; started if there is none.

        Args:
            python: The path of the Python.
            variables: The environment variables that its steps have.

        Raises:
            OSError: It could not be started.
        """
        with self._lock:
            server = self._servers.get(python)
            if server is None or not server.alive:
                server = ForkServer(python, self._programs, self._run, self._run_lock, variables)
                self._servers[python] = server
            return server

    def close(self) -> None:
        """End every process of the run but this one."""
        with self._lock:
            for server in self._servers.values():
                with contextlib.suppress(OSError):
                    server.close()
        kill_marked(f"{self._run}/")
