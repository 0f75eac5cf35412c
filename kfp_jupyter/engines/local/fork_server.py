"""The fork server: a small warm process that starts a step by forking itself, which takes a millisecond.

    python -u fork_server.pyc REQUESTS_DESCRIPTOR LOCK_DESCRIPTOR RUN_FOLDER DEFINITIONS

A supervisor has one for each Python that its steps run in. It has one thread, imports the standard library
alone, and has run the executor's definitions; so a fork of it is what a new interpreter would be just before
it runs the step. Steps are handed over a socket: a length, a JSON object, and two descriptors. Into the one
goes what the step prints; over the other, a socket, the server tells how it fares:

    started PID          it is in a session of its own, and signals reach it
    failed MESSAGE       it could not be started
    exited               it has ended, and its id stays its own until the supervisor says `bury`
    ended CODE CPU RSS   exit code (negative for a signal), CPU seconds, largest memory in bytes

It is the run's guard too. When the socket for requests closes, the supervisor has ended, be it by `kill -9`:
all that was started is then killed. The run's lock, which it holds, is dropped only after that. If the server
itself is killed, the supervisor sees its sockets close and does the same.

This file is compiled into the data folder and run from there; it is also imported, for `kill_marked`.
"""
# ruff: noqa: PTH100, PTH123, PTH208 (a bare interpreter has not imported pathlib)

from __future__ import annotations

import contextlib
import gc
import json
import marshal
import os
import select
import signal
import socket
import sys
import time
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import resource

RUN_VARIABLE = "KFP_JUPYTER_RUN"
"""Set for everything an attempt starts: the attempt's folder, by which its processes are found again."""

CONTAINERS = "containers.json"
"""In a run's folder: the commands that list its containers and remove those that are listed."""

REMOVAL_SECONDS = 30.0
"""How long one of these commands may take."""

LATE_SECONDS = 0.3
"""After which a container shows up that was being made when its maker was killed."""

SET_ASIDE = ("select", "selectors", "signal", "socket")
"""What the server imports and the executor does not: a file beside the notebook may have such a name."""

LENGTH_BYTES = 4


