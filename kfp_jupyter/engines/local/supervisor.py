"""The supervisor: the process that runs one run to its end, whatever becomes of the kernel that started it.

    python -m kfp_jupyter.engines.local.supervisor RUN_FOLDER LOCK_DESCRIPTOR

One thread decides: it takes actions from a queue, into which attempts, alarms and signals put them. An
attempt's own threads only read. What may start is `flow`'s to say; here is what becomes of it: attempts,
retries, time limits, earlier results. Every event is in the journal before it is acted on; a task has
succeeded when its `output.json` is there.
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
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kfp_jupyter.engines.local.attempt import Attempt
from kfp_jupyter.engines.local.cache import Cache, digested
from kfp_jupyter.engines.local.exchange import Given, Product, product_of
from kfp_jupyter.engines.local.flow import Flow, Step
from kfp_jupyter.engines.local.folder import RunFolder
from kfp_jupyter.engines.local.fork_client import ForkServers
from kfp_jupyter.engines.local.given import GivenError
from kfp_jupyter.engines.local.journal import Journal
from kfp_jupyter.engines.local.order import Order, prepare
from kfp_jupyter.engines.local.placeholder import RunFacts
from kfp_jupyter.engines.local.plan import Plan, read_plan, write_whole
from kfp_jupyter.engines.local.process import started_at
from kfp_jupyter.engines.local.program import Programs
from kfp_jupyter.engines.local.scope import DONE, End
from kfp_jupyter.engines.local.settings import settled
from kfp_jupyter.engines.trouble import summary
from kfp_jupyter.model.pipeline import Task
from kfp_jupyter.model.run import MetricLogged, RunChanged, State, TaskChanged, TaskError

GRACE_SECONDS = 3.0
"""How long a step that is asked to end may take; then it is killed."""


MOST_NAMED = 5
"""How many of the further tasks that failed the run's message names."""


