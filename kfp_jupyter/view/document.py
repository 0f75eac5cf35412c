"""The run document: everything a screen shows, as one JSON object.

Its form is `model/run.schema.json`, which the front end reads by; `task_document` and the top-level fields of
the run are also what a delta carries. JSON knows no NaN and no infinity: in values they become the strings
that protobuf's JSON form has for them, and points of a curve that are not finite are left out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from math import isfinite, isinf

from kfp_jupyter.model.codec import encode
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import RunState, TaskRun
from kfp_jupyter.model.types import Json
from kfp_jupyter.view.layout import Picture, layout

SCHEMA = "kfp-jupyter/run.v1"
"""The value of a document's `schema` field."""

_PICTURES: deque[tuple[Pipeline, Picture]] = deque(maxlen=4)


def document(pipeline: Pipeline, run: RunState | None, *, saved: bool = False) -> dict[str, Json]:
    """Return the run document.

    Args:
        pipeline: The pipeline.
        run: The state of a run of it, or None before there is one.
        saved: For a saved notebook: a run that has not ended is written as its id alone, since its state will
            be wrong by the time it is read.

    Raises:
        PipelineError: The pipeline's graph has a cycle or a missing task.
    """
    held: Json = None
    if run is not None:
        held = {"id": run.id} if saved and not run.state.finished else run_document(run)
    return {
        "schema": SCHEMA,
        "pipeline": pipeline_document(pipeline),
        "graph": encode(_picture(pipeline), full=True),
        "run": held,
    }


def _picture(pipeline: Pipeline) -> Picture:
    """Return the layout of a pipeline; that of the last few is kept, as a screen asks again and again."""
    for known, picture in tuple(_PICTURES):
        if known is pipeline:
            return picture
    picture = layout(pipeline)
    _PICTURES.append((pipeline, picture))
    return picture


def pipeline_document(pipeline: Pipeline) -> dict[str, Json]:
    """Return what is told of a pipeline apart from its graph."""
    return {
        "name": pipeline.name,
        "display_name": pipeline.display_name or pipeline.name,
        "description": pipeline.description,
        "inputs": [
            {
                "name": spec.name,
                "type": spec.type.python_name,
                "optional": spec.optional,
                "default": _finite(spec.default),
                "description": spec.description,
            }
            for spec in pipeline.inputs
        ],
    }


def run_document(run: RunState) -> dict[str, Json]:
    """Return a run with all its tasks."""
    fields: dict[str, Json] = {
        "id": run.id,
        "pipeline": run.pipeline,
        "target": encode(run.target, full=True),
        "arguments": _finite(run.arguments),
        "state": run.state.value,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "reason": run.reason,
        "message": run.message,
        "notices": list(run.notices),
        "tasks": {path: task_document(task) for path, task in run.tasks.items()},
        "version": run.version,
    }
    return fields


def task_document(task: TaskRun) -> dict[str, Json]:
    """Return one task of a run."""
    # Written out, since a screen may want thousands: a fifth of the time of encoding any dataclass.
    return {
        "state": task.state.value,
        "attempt": task.attempt,
        "started_at": task.started_at,
        "finished_at": task.finished_at,
        "cached_from": task.cached_from,
        "reason": task.reason,
        "message": task.message,
        "error": encode(task.error, full=True),
        "inputs": _finite(task.inputs),
        "outputs": _finite(task.outputs),
        "artifacts": _finite(encode(task.artifacts, full=True)),
        "curves": {
            name: [[step, value] for step, value in points if isfinite(step) and isfinite(value)]
            for name, points in task.curves.items()
        },
        "log_tail": list(task.log_tail),
        "usage": encode(task.usage, full=True),
    }


def _finite(value: Json) -> Json:
    if isinstance(value, float):
        if isfinite(value):
            return value
        return ("Infinity" if value > 0 else "-Infinity") if isinf(value) else "NaN"
    if isinstance(value, Mapping):
        return {key: _finite(held) for key, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(held) for held in value]
    return value
