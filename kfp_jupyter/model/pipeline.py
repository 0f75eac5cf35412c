"""A pipeline: tasks of components, the values that flow between them, and each task's settings.

The shape is that of KFP's PipelineSpec: components stand once in a map and tasks refer to them by key, so a
thousand tasks of one component cost one component. Where `spec.proto` says `dag`, we say `Graph`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.model.component import Component, InputSpec, OutputSpec
from kfp_jupyter.model.types import Json


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


@dataclass(frozen=True, slots=True)
class Constant:
    """A value written in the pipeline."""

    value: Json


@dataclass(frozen=True, slots=True)
class PipelineInput:
    """The value of an input of the enclosing pipeline."""

    name: str


@dataclass(frozen=True, slots=True)
class TaskOutput:
    """The value of another task's output."""

    task: str
    output: str


Value = Constant | PipelineInput | TaskOutput


@dataclass(frozen=True, slots=True)
class Resources:
    """What a task asks of its machine, in Kubernetes quantities (`500m`, `4Gi`); empty leaves it open.

    Spec: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
    """

    cpu_request: str = ""
    cpu_limit: str = ""
    memory_request: str = ""
    memory_limit: str = ""
    accelerator_type: str = ""
    accelerator_count: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a failed task is tried again (`max_count` further attempts), with waits in seconds."""

    max_count: int
    backoff_seconds: float = 0.0
    backoff_factor: float = 2.0
    max_backoff_seconds: float = 3600.0


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """What can be set on a task besides its arguments.

    Attributes:
        caching: Whether an earlier result with the same inputs may be used.
        cache_key: A user's own key for that; empty means the engine's.
        resources: CPU, memory and accelerators.
        retry: Further attempts, or None for a single one.
        timeout_seconds: The longest an attempt may take; 0 means no limit.
        env: Environment variables as `(name, value)` pairs.
        display_name: The name shown to people; empty means the task's name.
        image: An image instead of the component's; empty means the component's.
    """

    caching: bool = True
    cache_key: str = ""
    resources: Resources = field(default_factory=Resources)
    retry: Retry | None = None
    timeout_seconds: float = 0.0
    env: tuple[tuple[str, str], ...] = ()
    display_name: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a graph.

    Attributes:
        name: Its name, unique in the graph: `train`, `train-2`.
        component: The key of its component in `Pipeline.components`.
        arguments: A value for each input that is given.
        after: Names of tasks it waits for without using their outputs.
        settings: See `TaskSettings`.
    """

    name: str
    component: str
    arguments: Mapping[str, Value] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    settings: TaskSettings = field(default_factory=TaskSettings)

    @property
    def dependencies(self) -> tuple[str, ...]:
        """The names of the tasks it waits for, each once, data first."""
        data = [value.task for value in self.arguments.values() if isinstance(value, TaskOutput)]
        return tuple(dict.fromkeys([*data, *self.after]))


@dataclass(frozen=True, slots=True)
class Graph:
    """Tasks by name, in the order they were written, and the values that the graph gives out."""

    tasks: Mapping[str, Task]
    outputs: Mapping[str, Value] = field(default_factory=dict)

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
            circle = [*waiting[waiting.index(name) :], name]
            return CircleError(circle)
        return PipelineError(
            f"It waits for a task {name!r} that is not in the pipeline.",
            where=f"task {waiting[-1]}",
            remedy=f"The pipeline has: {', '.join(self.tasks)}.",
        )


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A whole pipeline.

    Attributes:
        name: Its name in KFP's spelling (lower case, dashes).
        inputs: Its parameters (and artifacts), in order.
        outputs: What it gives out.
        components: Every component in use, by key; keys are KFP's (`comp-train`).
        graph: The root graph.
        description: For people.
        display_name: The name shown to people; empty means `name`.
        pipeline_root: Where artifacts are stored; empty means the engine's place.
    """

    name: str
    inputs: tuple[InputSpec, ...]
    outputs: tuple[OutputSpec, ...]
    components: Mapping[str, Component]
    graph: Graph
    description: str = ""
    display_name: str = ""
    pipeline_root: str = ""

    def component_of(self, task: Task) -> Component:
        """Return the component that a task runs."""
        return self.components[task.component]
