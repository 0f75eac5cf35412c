"""What a run gave out, as a program takes it: values, and artifacts as objects of their class."""

from __future__ import annotations

from typing import Any

from kfp_jupyter.executor.artifacts import ARTIFACT_CLASSES, Artifact
from kfp_jupyter.model.graph import Graph
from kfp_jupyter.model.pipeline import OneOf, Pipeline, TaskOutput
from kfp_jupyter.model.run import ArtifactRecord
from kfp_jupyter.model.types import ArtifactType
from kfp_jupyter.run import Run

_CLASSES = {held.schema_title: held for held in ARTIFACT_CLASSES}


def outputs_of(run: Run) -> dict[str, Any]:
    """Return the outputs of a run that has succeeded, by name; what comes from a skipped task is left out."""
    given = run.outputs
    return {
        spec.name: _artifacts(spec.name, spec.type, run)
        if isinstance(spec.type, ArtifactType)
        else given[spec.name]
        for spec in run.pipeline.outputs
        if spec.name in given
    }


def _artifacts(output: str, type_: ArtifactType, run: Run) -> Artifact | list[Artifact]:
    source = run.pipeline.graph.outputs[output]
    records = run.status.tasks[source.task].artifacts[source.output] if isinstance(source, TaskOutput) else ()
    name = _first_name(run.pipeline, run.pipeline.graph, output)
    made = [_artifact(record, name) for record in records]
    return made if type_.is_list else made[0]


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
            inner = pipeline.component_of(graph.tasks[source.task]).implementation
            return _first_name(pipeline, inner, source.output) if isinstance(inner, Graph) else source.output
    return output
