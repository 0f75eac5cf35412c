"""The components of a pipeline by key, each once however many tasks run it.

Keys are KFP's: `comp-` and the name of the first task. A pipeline that is called in another brings its own
components, whose keys are made unique, as KFP does it.
"""

from __future__ import annotations

from dataclasses import replace

from kfp_jupyter.model.component import Component
from kfp_jupyter.model.pipeline import Graph, Pipeline


class ComponentMap:
    """Collects the components of a pipeline.

    Attributes:
        components: The components by key.
    """

    def __init__(self) -> None:
        self.components: dict[str, Component] = {}
        self._keys: dict[int, str] = {}
        self._held: list[Component] = []
        self._counts: dict[str, int] = {}

    def key(self, component: Component, task: str, pipeline: Pipeline | None = None) -> str:
        """Return the key of a component, which is added if it is new.

        Args:
            component: The component; the same object has the same key.
            task: The name of the task that runs it.
            pipeline: The pipeline that it is, whose components the tasks of its graph run.
        """
        key = self._keys.get(id(component))
        if key is None:
            # What is known by its identity must not be freed.
            self._held.append(component)
            own = self._merged(component, pipeline) if pipeline is not None else component
            key = self._keys[id(component)] = self._add(f"comp-{task}", own)
        return key

    def _add(self, wanted: str, component: Component) -> str:
        key = wanted
        count = self._counts.get(wanted, 1)
        while key in self.components:
            count += 1
            key = f"{wanted}-{count}"
        self._counts[wanted] = count
        self.components[key] = component
        return key

    def _merged(self, outer: Component, pipeline: Pipeline) -> Component:
        """Add the components of an inner pipeline; return the pipeline as one that refers to them."""
        keys: dict[str, str] = {}
        for name, component in pipeline.components.items():
            keys[name] = self._add(name, component)
        for name in keys.values():
            self.components[name] = _renamed(self.components[name], keys)
        return _renamed(outer, keys)


def _renamed(component: Component, keys: dict[str, str]) -> Component:
    graph = component.implementation
    if not isinstance(graph, Graph) or all(old == new for old, new in keys.items()):
        return component
    tasks = {name: replace(task, component=keys[task.component]) for name, task in graph.tasks.items()}
    return replace(component, implementation=replace(graph, tasks=tasks))
