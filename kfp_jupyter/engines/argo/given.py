"""What is known before a run of the values that its tasks are given, seen to be such as Argo can pass."""

from __future__ import annotations

from collections.abc import Mapping

from kfp_jupyter.engines.argo.errors import ManifestError
from kfp_jupyter.engines.argo.values import encode_value
from kfp_jupyter.engines.argo.weight import POD_LIMIT, PodWeight
from kfp_jupyter.model.component import Component, ContainerStep
from kfp_jupyter.model.pipeline import Constant, PipelineInput, Task
from kfp_jupyter.model.types import Json


def check_given(task: Task, component: Component, arguments: Mapping[str, Json], pod: PodWeight) -> None:
    """See that Argo can pass what a task is given; what other tasks give out is not known yet.

    Args:
        task: The task.
        component: What it runs.
        arguments: Those of the run.
        pod: What its template weighs.

    Raises:
        ManifestError: A value is too large for its pod, or Argo would change it.
    """
    known = _known(task, arguments)
    if isinstance(component.implementation, ContainerStep):
        for name, value in known.items():
            _check_braces(task, name, value)
    weight = pod.of({name: encode_value(value) for name, value in known.items()})
    if weight > POD_LIMIT:
        raise ManifestError(
            f"Its source, and twice its values, take {weight // 1000} kB in its pod; on Argo they may take "
            f"{POD_LIMIT // 1000} kB.",
            where=f"task {task.name}",
            remedy="Let a first task read large values from where they are stored, and pass on artifacts.",
        )


def _known(task: Task, arguments: Mapping[str, Json]) -> dict[str, Json]:
    known: dict[str, Json] = {}
    for name, value in task.arguments.items():
        if isinstance(value, Constant):
            known[name] = value.value
        elif isinstance(value, PipelineInput) and value.name in arguments:
            known[name] = arguments[value.name]
    return known


def _check_braces(task: Task, name: str, value: Json) -> None:
    # A container takes a string as bare text, in which nothing can be escaped; Argo looks through it again.
    if isinstance(value, str) and "{{" in value:
        raise ManifestError(
            f"Argo would take the braces in the value {value[:80]!r} of {name!r} for a variable of its own.",
            where=f"task {task.name}",
            remedy="Give a container such a text in a file, as an artifact that a first task writes.",
        )
