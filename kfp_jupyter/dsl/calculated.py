"""What is calculated with values that will flow: `rows.output * 2`, `"model-" + name`.

Joined texts are a text with marks in it, which every engine and KFP's format know. All else becomes a
`Calculation` of the model where it is used: each of its values is led there by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.dsl.pipeline_channel import ChannelUseError, PipelineChannel
from kfp_jupyter.model.calculation import MAX_DEPTH, CalculationError, formula, result_type, type_of
from kfp_jupyter.model.check import artifact_in_calculation
from kfp_jupyter.model.types import ArtifactType, ParameterType


class Calculated(PipelineChannel):
    """What an operator makes of values.

    Args:
        operator: Python's operator.
        operands: One or two values, of which at least one is a channel.

    Attributes:
        operator: The operator.
        operands: The values.
        depth: How many calculations are inside each other.

    Raises:
        CalculationError: There is no such calculation with values of these types.
    """

    __slots__ = ("depth", "operands", "operator")

    def __init__(self, operator: str, operands: tuple[Any, ...]) -> None:
        channels = [operand for operand in operands if isinstance(operand, PipelineChannel)]
        builder = channels[0].builder
        if any(channel.builder is not builder for channel in channels):
            raise _placed(
                CalculationError(
                    f"Values of two pipelines cannot be calculated with each other: {channels!r}.",
                    remedy="Use outputs of tasks that this pipeline itself called, and its own parameters.",
                )
            )
        self.depth: int
        self.operator = operator
        self.operands = operands
        self.depth = 1 + max((held.depth for held in channels if isinstance(held, Calculated)), default=0)
        if self.depth > MAX_DEPTH:
            raise _placed(
                CalculationError(
                    f"More than {MAX_DEPTH} calculations are inside each other.",
                    remedy="Calculate inside a component.",
                )
            )
        try:
            type_ = result_type(operator, tuple(_type_of(operand) for operand in operands))
        except CalculationError as error:
            error.what = f"{error.what[:-1]}: {self.describe()}."
            raise _placed(error) from None
        hints = {channel.hint for channel in channels}
        super().__init__(
            f"calculation-{builder.next_calculation_number()}",
            type_ or ParameterType.STRING,
            builder,
            hint=hints.pop() if len(hints) == 1 else "",
            is_type_known=type_ is not None,
        )

    @property
    def is_text(self) -> bool:
        """Whether it is texts that are joined."""
        return self.is_type_known and self.type is ParameterType.STRING

    @property
    def producers(self) -> Iterator[str]:
        """The names of the tasks that it needs."""
        for operand in self.operands:
            if isinstance(operand, PipelineChannel):
                yield from operand.producers

    def describe(self) -> str:
        """Return what people call it."""
        return f"`{self._formula()}`"

    def __str__(self) -> str:
        return "".join(map(str, self.operands)) if self.is_text else super().__str__()

    def __getitem__(self, key: Any) -> PipelineChannel:
        self._refuse(f"be indexed with [{key!r}]")

    def _formula(self) -> str:
        shown = []
        for operand in self.operands:
            if isinstance(operand, Calculated):
                shown.append(f"({operand._formula()})")
            else:
                shown.append(operand.describe() if isinstance(operand, PipelineChannel) else repr(operand))
        return formula(self.operator, tuple(shown))


def _type_of(operand: Any) -> ParameterType | None:
    if isinstance(operand, PipelineChannel):
        if isinstance(operand.type, ArtifactType):
            raise artifact_in_calculation(operand.describe(), operand.type, place_line(*caller()))
        return operand.type if operand.is_type_known else None
    type_ = type_of(operand)
    if type_ is None or (isinstance(operand, float) and not math.isfinite(operand)):
        raise ChannelUseError(
            f"{operand!r} of type {type(operand).__name__} cannot be calculated with.",
            where=place_line(*caller()),
            remedy="Use an int, a float or a text, or an output of a task, as in `task.output + 1`.",
        )
    return type_


def _placed(error: CalculationError) -> CalculationError:
    error.where = place_line(*caller())
    return error
