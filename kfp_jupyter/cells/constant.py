"""A value as an expression that makes it again: how small constants travel with a component.

Plain data, and the few kinds of values that are as good as plain (`Path`, `re.compile(…)`, dates, members of
an `Enum`, instances of dataclasses and named tuples). Classes, functions and modules in it are written by
their names, which whoever asks has to bring along. What is written is evaluated and compared before use.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import math
import operator
import pathlib
import re
import types
import uuid
from collections.abc import Callable, Mapping
from typing import Any

LIMIT = 4096
"""The most characters of a constant's expression."""

# The depth of containers in containers that is looked into.
_DEPTH = 20

_PRINTED = (
    dt.date,
    dt.time,
    dt.timedelta,
    dt.timezone,
    decimal.Decimal,
    fractions.Fraction,
    operator.attrgetter,
    operator.itemgetter,
    pathlib.PurePath,
    uuid.UUID,
)
"""Classes whose `repr` is a call of the class, or of one in its module."""


class NotConstantError(Exception):
    """A value that has no short expression; the message says what it is."""


class TooLongError(NotConstantError):
    """A value whose expression is longer than `LIMIT`."""


def expression(value: Any, reference: Callable[[Any], str]) -> str:
    """Return a Python expression of a value.

    Args:
        value: The value.
        reference: Returns the expression of a class, function or module, and takes care that its names are
            there; raises NotConstantError if it cannot.

    Raises:
        NotConstantError: The value is data, or the expression is longer than `LIMIT` characters.
    """
    text = _Writer(reference).write(value, 0)
    if len(text) > LIMIT:
        raise TooLongError(f"its text takes {len(text):,} characters, more than {LIMIT:,}")
    return text


def makes_again(text: str, value: Any, names: Mapping[str, Any]) -> bool:
    """Say whether an expression gives an equal value of the same type."""
    try:
        again = eval(text, dict(names))
    except Exception:  # noqa: BLE001 - whatever a user's class raises, it is no constant
        return False
    return _same(again, value)


def _same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(_same(held, other[key]) for key, held in one.items())
    try:
        return bool(one == other)
    except Exception:  # noqa: BLE001 - as above
        return False


class _Writer:
    def __init__(self, reference: Callable[[Any], str]) -> None:
        self.reference = reference
        self.length = 0

    def write(self, value: Any, depth: int) -> str:
        # A big list is not written out before it is refused, and one that holds itself is never finished.
        if depth > _DEPTH or self.length > 2 * LIMIT:
            raise TooLongError(f"its text takes more than {LIMIT:,} characters")
        text = self._written(value, depth + 1)
        self.length += len(text) if depth <= 1 else 1
        return text

    def _written(self, value: Any, depth: int) -> str:
        kind = type(value)
        if value is None or value is Ellipsis or value is NotImplemented or kind in (bool, int, str, bytes):
            return "..." if value is Ellipsis else repr(value)
        if kind is float:
            return repr(value) if math.isfinite(value) else f"float('{value!r}')"
        if kind is complex:
            return f"complex({self.write(value.real, depth)}, {self.write(value.imag, depth)})"
        if kind in (list, tuple, set, frozenset, dict):
            return self._container(value, depth)
        if kind is slice or kind is range:
            parts = (value.start, value.stop, value.step)
            return f"{kind.__name__}({', '.join(self.write(part, depth) for part in parts)})"
        if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType)):
            return self.reference(value)
        return self._instance(value, depth)

    def _container(self, value: Any, depth: int) -> str:
        if isinstance(value, dict):
            pairs = (f"{self.write(key, depth)}: {self.write(held, depth)}" for key, held in value.items())
            return "{" + ", ".join(pairs) + "}"
        # Sets have no order of their own, and a component's text shall not change from run to run.
        parts = [self.write(held, depth) for held in value]
        if isinstance(value, tuple):
            return f"({', '.join(parts)}{',' * (len(parts) == 1)})"
        if isinstance(value, list):
            return f"[{', '.join(parts)}]"
        inner = "{" + ", ".join(sorted(parts)) + "}" if parts else ""
        return f"frozenset({inner})" if isinstance(value, frozenset) else inner or "set()"

    def _instance(self, value: Any, depth: int) -> str:
        kind = type(value)
        if isinstance(value, enum.Flag):
            return f"{self.reference(kind)}({value.value!r})"
        if isinstance(value, enum.Enum):
            return f"{self.reference(kind)}[{value.name!r}]"
        if isinstance(value, re.Pattern):
            flags = value.flags & ~re.UNICODE if isinstance(value.pattern, str) else value.flags
            return f"{self.reference(re)}.compile({value.pattern!r}{f', {int(flags)}' if flags else ''})"
        if isinstance(value, _PRINTED):
            return self._printed(value)
        if isinstance(value, tuple) and hasattr(kind, "_fields"):
            pairs = (
                f"{name}={self.write(held, depth)}" for name, held in zip(kind._fields, value, strict=True)
            )
            return f"{self.reference(kind)}({', '.join(pairs)})"
        if dataclasses.is_dataclass(value):
            fields = [field for field in dataclasses.fields(value) if field.init]
            pairs = (f"{field.name}={self.write(getattr(value, field.name), depth)}" for field in fields)
            return f"{self.reference(kind)}({', '.join(pairs)})"
        if kind.__module__ == "numpy" and hasattr(value, "item") and getattr(value, "ndim", None) == 0:
            return f"{self.reference(kind)}({self.write(value.item(), depth)})"
        if kind in (types.SimpleNamespace,):
            pairs = (f"{name}={self.write(held, depth)}" for name, held in vars(value).items())
            return f"{self.reference(kind)}({', '.join(pairs)})"
        if kind.__module__ == "collections" and kind.__name__ in ("OrderedDict", "Counter", "deque"):
            plain: Any = dict(value) if isinstance(value, dict) else list(value)
            limit = getattr(value, "maxlen", None)
            more = f", maxlen={limit}" if limit is not None else ""
            return f"{self.reference(kind)}({self.write(plain, depth)}{more})"
        if kind.__module__ == "collections" and kind.__name__ == "defaultdict":
            factory = "None" if value.default_factory is None else self.write(value.default_factory, depth)
            return f"{self.reference(kind)}({factory}, {self.write(dict(value), depth)})"
        raise NotConstantError(f"it is of type {kind.__name__}")

    def _printed(self, value: Any) -> str:
        """Return the `repr`, where the class stands by what `reference` calls it."""
        text = repr(value)
        if isinstance(value, pathlib.PurePath):
            return f"{self.reference(type(value))}({str(value)!r})"
        if type(value).__module__ == "datetime":
            return re.sub(r"\bdatetime(?=\.[a-z])", self.reference(dt), text)
        head, _, rest = text.partition("(")
        module = operator if head.startswith("operator.") else None
        if module is not None:
            return f"{self.reference(operator)}.{head.partition('.')[2]}({rest}"
        return f"{self.reference(type(value))}({rest}"
