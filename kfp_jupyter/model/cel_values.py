"""What the parts of a CEL expression come to; `cel` puts them together.

Each function returns a function from the values of names to the value of a part.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from kfp_jupyter.model.types import Json

Names: TypeAlias = Mapping[str, Any]
"""The values of the names in an expression."""

ValueOf: TypeAlias = Callable[[Names], Any]


class NoValueError(Exception):
    """Why a part of an expression has no value."""


def text_of(value: Json) -> str:
    """Return a parameter as text, as KFP writes it: a text as it is, numbers without a needless fraction."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def constant(value: Json) -> ValueOf:
    """Return what is always the same."""
    return lambda _: value


def named(name: str) -> ValueOf:
    """Return the value of a name."""

    def value(names: Names) -> Any:
        if name not in names:
            raise NoValueError(f"there is no {name!r} here")
        return names[name]

    return value


def part(whole: ValueOf, key: str | int) -> ValueOf:
    """Return a part of a struct or list."""

    def value(names: Names) -> Any:
        held = whole(names)
        try:
            return held[key]
        except (KeyError, IndexError):
            raise NoValueError(f"there is no {shown_name(str(key))!r} in it") from None
        except TypeError:
            raise NoValueError(f"{short(held)} has no part {key!r}") from None

    return value


def called(function: Callable[[Any], Any], argument: ValueOf) -> ValueOf:
    """Return what a function makes of its argument."""

    def value(names: Names) -> Any:
        held = argument(names)
        try:
            return function(held)
        except (ValueError, TypeError, OverflowError):
            raise NoValueError(f"{short(held)} cannot be converted") from None

    return value


def decided(left: ValueOf, right: ValueOf, *, by: bool) -> ValueOf:
    """Return `||`, which one true operand decides, or `&&`, which one false operand decides."""

    def value(names: Names) -> bool:
        try:
            first = _truth(left(names))
        except NoValueError:
            if _truth(right(names)) is by:
                return by
            raise
        return first if first is by else _truth(right(names))

    return value


def denied(operand: ValueOf) -> ValueOf:
    """Return `!`."""
    return lambda names: not _truth(operand(names))


def negative(operand: ValueOf) -> ValueOf:
    """Return the unary `-`."""

    def value(names: Names) -> Any:
        held = operand(names)
        if _kind(held) != "number":
            raise NoValueError(f"{short(held)} is no number")
        return -held

    return value


def compared(mark: str, left: ValueOf, right: ValueOf) -> ValueOf:
    """Return a comparison."""

    def value(names: Names) -> bool:
        first, second = left(names), right(names)
        same = _kind(first) == _kind(second)
        if mark in ("==", "!="):
            return (same and first == second) is (mark == "==")
        if not same or _kind(first) not in ("number", "str", "bool"):
            raise NoValueError(f"{short(first)} and {short(second)} have no order")
        return bool(_ORDERS[mark](first, second))

    return value


_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


def _kind(value: Json) -> str:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return "number" if is_number else type(value).__name__


def _truth(value: Json) -> bool:
    if not isinstance(value, bool):
        raise NoValueError(f"{short(value)} is neither true nor false")
    return value


def _whole(value: Json) -> int:
    if isinstance(value, bool):
        raise TypeError
    return int(value)


def _double(value: Json) -> float:
    if isinstance(value, bool):
        raise TypeError
    return float(value)


CONSTANTS: Mapping[str, Json] = {"true": True, "false": False, "null": None}
FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "int": _whole,
    "double": _double,
    "string": text_of,
}


def shown_name(name: str) -> str:
    """Return the name of an input as people know it."""
    return name.removeprefix("pipelinechannel--")


def short(value: Json) -> str:
    """Return a value for a message."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
