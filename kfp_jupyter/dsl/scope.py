"""One group's graph while it is being made: what it takes from outside, what it gives out, and its tasks.

A group is run as a component of its own, so whatever its tasks use from outside must be one of its inputs,
and an argument of the task that runs it. `bring` leads a value down from where it is known, level by level;
each level is done once, so that the whole takes time linear in what is used where.
"""

from __future__ import annotations

from collections.abc import Iterator

from kfp_jupyter.cells.origin import place_line
from kfp_jupyter.dsl.tasks_group import ParallelFor, TasksGroup
from kfp_jupyter.model.component import InputSpec, OutputSpec
from kfp_jupyter.model.pipeline import (
    Graph,
    PipelineError,
    PipelineInput,
    Task,
    TaskOutput,
    Value,
)
from kfp_jupyter.model.types import ValueType
from kfp_jupyter.model.value import CHANNEL


class InvalidTopologyException(PipelineError):  # noqa: N818 - KFP's name
    """A value, or a dependency, that cannot get from where it is to where it is used."""


class Scope:
    """The graph of one group.

    Attributes:
        group: The group.
        parent: The scope around it; None for the pipeline itself.
        depth: How many scopes are around it.
        inputs: What it takes from outside, by name.
        arguments: The values of its inputs, as the scope around it knows them.
        outputs: What it gives out, by name.
        tasks: Its tasks by name.
        after: By name of a task, what that waits for without using its outputs.
    """

    def __init__(self, group: TasksGroup, parent: Scope | None) -> None:
        self.group = group
        self.parent = parent
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.inputs: dict[str, InputSpec] = {}
        self.arguments: dict[str, Value] = {}
        self.outputs: dict[str, tuple[OutputSpec, Value]] = {}
        self.tasks: dict[str, Task] = {}
        self.after: dict[str, dict[str, None]] = {}

    def __repr__(self) -> str:
        return f"<scope of {self.group!r}>"

    def outwards(self) -> Iterator[Scope]:
        """Yield it and the scopes around it, to the pipeline itself."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def is_inside(self, other: Scope) -> bool:
        """Say whether it is another scope, or inside of it."""
        scope: Scope | None = self
        while scope is not None and scope.depth > other.depth:
            scope = scope.parent
        return scope is other

    def common(self, other: Scope) -> Scope:
        """Return the innermost scope that both are in."""
        scope = self
        while not other.is_inside(scope):
            if scope.parent is None:
                raise ValueError("scopes of two pipelines")
            scope = scope.parent
        return scope

    def below(self, outer: Scope) -> list[Scope]:
        """Return it and the scopes around it that are inside `outer`, innermost first."""
        found = []
        for scope in self.outwards():
            if scope is outer:
                break
            found.append(scope)
        return found

    def take(self, name: str, type_: ValueType, value: Value) -> PipelineInput:
        """Give it an input of that name and value, once, and return how it is known inside."""
        key = CHANNEL + name
        if key not in self.inputs:
            self.inputs[key] = InputSpec(key, type_)
            self.arguments[key] = value
        return PipelineInput(key)

    def bring(
        self, name: str, type_: ValueType, home: Scope, at_home: PipelineInput | TaskOutput
    ) -> PipelineInput | TaskOutput:
        """Return how a value is known here that is known in a scope around this one.

        Args:
            name: The value's name in the whole pipeline.
            type_: Its type.
            home: The scope that knows it.
            at_home: How that knows it.
        """
        path = []
        for scope in self.below(home):
            if CHANNEL + name in scope.inputs:
                break
            path.append(scope)
        reached = path[-1].parent if path else self
        value = at_home if reached is home else PipelineInput(CHANNEL + name)
        for scope in reversed(path):
            value = scope.take(name, type_, value)
        return value

    def wait(self, waiting: str, awaited: str) -> None:
        """Let one of its tasks wait for another."""
        self.after.setdefault(waiting, {})[awaited] = None

    def give(self, name: str, type_: ValueType, value: Value) -> None:
        """Let it give out a value."""
        self.outputs[name] = (OutputSpec(name, type_), value)

    def add(self, task: Task) -> None:
        """Add a task.

        Raises:
            PipelineError: It has one of that name.
        """
        if task.name in self.tasks:
            raise PipelineError(
                f"A group of control flow is called {task.name!r}, and so is a task beside it.",
                where=f"task {task.name}",
                remedy="Give the component another name.",
            )
        self.tasks[task.name] = task

    def graph(self) -> Graph:
        """Return the finished graph."""
        outputs = {name: value for name, (_, value) in self.outputs.items()}
        return Graph(self.tasks, outputs, self.group.kind)


def invisible(where: str, what: str, scope: Scope) -> InvalidTopologyException:
    """Return the error for something inside a group that is used outside of it.

    Args:
        where: The task that uses it, for people.
        what: What is used, in the nominative: `output 'a' of task 'b'`.
        scope: The outermost group that hides it.
    """
    remedy = "Use it inside this group, or choose from all its branches with `dsl.OneOf`."
    if isinstance(scope.group, ParallelFor):
        remedy = "Use it inside this loop, or collect it from all rounds with `dsl.Collected`."
    line = place_line(*scope.group.origin)
    return InvalidTopologyException(
        f"It uses {what}, which is inside `{scope.group.title}` ({line}) and not known outside.",
        where=where,
        remedy=remedy,
    )
