"""A name or a structure that a setting of Kubernetes takes: written, or a value of the run.

KFP's executor config holds such as an input of a task (`InputParameterSpec`). A channel stays a channel here,
and becomes a reference when the pipeline is finished and it is known what the task's own graph calls it.
"""

from __future__ import annotations

from typing import Any

from kfp_jupyter.dsl.pipeline_channel import PipelineChannel
from kfp_jupyter.dsl.pipeline_task import PipelineTask, SettingError
from kfp_jupyter.model.types import ArtifactType, Json


def parameter(value: Any, task: PipelineTask, what: str, kinds: tuple[type, ...] = (str,)) -> Json:
    """Return a value as the executor config holds it.

    Args:
        value: A constant of one of the kinds, or a channel.
        task: The task, for messages.
        what: The argument, for messages.
        kinds: What a constant may be.

    Raises:
        SettingError: It is neither.
    """
    if isinstance(value, PipelineChannel):
        if isinstance(value.type, ArtifactType) or value.builder is not task.builder:
            raise SettingError(
                f"`{what}` cannot come from {value!r}.",
                where=task.place(),
                remedy="Give a parameter of this pipeline, or an output of a task that is no artifact.",
            )
        return value
    if not isinstance(value, kinds):
        names = " or ".join(kind.__name__ for kind in kinds)
        raise SettingError(
            f"`{what}` is {value!r}.",
            where=task.place(),
            remedy=f"Give a {names}, or a parameter of the pipeline or an output of a task.",
        )
    return {"runtimeValue": {"constant": value}}


def named(key: str, value: Any, task: PipelineTask) -> dict[str, Json]:
    """Return a name under KFP's new field for it, and if it is written under the older one too."""
    held: dict[str, Json] = {f"{key}Parameter": parameter(value, task, key)}
    if isinstance(value, str):
        held[key] = value
    return held


def appended(task: PipelineTask, field: str, *entries: Json) -> PipelineTask:
    """Add entries to a list of a task's settings."""
    return task.set_kubernetes(**{field: [*task.settings.kubernetes.get(field, []), *entries]})


def put(task: PipelineTask, field: str, **entries: Json) -> PipelineTask:
    """Put entries into an object of a task's settings."""
    return task.set_kubernetes(**{field: {**task.settings.kubernetes.get(field, {}), **entries}})


def given(**values: Json) -> dict[str, Json]:
    """Return the values that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def text(value: Any, task: PipelineTask, what: str) -> str:
    """Return a text.

    Raises:
        SettingError: It is none.
    """
    if not isinstance(value, str):
        raise SettingError(f"`{what}` is {value!r}.", where=task.place(), remedy="Give a text.")
    return task.constant_text(value, f"`{what}`")
