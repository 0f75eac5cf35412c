"""Results of an earlier run that stand for tasks of a new one.

Such a task is no task of the Workflow: who needs it gets its values as constants, and its artifacts by their
keys, which lie in the same store. An annotation keeps the results, so that whoever reads the run sees them.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kfp_jupyter.engines.argo.errors import ManifestError
from kfp_jupyter.engines.argo.stored import stored_at
from kfp_jupyter.engines.argo.values import encode_value
from kfp_jupyter.model import codec
from kfp_jupyter.model.pipeline import Constant, Pipeline, Task, TaskOutput
from kfp_jupyter.model.run import ArtifactRecord, State, TaskChanged, TaskRun

TAKEN_ANNOTATION = "kfp-jupyter/taken"

TAKEN_LIMIT = 50_000
"""Bytes of the packed results; with the packed pipeline they stay under what Kubernetes takes."""

Taken = Mapping[str, TaskRun]
"""Results by the path of the task."""


def standing(task: Task, taken: Taken) -> Task:
    """Return a task that gets as constants what is there already of values."""
    arguments = {
        name: Constant(taken[value.task].outputs[value.output])
        if isinstance(value, TaskOutput) and value.task in taken and value.output in taken[value.task].outputs
        else value
        for name, value in task.arguments.items()
    }
    return replace(task, arguments=arguments)


def taken_artifact(task: Task, name: str, taken: Taken) -> ArtifactRecord | None:
    """Return the artifact that an input gets of a result that is there already; None if it gets none."""
    value = task.arguments.get(name)
    if not isinstance(value, TaskOutput) or value.task not in taken:
        return None
    (record,) = taken[value.task].artifacts[value.output]
    return record


def stored_artifact(name: str, record: ArtifactRecord, where: str) -> dict[str, Any]:
    """Return the argument that gives an input an artifact out of the store.

    Raises:
        ManifestError: It does not lie there.
    """
    stored = stored_at(record.uri)
    if stored is None:
        raise ManifestError(
            f"The artifact {record.uri} for {name!r} does not lie in the cluster's store.",
            where=where,
            remedy="Run the whole pipeline.",
        )
    return {"name": name, "archive": {"none": {}}, "s3": {"key": stored.key}}


def described(name: str, record: ArtifactRecord) -> str:
    """Return the description of an artifact as the step that made it has given it out."""
    facts = {"name": name, "uri": record.uri, "type": {"schemaTitle": record.type}}
    return encode_value({**facts, "metadata": dict(record.metadata)})


def pack_taken(pipeline: Pipeline, taken: Taken) -> dict[str, str]:
    """Return the annotation that keeps results; empty if there are none.

    Raises:
        ManifestError: They are too large, or leave nothing to run.
    """
    if not taken:
        return {}
    where = f"pipeline {pipeline.name}"
    if set(taken) >= set(pipeline.graph.tasks):
        raise ManifestError("All of it is there already.", where=where, remedy="There is nothing to run.")
    # A log's end is shown where it was printed; curves stand in the metadata of their metrics.
    kept = {path: codec.encode(replace(held, log_tail=(), curves={})) for path, held in taken.items()}
    packed = base64.b64encode(zlib.compress(json.dumps(kept).encode(), 9)).decode("ascii")
    if len(packed) > TAKEN_LIMIT:
        raise ManifestError(
            f"The results to take over take {len(packed) // 1000} kB, packed; on Argo they may take "
            f"{TAKEN_LIMIT // 1000} kB.",
            where=where,
            remedy="Run the whole pipeline.",
        )
    return {TAKEN_ANNOTATION: packed}


def read_taken(annotations: Mapping[str, str]) -> dict[str, TaskRun]:
    """Return the results that a Workflow's annotations keep."""
    packed = annotations.get(TAKEN_ANNOTATION, "")
    if not packed:
        return {}
    try:
        kept = json.loads(zlib.decompress(base64.b64decode(packed)))
        return {path: codec.decode(TaskRun, held) for path, held in kept.items()}
    except (ValueError, zlib.error):
        # Written by another version of this package.
        return {}


def taken_over(task: str, result: TaskRun, time: float) -> TaskChanged:
    """Return the event that tells of a task that a result stands for."""
    return TaskChanged(
        time,
        task,
        State.SUCCEEDED,
        cached_from=result.cached_from,
        inputs=result.inputs,
        outputs=result.outputs,
        artifacts=result.artifacts,
    )
