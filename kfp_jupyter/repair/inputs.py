"""What a task of a run was given, as KFP's ExecutorInput with files of this machine.

An engine that runs steps here knows it. Of others the run's state tells parameters, and which artifacts tasks
before it made; their contents are brought here, all at once. What cannot be brought is named, and does not
keep the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kfp_jupyter.engines.base import EngineError
from kfp_jupyter.model.component import Component
from kfp_jupyter.model.run import ArtifactRecord
from kfp_jupyter.model.types import ArtifactType
from kfp_jupyter.model.value import TaskOutput
from kfp_jupyter.run import Run


def given_inputs(
    run: Run, path: str, component: Component, tell: Callable[[str], None]
) -> tuple[dict[str, Any], list[str]]:
    """Return what a task got, and a sentence on each artifact of it that is not on this machine.

    Args:
        run: The run.
        path: The task's path.
        component: What the task runs.
        tell: Called with sentences on how far bringing artifacts is.

    Raises:
        EngineError: What it got cannot be read.
    """
    given = run.given(path)
    if isinstance(given, dict):
        return given, []
    made = {
        spec.name: _sources(run, path, spec.name)
        for spec in component.inputs
        if isinstance(spec.type, ArtifactType)
    }
    every = [record for records in made.values() for record in records]
    places = dict(zip((record.uri for record in every), run.fetch(every, task=path, tell=tell), strict=True))
    artifacts = {
        name: {"artifacts": [_described(name, held, places[held.uri]) for held in records]}
        for name, records in made.items()
        if records
    }
    notes = []
    for name, records in made.items():
        failed = [held for record in records if isinstance(held := places[record.uri], EngineError)]
        if failed:
            notes.append(_missing(name, records[0].uri, failed[0]))
    inputs = {"parameterValues": dict(run.status.tasks[path].inputs), "artifacts": artifacts}
    return {"inputs": inputs}, notes


def _sources(run: Run, path: str, name: str) -> tuple[ArtifactRecord, ...]:
    """Return the artifacts that a task's input was given."""
    task = run.pipeline.graph.tasks.get(path)
    value = task.arguments.get(name) if task else None
    if not isinstance(value, TaskOutput) or value.task not in run.status.tasks:
        return ()
    return run.status.tasks[value.task].artifacts.get(value.output, ())


def _described(name: str, record: ArtifactRecord, place: Path | EngineError) -> dict[str, Any]:
    """Return an artifact as KFP's RuntimeArtifact; one that is not here keeps its URI."""
    return {
        "name": name,
        "type": {"schemaTitle": record.type},
        "uri": str(place) if isinstance(place, Path) else record.uri,
        "metadata": dict(record.metadata),
    }


def _missing(name: str, uri: str, error: EngineError) -> str:
    return f"{name!r} ({uri}) is not here: {error} With a copy, set `{name}.path` to where it is."
