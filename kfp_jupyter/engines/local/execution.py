"""What becomes of the steps of a run: attempts, retries, time limits, earlier results, cancellation.

One thread decides: it takes actions from an agenda, into which attempts, alarms and signals put them. An
attempt's own threads only read. What may start is `flow`'s to say. Every event is in the journal before it is
acted on; a task has succeeded when its `output.json` is there.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from kfp_jupyter.engines.local.agenda import Agenda
from kfp_jupyter.engines.local.attempt import Attempt, Heard
from kfp_jupyter.engines.local.attempts import Attempts
from kfp_jupyter.engines.local.budget import Budget, asked, machine
from kfp_jupyter.engines.local.earlier import BusyError, Earlier
from kfp_jupyter.engines.local.exchange import Product
from kfp_jupyter.engines.local.flow import Flow
from kfp_jupyter.engines.local.folder import RunFolder
from kfp_jupyter.engines.local.fork_client import ForkServers
from kfp_jupyter.engines.local.given import GivenError
from kfp_jupyter.engines.local.in_process import InProcess, work_of
from kfp_jupyter.engines.local.journal import Journal
from kfp_jupyter.engines.local.meter import Meter
from kfp_jupyter.engines.local.order import Order
from kfp_jupyter.engines.local.placeholder import PlaceholderError
from kfp_jupyter.engines.local.plan import Plan, run_facts
from kfp_jupyter.engines.local.preparation import prepare
from kfp_jupyter.engines.local.scope import DONE, End, Group
from kfp_jupyter.engines.local.settings import settled
from kfp_jupyter.engines.local.step import Step
from kfp_jupyter.engines.local.underway import Underway, told
from kfp_jupyter.engines.trouble import summary
from kfp_jupyter.model.run import Event, MetricLogged, RunChanged, RunState, State, TaskChanged, TaskError
from kfp_jupyter.model.usage import Usage

GRACE_SECONDS = 3.0
"""How long a step that is asked to end may take; then it is killed."""

BUSY_SECONDS = 0.05
"""How often is looked whether another run has finished a task that this one needs too."""

LOOK_AHEAD = 100
"""How many tasks may wait for resources before no more are looked at."""


class Execution:
    """Runs a plan.

    Args:
        folder: The run's folder.
        plan: The plan.
        journal: The run's journal.
        servers: Who starts its processes.
        before: The run as its journal has it.
    """

    def __init__(
        self,
        folder: RunFolder,
        plan: Plan,
        journal: Journal,
        servers: ForkServers,
        before: RunState | None,
    ) -> None:
        self._folder = folder
        self._plan = plan
        self._journal = journal
        self._servers = servers
        self._attempts = Attempts(servers, sys.executable, plan.containers)
        self._earlier = Earlier(plan, folder, before)
        self._flow = Flow(plan.pipeline, plan.arguments, run_facts(plan, folder, before), self._tell)
        self._budget = Budget(machine(plan.options.jobs))
        self._agenda = Agenda()
        self._waiting: list[Underway] = []
        self._starting: list[Attempt | InProcess] = []
        self._running: dict[str, Underway] = {}
        self._meter = Meter(self._agenda, journal, self._running)
        self._waiting_to_retry: dict[str, Underway] = {}
        self._canceled = False
        self._too_long = False

    def run(self) -> None:
        """Run until every task has ended."""
        self._journal.append(RunChanged(time.time(), State.RUNNING))
        deadline = self._plan.pipeline.config.active_deadline_seconds
        if deadline:
            self._agenda.after(deadline, self._expire)
        if self._plan.pipeline.config.workspace is not None:
            self._folder.workspace.mkdir(parents=True, exist_ok=True)
        self._flow.start()
        self._meter.look()
        while self._flow.end is None:
            self._start_what_fits()
            if self._flow.end is None:
                self._agenda.next()()
        if self._attempts.all_removed:
            self._folder.containers.unlink(missing_ok=True)
        self._servers.close()
        self._journal.append(self._ending())
        self._journal.commit()

    def cancel(self) -> None:
        """Ask for the run's end; may be called from a signal handler."""
        self._agenda.put(self._cancel)

    def _tell(self, event: Event) -> None:
        if self._earlier.is_news(event):
            self._journal.append(event)

    # --- Attempts
    # --------------------------------------------------------------------------------------------------

    def _start_what_fits(self) -> None:
        self._budget.begin()
        waiting, self._waiting = self._waiting, []
        for underway in waiting:
            self._start_or_wait(underway)
        while self._flow.limited:
            group = self._flow.limited.popleft()
            self._agenda.after(group.task.settings.timeout_seconds, partial(self._expire_group, group))
        while self._flow.ready and self._budget.has_room and len(self._waiting) < LOOK_AHEAD:
            self._begin(self._flow.ready.popleft())
        self._journal.commit()
        for attempt in self._starting:
            attempt.start()
        self._starting.clear()

    def _begin(self, step: Step) -> None:
        """Begin with a step: with what it gets, and perhaps with what it gave in an earlier run."""
        try:
            task, given = settled(step, Path(self._plan.data))
        except GivenError as error:
            trouble = TaskError("BadArgument", str(error))
            self._close(step.path, State.FAILED, trouble.type, summary(trouble), error=trouble)
            self._flow.failed(step, trouble)
            return
        underway = Underway(step, task, given, self._earlier.attempts(task.name))
        if not self._reuse(underway):
            self._start_or_wait(underway)

    def _start_or_wait(self, underway: Underway) -> None:
        if self._budget.take(underway.task.name, asked(underway.task.settings.resources)):
            self._start(underway)
        else:
            self._waiting.append(underway)

    def _start(self, underway: Underway) -> None:
        underway.attempts += 1
        self._running[underway.task.name] = underway
        number = underway.before + underway.attempts
        installing = ""
        step = underway.step.component.implementation
        work = work_of(step, underway.task, underway.given, self._plan, self._folder)
        attempt: Attempt | InProcess
        try:
            if work is not None:
                attempt = InProcess(work, self._tells_end(underway))
            else:
                order = prepare(self._plan, self._folder, underway, number)
                attempt = self._attempt(underway, order)
                if order.environment is not None and not order.environment.is_ready:
                    installing = f"Installing {order.environment}."
        except (OSError, PlaceholderError) as error:
            trouble = TaskError("CannotStart", f"The step could not be prepared: {error}")
            self._leave(underway)
            self._failed_attempt(underway, trouble)
            return
        self._journal.append(
            TaskChanged(
                time.time(),
                underway.task.name,
                State.RUNNING,
                attempt=number,
                reason="Installing" if installing else "",
                message=installing,
                inputs=dict(underway.given.parameters),
            )
        )
        underway.attempt = attempt
        self._starting.append(attempt)
        limit = underway.task.settings.timeout_seconds
        if limit:
            self._agenda.after(limit, partial(self._stop, underway, attempt, "Timeout"))

    def _tells_end(self, underway: Underway) -> Callable[[Attempt | InProcess], None]:
        return lambda attempt: self._agenda.put(partial(self._ended, underway, attempt))

    def _attempt(self, underway: Underway, order: Order) -> Attempt:
        return self._attempts.of(
            order,
            Heard(
                lambda reason, message: self._agenda.put(partial(self._phase, order, reason, message)),
                partial(self._metric, order.task),
                self._tells_end(underway),
            ),
        )

    def _phase(self, order: Order, reason: str, message: str) -> None:
        if not self._canceled:
            self._journal.append(
                TaskChanged(
                    time.time(),
                    order.task,
                    State.RUNNING,
                    reason=reason,
                    message=message,
                    attempt=order.number,
                )
            )

    def _metric(self, task: str, name: str, step: float, value: float) -> None:
        self._journal.append(MetricLogged(time.time(), task, name, step, value))

    def _reuse(self, underway: Underway) -> bool:
        """Take an earlier result if there is one; return whether that, or waiting for one, is all to do."""
        try:
            found = self._earlier.find(underway.task, underway.step.component, underway.given)
        except BusyError:
            self._waiting_to_retry[underway.task.name] = underway
            self._agenda.after(BUSY_SECONDS, partial(self._retry, underway.task.name))
            return True
        if found is not None and found.told:
            self._flow.ended(underway.step, DONE, found.product)
        elif found is not None:
            self._succeed(underway, found.product, cached_from=found.cached_from)
        return found is not None

    def _leave(self, underway: Underway) -> None:
        del self._running[underway.task.name]
        self._budget.give_back(underway.task.name)

    def _ended(self, underway: Underway, attempt: Attempt | InProcess) -> None:
        task, tail, usage = underway.task, attempt.log_tail, self._meter.ended(underway)
        self._leave(underway)
        if attempt.product is not None:
            self._earlier.ended(task.name, attempt.product)
            self._succeed(underway, attempt.product, log_tail=tail, usage=usage)
        elif attempt.stopped == "Canceled":
            self._earlier.ended(task.name, None)
            end = End(State.CANCELED, "Canceled", "It was canceled while it ran.")
            self._close(task.name, end.state, end.reason, end.message, tail, usage=usage)
            self._flow.ended(underway.step, end)
        elif attempt.stopped == "Timeout":
            limit = f"{task.settings.timeout_seconds:g} s"
            self._failed_attempt(underway, TaskError("Timeout", f"It took longer than {limit}."), tail, usage)
        else:
            self._failed_attempt(underway, attempt.error or TaskError("Error", "It failed."), tail, usage)

    def _succeed(
        self,
        underway: Underway,
        product: Product,
        *,
        cached_from: str = "",
        log_tail: tuple[str, ...] = (),
        usage: Usage | None = None,
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
                usage=usage,
            )
        )
        self._flow.ended(underway.step, DONE, product)

    def _failed_attempt(
        self,
        underway: Underway,
        error: TaskError,
        log_tail: tuple[str, ...] = (),
        usage: Usage | None = None,
    ) -> None:
        name, retry, made = underway.task.name, underway.task.settings.retry, underway.attempts
        ending = (self._canceled and not underway.step.spared) or underway.step.is_late
        if retry is not None and made <= retry.max_count and not ending:
            wait = min(retry.backoff_seconds * retry.backoff_factor ** (made - 1), retry.max_backoff_seconds)
            message = (
                f"Attempt {made} of {retry.max_count + 1} failed: {summary(error)}; the next in {wait:g} s."
            )
            self._journal.append(
                TaskChanged(
                    time.time(),
                    name,
                    State.PENDING,
                    reason="Retrying",
                    message=message,
                    error=error,
                    usage=usage,
                )
            )
            self._waiting_to_retry[name] = underway
            self._agenda.after(wait, partial(self._retry, name))
            return
        self._earlier.ended(name, None)
        self._close(name, State.FAILED, error.type, summary(error), log_tail, error, usage)
        self._flow.failed(underway.step, error)

    def _retry(self, name: str) -> None:
        underway = self._waiting_to_retry.pop(name, None)
        if underway is not None and (underway.attempts or not self._reuse(underway)):
            self._waiting.append(underway)

    def _close(
        self,
        name: str,
        state: State,
        reason: str,
        message: str,
        log_tail: tuple[str, ...] = (),
        error: TaskError | None = None,
        usage: Usage | None = None,
    ) -> None:
        self._journal.append(
            TaskChanged(
                time.time(),
                name,
                state,
                reason=reason,
                message=message,
                error=error,
                log_tail=log_tail,
                usage=usage,
            )
        )

    # --- The end
    # ---------------------------------------------------------------------------------------------------

    def _stop(self, underway: Underway, attempt: Attempt | InProcess, reason: str) -> None:
        if self._running.get(underway.task.name) is underway and underway.attempt is attempt:
            attempt.stop(reason)
            self._agenda.after(GRACE_SECONDS, attempt.kill)

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
        self._journal.commit()
        self._end_steps(lambda step: again or not step.spared)
        self._flow.cancel(also_spared=again)

    def _expire_group(self, group: Group) -> None:
        if group.is_open:
            group.late = True
            self._end_steps(lambda step: step.is_in(group) and not step.is_spared_by(group))
            self._flow.cancel(group, also_spared=group.spared)

    def _end_steps(self, which: Callable[[Step], bool]) -> None:
        for waiting in [*self._waiting_to_retry.values(), *self._waiting]:
            if which(waiting.step):
                self._forget(waiting)
        for name, underway in list(self._running.items()):
            if underway.attempt is not None and which(underway.step):
                self._journal.append(TaskChanged(time.time(), name, State.CANCELING))
                self._stop(underway, underway.attempt, "Canceled")

    def _forget(self, waiting: Underway) -> None:
        name = waiting.task.name
        if self._waiting_to_retry.pop(name, None) is None:
            self._waiting.remove(waiting)
        self._earlier.ended(name, None)
        again = " again" if waiting.attempts else ""
        end = End(State.CANCELED, "Canceled", f"It was canceled before it ran{again}.")
        self._close(name, end.state, end.reason, end.message)
        self._flow.ended(waiting.step, end)

    def _ending(self) -> RunChanged:
        if self._too_long:
            limit = self._plan.pipeline.config.active_deadline_seconds
            message = f"It took longer than {limit} s."
            return RunChanged(time.time(), State.FAILED, "DeadlineExceeded", message)
        if self._canceled:
            return RunChanged(time.time(), State.CANCELED, "Canceled", "Canceled.")
        if self._flow.failures:
            return RunChanged(time.time(), State.FAILED, "TaskFailed", told(self._flow.failures))
        return RunChanged(time.time(), State.SUCCEEDED)
