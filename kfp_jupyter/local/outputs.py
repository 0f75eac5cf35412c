"""What a run gave out, as a program takes it: values, and artifacts as objects of their class."""

from __future__ import annotations

from typing import Any

from kfp_jupyter.executor.artifacts import ARTIFACT_CLASSES, Artifact
from kfp_jupyter.model.component import Component
from kfp_jupyter.model.graph import Graph
from kfp_jupyter.model.pipeline import OneOf, Pipeline, TaskOutput
from kfp_jupyter.model.run import ArtifactRecord
from kfp_jupyter.run import Run

_CLASSES = {held.schema_title: held for held in ARTIFACT_CLASSES}


def outputs_of(run: Run) -> dict[str, Any]:
    """Return the outputs of a run that has succeeded, by name."""
    made = {spec.name for spec in run.pipeline.outputs}
    return {name: _given(value, name, run) for name, value in run.outputs.items() if name in made}


def _given(value: Any, name: str, run: Run) -> Any:
    if isinstance(value, ArtifactRecord):
        return _artifact(value, _first_name(run.pipeline, run.pipeline.graph, name))
    if isinstance(value, tuple):
        own = _first_name(run.pipeline, run.pipeline.graph, name)
        return [_artifact(record, own) for record in value]
    return value


def _artifact(record: ArtifactRecord, name: str) -> Artifact:
    artifact = _CLASSES.get(record.type, Artifact)(name=name, uri=record.uri, metadata=dict(record.metadata))
    if record.type != artifact.schema_title:
        artifact.schema_title = record.type
    if record.path not in ("", artifact.path):
        artifact.custom_path = record.path
    return artifact


def _first_name(pipeline: Pipeline, graph: Graph, output: str) -> str:
    """Return what the step that made an artifact calls it; groups on its way may have other names for it."""
    value = graph.outputs.get(output)
    for source in value.sources if isinstance(value, OneOf) else (value,):
        if isinstance(source, TaskOutput):
            component: Component = pipeline.component_of(graph.tasks[source.task])
            inner = component.implementation
            if isinstance(inner, Graph):
                return _first_name(pipeline, inner, source.output)
            return source.output
    return output
