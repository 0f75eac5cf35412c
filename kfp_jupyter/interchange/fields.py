"""A mapping in a document that is read field by field.

Every field is asked for by name and type, and a wrong type is refused with the path of the field. What nobody
asked for is the rest: it is kept in the model, so that writing the document again loses nothing, and told as
unknown. A field that is written though it holds its default is kept in the rest too, but known.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, TypeVar

from kfp_jupyter.interchange.errors import DocumentError
from kfp_jupyter.model.types import Json

T = TypeVar("T")

_KINDS = {
    dict: "a mapping",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "nothing",
}


def join(path: str, name: str) -> str:
    """Return the path of a field: `root.dag`, or `components['odd name']`."""
    if not re.fullmatch(r"[\w-]+", name):
        return f"{path}[{name!r}]"
    return f"{path}.{name}" if path else name


def refuse(path: str, what: str, remedy: str = "") -> DocumentError:
    """Return the error for something at a path."""
    return DocumentError(what, where=path or "the document", remedy=remedy)


def wrong(path: str, wanted: str, value: Json) -> DocumentError:
    """Return the error for a value of another kind."""
    shown = "" if isinstance(value, (dict, list, type(None))) else f" ({str(value)[:40]!r})"
    return refuse(path, f"There should be {wanted} here, not {_KINDS[type(value)]}{shown}.")


class Fields:
    """The fields of one mapping.

    Args:
        value: The mapping.
        path: Where it stands in the document.
    """

    __slots__ = ("_children", "_held", "_known", "_taken", "_told", "path")

    def __init__(self, value: Json, path: str) -> None:
        if not isinstance(value, dict):
            raise wrong(path, "a mapping", value)
        self.path = path
        self._held: dict[str, Json] = value
        self._known: set[str] = set()
        self._taken: set[str] = set()
        self._children: dict[str, Any] = {}
        self._told = False

    def __contains__(self, name: str) -> bool:
        return self._held.get(name) is not None

    def has(self, name: str) -> bool:
        """Say whether a field is there, also if it holds nothing."""
        return name in self._held

    def at(self, name: str) -> str:
        """Return the path of a field."""
        return join(self.path, name)

    def text(self, name: str, default: str = "") -> str:
        """Return a text field."""
        return self._typed(name, default, str)

    def needed(self, name: str) -> str:
        """Return a text field that may not be missing or empty."""
        text = self._typed(name, "", str)
        if not text:
            raise refuse(self.at(name), "This is missing.")
        return text

    def flag(self, name: str) -> bool:
        """Return a field that is true or false; false if it is missing."""
        return self._typed(name, False, bool)

    def integer(self, name: str, default: int = 0) -> int:
        """Return a whole number; as in protobuf's JSON it may stand as a text."""
        value = self._take(name, default)
        if isinstance(value, str) and re.fullmatch(r"-?\d{1,19}", value):
            return int(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
            raise wrong(self.at(name), "a whole number", value)
        return int(value)

    def number(self, name: str, default: float = 0.0) -> float:
        """Return a number."""
        value = self._take(name, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise wrong(self.at(name), "a number", value)
        return float(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self._typed(name, [], list)
        for index, held in enumerate(value):
            if not isinstance(held, str):
                raise wrong(f"{self.at(name)}[{index}]", "a text", held)
        return tuple(value)

    def json(self, name: str, *, meant: bool = False) -> Json:
        """Return whatever a field holds; None if it is missing.

        Args:
            name: The field.
            meant: Whether `null` says something else than a missing field.
        """
        if meant:
            self._taken.add(name)
        return self._take(name, None)

    def mapping(self, name: str, *, meant: bool = False) -> dict[str, Json]:
        """Return a mapping as it stands.

        Args:
            name: The field.
            meant: Whether an empty mapping says something else than none.
        """
        if meant:
            self._taken.add(name)
        return self._typed(name, {}, dict)

    def fields(self, name: str, *, meant: bool = False) -> Fields:
        """Return a mapping to be read field by field; an empty one if it is missing.

        Args:
            name: The field.
            meant: Whether an empty mapping says something else than none.
        """
        child = Fields(self._typed(name, {}, dict), self.at(name))
        if meant:
            self._taken.add(name)
        self._children[name] = child
        return child

    def each(self, name: str) -> Iterator[tuple[str, Fields]]:
        """Yield the keys of a mapping of mappings, and these to be read field by field."""
        outer = self.fields(name)
        for key in outer._held:
            outer._known.add(key)
            outer._taken.add(key)
            child = outer._children[key] = Fields(outer._held[key], outer.at(key))
            yield key, child

    def items(self, name: str) -> list[Fields]:
        """Return the mappings of a list to be read field by field."""
        value = self._typed(name, [], list)
        listed = [Fields(held, f"{self.at(name)}[{index}]") for index, held in enumerate(value)]
        self._children[name] = listed
        return listed

    def remaining(self) -> dict[str, Json]:
        """Return the fields not yet asked for as they stand, and count them as known."""
        left = {name: held for name, held in self._held.items() if name not in self._known}
        self._known.update(left)
        self._taken.update(left)
        return left

    def rest(self) -> dict[str, Json]:
        """Return what has not been asked for, where it stood; only once, for one owner keeps it."""
        if self._told:
            return {}
        self._told = True
        rest = {name: held for name, held in self._held.items() if name not in self._taken}
        for name, child in self._children.items():
            if isinstance(child, list):
                parts = {str(index): held.rest() for index, held in enumerate(child)}
                below = {index: part for index, part in parts.items() if part}
            else:
                below = child.rest()
            if below:
                rest[name] = below
        return rest

    def unknown(self) -> Iterator[str]:
        """Yield the paths of fields that nobody asked for."""
        for name in self._held:
            if name not in self._known:
                yield self.at(name)
        for child in self._children.values():
            for held in child if isinstance(child, list) else (child,):
                yield from held.unknown()

    def _typed(self, name: str, default: T, type_: type[T]) -> T:
        value = self._take(name, default)
        if not isinstance(value, type_):
            raise wrong(self.at(name), _KINDS[type_], value)
        return value

    def _take(self, name: str, default: Any) -> Any:
        self._known.add(name)
        value = self._held.get(name)
        if value is None:
            return default
        # `False == 0`, but they are not the same field.
        if value != default or type(value) is not type(default):
            self._taken.add(name)
        return value


def merged(written: dict[str, Json], extra: Any) -> dict[str, Json]:
    """Return what the model says, and where it says nothing what the document held that was read."""
    if not extra:
        return written
    made = dict(written)
    for name, held in extra.items():
        mine = made.get(name)
        if isinstance(mine, dict) and isinstance(held, dict):
            made[name] = merged(mine, held)
        elif isinstance(mine, list) and isinstance(held, dict):
            made[name] = [
                merged(item, held[str(index)]) if isinstance(item, dict) and str(index) in held else item
                for index, item in enumerate(mine)
            ]
        elif name not in made:
            made[name] = held
    return made
