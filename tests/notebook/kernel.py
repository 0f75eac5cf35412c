"""A real kernel in its own process, spoken to as a front end does: over ZMQ, with comms."""

from __future__ import annotations

import os
import queue
import re
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jupyter_client.manager import KernelManager

SECONDS = 180.0


@dataclass
class Cell:
    """What executing a cell gave."""

    request: str
    status: str = ""
    ename: str = ""
    outputs: list[dict[str, Any]] = field(default_factory=list)

    @property
    def stdout(self) -> str:
        return self._stream("stdout")

    @property
    def stderr(self) -> str:
        return self._stream("stderr")

    @property
    def traceback(self) -> str:
        """The error outputs as text, without colours."""
        lines = [line for output in self.outputs if output["type"] == "error" for line in output["traceback"]]
        return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(lines))

    @property
    def bundles(self) -> list[dict[str, Any]]:
        return [output["data"] for output in self.outputs if "data" in output]

    def _stream(self, name: str) -> str:
        return "".join(
            output["text"] for output in self.outputs if output["type"] == "stream" and output["name"] == name
        )


class Comm:
    """The front end's side of a comm."""

    def __init__(self, kernel: Kernel, target: str, subshell: str | None) -> None:
        self.kernel = kernel
        self.id = uuid.uuid4().hex
        self.subshell = subshell
        self.messages: list[dict[str, Any]] = []
        self.closed = False
        self._next = 0
        kernel.comms[self.id] = self
        self._say("comm_open", target_name=target, target_module=None)

    def send(self, data: dict[str, Any]) -> None:
        self._say("comm_msg", data=data)

    def close(self) -> None:
        self._say("comm_close")

    def request(self, method: str, **params: Any) -> Any:
        """Ask, wait for the answer with the same id, and return its result; an error is returned whole."""
        self._next += 1
        number = self._next
        self.send({"id": number, "method": method, "params": params})
        answer = self.wait(lambda message: message.get("id") == number)
        return answer.get("result", answer)

    def wait(self, wanted: Callable[[dict[str, Any]], Any], seconds: float = SECONDS) -> dict[str, Any]:
        """Return the first message that is wanted, waiting for it."""
        self.kernel.until(lambda: any(map(wanted, self.messages)) or self.closed, seconds)
        return next(message for message in self.messages if wanted(message))

    def _say(self, kind: str, data: dict[str, Any] | None = None, **content: Any) -> None:
        client = self.kernel.client
        message = client.session.msg(kind, {"comm_id": self.id, "data": data or {}, **content})
        if self.subshell is not None:
            message["header"]["subshell_id"] = self.subshell
        client.shell_channel.send(message)