class Server:
    """Takes requests until the supervisor is gone.

    Args:
        requests: The socket over which they come.
        lock: The descriptor of the run's lock, which steps must not hold.
        run: The run's folder, ending in a slash.
        executor: The executor's module.
    """

    def __init__(self, requests: int, lock: int, run: str, executor: ModuleType) -> None:
        self._requests = socket.socket(fileno=requests)
        self._lock = lock
        self._run = run
        self._executor = executor
        self._path = path_without(os.environ.get("PYTHONPATH", ""))
        self._limits = files_limit()
        self._children: dict[int, tuple[int, socket.socket]] = {}
        self._told: set[int] = set()
        self._forsaken: list[int] = []
        self._buried: dict[int, tuple[int, resource.struct_rusage]] = {}
        self._woken, self._wake = os.pipe()

    def serve(self) -> dict[str, Any] | None:
        """Serve; return None at the end, and in each fork the request that it is to carry out."""
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        limit_files((self._limits[1], self._limits[1]))
        poll = select.poll()
        poll.register(self._requests, select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == self._woken:
                    os.read(self._woken, 1 << 12)
                    self._look()
                elif descriptor != self._requests.fileno():
                    poll.unregister(descriptor)
                    self._answer(descriptor)
                else:
                    received = self._receive()
                    if received is None:
                        self._end()
                        return None
                    order, output, control = received
                    if self._fork(output, control):
                        self._become(order, output, control)
                        return order
                    if control.fileno() in self._children:
                        poll.register(control, select.POLLIN)

    def _receive(self) -> tuple[dict[str, Any], int, socket.socket] | None:
        """Return the next request; None if the supervisor has ended, also in the middle of one."""
        try:
            head, ancillary, _, _ = self._requests.recvmsg(LENGTH_BYTES, socket.CMSG_SPACE(8))
            if len(head) < LENGTH_BYTES or not ancillary:
                return None
            size, text = int.from_bytes(head, "big"), bytearray()
            while len(text) < size:
                part = self._requests.recv(size - len(text))
                if not part:
                    return None
                text += part
        except OSError:
            return None
        output, control = memoryview(ancillary[0][2]).cast("i")
        return json.loads(text), output, socket.socket(fileno=control)

    def _fork(self, output: int, control: socket.socket) -> bool:
        try:
            pid = os.fork()
        except OSError as error:
            pid = -1
            tell(control, f"failed {error}")
        if pid == 0:
            return True
        os.close(output)
        if pid > 0:
            self._children[control.fileno()] = pid, control
        else:
            control.close()
        return False

    def _become(self, request: dict[str, Any], output: int, control: socket.socket) -> None:
        """Make this fork a process like any that is started anew."""
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for standard, descriptor in enumerate((nothing, output, output)):
            os.dup2(descriptor, standard)
        tell(control, f"started {os.getpid()}")
        self._requests.close()
        for _, other in self._children.values():
            other.close()
        for descriptor in (nothing, output, control.detach(), self._lock, self._woken, self._wake):
            os.close(descriptor)
        limit_files(self._limits)
        for name in request["unset"]:
            os.environ.pop(name, None)
        os.environ.update(request["set"])
        if "TZ" in request["set"]:
            time.tzset()
        given = path_of(os.environ.get("PYTHONPATH", ""))
        sys.path[1:] = [*given, *(place for place in self._path if place not in given)]

    def _look(self) -> None:
        """Tell of those that have ended; bury those that nobody asks for any more."""
        for pid in [pid for pid in self._forsaken if self._ended(pid)]:
            self._forsaken.remove(pid)
            self._bury(pid)
        for pid, control in self._children.values():
            if pid not in self._told and self._ended(pid):
                self._told.add(pid)
                tell(control, "exited")

    def _ended(self, pid: int) -> bool:
        if hasattr(os, "waitid"):
            # Leaves it unburied, so that its group's id is still its own.
            return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        found, status, usage = os.wait4(pid, os.WNOHANG)
        if found:
            self._buried[pid] = status, usage
        return bool(found)

    def _bury(self, pid: int) -> tuple[int, resource.struct_rusage]:
        _, status, usage = os.wait4(pid, 0) if pid not in self._buried else (0, *self._buried.pop(pid))
        return os.waitstatus_to_exitcode(status), usage

    def _answer(self, descriptor: int) -> None:
        """Carry out what the supervisor says of one child: that it may be buried, or nothing any more."""
        pid, control = self._children.pop(descriptor)
        said = b""
        # A supervisor that was killed before it had read all that was told resets the connection.
        with contextlib.suppress(OSError):
            said = control.recv(LENGTH_BYTES)
        if said:
            code, usage = self._bury(pid)
            # macOS counts bytes.
            memory = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
            tell(control, f"ended {code} {usage.ru_utime + usage.ru_stime:.6f} {memory}")
        else:
            kill_group(pid)
            self._forsaken.append(pid)
        self._told.discard(pid)
        control.close()

    def _end(self) -> None:
        for pid, _ in self._children.values():
            kill_group(pid)
        kill_marked(self._run)
        remove_containers(self._run)


def kill_group(pid: int) -> None:
    """Kill a child of ours that is not buried yet, and all in its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def tell(control: socket.socket, text: str) -> None:
    """Tell the supervisor how a step fares; it may be gone."""
    with contextlib.suppress(OSError):
        control.sendall(f"{text}\n".encode())


def kill_marked(folder: str) -> int:
    """Kill what the attempts under a folder have started, also what left its process group; needs `/proc`.

    Args:
        folder: The folder, ending in a slash.

    Returns:
        How many processes there were.
    """
    mark = f"{RUN_VARIABLE}={folder}".encode()
    killed = 0
    try:
        processes = [name for name in os.listdir("/proc") if name.isdigit()]
    except FileNotFoundError:
        return 0
    for name in processes:
        with contextlib.suppress(OSError):
            with open(f"/proc/{name}/environ", "rb") as file:
                marked = any(variable.startswith(mark) for variable in file.read().split(b"\0"))
            if marked and int(name) != os.getpid():
                os.kill(int(name), signal.SIGKILL)
                killed += 1
    return killed


def remove_containers(folder: str) -> None:
    """Remove the containers that a run has left behind, if it had any.

    Args:
        folder: The run's folder, ending in a slash.
    """
    try:
        with open(f"{folder}{CONTAINERS}", encoding="utf-8") as file:
            commands = json.load(file)
    except (OSError, ValueError):
        return
    import subprocess

    # Unmarked: podman leaves processes behind that serve other containers too.
    variables = {name: value for name, value in os.environ.items() if name != RUN_VARIABLE}

    def answer(command: list[str]) -> list[str]:
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            asked = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=variables,
                timeout=REMOVAL_SECONDS,
                check=False,
            )
            return asked.stdout.decode().split()
        return []

    for late in (0.0, LATE_SECONDS):
        time.sleep(late)
        listed = answer(commands["list"])
        for command in commands["remove"] if listed else ():
            answer([*command, *listed])


def files_limit() -> tuple[int, int]:
    """Return how many files this process may have open, and how many it may allow itself."""
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)


def limit_files(limits: tuple[int, int]) -> None:
    """Allow this process to have so many files open, if the system lets it."""
    import resource

    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def path_of(variable: str) -> list[str]:
    """Return the entries of a `PYTHONPATH` as they stand in `sys.path`."""
    return list(dict.fromkeys(os.path.abspath(place) for place in variable.split(os.pathsep) if place))


def path_without(variable: str) -> list[str]:
    """Return this interpreter's `sys.path` without the program's folder and without a `PYTHONPATH`."""
    given = path_of(variable)
    return [place for place in sys.path[1:] if place not in given]


def carry_out(request: dict[str, Any], executor: ModuleType) -> None:
    """Do in a fork what was asked for; ends the process."""
    command = request["command"]
    try:
        os.chdir(request["directory"])
        if request["execute"]:
            os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"{request['directory']}: {command[0]}: {error.strerror}")
    sys.argv = command
    # Folders may have changed since the server looked into them.
    sys.path_importer_cache.clear()
    sys.modules["__main__"] = executor
    leave(executor.main())


def leave(code: int) -> NoReturn:
    """End a fork as an interpreter ends, but leave to the system what would only be torn down.

    Tearing down an interpreter takes longer than all else here, because it writes to every page that the fork
    still shares with the server. What others may see happens: threads are waited for, functions registered at
    `atexit` run, and what the step's module still holds, such as an open file, is let go.
    """
    import atexit

    threading: Any = sys.modules.get("threading")
    if threading is not None:
        threading._shutdown()
    atexit._run_exitfuncs()
    sys.modules["__main__"].__dict__.clear()
    gc.collect()
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.flush()  # type: ignore[union-attr]  # a step may have put anything there
    os._exit(code)


def main() -> None:
    """Serve, as the command line says."""
    requests, lock, run, definitions = sys.argv[1:]
    # As `__main__`, so that all is named as in an executor that was started anew.
    executor = ModuleType("__main__")
    executor.__dict__["__file__"] = definitions
    with open(definitions, "rb") as file:
        exec(marshal.load(file), executor.__dict__)
    server = Server(int(requests), int(lock), run, executor)
    for name in SET_ASIDE:
        sys.modules.pop(name, None)
    # A fork that collects garbage leaves the server's pages shared.
    gc.collect()
    gc.freeze()
    request = server.serve()
    if request is not None:
        carry_out(request, executor)


if __name__ == "__main__":
    main()
