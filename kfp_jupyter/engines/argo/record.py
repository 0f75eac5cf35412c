"""What a Workflow says about its own run, so that anybody who may see it can read the run from it.

The annotation `kfp-jupyter/pipeline-model` holds the whole pipeline, compressed: task names, types, and the
user's source with the cells it came from. Nothing else needs to remember a run, and another kernel, machine
or person sees it as its author does. A pipeline too large for an annotation is left out; its run is then
shown by the names that Argo knows. What was asked for and is not done is told in another annotation.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kfp_jupyter.engines.argo.names import task_names
from kfp_jupyter.engines.argo.step import PROGRAM_PARAMETER
from kfp_jupyter.engines.argo.taken import read_taken
from kfp_jupyter.engines.argo.values import decode_value
from kfp_jupyter.model import codec
from kfp_jupyter.model.component import Component
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import TaskRun
from kfp_jupyter.model.types import Json

RUN_LABEL = "kfp-jupyter/run-id"
PIPELINE_LABEL = "kfp-jupyter/pipeline"
PIPELINE_ANNOTATION = "kfp-jupyter/pipeline-model"
NOTICES_ANNOTATION = "kfp-jupyter/notices"
ROOT_ANNOTATION = "kfp-jupyter/artifact-root"

ANNOTATION_LIMIT = 200_000
"""Bytes of the packed pipeline; Kubernetes takes 256 KiB of annotations in all."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a Workflow says of its run.

    Attributes:
        pipeline: The pipeline's name.
        model: The pipeline; None if it was too large to keep.
        arguments: The run's arguments.
        tasks: Our path of each task, by Argo's name of it.
        notices: What was asked for and is not done, a sentence each.
        artifact_root: The URI that keys in the store begin at; empty if it was not known.
        taken: Results of an earlier run that stand for tasks, by our path of the task.
    """

    pipeline: str
    model: Pipeline | None
    arguments: Mapping[str, Json]
    tasks: Mapping[str, str]
    notices: tuple[str, ...] = ()
    artifact_root: str = ""
    taken: Mapping[str, TaskRun] = field(default_factory=dict)

    def component(self, task: str) -> Component | None:
        """Return the component of a task, or None if it is not known."""
        if self.model is None or task not in self.model.graph.tasks:
            return None
        return self.model.component_of(self.model.graph.tasks[task])


def pack_pipeline(pipeline: Pipeline) -> dict[str, str]:
    """Return the annotation that keeps a pipeline; empty if it is too large."""
    text = json.dumps(codec.encode(pipeline), separators=(",", ":"))
    packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode("ascii")
    return {PIPELINE_ANNOTATION: packed} if len(packed) <= ANNOTATION_LIMIT else {}


def read_record(workflow: Mapping[str, Any]) -> Record:
    """Return what a Workflow says of its run, as much as can be read of it."""
    metadata, spec = workflow["metadata"], workflow["spec"]
    annotations = metadata.get("annotations", {})
    model = _model(annotations.get(PIPELINE_ANNOTATION, ""))
    notices = tuple(annotations.get(NOTICES_ANNOTATION, "").splitlines())
    taken, root = read_taken(annotations), annotations.get(ROOT_ANNOTATION, "")
    given = {
        item["name"]: decode_value(item["value"])
        for item in spec.get("arguments", {}).get("parameters", [])
        if item["name"] != PROGRAM_PARAMETER
    }
    if model is not None:
        tasks = {argo: task for task, argo in task_names(model.graph.tasks).items()}
        return Record(model.name, model, given, tasks, notices, root, taken)
    dag: dict[str, Any] = next(
        (held["dag"] for held in spec.get("templates", []) if held["name"] == spec.get("entrypoint")), {}
    )
    names = [task["name"] for task in dag.get("tasks", [])]
    name = metadata.get("labels", {}).get(PIPELINE_LABEL, metadata["name"])
    names += [path for path in taken if path not in names]
    return Record(name, None, given, {task: task for task in names}, notices, root, taken)


def _model(packed: str) -> Pipeline | None:
    if not packed:
        return None
    try:
        text = zlib.decompress(base64.b64decode(packed))
        return codec.decode(Pipeline, json.loads(text))
    except (ValueError, zlib.error):
        # Written by another version of this package, whose model was another.
        return None
