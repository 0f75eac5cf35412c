"""One attempt of a task: its folder, its process, and what it says while it runs."""

from __future__ import annotations

import math
import shutil
import signal
import threading
from collections.abc import Callable, Mapping
from typing import Any

from kfp_jupyter.engines.local.cache import digested
from kfp_jupyter.engines.local.environment import InstallError, why
from kfp_jupyter.engines.local.exchange import Product, product_in
from kfp_jupyter.engines.local.fork_client import ForkServers, ServerLostError
from kfp_jupyter.engines.local.log import Log
from kfp_jupyter.engines.local.order import Order
from kfp_jupyter.engines.local.worker import Ended, Worker
from kfp_jupyter.engines.trouble import Trouble, ended_early
from kfp_jupyter.model.run import TaskError

LOST_LIMIT = 5
"""How often a process is started again because that which started it was killed."""


class Attempt:
    """Runs an order in a thread of its own.

    Args:
        order: What to do.
        servers: Who starts its processes, and ends them if the supervisor cannot.
        python: The Python to use where no environment is asked for.
        on_installed: Called when the environment that was asked for is there.
        on_metric: Called with `(name, step, value)` of each point of a curve.
        on_end: Called when all is over, with the attempt.

    Attributes:
        order: What it does.
        stopped: Why it was stopped: `Timeout`, `Canceled`, or empty.
        error: Why it failed; None while it has not.
        product: What it has put out; None if it has not succeeded.
        ended: How its process ended; None while it has not, or if there was none.
    """

    def __init__(
        self,
        order: Order,
        servers: ForkServers,
        python: str,
        on_installed: Callable[[], None],
        on_metric: Callable[[str, float, float], None],
        on_end: Callable[[Attempt], None],
    ) -> None:
        self.order = order
        self.stopped = ""
        self.error: TaskError | None = None
        self.product: Product | None = None
        self.ended: Ended | None = None
        self._trouble = Trouble(order.step.source, order.source)
        self._servers = servers
        self._base = python
        self._on_installed = on_installed
        self._on_metric = on_metric
        self._on_end = on_end
        self._log = Log(order.folder / "log.txt", self._trouble, self._heed)
        self._worker: Worker | None = None
        self._installing = False
        # A stop must find either no worker and forbid one, or the worker.
        self._lock = threading.Lock()

    @property
    def log_tail(self) -> tuple[str, ...]:
        """The last lines it printed."""
        return self._log.tail

    @property
    def pid(self) -> int:
        """The id of the step's process; 0 while there is none."""
        worker = self._worker
        return 0 if worker is None or self._installing else worker.pid

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

    def _run(self) -> None:
        order = self.order
        try:
            python = self._base
            if order.environment is not None:
                order.environment.make(self._install, lambda: bool(self.stopped))
                python = order.environment.python
                self._on_installed()
            self.product = self._committed(python)
            if self.product is not None and order.digests:
                self.product = digested(self.product)
        except InstallError as error:
            self.error = TaskError("PackagesNotInstalled", why(error, self.log_tail))
        except Exception as error:  # noqa: BLE001 (a thread that dies silently would leave the run waiting for ever)
            self.error = TaskError(
                "CannotStart", f"The step could not be started: {type(error).__name__}: {error}"
            )
        finally:
            self._log.close()
            if order.launcher:
                shutil.rmtree(order.volumes, ignore_errors=True)
            self._on_end(self)

    def _committed(self, python: str) -> Product | None:
        """Run the step and return what it has put out; None if it failed."""
        order = self.order
        # What a fork has open already it would see as it was before.
        may_fork = self._servers.forks and not order.launcher
        forks = may_fork and self._servers.of(python, order.variables).can_fork(order.variables)
        call = [
            *("--executor_input", f"@{order.folder / 'input.json'}"),
            *("--function_to_execute", order.step.function),
            *("--component_module_path", str(order.source)),
        ]
        command = [order.executor, *call] if forks else [*order.launcher, python, "-u", order.executor, *call]
        for lost in range(LOST_LIMIT):
            try:
                self.ended = self._work(python, command, execute=not forks)
            except ServerLostError as error:
                self.ended = None
                if lost == LOST_LIMIT - 1:
                    raise OSError(f"its fork server ended each time, see {self._servers.log}") from error
            product = product_in(order.folder / "output.json")
            if product is not None:
                return product
            if self.ended is not None or self.stopped:
                break
            # Killed by somebody else than the user or the step: no fault of either, so no failed attempt.
            self._log.note("the process that had started this step was killed; the step is started again")
            self.error = None
            shutil.rmtree(order.artifacts, ignore_errors=True)
            order.artifacts.mkdir(parents=True, exist_ok=True)
        if self.error is None:
            self.error = ended_early(self.ended.code if self.ended is not None else -signal.SIGKILL)
        return None

    def _install(self, command: list[str]) -> int:
        self._installing = True
        try:
            return self._work(self._base, command, execute=True).code
        except ServerLostError:
            return -signal.SIGKILL
        finally:
            self._installing = False

    def _work(self, python: str, command: list[str], *, execute: bool) -> Ended:
        order = self.order
        with self._lock:
            if self.stopped:
                return Ended(-signal.SIGTERM, 0.0, 0)
            server = self._servers.of(python, order.variables)
            worker = Worker(server, command, order.variables, order.directory, self._log.add, execute=execute)
            self._worker = worker
        return worker.wait()

    def _heed(self, message: Mapping[str, Any]) -> None:
        metric = message.get("metric")
        if isinstance(metric, dict):
            step, value = float(metric["step"]), float(metric["value"])
            if math.isfinite(step) and math.isfinite(value):
                self._on_metric(str(metric["name"]), step, value)
        if isinstance(message.get("error"), dict):
            self.error = self._trouble.told(message["error"])