class Kernel:
    """A kernel and one client of it."""

    def __init__(self, manager: KernelManager) -> None:
        self.manager = manager
        self.comms: dict[str, Comm] = {}
        self.opened: list[str] = []
        self.cells: dict[str, Cell] = {}
        self.replies: dict[str, dict[str, Any]] = {}
        self.displays: dict[str, dict[str, Any]] = {}
        self.connect()

    def connect(self) -> None:
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=SECONDS)

    @property
    def subshells(self) -> bool:
        """True if this ipykernel answers comms while a cell runs."""
        self.client.kernel_info()
        self.until(lambda: any(r["msg_type"] == "kernel_info_reply" for r in self.replies.values()))
        info = next(r for r in self.replies.values() if r["msg_type"] == "kernel_info_reply")["content"]
        return "kernel subshells" in info.get("supported_features", [])

    def create_subshell(self) -> str:
        """Make a subshell, as JupyterLab does for each comm target."""
        message = self.client.session.msg("create_subshell_request", {})
        self.client.control_channel.send(message)
        reply = self.client.get_control_msg(timeout=SECONDS)
        return reply["content"]["subshell_id"]

    def open(self, target: str, subshell: str | None = None) -> Comm:
        return Comm(self, target, subshell)

    def start(self, code: str, **options: Any) -> Cell:
        """Begin to execute a cell."""
        request = self.client.execute(code, **options)
        cell = self.cells[request] = Cell(request)
        return cell

    def send(self, request: dict[str, Any]) -> Cell:
        """Begin to execute a cell by an `execute_request` of the caller's own."""
        self.client.shell_channel.send(request)
        number = request["header"]["msg_id"]
        cell = self.cells[number] = Cell(number)
        return cell

    def finish(self, cell: Cell, seconds: float = SECONDS) -> Cell:
        """Wait until a cell has been executed."""
        self.until(lambda: cell.status == "idle" and cell.request in self.replies, seconds)
        content = self.replies[cell.request]["content"]
        cell.status, cell.ename = content["status"], content.get("ename", "")
        return cell

    def run(self, code: str, **options: Any) -> Cell:
        """Execute a cell."""
        return self.finish(self.start(code, **options))

    def value(self, expression: str) -> str:
        """Return the `str` of an expression, evaluated in the kernel."""
        cell = self.run(f"print({expression})")
        assert cell.status == "ok", cell.traceback
        return cell.stdout.strip()

    def until(self, condition: Callable[[], Any], seconds: float = SECONDS) -> None:
        """Take in messages until the condition holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not within {seconds} s"
            self._take_in(self.client.get_shell_msg, 0)
            self._take_in(self.client.get_iopub_msg, 0.02)

    def _take_in(self, get: Callable[..., dict[str, Any]], timeout: float) -> None:
        try:
            message = get(timeout=timeout)
        except queue.Empty:
            return
        kind, content = message["msg_type"], message["content"]
        parent = message["parent_header"].get("msg_id", "")
        if kind.endswith("_reply"):
            self.replies[parent] = message
        elif kind == "comm_open":
            self.opened.append(content["target_name"])
        elif kind in ("comm_msg", "comm_close") and content["comm_id"] in self.comms:
            comm = self.comms[content["comm_id"]]
            comm.closed = comm.closed or kind == "comm_close"
            if kind == "comm_msg":
                comm.messages.append(content["data"])
        elif kind == "update_display_data":
            self.displays[content["transient"]["display_id"]] = content["data"]
        elif parent in self.cells:
            cell = self.cells[parent]
            if kind == "status":
                cell.status = content["execution_state"]
            elif kind in ("stream", "error", "display_data", "execute_result"):
                cell.outputs.append({"type": kind, **content})
                display = content.get("transient", {}).get("display_id")
                if display:
                    self.displays[display] = content["data"]

    def interrupt(self) -> None:
        self.manager.interrupt_kernel()

    def restart(self) -> None:
        self.client.stop_channels()
        self.manager.restart_kernel(now=True)
        self.comms.clear()
        self.connect()


@contextmanager
def kernel(data: Path, **environment: str) -> Iterator[Kernel]:
    """Run a kernel whose runs are kept in `data`, with further environment variables.

    `KFP_JUPYTER_TEST_KERNEL` names another interpreter than this one, for trying other versions of ipykernel.
    """
    # Not over TCP: of ports that were free when they were chosen, another process may have taken one since.
    with TemporaryDirectory(prefix="kernel-", ignore_cleanup_errors=True) as place:
        yield from _running(data, Path(place) / "connection.json", environment)


def _running(data: Path, connection: Path, environment: dict[str, str]) -> Iterator[Kernel]:
    manager = KernelManager(kernel_name="python3", transport="ipc", connection_file=str(connection))
    manager.kernel_spec.argv[0] = os.environ.get("KFP_JUPYTER_TEST_KERNEL", sys.executable)
    manager.start_kernel(env={**os.environ, "KFP_JUPYTER_DATA": str(data), **environment}, cwd=str(data))
    made = Kernel(manager)
    try:
        yield made
    finally:
        made.client.stop_channels()
        manager.shutdown_kernel(now=True)
