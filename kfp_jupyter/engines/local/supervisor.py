"""The supervisor: the process that runs one run to its end, whatever becomes of the kernel that started it.

    python -m kfp_jupyter.engines.local.supervisor RUN_FOLDER LOCK_DESCRIPTOR

One thread decides: it takes actions from a queue, into which attempts, alarms and signals put them. An
attempt's own threads only read. Every event is in the journal before it is acted on; a task has succeeded
when its `output.json` is there.
"""

from __future__ import annotations

import heapq
import itertools
import json
import os
import queue
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from kfp_jupyter.engines.local.attempt import Attempt
from kfp_jupyter.engines.local.cache import Cache, digested
from kfp_jupyter.engines.local.exchange import Given, Product, given_to, product_of
from kfp_jupyter.engines.local.folder import RunFolder
from kfp_jupyter.engines.local.fork_client import ForkServers
from kfp_jupyter.engines.local.journal import Journal
from kfp_jupyter.engines.local.order import Order, prepare
from kfp_jupyter.engines.local.plan import Plan, read_plan, write_whole
from kfp_jupyter.engines.local.process import started_at
from kfp_jupyter.engines.local.program import Programs
from kfp_jupyter.engines.local.schedule import Schedule
from kfp_jupyter.engines.trouble import summary
from kfp_jupyter.model.pipeline import PipelineError, Task
from kfp_jupyter.model.run import MetricLogged, RunChanged, State, TaskChanged, TaskError

GRACE_SECONDS = 3.0
"""How long a step that is asked to end may take; then it is killed."""


