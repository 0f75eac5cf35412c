"""One attempt of a task: its folder, its processes, and what it says while it runs.

What is run is said by the kinds of attempts: a step in Python (`python_attempt`), a command of this machine
(`command_attempt`), a container (`container_attempt`).
"""

from __future__ import annotations

import contextlib
import math
import shutil
import signal
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from kfp_jupyter.engines.local.cache import digested
from kfp_jupyter.engines.local.exchange import RECORD, Product, product_in
from kfp_jupyter.engines.local.fork_client import ForkServers, ServerLostError
from kfp_jupyter.engines.local.log import Log
from kfp_jupyter.engines.local.order import Order
from kfp_jupyter.engines.local.worker import Ended, Worker
from kfp_jupyter.engines.trouble import Trouble, ended_early
from kfp_jupyter.model.run import TaskError

T = TypeVar("T")

LOST_LIMIT = 5
"""How often a process is started again because that which started it was killed."""


class AttemptError(Exception):
    """An attempt that has failed.

    Attributes:
        error: Why.
    """

    def __init__(self, type_: str, message: str) -> None:
        super().__init__(message)
        self.error = TaskError(type_, message)


@dataclass(frozen=True, slots=True)
class Heard:
    """Who is told of an attempt, from its own thread.

    Attributes:
        phase: Called with `(reason, message)` of what it does before its step runs, and with empty ones when
            that is done.
        metric: Called with `(name, step, value)` of each point of a curve.
        end: Called when all is over, with the attempt.
    """

    phase: Callable[[str, str], None]
    metric: Callable[[str, float, float], None]
    end: Callable[[Attempt], None]


class Attempt(ABC):
    """Runs an order in a thread of its own.

    Args:
        order: What to do.
        servers: Who starts its processes, and ends them if the supervisor cannot.
        python: The Python to use where no environment is asked for.
        heard: Who is told.

    Attributes:
        order: What it does.
        stopped: Why it was stopped: `Timeout`, `Canceled`, or empty.
        error: Why it failed; None while it has not.
        product: What it has put out; None if it has not succeeded.
        ended: How its process ended; None while it has not, or if there was none.
    """

    def __init__(self, order: Order, servers: ForkServers, python: str, heard: Heard) -> None:
        self.order = order
        self.stopped = ""
        self.error: TaskError | None = None
        self.product: Product | None = None
        self.ended: Ended | None = None
        self.servers = servers
        self.python = python
        self.heard = heard
        self._trouble = Trouble(order.text, order.source)
        self.log = Log(order.folder / "log.txt", self._trouble, self._heed)
        self._worker: Worker | None = None
        self._is_step = True
        # A stop must find either no worker and forbid one, or the worker.
        self._lock = threading.Lock()

    @property
    def log_tail(self) -> tuple[str, ...]:
        """The last lines it printed."""
        return self.log.tail

    @property
    def pid(self) -> int:
        """The id of the step's process; 0 while there is none."""
        worker = self._worker
        return worker.pid if worker is not None and self._is_step else 0

    def start(self) -> None:
        """Start."""
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self, reason: str) -> None:
        """Ask its processes to end."""
        with self._lock:
            self.stopped = self.stopped or reason
            if self._worker is not None:
                self._worker.signal(signal.SIGTERM)

    def kill(self) -> None:
        """End its processes."""
        with self._lock:
            if self._worker is not None:
                self._worker.signal(signal.SIGKILL)

    @abstractmethod
    def carry_out(self) -> Product | None:
        """Do what the order says, and return what that has put out; None if it failed, with `error` set.

        Raises:
            AttemptError: It failed.
        """

    def prepared(self, work: Callable[[], T]) -> T:
        """Do work that comes before the step, again if it was killed with the fork server that had begun it.

        Args:
            work: Runs processes; it can be done again from its beginning.

        Raises:
            OSError: It was killed each time.
        """
        for _ in range(LOST_LIMIT - 1):
            with contextlib.suppress(ServerLostError):
                return work()
            self.log.note("what prepares this step was killed; it is prepared again")
        try:
            return work()
        except ServerLostError as error:
            raise self._ended_each_time() from error

    def committed(self, work: Callable[[], Ended]) -> Product | None:
        """Do work until it is done or has failed by its own fault, and return what it has put out.

        Args:
            work: Runs a process whose success leaves the attempt's commit record; raises `ServerLostError` if
                it was killed with the fork server that had started it.
        """
        order = self.order
        for lost in range(LOST_LIMIT):
            try:
                self.ended = work()
            except ServerLostError as error:
                self.ended = None
                if lost == LOST_LIMIT - 1:
                    raise self._ended_each_time() from error
            product = product_in(order.folder / RECORD)
            if product is not None:
                return product
            if self.ended is not None or self.stopped:
                break
            # Killed by somebody else than the user or the step: no fault of either, so no failed attempt.
            self.log.note("the process that had started this step was killed; the step is started again")
            self.error = None
            order.clear()
        if self.error is None:
            self.error = ended_early(self.ended.code if self.ended is not None else -signal.SIGKILL)
        return None

    def work(self, python: str, command: list[str], *, execute: bool, step: bool = True) -> Ended:
        """Run a process to its end.

        Args:
            python: The Python whose fork server starts it.
            command: The program and its arguments.
            execute: Start the program; otherwise fork, with the command as its `sys.argv`.
            step: Whether it is the step itself; not what is done before it.

        Raises:
            ServerLostError: It was killed with its fork server.
            OSError: It could not be started.
        """
        order = self.order
        with self._lock:
            if self.stopped:
                return Ended(-signal.SIGTERM, 0.0, 0)
            self._is_step = step
            server = self.servers.of(python, order.variables)
            self._worker = Worker(
                server, command, order.variables, order.folder, order.directory, self.log.add, execute=execute
            )
        return self._worker.wait()

    def _ended_each_time(self) -> OSError:
        return OSError(f"its fork server ended each time, see {self.servers.log}")

    def _run(self) -> None:
        try:
            self.product = self.carry_out()
            if self.product is not None and self.order.digests:
                self.product = digested(self.product)
        except AttemptError as error:
            self.error = error.error
        except Exception as error:  # noqa: BLE001 (a thread that dies silently would leave the run waiting for ever)
            self.error = TaskError(
                "CannotStart", f"The step could not be started: {type(error).__name__}: {error}"
            )
        finally:
            self.log.close()
            shutil.rmtree(self.order.volumes, ignore_errors=True)
            self.heard.end(self)

    def _heed(self, message: Mapping[str, Any]) -> None:
        # What is not formed as the executor forms it, the step has printed itself.
        with contextlib.suppress(AttributeError, IndexError, KeyError, TypeError, ValueError):
            metric = message.get("metric")
            if isinstance(metric, dict):
                step, value = float(metric["step"]), float(metric["value"])
                if math.isfinite(step) and math.isfinite(value):
                    self.heard.metric(str(metric["name"]), step, value)
            if isinstance(message.get("error"), dict):
                self.error = self._trouble.told(message["error"])
