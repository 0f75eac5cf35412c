"""What comes out of a `Calculation`: its type, known before a run, and its value in one.

The operators are Python's, on the types that parameters have, and stricter: a bool is no number, and a text
is joined only to a text. One table of types serves both sides, so what is accepted when a pipeline is written
does not fail for its types when it runs. Results are kept to what JSON can hold.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from kfp_jupyter.model.graph import PipelineError
from kfp_jupyter.model.types import Json, ParameterType
from kfp_jupyter.model.value import Calculation, Constant, Operand, PipelineInput, TaskOutput

MAX_DEPTH = 100
"""How many calculations may be inside each other."""

MAX_BITS = 4096
"""The longest integer, so that a mistyped `**` cannot hold up whoever calculates it."""

MAX_LENGTH = 10_000_000
"""The longest text or list."""

_NUMBERS = {ParameterType.INTEGER, ParameterType.DOUBLE}
_JOINED = {ParameterType.STRING, ParameterType.LIST}

_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
}


class CalculationError(PipelineError):
    """A calculation with values that do not allow it."""


def result_type(symbol: str, operands: tuple[ParameterType | None, ...]) -> ParameterType | None:
    """Return the type of what a calculation gives.

    Args:
        symbol: The operator.
        operands: The types of its operands; None where only a run can show it.

    Returns:
        The type; None if only a run can show it.

    Raises:
        CalculationError: There is no such calculation with these types.
    """
    known = {type_ for type_ in operands if type_ is not None}
    wrong = known - _NUMBERS
    if symbol == "+" and len(operands) == 2 and len(known) == 1:
        wrong -= _JOINED
    if wrong or (len(operands) == 1 and symbol != "-") or symbol not in _BINARY:
        raise _impossible(symbol, operands)
    if symbol == "/":
        return ParameterType.DOUBLE
    for sure in (ParameterType.DOUBLE, *_JOINED):
        if sure in known:
            return sure
    return None if None in operands else ParameterType.INTEGER


def evaluate(calculation: Calculation, value_of: Callable[[PipelineInput | TaskOutput], Json]) -> Json:
    """Return the value of a calculation.

    Args:
        calculation: The calculation.
        value_of: Returns the value of an operand that flows; None if it has none.

    Raises:
        CalculationError: The values do not allow it, or the result is none that a parameter can have.
    """
    operands = tuple(_operand(operand, value_of) for operand in calculation.operands)
    return _calculated(calculation.operator, operands)


def _operand(operand: Operand, value_of: Callable[[PipelineInput | TaskOutput], Json]) -> Json:
    if isinstance(operand, Constant):
        return operand.value
    return evaluate(operand, value_of) if isinstance(operand, Calculation) else value_of(operand)


def type_of(value: Json) -> ParameterType | None:
    """Return the type of a constant; None if no calculation takes it."""
    if isinstance(value, bool):
        return ParameterType.BOOLEAN
    for known, type_ in (
        (int, "INTEGER"),
        (float, "DOUBLE"),
        (str, "STRING"),
        (list, "LIST"),
        (dict, "STRUCT"),
    ):
        if isinstance(value, known):
            return ParameterType[type_]
    return None


def _calculated(symbol: str, operands: tuple[Json, ...]) -> Json:
    shown = formula(symbol, tuple(_short(operand) for operand in operands))
    if None in operands:
        raise _failed(shown, "one of them has no value", "Give it one, or a default.")
    result_type(symbol, tuple(type_of(operand) for operand in operands))
    if symbol == "**" and _bits_of_power(*operands) > MAX_BITS:
        raise _failed(shown, f"the result has more than {MAX_BITS} bits")
    try:
        value = -operands[0] if len(operands) == 1 else _BINARY[symbol](*operands)
    except (ArithmeticError, ValueError) as error:
        raise _failed(shown, str(error)) from None
    if isinstance(value, complex) or (isinstance(value, float) and not math.isfinite(value)):
        raise _failed(shown, f"the result would be {value}")
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise _failed(shown, f"the result has more than {MAX_BITS} bits")
    if isinstance(value, (str, list)) and len(value) > MAX_LENGTH:
        raise _failed(shown, f"the result is longer than {MAX_LENGTH:,}")
    if symbol == "**" and isinstance(value, float) and not any(isinstance(held, float) for held in operands):
        # Its type was said to be int, and what uses it has relied on that.
        raise _failed(shown, "the result is no int", "Write one of the two as a float.")
    return value


def _bits_of_power(base: Any, exponent: Any) -> int:
    if not isinstance(base, int) or not isinstance(exponent, int) or abs(base) < 2:
        return 0
    return (base.bit_length() - 1) * exponent


def formula(symbol: str, operands: tuple[str, ...]) -> str:
    """Return a calculation as it is written, of what its operands are called."""
    return f" {symbol} ".join(operands) if len(operands) > 1 else f"{symbol}{operands[0]}"


def _impossible(symbol: str, operands: tuple[ParameterType | None, ...]) -> CalculationError:
    names = tuple(type_.python_name if type_ else "a value" for type_ in operands)
    remedy = "Calculate inside a component."
    if symbol == "+" and ParameterType.STRING in operands:
        remedy = "Put both into a text, as in `f'{a}{b}'`."
    elif ParameterType.BOOLEAN in operands:
        remedy = "Only int and float can be calculated with; compare a bool, as in `flag == True`."
    return CalculationError(f"`{formula(symbol, names)}` cannot be calculated.", remedy=remedy)


def _failed(shown: str, why: str, remedy: str = "Calculate inside a component.") -> CalculationError:
    return CalculationError(f"`{shown}` cannot be calculated: {why}.", remedy=remedy)


def _short(value: Json) -> str:
    # The text of an int of many digits would itself take long to make.
    text = "an int" if isinstance(value, int) and value.bit_length() > 200 else repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