class Supervisor:
    """Runs a plan.

    Args:
        folder: The run's folder.
        plan: The plan.
        journal: The run's journal.
        servers: Who starts its processes.
    """

    def __init__(self, folder: RunFolder, plan: Plan, journal: Journal, servers: ForkServers) -> None:
        self._folder = folder
        self._plan = plan
        self._journal = journal
        self._servers = servers
        self._tasks = plan.pipeline.graph.tasks
        self._schedule = Schedule(plan.pipeline.graph)
        self._jobs = plan.options.jobs or os.cpu_count() or 1
        self._cache = Cache(Path(plan.data) / "cache")
        self._actions: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._alarms: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._running: dict[str, Attempt] = {}
        self._waiting_to_retry: set[str] = set()
        self._attempts = dict.fromkeys(self._tasks, 0)
        self._given: dict[str, Given] = {}
        self._products: dict[str, Product] = {}
        self._open = set(self._tasks)
        self._failed: dict[str, TaskError] = {}
        self._canceled = False

    def run(self) -> None:
        """Run until every task has ended."""
        self._journal.append(RunChanged(time.time(), State.RUNNING))
        while self._open:
            while self._schedule.ready and len(self._running) < self._jobs and not self._canceled:
                self._start(self._schedule.ready.popleft())
            if self._open:
                self._act()
        self._servers.close()
        self._journal.append(self._ending())

    def cancel(self) -> None:
        """Ask for the run's end; may be called from a signal handler."""
        self._actions.put(self._cancel)

    def _act(self) -> None:
        now = time.monotonic()
        wait = max(0.0, self._alarms[0][0] - now) if self._alarms else None
        try:
            action = self._actions.get(timeout=wait)
        except queue.Empty:
            action = heapq.heappop(self._alarms)[2]
        action()

    def _in(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._alarms, (time.monotonic() + seconds, next(self._order), action))

    def _start(self, name: str) -> None:
        task = self._tasks[name]
        try:
            given = given_to(task, self._plan.pipeline, self._plan.arguments, self._products)
        except PipelineError as error:
            # Another attempt would get the same.
            self._fail(name, TaskError("BadArgument", f"{error.what} {error.remedy}".strip()), ())
            return
        self._given[name] = given
        if self._attempts[name] == 0 and self._reuse(task, given):
            return
        self._attempts[name] += 1
        try:
            order = prepare(self._plan, self._folder, task, self._attempts[name], given)
            attempt = self._attempt(order)
        except OSError as error:
            trouble = TaskError("CannotStart", f"The step could not be prepared: {error}")
            self._failed_attempt(name, trouble, ())
            return
        installs = order.environment is not None and not order.environment.is_ready
        self._journal.append(
            TaskChanged(
                time.time(),
                name,
                State.RUNNING,
                attempt=order.number,
                reason="Installing" if installs else "",
                message=f"Installing {order.environment}." if installs else "",
                inputs=dict(given.parameters),
            )
        )
        self._running[name] = attempt
        attempt.start()
        if task.settings.timeout_seconds:
            self._in(task.settings.timeout_seconds, partial(self._stop, attempt, "Timeout"))

    def _attempt(self, order: Order) -> Attempt:
        return Attempt(
            order,
            self._servers,
            sys.executable,
            lambda: self._actions.put(partial(self._installed, order)),
            partial(self._metric, order.task),
            lambda attempt: self._actions.put(partial(self._ended, attempt)),
        )

    def _installed(self, order: Order) -> None:
        if not self._canceled:
            self._journal.append(TaskChanged(time.time(), order.task, State.RUNNING, attempt=order.number))

    def _metric(self, task: str, name: str, step: float, value: float) -> None:
        self._journal.append(MetricLogged(time.time(), task, name, step, value), durable=False)

    def _reuse(self, task: Task, given: Given) -> bool:
        taken = self._plan.options.taken.get(task.name)
        if taken is not None:
            product = product_of(taken)
            # What follows and does run is found in the cache by what it got.
            given_on = digested(product) if self._plan.options.caching else product
            self._succeed(task.name, given_on, cached_from=taken.cached_from)
            return True
        if not self._caches(task):
            return False
        found = self._cache.find(self._key(task, given))
        if found is None:
            return False
        self._succeed(task.name, found.product, cached_from=found.run_id)
        return True

    def _caches(self, task: Task) -> bool:
        return bool(task.settings.caching) and self._plan.options.caching

    def _key(self, task: Task, given: Given) -> str:
        return self._cache.key(task, self._plan.pipeline.component_of(task), given)

    def _ended(self, attempt: Attempt) -> None:
        name = attempt.order.task
        del self._running[name]
        task = self._tasks[name]
        if attempt.product is not None:
            product = attempt.product
            if self._caches(task):
                self._cache.keep(self._key(task, self._given[name]), self._plan.options.run_id, product)
            self._succeed(name, product, log_tail=attempt.log_tail)
        elif attempt.stopped == "Canceled":
            self._close(name, State.CANCELED, "Canceled", "It was canceled while it ran.", attempt.log_tail)
        elif attempt.stopped == "Timeout":
            limit = f"{task.settings.timeout_seconds:g} s"
            self._failed_attempt(
                name, TaskError("Timeout", f"It took longer than {limit}."), attempt.log_tail
            )
        else:
            error = attempt.error or TaskError("Error", "It failed.")
            self._failed_attempt(name, error, attempt.log_tail)

    def _succeed(
        self, name: str, product: Product, *, cached_from: str = "", log_tail: tuple[str, ...] = ()
    ) -> None:
        self._products[name] = product
        self._open.discard(name)
        self._journal.append(
            TaskChanged(
                time.time(),
                name,
                State.SUCCEEDED,
                cached_from=cached_from,
                inputs=dict(self._given[name].parameters),
                outputs=dict(product.parameters),
                artifacts=product.records(),
                log_tail=log_tail,
            )
        )
        self._schedule.succeeded(name)

    def _failed_attempt(self, name: str, error: TaskError, log_tail: tuple[str, ...]) -> None:
        retry = self._tasks[name].settings.retry
        made = self._attempts[name]
        if retry is not None and made <= retry.max_count and not self._canceled:
            wait = min(retry.backoff_seconds * retry.backoff_factor ** (made - 1), retry.max_backoff_seconds)
            message = (
                f"Attempt {made} of {retry.max_count + 1} failed: {summary(error)}; the next in {wait:g} s."
            )
            self._journal.append(
                TaskChanged(time.time(), name, State.PENDING, reason="Retrying", message=message, error=error)
            )
            self._waiting_to_retry.add(name)
            self._in(wait, partial(self._retry, name))
            return
        self._fail(name, error, log_tail)

    def _fail(self, name: str, error: TaskError, log_tail: tuple[str, ...]) -> None:
        self._failed[name] = error
        self._close(name, State.FAILED, error.type, summary(error), log_tail, error)
        for lost in self._schedule.failed(name):
            if lost in self._open:
                self._close(lost, State.SKIPPED, "UpstreamFailed", f"Not run because {name} failed.")

    def _retry(self, name: str) -> None:
        if name in self._waiting_to_retry:
            self._waiting_to_retry.discard(name)
            self._schedule.ready.append(name)

    def _stop(self, attempt: Attempt, reason: str) -> None:
        if self._running.get(attempt.order.task) is attempt:
            attempt.stop(reason)
            self._in(GRACE_SECONDS, attempt.kill)

    def _cancel(self) -> None:
        if self._canceled:
            return
        self._canceled = True
        self._waiting_to_retry.clear()
        self._journal.append(RunChanged(time.time(), State.CANCELING, message="Asked to end."))
        for name in [name for name in self._tasks if name in self._open]:
            attempt = self._running.get(name)
            if attempt is None:
                self._close(name, State.CANCELED, "Canceled", "It was canceled before it ran.")
            else:
                self._journal.append(TaskChanged(time.time(), name, State.CANCELING))
                self._stop(attempt, "Canceled")

    def _close(
        self,
        name: str,
        state: State,
        reason: str,
        message: str,
        log_tail: tuple[str, ...] = (),
        error: TaskError | None = None,
    ) -> None:
        self._open.discard(name)
        self._journal.append(
            TaskChanged(
                time.time(), name, state, reason=reason, message=message, error=error, log_tail=log_tail
            )
        )

    def _ending(self) -> RunChanged:
        if self._canceled:
            return RunChanged(time.time(), State.CANCELED, "Canceled", "Canceled.")
        if not self._failed:
            return RunChanged(time.time(), State.SUCCEEDED)
        (name, error), *others = self._failed.items()
        also = f" Also failed: {', '.join(other for other, _ in others)}." if others else ""
        return RunChanged(time.time(), State.FAILED, "TaskFailed", f"{name} failed: {summary(error)}.{also}")


def main() -> None:
    """Run the plan in the folder given on the command line."""
    folder = RunFolder(Path(sys.argv[1]))
    os.set_inheritable(int(sys.argv[2]), False)
    plan = read_plan(folder.plan)
    servers = ForkServers(Programs(Path(plan.executor).parent), folder, int(sys.argv[2]))
    supervisor = Supervisor(folder, plan, Journal(folder.journal), servers)
    signal.signal(signal.SIGTERM, lambda *_: supervisor.cancel())
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    write_whole(folder.supervisor, json.dumps({"pid": os.getpid(), "started_at": started_at(os.getpid())}))
    supervisor.run()


if __name__ == "__main__":
    main()
