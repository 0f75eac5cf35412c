"""The scalar metrics of a run: the numbers in the metadata of its `system.Metrics` artifacts, as in KFP.

A number that JSON has no form for stands there by protobuf's name (`NaN`, `Infinity`). What else a user puts
into the metadata is no metric, and neither are the output parameters of a task.
"""

from __future__ import annotations

from kfp_jupyter.model.run import ArtifactRecord, RunState, TaskRun

METRICS = "system.Metrics"
_WORDS = ("NaN", "Infinity", "-Infinity")


def scalars(artifact: ArtifactRecord) -> dict[str, float]:
    """Return the metrics in an artifact by name; none if it is not a Metrics artifact."""
    if artifact.type != METRICS:
        return {}
    return {
        name: float(value) if value in _WORDS else value
        for name, value in artifact.metadata.items()
        if value in _WORDS or (isinstance(value, (int, float)) and not isinstance(value, bool))
    }


def task_metrics(task: TaskRun) -> dict[str, float]:
    """Return all metrics of a task by name."""
    return {
        name: value
        for artifacts in task.artifacts.values()
        for artifact in artifacts
        for name, value in scalars(artifact).items()
    }


def run_metrics(state: RunState) -> dict[str, dict[str, float]]:
    """Return the metrics of a run as `{task: {name: value}}`, without the tasks that have none."""
    each = {path: task_metrics(task) for path, task in state.tasks.items()}
    return {path: metrics for path, metrics in each.items() if metrics}
