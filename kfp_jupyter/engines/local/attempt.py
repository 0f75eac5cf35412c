"""One attempt of a task: its folder, its process, and what it says while it runs."""

from __future__ import annotations

import math
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from kfp_jupyter.engines.local.cache import digested
from kfp_jupyter.engines.local.environment import InstallError
from kfp_jupyter.engines.local.exchange import Product, product_in
from kfp_jupyter.engines.local.guard import Guard
from kfp_jupyter.engines.local.order import Order
from kfp_jupyter.engines.local.worker import Worker
from kfp_jupyter.engines.trouble import Trouble, ended_early
from kfp_jupyter.executor.markers import parse
from kfp_jupyter.model.run import TaskError

TAIL_LINES = 20
"""The lines of the log that are kept with the run's state."""

TAIL_WIDTH = 500
"""The most characters of each of them."""


class Attempt:
    """Runs an order in a thread of its own.

    Args:
        order: What to do.
        guard: Whoever ends its processes if the supervisor cannot.
        python: The Python to use where no environment is asked for.
        on_installed: Called when the environment that was asked for is there.
        on_metric: Called with `(name, step, value)` of each point of a curve.
        on_end: Called when all is over, with the attempt.

    Attributes:
        order: What it does.
        stopped: Why it was stopped: `Timeout`, `Canceled`, or empty.
        error: Why it failed; None while it has not.
        product: What it has put out; None if it has not succeeded.
    """

    def __init__(
        self,
        order: Order,
        guard: Guard,
        python: str,
        on_installed: Callable[[], None],
        on_metric: Callable[[str, float, float], None],
        on_end: Callable[[Attempt], None],
    ) -> None:
        self.order = order
        self.stopped = ""
        self.error: TaskError | None = None
        self.product: Product | None = None
        self._trouble = Trouble(order.step.source, order.source)
        self._guard = guard
        self._python = python
        self._on_installed = on_installed
        self._on_metric = on_metric
        self._on_end = on_end
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._log = os.open(order.folder / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._worker: Worker | None = None
        # A stop must find either no worker and forbid one, or the worker.
        self._lock = threading.Lock()

    @property
    def log_tail(self) -> tuple[str, ...]:
        """The last lines it printed."""
        return tuple(self._tail)

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
            python = self._python
            if order.environment is not None:
                order.environment.make(self._spawn, lambda: bool(self.stopped))
                python = order.environment.python
                self._on_installed()
            code = self._spawn(
                [
                    *(python, "-u", order.executor),
                    *("--executor_input", f"@{order.folder / 'input.json'}"),
                    *("--function_to_execute", order.step.function),
                    *("--component_module_path", str(order.source)),
                ]
            )
            product = product_in(order.folder / "output.json")
            if product is not None:
                self.product = digested(product) if order.digests else product
            elif self.error is None:
                self.error = ended_early(code)
        except InstallError as error:
            said = next((line for line in reversed(self._tail) if "ERROR" in line or "error:" in line), "")
            self.error = TaskError("PackagesNotInstalled", f"{error}: {said}" if said else str(error))
        except Exception as error:  # noqa: BLE001 (a thread that dies silently would leave the run waiting for ever)
            self.error = TaskError(
                "CannotStart", f"The step could not be started: {type(error).__name__}: {error}"
            )
        finally:
            os.close(self._log)
            self._on_end(self)

    def _spawn(self, command: list[str]) -> int:
        with self._lock:
            if self.stopped:
                return -signal.SIGTERM
            worker = Worker(command, self.order.variables, self.order.directory, self._guard, self._hear)
            self._worker = worker
        return worker.wait()

    def _hear(self, line: str) -> None:
        text, message = parse(line)
        if text is not None:
            # A progress bar draws over itself; the last picture stays.
            text = self._trouble.in_place(text.rstrip("\r").rpartition("\r")[2])
            self._tail.append(text[:TAIL_WIDTH])
            os.write(self._log, text.encode(errors="replace") + b"\n")
        if message is not None:
            self._heed(message)

    def _heed(self, message: Mapping[str, Any]) -> None:
        metric = message.get("metric")
        if isinstance(metric, dict):
            step, value = float(metric["step"]), float(metric["value"])
            if math.isfinite(step) and math.isfinite(value):
                self._on_metric(str(metric["name"]), step, value)
        if isinstance(message.get("error"), dict):
            self.error = self._trouble.told(message["error"])
