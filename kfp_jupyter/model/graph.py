"""Tasks and the values that flow between them: what KFP's PipelineSpec calls a `dag`.

A graph may stand inside another: a task may run a component whose implementation is a graph. That is what a
pipeline in a pipeline is, and also every group of control flow. `If` and `ParallelFor` are tasks with a
trigger or a loop that run the graph of their body; its inputs are the values that the body takes from
outside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.model.settings import TaskSettings
from kfp_jupyter.model.types import Json
from kfp_jupyter.model.value import Value, renamed, sources


class PipelineError(KfpJupyterError):
    """A pipeline that cannot be run: a wrong connection, a missing argument, a cycle."""


class CircleError(PipelineError):
    """Tasks that wait for each other.

    Args:
        tasks: Their names, each waiting for the next; the last is the first.
    """

    def __init__(self, tasks: list[str]) -> None:
        """Name the tasks in the order in which they would have to run."""
        what = f"The tasks wait for each other in a circle: {' → '.join(reversed(tasks))}."
        if len(tasks) == 2:
            what = f"Task {tasks[0]!r} waits for itself."
        super().__init__(
            what,
            where=f"task {tasks[0]}",
            remedy="Take away one of these dependencies (an argument or an `.after`).",
        )
        self.tasks = tasks


class TriggerStrategy(str, Enum):
    """What the tasks that a task waits for must have come to; the values are KFP's names."""

    UNSPECIFIED = ""
    SUCCEEDED = "ALL_UPSTREAM_TASKS_SUCCEEDED"
    COMPLETED = "ALL_UPSTREAM_TASKS_COMPLETED"


@dataclass(frozen=True, slots=True)
class Trigger:
    """When a task runs.

    Attributes:
        condition: A CEL expression on the task's own arguments, such as
            `inputs.parameter_values['pipelinechannel--flip-Output'] == 'heads'`; empty means always.
        strategy: `COMPLETED` also runs it after tasks that failed or were skipped.
    """

    condition: str = ""
    strategy: TriggerStrategy = TriggerStrategy.UNSPECIFIED


@dataclass(frozen=True, slots=True)
class Loop:
    """Runs a task once for each item of a list.

    Attributes:
        item_input: The input of the task's component that gets the item.
        items: The items, if they are written in the pipeline.
        items_input: Else the argument of the task that holds them.
        artifacts: True if the items are artifacts.
        parallelism: How many items run at a time; 0 means no limit.
    """

    item_input: str
    items: tuple[Json, ...] | None = None
    items_input: str = ""
    artifacts: bool = False
    parallelism: int = 0


# Shared by the thousands of tasks that set nothing, which costs no time when they are read.
_NOTHING_SET, _ALWAYS = TaskSettings(), Trigger()


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a graph.

    Attributes:
        name: Its name, unique in the graph: `train`, `train-2`.
        component: The key of its component in `Pipeline.components`.
        arguments: A value for each input that is given.
        after: Names of tasks it waits for without using their outputs.
        settings: See `TaskSettings`.
        trigger: When it runs.
        loop: Set if it runs once for each item of a list.
        extra: Fields of the document it was read from that are unknown here, where they stood.
    """

    name: str
    component: str
    arguments: Mapping[str, Value] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    settings: TaskSettings = _NOTHING_SET
    trigger: Trigger = _ALWAYS
    loop: Loop | None = None
    extra: Mapping[str, Json] = field(default_factory=dict)

    @property
    def dependencies(self) -> tuple[str, ...]:
        """The names of the tasks it waits for, each once, data first."""
        data = [name for value in self.arguments.values() for name in sources(value)]
        return tuple(dict.fromkeys([*data, *self.after]))


class GroupKind(str, Enum):
    """What a graph inside a pipeline is the body of."""

    PIPELINE = "pipeline"
    CONDITION = "condition"
    BRANCHES = "branches"
    """Several conditions of which the first true one runs (If, Elif, Else)."""
    LOOP = "loop"
    EXIT_HANDLER = "exit handler"


@dataclass(frozen=True, slots=True)
class Graph:
    """Tasks by name, in the order they were written, and the values that the graph gives out.

    Attributes:
        tasks: The tasks.
        outputs: A `TaskOutput` or `OneOf` by the name of the output.
        group: What it is the body of.
    """

    tasks: Mapping[str, Task]
    outputs: Mapping[str, Value] = field(default_factory=dict)
    group: GroupKind = GroupKind.PIPELINE

    def renamed(self, old: str, new: str) -> Graph:
        """Return the graph with another name for a task, also where others refer to it.

        Raises:
            PipelineError: There is no such task, or there is one of the new name.
        """
        if old not in self.tasks or (new in self.tasks and new != old):
            what = (
                f"There is no task {old!r}." if old not in self.tasks else f"There is a task {new!r} already."
            )
            raise PipelineError(what, where=f"task {old}", remedy=f"The tasks are: {', '.join(self.tasks)}.")
        tasks = (_renamed_in(task, old, new) for task in self.tasks.values())
        outputs = {name: renamed(value, old, new) for name, value in self.outputs.items()}
        return replace(self, tasks={task.name: task for task in tasks}, outputs=outputs)

    def in_order(self) -> Iterator[Task]:
        """Yield the tasks so that each comes after all it depends on, otherwise as written.

        Raises:
            PipelineError: The tasks wait for each other in a circle, or for a task that is not there.
        """
        done: set[str] = set()
        waiting: dict[
            str, None
        ] = {}  # The chain of tasks under way; a dict keeps their order and finds them at once.
        for start in self.tasks:
            stack = [(start, False)]
            while stack:
                name, leaving = stack.pop()
                if leaving:
                    waiting.pop(name)
                    done.add(name)
                    yield self.tasks[name]
                elif name not in done:
                    if name in waiting or name not in self.tasks:
                        raise self._broken(name, list(waiting))
                    waiting[name] = None
                    stack.append((name, True))
                    stack.extend((dep, False) for dep in reversed(self.tasks[name].dependencies))

    def _broken(self, name: str, waiting: list[str]) -> PipelineError:
        if name in waiting:
            return CircleError([*waiting[waiting.index(name) :], name])
        return PipelineError(
            f"It waits for a task {name!r} that is not in the pipeline.",
            where=f"task {waiting[-1]}",
            remedy=f"The pipeline has: {', '.join(self.tasks)}.",
        )


def _renamed_in(task: Task, old: str, new: str) -> Task:
    settings = task.settings
    if settings.kubernetes:
        settings = replace(settings, kubernetes=_renamed_producer(settings.kubernetes, old, new))
    return replace(
        task,
        name=new if task.name == old else task.name,
        arguments={name: renamed(value, old, new) for name, value in task.arguments.items()},
        after=tuple(new if name == old else name for name in task.after),
        settings=settings,
    )


def _renamed_producer(value: Json, old: str, new: str) -> Json:
    """Return Kubernetes settings, whose values may come from tasks, with another name for a task."""
    if isinstance(value, Mapping):
        return {
            key: new if key == "producerTask" and held == old else _renamed_producer(held, old, new)
            for key, held in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_renamed_producer(held, old, new) for held in value]
    return value