@dataclass(slots=True)
class Underway:
    """A step that was begun and has not ended.

    Attributes:
        step: The step.
        task: Its task under its path, with its settings resolved.
        given: What it gets.
        attempts: How many attempts were made.
        attempt: The last of them.
    """

    step: Step
    task: Task
    given: Given
    attempts: int = 0
    attempt: Attempt | None = None


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
        self._flow = Flow(
            plan.pipeline, plan.arguments, run_facts(plan, folder), partial(journal.append, durable=False)
        )
        self._jobs = plan.options.jobs or os.cpu_count() or 1
        self._cache = Cache(Path(plan.data) / "cache")
        self._actions: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._alarms: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._running: dict[str, Underway] = {}
        self._waiting_to_retry: dict[str, Underway] = {}
        self._canceled = False
        self._too_long = False

    def run(self) -> None:
        """Run until every task has ended."""
        self._journal.append(RunChanged(time.time(), State.RUNNING))
        deadline = self._plan.pipeline.config.active_deadline_seconds
        if deadline:
            self._in(deadline, self._expire)
        self._flow.start()
        while self._flow.end is None:
            while self._flow.ready and len(self._running) < self._jobs:
                self._begin(self._flow.ready.popleft())
            if self._flow.end is None:
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

    # --- Attempts
    # --------------------------------------------------------------------------------------------------

    def _begin(self, step: Step) -> None:
        """Begin with a step: with what it gets, and perhaps with what it gave in an earlier run."""
        try:
            task, given = settled(step)
        except GivenError as error:
            trouble = TaskError("BadArgument", str(error))
            self._close(step.path, State.FAILED, trouble.type, summary(trouble), error=trouble)
            self._flow.failed(step, trouble)
            return
        underway = Underway(step, task, given)
        if not self._reuse(underway):
            self._start(underway)

    def _start(self, underway: Underway) -> None:
        underway.attempts += 1
        try:
            order = prepare(self._plan, self._folder, underway.task, underway.attempts, underway.given)
            attempt = underway.attempt = self._attempt(order)
        except OSError as error:
            trouble = TaskError("CannotStart", f"The step could not be prepared: {error}")
            self._failed_attempt(underway, trouble, ())
            return
        installs = order.environment is not None and not order.environment.is_ready
        self._journal.append(
            TaskChanged(
                time.time(),
                order.task,
                State.RUNNING,
                attempt=order.number,
                reason="Installing" if installs else "",
                message=f"Installing {order.environment}." if installs else "",
                inputs=dict(underway.given.parameters),
            )
        )
        self._running[order.task] = underway
        attempt.start()
        if underway.task.settings.timeout_seconds:
            self._in(underway.task.settings.timeout_seconds, partial(self._stop, attempt, "Timeout"))

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

    def _reuse(self, underway: Underway) -> bool:
        taken = self._plan.options.taken.get(underway.task.name)
        if taken is not None:
            product = product_of(taken)
            # What follows and does run is found in the cache by what it got.
            given_on = digested(product) if self._plan.options.caching else product
            self._succeed(underway, given_on, cached_from=taken.cached_from)
            return True
        if not self._caches(underway):
            return False
        found = self._cache.find(self._key(underway))
        if found is None:
            return False
        self._succeed(underway, found.product, cached_from=found.run_id)
        return True

    def _caches(self, underway: Underway) -> bool:
        return bool(underway.task.settings.caching) and self._plan.options.caching

    def _key(self, underway: Underway) -> str:
        return self._cache.key(underway.task, underway.step.component, underway.given)

    def _ended(self, attempt: Attempt) -> None:
        underway = self._running.pop(attempt.order.task)
        task, tail = underway.task, attempt.log_tail
        if attempt.product is not None:
            product = attempt.product
            if self._caches(underway):
                self._cache.keep(self._key(underway), self._plan.options.run_id, product)
            self._succeed(underway, product, log_tail=tail)
        elif attempt.stopped == "Canceled":
            end = End(State.CANCELED, "Canceled", "It was canceled while it ran.")
            self._close(task.name, end.state, end.reason, end.message, tail)
            self._flow.ended(underway.step, end)
        elif attempt.stopped == "Timeout":
            limit = f"{task.settings.timeout_seconds:g} s"
            self._failed_attempt(underway, TaskError("Timeout", f"It took longer than {limit}."), tail)
        else:
            self._failed_attempt(underway, attempt.error or TaskError("Error", "It failed."), tail)

    def _succeed(
        self,
        underway: Underway,
        product: Product,
        *,
        cached_from: str = "",
        log_tail: tuple[str, ...] = (),
    ) -> None:
        self._journal.append(
            TaskChanged(
                time.time(),
                underway.task.name,
                State.SUCCEEDED,
                cached_from=cached_from,
                inputs=dict(underway.given.parameters),
                outputs=dict(product.parameters),
                artifacts=product.records(),
                log_tail=log_tail,
            )
        )
        self._flow.ended(underway.step, DONE, product)

    def _failed_attempt(self, underway: Underway, error: TaskError, log_tail: tuple[str, ...]) -> None:
        name, retry, made = underway.task.name, underway.task.settings.retry, underway.attempts
        spared = not self._canceled or underway.step.spared
        if retry is not None and made <= retry.max_count and spared:
            wait = min(retry.backoff_seconds * retry.backoff_factor ** (made - 1), retry.max_backoff_seconds)
            message = (
                f"Attempt {made} of {retry.max_count + 1} failed: {summary(error)}; the next in {wait:g} s."
            )
            self._journal.append(
                TaskChanged(time.time(), name, State.PENDING, reason="Retrying", message=message, error=error)
            )
            self._waiting_to_retry[name] = underway
            self._in(wait, partial(self._retry, name))
            return
        self._close(name, State.FAILED, error.type, summary(error), log_tail, error)
        self._flow.failed(underway.step, error)

    def _retry(self, name: str) -> None:
        underway = self._waiting_to_retry.pop(name, None)
        if underway is not None:
            self._start(underway)

    def _close(
        self,
        name: str,
        state: State,
        reason: str,
        message: str,
        log_tail: tuple[str, ...] = (),
        error: TaskError | None = None,
    ) -> None:
        self._journal.append(
            TaskChanged(
                time.time(), name, state, reason=reason, message=message, error=error, log_tail=log_tail
            )
        )

    # --- The end
    # ---------------------------------------------------------------------------------------------------

    def _stop(self, attempt: Attempt, reason: str) -> None:
        underway = self._running.get(attempt.order.task)
        if underway is not None and underway.attempt is attempt:
            attempt.stop(reason)
            self._in(GRACE_SECONDS, attempt.kill)

    def _expire(self) -> None:
        if not self._canceled:
            self._too_long = True
            self._cancel()

    def _cancel(self) -> None:
        """End the run; asked a second time, also what would run to its end: exit tasks."""
        again, self._canceled = self._canceled, True
        if not again:
            why = "It took too long." if self._too_long else "Asked to end."
            self._journal.append(RunChanged(time.time(), State.CANCELING, message=why))
        end = End(State.CANCELED, "Canceled", "It was canceled before it ran again.")
        for name, waiting in list(self._waiting_to_retry.items()):
            if again or not waiting.step.spared:
                del self._waiting_to_retry[name]
                self._close(name, end.state, end.reason, end.message)
                self._flow.ended(waiting.step, end)
        for name, underway in list(self._running.items()):
            if underway.attempt is not None and (again or not underway.step.spared):
                self._journal.append(TaskChanged(time.time(), name, State.CANCELING))
                self._stop(underway.attempt, "Canceled")
        self._flow.cancel(also_spared=again)

    def _ending(self) -> RunChanged:
        if self._too_long:
            limit = self._plan.pipeline.config.active_deadline_seconds
            message = f"It took longer than {limit} s."
            return RunChanged(time.time(), State.FAILED, "DeadlineExceeded", message)
        if self._canceled:
            return RunChanged(time.time(), State.CANCELED, "Canceled", "Canceled.")
        if not self._flow.failures:
            return RunChanged(time.time(), State.SUCCEEDED)
        (name, error), *others = self._flow.failures.items()
        named = ", ".join(other for other, _ in others[:MOST_NAMED])
        more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
        also = f" Also failed: {named}{more}." if others else ""
        return RunChanged(time.time(), State.FAILED, "TaskFailed", f"{name} failed: {summary(error)}.{also}")


def run_facts(plan: Plan, folder: RunFolder) -> RunFacts:
    """Return what placeholders say of a run."""
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return RunFacts(plan.options.run_id, str(folder.path / "artifacts"), str(folder.workspace), created)


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
