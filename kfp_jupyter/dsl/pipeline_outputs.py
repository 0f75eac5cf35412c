"""What a pipeline's function returns, as the outputs that it declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kfp_jupyter.dsl.calculated import Calculated
from kfp_jupyter.dsl.component_call import foreign
from kfp_jupyter.dsl.pipeline_channel import PipelineChannel, Selected
from kfp_jupyter.dsl.pipeline_task import PipelineTask
from kfp_jupyter.model.pipeline import PipelineError

if TYPE_CHECKING:
    from kfp_jupyter.dsl.pipeline_builder import PipelineBuilder


def returned_channels(returned: Any, builder: PipelineBuilder) -> dict[str, PipelineChannel]:
    """Return the outputs by name.

    Args:
        returned: None, an output, or a NamedTuple or mapping of such, as `task.outputs` is one.
        builder: The pipeline.

    Raises:
        PipelineError: Something is returned that is not declared, the other way round, or no output of a
            task.
    """
    values = _by_name(returned, builder.name)
    declared = {spec.name: spec for spec in builder.output_specs}
    where = f"pipeline {builder.name}"
    for name in values:
        if name not in declared:
            hint = "Declare its type, as in `-> float`, or a NamedTuple with this field."
            raise PipelineError(
                f"The pipeline returns {name!r} without a type hint.", where=where, remedy=hint
            )
    for name in declared:
        if name not in values:
            raise PipelineError(
                f"The pipeline declares the output {name!r}, but does not return it.",
                where=where,
                remedy="Return an output of one of its tasks, or take the return type away.",
            )
    return {name: _channel(name, value, builder, where) for name, value in values.items()}


def _channel(name: str, value: Any, builder: PipelineBuilder, where: str) -> PipelineChannel:
    if isinstance(value, (Calculated, Selected)):
        what = "calculated" if isinstance(value, Calculated) else "a part of a value"
        raise PipelineError(
            f"The output {name!r} is {what}, and a pipeline gives out outputs of its tasks: "
            f"{value.describe()}.",
            where=where,
            remedy="Return the output of a component that does this.",
        )
    if not isinstance(value, PipelineChannel) or value.task_name is None:
        raise PipelineError(
            f"The output {name!r} is {value!r}, which is no output of a task.",
            where=where,
            remedy="Return `task.output` or `task.outputs['…']`.",
        )
    if value.builder is not builder:
        raise foreign(value, builder, where)
    return value


def _by_name(returned: Any, pipeline: str) -> dict[str, Any]:
    if returned is None:
        return {}
    if isinstance(returned, Mapping):
        return dict(returned)
    if isinstance(returned, (PipelineChannel, PipelineTask)):
        return {"Output": returned}
    if hasattr(returned, "_asdict"):
        return dict(returned._asdict())
    if isinstance(returned, tuple):
        raise PipelineError(
            "The pipeline returns a plain tuple, whose values have no names.",
            where=f"pipeline {pipeline}",
            remedy="Return a NamedTuple.",
        )
    return {"Output": returned}
