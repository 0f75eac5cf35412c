"""What a run does next, over all levels of its pipeline: pure bookkeeping, no processes.

Whatever the nesting, the tasks that may start stand in one queue, so that those of different groups and
iterations run side by side. Responsibilities:

- a task is due when those it waits for have ended (`schedule`); then its condition is asked, and it is
  skipped, put into the queue, or, if it is a group, opened;
- a group opens a `Scope` for its body, or one for each item; when all in it has ended, its outputs are
  resolved and it ends itself;
- what does not run says why: for a condition, with its values; for another task, with that task's path;
- on cancel all that has not begun ends, except the exit tasks of handlers that have.

KFP's rules: https://www.kubeflow.org/docs/components/pipelines/user-guides/core-functions/control-flow/
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from kfp_jupyter.engines.local.announcements import Announcements
from kfp_jupyter.engines.local.exchange import Given, Product
from kfp_jupyter.engines.local.given import GivenError, given_to, outputs_of, root_given
from kfp_jupyter.engines.local.loop import items_of, with_item
from kfp_jupyter.engines.local.placeholder import RunFacts
from kfp_jupyter.engines.local.schedule import Links
from kfp_jupyter.engines.local.scope import DONE, End, Group, Scope, worse
from kfp_jupyter.engines.local.step import Step
from kfp_jupyter.engines.trouble import summary
from kfp_jupyter.model.cel import CelError, Expression, holds, parse, told
from kfp_jupyter.model.graph import Graph, GroupKind, Task
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import Event, State, TaskError
from kfp_jupyter.model.types import Json


class Flow:
    """Leads a run through its pipeline.

    Args:
        pipeline: The pipeline.
        arguments: The arguments of the run.
        facts: What placeholders say of the run.
        tell: Called with what happens to groups and to what is skipped; it follows from what happened to
            steps, so it need not be durable.

    Attributes:
        ready: The steps that may start; whoever starts one takes it out.
        limited: Groups that have begun and may only take some time; whoever limits one takes it out.
        failures: Why tasks failed, by path, in order.
        end: How the run ended; None while it goes on.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        arguments: Mapping[str, Json],
        facts: RunFacts,
        tell: Callable[[Event], None],
    ) -> None:
        self._pipeline = pipeline
        self._announce = Announcements(pipeline, tell)
        # Queues, not calls, so that no chain of tasks is too long for the stack.
        self._due: deque[tuple[Scope, str]] = deque()
        self._with_room: deque[Group] = deque()
        self._links: dict[int, Links] = {}
        self._conditions: dict[str, Expression] = {}
        self.ready: deque[Step] = deque()
        self.limited: deque[Group] = deque()
        self.failures: dict[str, TaskError] = {}
        self.end: End | None = None
        graph = pipeline.graph
        given = root_given(pipeline.inputs, arguments)
        self._root = Scope(graph, self._links_of(graph), "", given, facts, arguments)

    def start(self) -> None:
        """Find out what may start first."""
        self._begin(self._root)
        self._go_on()

    def ended(self, step: Step, end: End, product: Product | None = None) -> None:
        """Note that a step has ended, and what it has put out."""
        if step.group is None:
            self._end(step.scope, step.task.name, end, product)
        else:
            self._iteration_ended(step.group, step.index, end, product)
        self._go_on()

    def failed(self, step: Step, error: TaskError) -> None:
        """Note that a step has failed for good."""
        self.failures[step.path] = error
        self.ended(step, End(State.FAILED, error.type, summary(error), step.path))

    def cancel(self, group: Group | None = None, *, also_spared: bool = False) -> None:
        """End what has not begun, in a group or at all; what runs is the caller's to stop, unless spared."""
        waiting = list(self.ready)
        self.ready.clear()
        if group is None:
            self._cancel(self._root, also_spared)
        elif group.is_open:
            self._cancel_group(group, also_spared)
        for step in waiting:
            outside = group is not None and not step.is_in(group)
            if outside or (step.spared and not also_spared):
                self.ready.append(step)
            else:
                self._announce.never_ran(step.path, _CANCELED)
                self.ended(step, _CANCELED)
        self._go_on()

    # --- Tasks
    # -----------------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        while self._due or self._with_room:
            if self._with_room:
                self._start_iterations(self._with_room.popleft())
                continue
            scope, name = self._due.popleft()
            if name not in scope.ends and name not in scope.begun:
                self._arrive(scope, name)

    def _arrive(self, scope: Scope, name: str) -> None:
        task = scope.graph.tasks[name]
        if name not in scope.links.patient:
            blamed = next((end for end in _ends(scope, task.dependencies) if not end.succeeded), None)
            if blamed is not None:
                self._skip_for(scope, name, blamed)
                return
        component = self._pipeline.component_of(task)
        path = scope.path_of(name)
        condition = task.trigger.condition
        body = isinstance(component.implementation, Graph)
        spared = scope.spared or self._is_exit(scope, task)
        if not (condition or body or task.loop):
            scope.begun.add(name)
            self.ready.append(Step(path, task, component, scope, spared))
            return
        try:
            given = given_to(task, path, component, scope)
            if condition and not self._holds(scope, name, given):
                return
            items = None if task.loop is None else items_of(task, given)
        except (GivenError, CelError) as error:
            what = error.what if isinstance(error, CelError) else str(error)
            self._fail(scope, name, TaskError("BadArgument", what))
            return
        scope.begun.add(name)
        if not (body or task.loop):
            self.ready.append(Step(path, task, component, scope, spared))
            return
        self._open(Group(scope, name, path, task, component, given, items, spared))

    def _holds(self, scope: Scope, name: str, given: Given) -> bool:
        text = scope.graph.tasks[name].trigger.condition
        if text not in self._conditions:
            self._conditions[text] = parse(text)
        condition = self._conditions[text]
        parameters = {**given.others, **given.parameters}
        if holds(condition, parameters):
            return True
        message = f"Its condition does not hold: {told(condition, parameters)}."
        self._skip(scope, name, End(State.SKIPPED, "Condition", message, scope.path_of(name)))
        return False

    def _skip_for(self, scope: Scope, name: str, blamed: End) -> None:
        failed = blamed.state is State.FAILED or blamed.reason == "UpstreamFailed"
        reason, how = ("UpstreamFailed", "failed") if failed else ("UpstreamSkipped", "was skipped")
        message = f"Not run because {blamed.blame} {how}."
        self._skip(scope, name, End(State.SKIPPED, reason, message, blamed.blame))

    def _skip(self, scope: Scope, name: str, end: End) -> None:
        path = scope.path_of(name)
        self._announce.never_ran(path, end)
        message = end.message if end.reason != "Condition" else f"Not run because {path} was skipped."
        self._announce.never_opened(scope, name, replace(end, message=message))
        self._end(scope, name, end)

    def _fail(self, scope: Scope, name: str, error: TaskError) -> None:
        path = scope.path_of(name)
        self.failures[path] = error
        self._announce.failed(path, error)
        message = f"Not run because {path} failed."
        self._announce.never_opened(scope, name, End(State.SKIPPED, "UpstreamFailed", message))
        self._end(scope, name, End(State.FAILED, error.type, summary(error), path))

    def _end(self, scope: Scope, name: str, end: End, product: Product | None = None) -> None:
        scope.ends[name] = end
        scope.trouble = worse(scope.trouble, end)
        if product is not None:
            scope.products[name] = product
        self._due.extend((scope, due) for due in scope.schedule.ended(name, succeeded=end.succeeded))
        if scope.schedule.open == 0:
            self._close(scope)

    # --- Groups
    # ----------------------------------------------------------------------------------------------------

    def _open(self, group: Group) -> None:
        group.scope.groups[group.name] = group
        self._announce.opened(group)
        if group.task.settings.timeout_seconds:
            self.limited.append(group)
        if group.count == 0:
            self._finish(group)
        self._with_room.append(group)

    def _start_iterations(self, group: Group) -> None:
        while group.has_room:
            index = group.begun
            group.begun += 1
            group.running[index] = None
            body = group.component.implementation
            if not isinstance(body, Graph):
                path = group.path_of(index)
                self.ready.append(
                    Step(path, group.task, group.component, group.scope, group.spared, group, index)
                )
                continue
            around = group.scope
            try:
                given = group.given if group.items is None else with_item(group.given, group, index)
            except GivenError as error:
                self._iteration_ended(group, index, self._bad_item(group, index, str(error)), None)
                continue
            scope = Scope(
                body, self._links_of(body), group.path_of(index), given, around.facts, around.arguments,
                group, index, group.spared,
            )  # fmt: skip
            group.running[index] = scope
            self._begin(scope)

    def _bad_item(self, group: Group, index: int, why: str) -> End:
        end = End(State.FAILED, "BadArgument", why, group.path)
        self.failures[group.path_of(index)] = TaskError(end.reason, end.message)
        self._announce.never_begun(group, index, replace(end, state=State.SKIPPED))
        return end

    def _begin(self, scope: Scope) -> None:
        self._due.extend((scope, name) for name in scope.links.first)
        if scope.schedule.open == 0:
            self._close(scope)

    def _close(self, scope: Scope) -> None:
        group = scope.group
        if group is None:
            self.end = scope.trouble or DONE
            return
        end = scope.trouble or DONE
        product = None
        if end.succeeded:
            try:
                product = outputs_of(group.component, scope.graph, scope)
            except GivenError as error:
                end = End(State.FAILED, "BadOutput", str(error), scope.path)
                self.failures[scope.path] = TaskError(end.reason, end.message)
        self._iteration_ended(group, scope.index, end, product)

    def _iteration_ended(self, group: Group, index: int, end: End, product: Product | None) -> None:
        del group.running[index]
        group.ended += 1
        group.trouble = worse(group.trouble, end)
        if product is not None:
            group.products[index] = product
        if group.ended == group.count:
            self._finish(group)
        else:
            self._with_room.append(group)

    def _finish(self, group: Group) -> None:
        del group.scope.groups[group.name]
        end = group.end
        if group.late and end.blame == group.path:
            self.failures[group.path] = TaskError(end.reason, end.message)
        product = group.product() if end.succeeded else None
        self._announce.finished(group, end, product or Product())
        self._end(group.scope, group.name, end, product)

    # --- The end asked for
    # -----------------------------------------------------------------------------------------

    def _cancel(self, scope: Scope, also_spared: bool) -> None:
        for name, task in scope.graph.tasks.items():
            if name in scope.ends:
                continue
            group = scope.groups.get(name)
            if group is not None:
                if also_spared or not group.spared:
                    self._cancel_group(group, also_spared)
            elif name not in scope.begun and (also_spared or not self._is_due_at_exit(scope, task)):
                self._announce.never_ran(scope.path_of(name), _CANCELED)
                self._announce.never_opened(scope, name, _CANCELED)
                self._end(scope, name, _CANCELED)

    def _cancel_group(self, group: Group, also_spared: bool) -> None:
        self._announce.canceling(group)
        never, group.begun = range(group.begun, group.count), group.count
        for index in never:
            self._announce.never_begun(group, index, _CANCELED)
        group.ended += len(never)
        if never:
            group.trouble = worse(group.trouble, _CANCELED)
        for scope in list(group.running.values()):
            if scope is not None:
                self._cancel(scope, also_spared)

    def _is_exit(self, scope: Scope, task: Task) -> bool:
        return any(True for _ in self._handlers(scope, task))

    def _is_due_at_exit(self, scope: Scope, task: Task) -> bool:
        return any(handler in scope.begun for handler in self._handlers(scope, task))

    def _handlers(self, scope: Scope, task: Task) -> Iterable[str]:
        if task.name not in scope.links.patient:
            return
        for name in task.dependencies:
            body = self._pipeline.component_of(scope.graph.tasks[name]).implementation
            if isinstance(body, Graph) and body.group is GroupKind.EXIT_HANDLER:
                yield name

    # --- What never changes
    # ----------------------------------------------------------------------------------------

    def _links_of(self, graph: Graph) -> Links:
        if id(graph) not in self._links:
            self._links[id(graph)] = Links(graph)
        return self._links[id(graph)]


_CANCELED = End(State.CANCELED, "Canceled", "It was canceled before it ran.")


def _ends(scope: Scope, names: Iterable[str]) -> Iterable[End]:
    return (scope.ends[name] for name in names if name in scope.ends)
