"""Which component and executor of the document each task gets, and under which names.

In the model tasks share components. In KFP's documents each task of a pipeline has its own, named after it
(`comp-train-2`, `exec-train-2`), because resources and images stand in the executor; so has each use of a
pipeline in a pipeline, whose names are made unique when it is put into the outer one. That is done here, in
the order of KFP's compiler: the groups of a graph before its other tasks, then graph by graph, exit tasks
last.

What was read from a document keeps its names, unless tasks that shared an executor have come to differ in
settings that stand there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from kfp_jupyter.model.component import Component
from kfp_jupyter.model.graph import Graph, GroupKind, Task, TriggerStrategy
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.settings import TaskSettings


@dataclass(slots=True)
class Place:
    """A component in the document.

    Attributes:
        component: The component.
        key: Its name there.
        label: The name of its executor; empty for a graph.
        settings: Those of its tasks.
        tasks: For a graph, where the components of its tasks are.
    """

    component: Component
    key: str
    label: str = ""
    settings: TaskSettings = field(default_factory=TaskSettings)
    tasks: dict[str, Place] = field(default_factory=dict)


@dataclass(slots=True)
class Placement:
    """All components of a document by name; its root is the place whose tasks are those of the root graph."""

    root: Place
    places: dict[str, Place]


def place(pipeline: Pipeline) -> Placement:
    """Return where each component of a pipeline stands in its document."""
    names = _Names(pipeline)
    root = Place(Component(pipeline.name, pipeline.inputs, pipeline.outputs, pipeline.graph), "")
    names.fill(root, pipeline.graph)
    if names.kept:
        for key, component in pipeline.components.items():
            names.keep(key, component)
    return Placement(root, names.places)


class _Names:
    """The names of one pipeline, or of one that is then put into another."""

    def __init__(self, pipeline: Pipeline, kept: bool | None = None) -> None:
        self.places: dict[str, Place] = {}
        self._pipeline = pipeline
        self._settings: dict[str, TaskSettings] = {}
        self.kept = _was_read(pipeline, pipeline.graph, set()) if kept is None else kept
        reserved = pipeline.components if self.kept else {}
        self._keys = _Taken(reserved)
        self._labels = _Taken(held.executor_label for held in reserved.values())

    def fill(self, outer: Place, graph: Graph) -> None:
        """Place the components of a graph's tasks, and of the groups in it."""
        groups: list[tuple[Place, Graph]] = []
        exits: list[Task] = []
        for task in _in_order(graph, self._pipeline):
            if _is_exit_task(task, graph, self._pipeline):
                exits.append(task)
                continue
            held = outer.tasks[task.name] = self._placed(task)
            step = held.component.implementation
            if isinstance(step, Graph) and not held.tasks:
                groups.append((held, step))
        for held, inner in groups:
            if not held.tasks:
                self.fill(held, inner)
        for task in exits:
            held = outer.tasks[task.name] = self._placed(task)
            step = held.component.implementation
            if isinstance(step, Graph) and not held.tasks:
                self.fill(held, step)

    def _placed(self, task: Task) -> Place:
        component = self._pipeline.component_of(task)
        step = component.implementation
        if self.kept:
            return self._kept(task, component)
        if not isinstance(step, Graph):
            return self._own(task, component)
        if step.group is GroupKind.PIPELINE:
            return self._put_in(task, component, step)
        return self._add(Place(component, f"comp-{task.name}"))

    def keep(self, key: str, component: Component) -> None:
        """Place a component of a document that no task runs."""
        if key not in self.places:
            held = self.places[key] = Place(component, key, component.executor_label)
            if isinstance(component.implementation, Graph):
                self.fill(held, component.implementation)

    def _own(self, task: Task, component: Component) -> Place:
        base = component.executor_label or f"exec-{task.name}"
        key = task.component if component.executor_label else f"comp-{task.name}"
        return self._add(Place(component, key, self._labels.take(base), task.settings))

    def _kept(self, task: Task, component: Component) -> Place:
        label = component.executor_label
        asked = _in_executor(task.settings)
        if label and self._settings.setdefault(label, asked) != asked:
            return self._own(task, replace(component, executor_label=""))
        if task.component not in self.places:
            self.places[task.component] = Place(component, task.component, label, task.settings)
        return self.places[task.component]

    def _put_in(self, task: Task, component: Component, graph: Graph) -> Place:
        """Place a pipeline in the pipeline: name its parts by itself, then make the names unique here."""
        held = Place(component, f"comp-{task.name}")
        inner = _Names(self._pipeline, _was_read(self._pipeline, graph, set()))
        inner.fill(held, graph)
        for part in inner.places.values():
            if part.label:
                part.label = self._labels.take(part.label)
            self._add(part)
        return self._add(held)

    def _add(self, held: Place) -> Place:
        held.key = self._keys.take(held.key)
        self.places[held.key] = held
        return held


def _in_order(graph: Graph, pipeline: Pipeline) -> Iterator[Task]:
    """Yield the tasks in the order in which KFP's compiler names them."""
    groups: list[Task] = []
    others: list[Task] = []
    for task in graph.tasks.values():
        step = pipeline.component_of(task).implementation
        is_group = isinstance(step, Graph) and step.group is not GroupKind.PIPELINE
        (groups if is_group else others).append(task)
    yield from groups
    yield from others


def _is_exit_task(task: Task, graph: Graph, pipeline: Pipeline) -> bool:
    """Say whether a task runs when an exit handler's tasks have ended."""
    for other in task.after if task.trigger.strategy is TriggerStrategy.COMPLETED else ():
        handler = graph.tasks.get(other)
        step = pipeline.component_of(handler).implementation if handler else None
        if isinstance(step, Graph) and step.group is GroupKind.EXIT_HANDLER:
            return True
    return False


def _was_read(pipeline: Pipeline, graph: Graph, seen: set[str]) -> bool:
    """Say whether all steps of a graph have names from a document."""
    for task in graph.tasks.values():
        if task.component in seen:
            continue
        seen.add(task.component)
        component = pipeline.component_of(task)
        step = component.implementation
        if not (_was_read(pipeline, step, seen) if isinstance(step, Graph) else component.executor_label):
            return False
    return True


def _in_executor(settings: TaskSettings) -> TaskSettings:
    """Return the settings that stand in the executor and the platform document, the others as by default."""
    return TaskSettings(
        resources=settings.resources,
        env=settings.env,
        image=settings.image,
        timeout_seconds=settings.timeout_seconds,
        kubernetes=settings.kubernetes,
    )


class _Taken:
    """Names that are in use."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = set(names)
        # Where the search for a free number goes on: what is below stays taken.
        self._numbers: dict[str, int] = {}

    def take(self, name: str) -> str:
        """Return the name, or with the first number from 2 on that makes it unique, which is then taken."""
        free = name
        while free in self._names:
            number = self._numbers[name] = self._numbers.get(name, 1) + 1
            free = f"{name}-{number}"
        self._names.add(free)
        return free
