"""A condition on values that will flow, as `dsl.If` takes it, and its text in CEL.

Comparisons are made by comparing channels; `&`, `|` and `~` combine them, which KFP's own SDK does not offer
though its format can say it. A condition has no truth while the pipeline is traced.
CEL: https://github.com/google/cel-spec/blob/master/doc/langdef.md
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from kfp_jupyter.cells.finding import WARNING, Finding, Where
from kfp_jupyter.cells.origin import caller, place_line, place_name
from kfp_jupyter.dsl.pipeline_channel import ChannelUseError, PipelineChannel
from kfp_jupyter.model.pipeline import PipelineError
from kfp_jupyter.model.types import ArtifactType, ParameterType
from kfp_jupyter.model.value import CHANNEL

_CONSTANTS: tuple[tuple[type, ParameterType], ...] = (
    (bool, ParameterType.BOOLEAN),
    (int, ParameterType.INTEGER),
    (float, ParameterType.DOUBLE),
    (str, ParameterType.STRING),
)


class ConditionError(PipelineError):
    """A condition that cannot be asked."""


class ConditionOperation:
    """A comparison of two values, or conditions that are combined.

    Attributes:
        operator: `==`, `!=`, `<`, `<=`, `>`, `>=`, or `!`, `&&`, `||`.
        operands: What it is applied to: channels and constants, or conditions.
    """

    __slots__ = ("operands", "operator")

    def __init__(self, operator: str, operands: tuple[Any, ...]) -> None:
        self.operator = operator
        self.operands = operands

    def __and__(self, other: object) -> ConditionOperation:
        return self._combined("&&", other)

    def __or__(self, other: object) -> ConditionOperation:
        return self._combined("||", other)

    def __rand__(self, other: object) -> ConditionOperation:
        return self._combined("&&", other)

    def __ror__(self, other: object) -> ConditionOperation:
        return self._combined("||", other)

    def __invert__(self) -> ConditionOperation:
        return ConditionOperation("!", (self,))

    def __bool__(self) -> bool:
        raise ChannelUseError(
            "A condition is not known before the pipeline runs, so it cannot decide here.",
            where=place_line(*caller()),
            remedy="Give it to `dsl.If`. Instead of `and` or `1 < a < 5` write `(a > 1) & (a < 5)`; instead "
            "of `or`, `not` and `in` write `|`, `~` and `a.is_in([…])`.",
        )

    def __repr__(self) -> str:
        return f"<condition {self.cel()}>"

    def channels(self) -> Iterator[PipelineChannel]:
        """Yield the channels in it, from left to right."""
        for operand in self.operands:
            if isinstance(operand, ConditionOperation):
                yield from operand.channels()
            elif isinstance(operand, PipelineChannel):
                yield operand

    def cel(self) -> str:
        """Return it in CEL, where a channel is an input of the group that it decides on.

        Raises:
            ConditionError: Two values cannot be compared.
        """
        if self.operator == "!":
            return f"!({self.operands[0].cel()})"
        if self.operator in ("&&", "||"):
            return f" {self.operator} ".join(self._inner(operand) for operand in self.operands)
        left, right = self.operands
        common = _common_type(left, right)
        return f"{_cel(left, common)} {self.operator} {_cel(right, common)}"

    def _inner(self, operand: ConditionOperation) -> str:
        text = operand.cel()
        return f"({text})" if {self.operator, operand.operator} == {"&&", "||"} else text

    def _combined(self, operator: str, other: object) -> ConditionOperation:
        if isinstance(other, PipelineChannel) and other.type is ParameterType.BOOLEAN:
            other = other == True  # noqa: E712 - makes a condition
        if not isinstance(other, ConditionOperation):
            raise ConditionError(
                f"A condition cannot be combined with {other!r}.",
                where=place_line(*caller()),
                remedy="Combine it with another comparison, in brackets: `(a == 1) & (b > 2)`.",
            )
        return ConditionOperation(operator, (self, other))


def all_of(conditions: list[ConditionOperation]) -> ConditionOperation:
    """Return the condition that holds if all of them hold."""
    return conditions[0] if len(conditions) == 1 else ConditionOperation("&&", tuple(conditions))


def any_of(conditions: list[ConditionOperation]) -> ConditionOperation:
    """Return the condition that holds if one of them holds.

    Raises:
        ConditionError: There is none.
    """
    if not conditions:
        raise _wrong("there is nothing to compare with")
    return conditions[0] if len(conditions) == 1 else ConditionOperation("||", tuple(conditions))


def text_comparison(operator: str, channel: PipelineChannel, other: object) -> Finding | None:
    """Return a warning if a value is compared as text with a number only because its type is not known.

    KFP writes such a comparison so: `'10' > '9'`, which does not hold.
    """
    is_number = isinstance(other, (int, float)) and not isinstance(other, bool)
    if channel.is_type_known or not is_number or operator in ("==", "!="):
        return None
    name = channel.describe()
    where = Where(place_name(caller()[0]), caller()[1])
    return Finding(
        WARNING,
        "compared-as-text",
        f"{name[0].upper()}{name[1:]} is compared with {other} as text, where '10' comes before '9': what it "
        "is, its list does not say.",
        where,
        "Say it where the list comes from: `List[int]` or `List[float]` instead of `list`.",
    )


def _type_of(operand: Any) -> ParameterType:
    if isinstance(operand, PipelineChannel):
        if isinstance(operand.type, ArtifactType) or operand.type in (
            ParameterType.LIST,
            ParameterType.STRUCT,
        ):
            raise _wrong(f"{operand.describe()} is of type {operand.type.python_name}")
        return operand.type
    for known, type_ in _CONSTANTS:
        if isinstance(operand, known):
            if isinstance(operand, float) and not math.isfinite(operand):
                raise _wrong(f"{operand!r} is no number in KFP's format")
            return type_
    raise _wrong(f"{operand!r} is of type {type(operand).__name__}")


def _common_type(left: Any, right: Any) -> ParameterType:
    """Return the type that both are compared as."""
    types = {_type_of(left), _type_of(right)}
    if len(types) == 1:
        return types.pop()
    if types == {ParameterType.INTEGER, ParameterType.DOUBLE}:
        return ParameterType.DOUBLE
    for operand in (left, right):
        # A constant can be written as text; a value that flows stays what it is.
        is_value = isinstance(operand, PipelineChannel)
        if ParameterType.STRING not in types or (is_value and operand.type is not ParameterType.STRING):
            names = " with ".join(_type_of(each).python_name for each in (left, right))
            raise _wrong(f"it would compare {names}")
    return ParameterType.STRING


def _wrong(why: str) -> ConditionError:
    return ConditionError(
        f"This cannot be a condition: {why}.",
        where=place_line(*caller()),
        remedy="Compare values of one type: str, int, float or bool.",
    )


def _cel(operand: Any, common: ParameterType) -> str:
    own = _type_of(operand)
    if isinstance(operand, PipelineChannel):
        text = f"inputs.parameter_values['{CHANNEL}{operand.full_name}']"
        if own is ParameterType.INTEGER:
            text = f"int({text})"
    elif isinstance(operand, bool):
        text = "true" if operand else "false"
    else:
        text = str(operand)
    if common is ParameterType.STRING and not isinstance(operand, PipelineChannel):
        escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
        return f"'{escaped}'"
    if common is ParameterType.DOUBLE and own is ParameterType.INTEGER:
        return f"double({text})"
    return text
