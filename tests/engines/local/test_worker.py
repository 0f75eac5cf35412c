"""A worker hears all that its server says, however it arrives, and notices when the server is gone."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading

import pytest

from kfp_jupyter.engines.local.fork_client import ServerLostError
from kfp_jupyter.engines.local.fork_server import RUN_VARIABLE
from kfp_jupyter.engines.local.worker import Ended, Worker


class Hasty:
    """A server that says at once that a process has started and that it has ended."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def start(self, command, variables, directory, output, control, *, execute) -> None:
        told = socket.socket(fileno=os.dup(control))
        told.sendall(f"started {self._pid}\nexited\n".encode())

        def bury() -> None:
            assert told.recv(4) == b"bury"
            told.sendall(b"ended 0 0.5 1024\n")
            told.close()

        threading.Thread(target=bury, daemon=True).start()


def test_a_process_that_ended_before_its_start_was_heard_of_is_not_waited_for(tmp_path):
    program = [sys.executable, "-c", "import signal; signal.pause()"]
    process = subprocess.Popen(program, start_new_session=True)
    variables = {RUN_VARIABLE: f"{tmp_path}/"}
    ended: list[Ended] = []

    def wait() -> None:
        worker = Worker(
            Hasty(process.pid), program, variables, tmp_path, str(tmp_path), lambda _: None, execute=False
        )
        ended.append(worker.wait())

    try:
        waiting = threading.Thread(target=wait, daemon=True)
        waiting.start()
        # What is left of its group is killed.
        assert process.wait(timeout=60) == -signal.SIGKILL
        waiting.join(timeout=60)
        assert ended == [Ended(0, 0.5, 1024)]
    finally:
        process.kill()
        process.wait()


class Killed:
    """A server that is killed after it has said that a process has ended.

    Args:
        pid: The process.
        asked: Whether it was asked to bury the process by then; it has not read that.
    """

    def __init__(self, pid: int, asked: bool) -> None:
        self._pid = pid
        self._asked = asked

    def start(self, command, variables, directory, output, control, *, execute) -> None:
        told = socket.socket(fileno=os.dup(control))
        told.sendall(f"started {self._pid}\nexited\n".encode())

        def end() -> None:
            select.select([told], [], [])
            told.close()

        if self._asked:
            threading.Thread(target=end, daemon=True).start()
        else:
            told.close()


@pytest.mark.parametrize("asked", [False, True], ids=["before it is asked to bury it", "after that"])
def test_a_server_that_is_killed_after_a_process_has_ended_is_lost(tmp_path, asked):
    program = [sys.executable, "-c", "import signal; signal.pause()"]
    process = subprocess.Popen(program, start_new_session=True)
    variables = {RUN_VARIABLE: f"{tmp_path}/"}
    try:
        worker = Worker(
            Killed(process.pid, asked),
            program,
            variables,
            tmp_path,
            str(tmp_path),
            lambda _: None,
            execute=False,
        )
        with pytest.raises(ServerLostError):
            worker.wait()
        assert worker.pid == 0
        assert process.wait(timeout=60) == -signal.SIGKILL
    finally:
        process.kill()
        process.wait()
