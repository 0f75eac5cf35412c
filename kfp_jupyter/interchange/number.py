"""Numbers between Python and protobuf's `Value`, which knows doubles only.

Spec: https://protobuf.dev/reference/protobuf/google.protobuf/#value
"""

from __future__ import annotations

import math

from kfp_jupyter.interchange.errors import InterchangeError
from kfp_jupyter.interchange.fields import refuse
from kfp_jupyter.model.types import Json, ParameterType, ValueType


def to_protobuf(value: Json, what: str) -> Json:
    """Return a JSON value as protobuf's `Value` holds it: all numbers are doubles.

    Args:
        value: The value.
        what: What it is called in an error: `the default of 'x'`.

    Raises:
        InterchangeError: A number is no double.
    """
    if isinstance(value, (str, bool)) or value is None:
        return value
    if isinstance(value, int):
        try:
            exact = int(float(value)) == value
        except OverflowError:
            exact = False
        if not exact:
            raise InterchangeError(
                f"KFP keeps numbers as doubles, and {what} is {value}, which no double is.",
                remedy="Pass it as a text.",
            )
        return float(value)
    if isinstance(value, dict):
        return {key: to_protobuf(held, what) for key, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_protobuf(held, what) for held in value]
    return value


def from_protobuf(value: Json, type_: ValueType | None, path: str) -> Json:
    """Return the value of a parameter, where whole numbers are integers unless the type says otherwise.

    Args:
        value: What the document holds.
        type_: The parameter's type; None if it is not known.
        path: Where it stands.

    Raises:
        DocumentError: It holds a number that JSON has not.
    """
    if type_ is ParameterType.DOUBLE and isinstance(value, (int, float)) and not isinstance(value, bool):
        return _finite(_double(value, path), path)
    return _whole(value, path)


def _whole(value: Json, path: str) -> Json:
    if isinstance(value, float):
        # As KFP's own launcher does, whose JSON writes 1.0 as 1.
        return int(value) if _finite(value, path).is_integer() else value
    if isinstance(value, int) and not isinstance(value, bool):
        # Through a double, as whoever runs the document gets it.
        return int(_double(value, path))
    if isinstance(value, dict):
        return {key: _whole(held, f"{path}.{key}") for key, held in value.items()}
    if isinstance(value, list):
        return [_whole(held, f"{path}[{index}]") for index, held in enumerate(value)]
    return value


def _double(value: int | float, path: str) -> float:
    try:
        return float(value)
    except OverflowError:
        raise refuse(path, "There is a number here that no double holds.") from None


def _finite(value: float, path: str) -> float:
    if not math.isfinite(value):
        raise refuse(path, f"There should be a number here that JSON has, not {value}.")
    return value
