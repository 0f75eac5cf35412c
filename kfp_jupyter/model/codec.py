"""Frozen dataclasses of this package to JSON values and back, driven by their type hints.

`encode` leaves out fields that hold their default unless `full=True`; `decode` fills them in again. Where a
field may be one of several dataclasses, the JSON object says which under `kind`.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin

from kfp_jupyter.model.types import Json

T = TypeVar("T")


def encode(value: Any, *, full: bool = False) -> Json:
    """Return the JSON value of a dataclass instance (or of what its fields may hold).

    Args:
        value: The instance.
        full: Write every field, also those that hold their default.
    """
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        record: dict[str, Json] = {} if full else {"kind": type(value).__name__}
        for name, default in _defaults(type(value)):
            held = getattr(value, name)
            if full or held != default:
                record[name] = encode(held, full=full)
        return record
    if isinstance(value, Mapping):
        return {key: encode(held, full=full) for key, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(held, full=full) for held in value]
    return value


def decode(type_: type[T], value: Json) -> T:
    """Return the instance of `type_` (a dataclass, or a union given as a type) that `encode` wrote.

    Raises:
        ValueError: The value does not have the type's shape.
    """
    try:
        return typing.cast(T, _decoder(typing.cast("Any", type_))(value))
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


@cache
def _decoder(type_: Any) -> Callable[[Any], Any]:
    origin = get_origin(type_)
    if origin in (Union, types.UnionType):
        return _union_decoder(get_args(type_))
    if origin is tuple:
        members = get_args(type_)
        if len(members) == 2 and members[1] is Ellipsis:
            member = _decoder(members[0])
            return lambda value: tuple(member(held) for held in value)
        each = [_decoder(part) for part in members]
        return lambda value: tuple(read(held) for read, held in zip(each, value, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        member = _decoder(get_args(type_)[1])
        return lambda value: {key: member(held) for key, held in value.items()}
    if isinstance(type_, type) and issubclass(type_, Enum):
        return type_
    if isinstance(type_, type) and is_dataclass(type_):
        return _record_decoder(type_)
    return lambda value: value


def _union_decoder(members: tuple[Any, ...]) -> Callable[[Any], Any]:
    records = {m.__name__: _decoder(m) for m in members if isinstance(m, type) and is_dataclass(m)}
    plain = [_decoder(member) for member in members if not is_dataclass(member) and member is not type(None)]

    def read(value: Any) -> Any:
        if isinstance(value, dict) and records:
            only = next(iter(records)) if len(records) == 1 else ""
            return records[value.get("kind", only)](value)
        return plain[0](value) if plain and value is not None else value

    return read


def _record_decoder(type_: type[Any]) -> Callable[[Any], Any]:
    @cache
    def readers() -> dict[str, Callable[[Any], Any]]:
        # Made when the first record is read, because a record may hold others of its own class.
        hints = typing.get_type_hints(type_)
        return {item.name: _decoder(hints[item.name]) for item in fields(type_)}

    def read(value: Any) -> Any:
        known = readers()
        return type_(**{key: known[key](held) for key, held in value.items() if key != "kind"})

    return read
