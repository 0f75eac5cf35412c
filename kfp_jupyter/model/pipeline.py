"""A pipeline: its root graph, the components that its tasks run, and what is set for the whole.

The shape is that of KFP's PipelineSpec: components stand once in a map and tasks refer to them by key, so a
thousand tasks of one component cost one component. The map is flat: tasks of inner graphs refer to it too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kfp_jupyter.model.component import Component, InputSpec, OutputSpec, Passthrough
from kfp_jupyter.model.graph import (
    CircleError,
    Graph,
    GroupKind,
    Loop,
    PipelineError,
    Task,
    Trigger,
    TriggerStrategy,
)
from kfp_jupyter.model.settings import Resources, Retry, TaskSettings
from kfp_jupyter.model.types import Json
from kfp_jupyter.model.value import (
    Calculation,
    Constant,
    FinalStatus,
    OneOf,
    PipelineInput,
    RuntimeParameter,
    TaskOutput,
    Value,
)

__all__ = [
    "Calculation",
    "CircleError",
    "Constant",
    "FinalStatus",
    "Graph",
    "GroupKind",
    "Loop",
    "OneOf",
    "Pipeline",
    "PipelineConfig",
    "PipelineError",
    "PipelineInput",
    "Resources",
    "Retry",
    "RuntimeParameter",
    "Task",
    "TaskOutput",
    "TaskSettings",
    "Trigger",
    "TriggerStrategy",
    "Value",
    "Workspace",
]


@dataclass(frozen=True, slots=True)
class Workspace:
    """A volume that all tasks of a run share.

    Attributes:
        size: Its size as a Kubernetes quantity (`10Gi`).
        pvc_spec_patch: What is put over the spec of its PersistentVolumeClaim; None if nothing is said.
    """

    size: str
    pvc_spec_patch: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class PipelineConfig:
    """What is set for a run as a whole; times in seconds, 0 where nothing is said.

    Attributes:
        workspace: A volume that all tasks share.
        ttl_seconds_after_finished: How long the run's Kubernetes objects are kept after its end.
        ttl_seconds_after_success: The same, if it succeeded.
        ttl_seconds_after_failure: The same, if it failed.
        active_deadline_seconds: The longest the run may take.
    """

    workspace: Workspace | None = None
    ttl_seconds_after_finished: int = 0
    ttl_seconds_after_success: int = 0
    ttl_seconds_after_failure: int = 0
    active_deadline_seconds: int = 0


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
        config: What is set for the run as a whole.
        sdk_version: What compiled the document it was read from (`kfp-2.14.3`); empty if it was not read.
        schema_version: The version of the format that it was written in; empty if it was not read.
        passthroughs: What a component that stands alone in its file is told of; KFP repeats it at the root.
        extra: Fields of that document that are unknown here, where they stood.
        platform_extra: The same of the document of platform settings.
    """

    name: str
    inputs: tuple[InputSpec, ...]
    outputs: tuple[OutputSpec, ...]
    components: Mapping[str, Component]
    graph: Graph
    description: str = ""
    display_name: str = ""
    pipeline_root: str = ""
    config: PipelineConfig = field(default_factory=PipelineConfig)
    sdk_version: str = ""
    schema_version: str = ""
    passthroughs: tuple[Passthrough, ...] = ()
    extra: Mapping[str, Json] = field(default_factory=dict)
    platform_extra: Mapping[str, Json] = field(default_factory=dict)

    def component_of(self, task: Task) -> Component:
        """Return the component that a task runs."""
        return self.components[task.component]

    def walk(self, graph: Graph | None = None, *, loops: bool = True) -> Iterator[tuple[str, Task]]:
        """Yield every task of a graph at all levels with its path in it, groups in front of what is in them.

        Args:
            graph: The graph; None for the pipeline's own.
            loops: Whether also what is in loops, once and without the numbers of iterations.
        """
        for task in (graph or self.graph).tasks.values():
            yield task.name, task
            body = self.component_of(task).implementation
            if isinstance(body, Graph) and (loops or task.loop is None):
                for path, inner in self.walk(body, loops=loops):
                    yield f"{task.name}/{path}", inner

    def paths(self, graph: Graph | None = None) -> tuple[str, ...]:
        """Return the paths of the tasks of a graph that are known before it runs: all but those in loops."""
        return tuple(path for path, _ in self.walk(graph, loops=False))
