"""Frozen dataclasses of this package to JSON values and back, driven by their type hints.

`encode` leaves out fields that hold their default unless `full=True`; `decode` fills them in again. Where a
field may be one of several dataclasses, the JSON object says which under `kind`.

A mapping of thousands of records is decoded in tens of milliseconds, of which most readers need one or two
records: `decode(…, lazy=True)` leaves each as it is until it is asked for.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin

from kfp_jupyter.model.types import Json

T = TypeVar("T")

_PLAIN = frozenset((str, int, float, bool, type(None)))


def encode(value: Any, *, full: bool = False) -> Json:
    """Return the JSON value of a dataclass instance (or of what its fields may hold).

    Args:
        value: The instance.
        full: Write every field, also those that hold their default.
    """
    type_: Any = type(value)
    # What thousands of tasks mostly hold comes first.
    if type_ in _PLAIN:
        return value
    if type_ is not dict and isinstance(value, Enum):
        return value.value
    if hasattr(type_, "__dataclass_fields__"):
        if full:
            return {name: encode(getattr(value, name), full=True) for name, _ in _defaults(type_)}
        record: dict[str, Json] = {"kind": type_.__name__}
        for name, default in _defaults(type_):
            held = getattr(value, name)
            if held != default:
                record[name] = encode(held)
        return record
    if type_ is dict or isinstance(value, Mapping):
        return {key: encode(held, full=full) for key, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(held, full=full) for held in value]
    return value


def decode(type_: type[T], value: Json, *, lazy: bool = False) -> T:
    """Return the instance of `type_` (a dataclass, or a union given as a type) that `encode` wrote.

    Args:
        type_: The type.
        value: What was written.
        lazy: Decode records in mappings when they are asked for; what is wrong in one may be seen only then.

    Raises:
        ValueError: The value does not have the type's shape.
    """
    try:
        return typing.cast(T, _decoder(typing.cast("Any", type_), lazy)(value))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a {getattr(type_, '__name__', type_)}: {error}") from error


@cache
def _defaults(type_: type[Any]) -> tuple[tuple[str, Any], ...]:
    """Return the names of a dataclass's fields with their defaults."""
    return tuple((item.name, _default(item)) for item in fields(type_))


def _default(item: Field[Any]) -> Any:
    if item.default is not MISSING:
        return item.default
    return item.default_factory() if item.default_factory is not MISSING else MISSING


def _as_it_is(value: Any) -> Any:
    return value


class Lazy(Mapping[str, T]):
    """Records by name, each decoded when it is first asked for, and the same object from then on.

    Args:
        values: What was written.
        read: Decodes one of them.
    """

    def __init__(self, values: Mapping[str, Any], read: Callable[[Any], T]) -> None:
        self._values = values
        self._read = read
        self._decoded: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        known = self._decoded.get(name)
        if known is not None:
            return known
        value = self._values[name]
        try:
            # Of two threads that decode the same record, both get what the first has made.
            return self._decoded.setdefault(name, self._read(value))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"record {name!r} cannot be decoded: {error}") from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(dict(self))


def check_fields(type_: Any, values: Iterable[Mapping[str, Json]]) -> None:
    """Check that records have no field but those of a dataclass; a newer version may have written some.

    Raises:
        TypeError: One has.
    """
    unknown = set().union(*values) - {"kind", *(name for name, _ in _defaults(type_))}
    if unknown:
        raise TypeError(f"unknown fields {sorted(unknown)}")


@cache
def fields_decoder(type_: Any, *, lazy: bool) -> Callable[[Mapping[str, Json]], dict[str, Any]]:
    """Return what gives the values of those fields of a dataclass that are written in a record."""

    @cache
    def readers() -> dict[str, Callable[[Any], Any]]:
        # Made when the first record is read, because a record may hold others of its own class.
        hints = typing.get_type_hints(type_)
        each = {item.name: _decoder(hints[item.name], lazy) for item in fields(type_)}
        return {name: read for name, read in each.items() if read is not _as_it_is}

    def read(value: Mapping[str, Json]) -> dict[str, Any]:
        # A history of thousands of tasks is read at once: only what is not what it was written as is touched.
        given = {**value}
        given.pop("kind", None)
        known = readers()
        for name in known.keys() & given.keys():
            given[name] = known[name](given[name])
        return given

    return read


@cache
def _decoder(type_: Any, lazy: bool) -> Callable[[Any], Any]:
    origin = get_origin(type_)
    if origin in (Union, types.UnionType):
        return _union_decoder(get_args(type_), lazy=lazy)
    if origin is tuple:
        members = get_args(type_)
        if len(members) == 2 and members[1] is Ellipsis:
            member = _decoder(members[0], lazy)
            return tuple if member is _as_it_is else lambda value: tuple(member(held) for held in value)
        each = [_decoder(part, lazy) for part in members]
        return lambda value: tuple(read(held) for read, held in zip(each, value, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        held = get_args(type_)[1]
        member = _decoder(held, lazy)
        if member is _as_it_is:
            return _as_it_is
        if lazy and is_dataclass(held):
            return lambda value: _lazy_records(held, member, value)
        return lambda value: {key: member(held) for key, held in value.items()}
    if isinstance(type_, type) and issubclass(type_, Enum):
        return {member.value: member for member in type_}.__getitem__
    if isinstance(type_, type) and is_dataclass(type_):
        return _record_decoder(type_, lazy=lazy)
    return _as_it_is


def _union_decoder(members: tuple[Any, ...], *, lazy: bool) -> Callable[[Any], Any]:
    records = {m.__name__: _decoder(m, lazy) for m in members if isinstance(m, type) and is_dataclass(m)}
    plain = [
        _decoder(member, lazy) for member in members if not is_dataclass(member) and member is not type(None)
    ]
    if not records and plain[0] is _as_it_is:
        return _as_it_is

    def read(value: Any) -> Any:
        if isinstance(value, dict) and records:
            only = next(iter(records)) if len(records) == 1 else ""
            return records[value.get("kind", only)](value)
        return plain[0](value) if plain and value is not None else value

    return read


def _lazy_records(type_: Any, read: Callable[[Any], Any], value: Mapping[str, Any]) -> Lazy[Any]:
    check_fields(type_, value.values())
    return Lazy({**value}, read)


def _record_decoder(type_: Any, *, lazy: bool) -> Callable[[Any], Any]:
    read = fields_decoder(type_, lazy=lazy)
    return lambda value: type_(**read(value))
