"""KFP's pipeline YAML or JSON, whoever compiled it, as a pipeline.

Nothing is trusted: the text is loaded by `load` within limits, each field is read by its name and type,
and every name that refers to something must be there. What is unknown is kept and told.
Spec: https://github.com/kubeflow/pipelines/blob/master/api/v2alpha1/pipeline_spec.proto
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kfp_jupyter.interchange.dag import read_dag
from kfp_jupyter.interchange.executor import read_executor
from kfp_jupyter.interchange.fields import Fields, refuse
from kfp_jupyter.interchange.interface import read_interface, read_passthroughs
from kfp_jupyter.interchange.load import load
from kfp_jupyter.interchange.platform import read_platform, read_settings
from kfp_jupyter.model.component import Component, Implementation
from kfp_jupyter.model.graph import Graph
from kfp_jupyter.model.pipeline import Pipeline, PipelineConfig
from kfp_jupyter.model.settings import TaskSettings
from kfp_jupyter.model.types import Json


@dataclass(frozen=True, slots=True)
class Reading:
    """A pipeline that was read.

    Attributes:
        pipeline: The pipeline.
        unknown: The paths of fields that are not known here; they are kept when it is written again.
    """

    pipeline: Pipeline
    unknown: tuple[str, ...] = ()


def read_pipeline(text: str | bytes) -> Reading:
    """Read a pipeline from the text of a file: YAML of one or two documents, or JSON.

    Raises:
        DocumentError: It is no pipeline; `where` is the path inside the document.
    """
    held = load(text)
    if not held:
        raise refuse("", "It is empty.", "Give the YAML that a compiled pipeline is.")
    if len(held) > 2:
        raise refuse(
            "", f"It holds {len(held)} documents; a pipeline has one, or two with platform settings."
        )
    return read_documents(held[0], held[1] if len(held) == 2 else None)


def read_documents(spec: Json, platform: Json = None) -> Reading:
    """Read a pipeline from its documents as JSON values; see `read_pipeline`."""
    document = Fields(spec, "")
    settings = Fields({} if platform is None else platform, "")
    config, asked = read_platform(settings)
    pipeline = _pipeline(document, config, asked)
    pipeline = replace(pipeline, extra=document.rest(), platform_extra=settings.rest())
    return Reading(pipeline, (*document.unknown(), *settings.unknown()))


def _pipeline(document: Fields, config: PipelineConfig, asked: Mapping[str, Fields]) -> Pipeline:
    info = document.fields("pipelineInfo")
    name = info.needed("name")
    schema = document.text("schemaVersion")
    if not schema.startswith("2."):
        raise refuse(document.at("schemaVersion"), f"The version {schema!r} is not one of 2.x.")
    executors = dict(document.fields("deploymentSpec").each("executors"))
    components = _Components(document, executors, asked)
    root = document.fields("root")
    inputs, outputs = read_interface(root)
    if "dag" not in root:
        raise refuse(root.at("dag"), "This is missing.", "The root of a pipeline has a `dag`.")
    names = [spec.name for spec in inputs]
    graph = read_dag(root.fields("dag"), "", outputs, names, components.interfaces, components.settings)
    if not graph.tasks:
        raise refuse(root.at("dag"), "It has no task.")
    made = components.finished()
    return Pipeline(
        name,
        inputs,
        outputs,
        made,
        graph,
        info.text("description"),
        info.text("displayName"),
        document.text("defaultPipelineRoot"),
        config,
        document.text("sdkVersion"),
        schema,
        read_passthroughs(root),
    )


class _Components:
    """The components of a document: first their interfaces, which tasks need, then their graphs."""

    def __init__(
        self, document: Fields, executors: Mapping[str, Fields], asked: Mapping[str, Fields]
    ) -> None:
        self._held = dict(document.each("components"))
        self._settings: dict[str, TaskSettings] = {}
        self._steps: dict[str, tuple[Implementation, TaskSettings]] = {}
        self._executors = executors
        self._asked = asked
        self.interfaces = {key: self._interface(key, held) for key, held in self._held.items()}

    def settings(self, key: str) -> TaskSettings:
        """Return the settings that a component's executor and the platform document give to its tasks."""
        return self._settings.get(key, TaskSettings())

    def finished(self) -> dict[str, Component]:
        """Return the components with their graphs.

        Raises:
            DocumentError: A graph is malformed, or stands inside itself.
        """
        made = {key: self._finished(key, component) for key, component in self.interfaces.items()}
        _refuse_recursion(made)
        return made

    def _interface(self, key: str, held: Fields) -> Component:
        inputs, outputs = read_interface(held)
        step: Implementation = Graph({})
        label = held.text("executorLabel")
        if label:
            step, self._settings[key] = self._step(label, held.at("executorLabel"))
        elif "dag" not in held:
            raise refuse(held.path, "There should be `executorLabel` or `dag` here.")
        name, passthroughs = key.removeprefix("comp-"), read_passthroughs(held)
        return Component(name, inputs, outputs, step, executor_label=label, passthroughs=passthroughs)

    def _step(self, label: str, path: str) -> tuple[Implementation, TaskSettings]:
        if label not in self._executors:
            raise refuse(path, f"There is no executor {label!r}.")
        if label not in self._steps:
            step, settings = read_executor(self._executors[label])
            if label in self._asked:
                asked = read_settings(self._asked[label])
                settings = replace(
                    settings, timeout_seconds=asked.timeout_seconds, kubernetes=asked.kubernetes
                )
            self._steps[label] = step, settings
        return self._steps[label]

    def _finished(self, key: str, component: Component) -> Component:
        held, step = self._held[key], component.implementation
        if isinstance(step, Graph):
            names = [spec.name for spec in component.inputs]
            step = read_dag(held.fields("dag"), key, component.outputs, names, self.interfaces, self.settings)
            if not step.tasks:
                raise refuse(held.at("dag"), "It has no task.")
        return replace(component, implementation=step, extra=held.rest())


def _refuse_recursion(components: Mapping[str, Component]) -> None:
    done: set[str] = set()
    for start in components:
        under_way: list[str] = []
        stack = [(start, False)]
        while stack:
            key, leaving = stack.pop()
            if leaving:
                done.add(under_way.pop())
            elif key in under_way:
                raise refuse(f"components.{key}", "Its graph holds a task that runs the component itself.")
            elif key not in done:
                under_way.append(key)
                stack.append((key, True))
                step = components[key].implementation
                if isinstance(step, Graph):
                    stack.extend((task.component, False) for task in step.tasks.values())
