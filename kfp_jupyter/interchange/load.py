"""Untrusted YAML or JSON as JSON values.

YAML is built from the parser's events by ourselves, so that nothing in a file is ever constructed but texts,
numbers, lists and mappings, and so that limits hold before memory is spent: an alias counts as much as what
it repeats, which stops files that double themselves with each line ("billion laughs").
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from kfp_jupyter.interchange.fields import join, refuse
from kfp_jupyter.model.types import Json

MAX_BYTES = 32_000_000
"""The longest text that is read."""

MAX_VALUES = 1_000_000
"""The most values in a text, each alias counted as what it stands for."""

MAX_DEPTH = 100
"""The deepest nesting."""

_RESERVED = re.compile(
    r"[-+.]?[0-9]|[-+]?\.(?:inf|nan)$|(?:y|n|yes|no|true|false|on|off|null|~|)$", re.IGNORECASE
)
_WORDS: dict[str, Json] = {
    "": None,
    "~": None,
    "null": None,
    "true": True,
    "yes": True,
    "on": True,
    "false": False,
    "no": False,
    "off": False,
}
_SURROGATE = re.compile("[\ud800-\udfff]")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)$")
_OTHER_BASE = re.compile(r"([-+]?)0(?:(b[01_]+)|(x[0-9a-fA-F_]+)|o?([0-7_]+))$")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?$")
_SPECIAL = re.compile(r"([-+]?)\.(inf|Inf|INF)$|\.(?:nan|NaN|NAN)$")


def load(text: str | bytes) -> list[Json]:
    """Return the documents of a text that are not empty.

    Args:
        text: YAML, or JSON; bytes are UTF-8.

    Raises:
        DocumentError: It is neither, or beyond a limit.
    """
    if len(text) > MAX_BYTES:
        raise refuse(
            "", f"It takes {len(text) // 1_000_000} MB; at most {MAX_BYTES // 1_000_000} MB are read."
        )
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise refuse("", f"It is no text in UTF-8 ({error.reason} at byte {error.start}).") from None
    found = re.search("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        raise refuse(f"line {line}", f"It holds the character {found[0]!r}, which no text file has.")
    documents = [_json(text)] if text.lstrip().startswith("{") else list(_yaml(text))
    return [held for held in documents if held is not None]


def _json(text: str) -> Json:
    def pairs(held: list[tuple[str, Json]]) -> Json:
        made = dict(held)
        if len(made) != len(held):
            keys = [key for key, _ in held]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise refuse("", f"The key {twice!r} stands twice in one mapping.")
        return made

    def constant(name: str) -> Json:
        raise refuse("", f"It holds {name}, which is no number in JSON.")

    try:
        made = json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except json.JSONDecodeError:
        # It may be YAML in braces.
        documents = list(_yaml(text))
        return documents[0] if len(documents) == 1 else None
    except (RecursionError, ValueError) as error:
        raise refuse("", f"It cannot be read: {error}.") from None
    _check_values(made)
    return made


def _check_values(value: Json) -> None:
    level, depth, count = [value], 0, 0
    while level:
        depth += 1
        count += len(level)
        if depth > MAX_DEPTH:
            raise _too_deep("")
        if count > MAX_VALUES:
            raise _too_many("")
        if any(isinstance(held, str) and _SURROGATE.search(held) for held in level):
            raise refuse("", "It holds one half of a character that takes two.")
        level = [
            held
            for parent in level
            if isinstance(parent, (dict, list))
            for held in ((*parent, *parent.values()) if isinstance(parent, dict) else parent)
        ]


class _Open:
    """A mapping or list that is being built."""

    __slots__ = ("anchor", "key", "size", "value")

    def __init__(self, value: Json, anchor: str | None) -> None:
        self.value = value
        self.anchor = anchor
        self.key: str | None = None
        self.size = 1


def _yaml(text: str) -> Iterator[Json]:
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder(yaml)
    try:
        for event in yaml.parse(text, Loader=loader):
            if builder.take(event):
                yield builder.document
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or error
        raise refuse(where, f"It is no YAML: {problem}.") from None


class _Builder:
    """Builds documents from events."""

    def __init__(self, yaml: Any) -> None:
        self._events = yaml
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Json, int]] = {}
        self.document: Json = None

    def take(self, event: Any) -> bool:
        """Take an event; say whether it ended a document."""
        yaml, kind = self._events, type(event)
        if kind is yaml.ScalarEvent:
            plain = event.implicit[0] and event.tag is None
            self._add(_plain(event.value) if plain else self._marked(event), 1, event.anchor)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self._open(event, is_mapping=kind is yaml.MappingStartEvent)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            done = self._stack.pop()
            self._add(done.value, done.size, done.anchor)
        elif kind is yaml.AliasEvent:
            if event.anchor not in self._anchors:
                raise refuse(self._path(), f"The alias *{event.anchor} stands for nothing, or for itself.")
            self._add(*self._anchors[event.anchor], None)
        elif kind is yaml.DocumentStartEvent:
            self.document, self._anchors = None, {}
        return kind is yaml.DocumentEndEvent

    def _open(self, event: Any, *, is_mapping: bool) -> None:
        if event.tag not in (None, "!", f"tag:yaml.org,2002:{'map' if is_mapping else 'seq'}"):
            raise _tagged(event, self._path())
        if len(self._stack) >= MAX_DEPTH:
            raise _too_deep(self._path())
        self._stack.append(_Open({} if is_mapping else [], event.anchor))

    def _marked(self, event: Any) -> Json:
        """Return a scalar that has quotes or a tag."""
        tag = event.tag
        if tag is None or tag == "!":
            return event.value
        kinds: dict[str, Any] = {"int": int, "float": (int, float), "bool": bool, "null": type(None)}
        name = tag.removeprefix("tag:yaml.org,2002:")
        if name == "str":
            return event.value
        value = _plain(event.value)
        if name not in kinds or not isinstance(value, kinds[name]):
            raise _tagged(event, self._path())
        return value

    def _path(self) -> str:
        path = ""
        for held in self._stack:
            if isinstance(held.value, list):
                path = f"{path}[{len(held.value)}]"
            elif held.key is not None:
                path = join(path, held.key)
        return path

    def _add(self, value: Json, size: int, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = value, size
        if not self._stack:
            self.document = value
            return
        held = self._stack[-1]
        held.size += size
        if held.size > MAX_VALUES:
            raise _too_many(self._path())
        if isinstance(held.value, list):
            held.value.append(value)
        elif held.key is None:
            if not isinstance(value, str):
                what = f"A key should be a text, not {str(value)[:40]}."
                raise refuse(self._path(), what, "Put it in quotes.")
            if value == "<<":
                raise refuse(self._path(), "Merging mappings with `<<` is not supported.", "Write them out.")
            if value in held.value:
                raise refuse(self._path(), f"The key {value!r} stands twice.")
            held.key = value
        else:
            held.value[held.key] = value
            held.key = None


def _plain(text: str) -> Json:
    """Return what a text without quotes means, by YAML 1.1 without dates and numbers of base 60."""
    if not _RESERVED.match(text):
        return text
    lower = text.lower()
    if lower in _WORDS and text in (lower, lower.capitalize(), text.upper()):
        return _WORDS[lower]
    if _INTEGER.match(text):
        return _bounded(text.replace("_", ""), 10)
    found = _OTHER_BASE.match(text)
    if found:
        sign, binary, hexadecimal, octal = found.groups()
        digits, base = (binary[1:], 2) if binary else (hexadecimal[1:], 16) if hexadecimal else (octal, 8)
        return _bounded(sign + digits.replace("_", ""), base) if digits.strip("_") else text
    if _FLOAT.match(text):
        return float(text.replace("_", ""))
    found = _SPECIAL.match(text)
    if found:
        return float(f"{found[1] or ''}inf" if found[2] else "nan")
    return text


def _bounded(text: str, base: int) -> Json:
    # Longer ones take Python quadratic time, and no document means a number by them.
    return int(text, base) if len(text) < 400 else text


def _too_deep(path: str) -> Exception:
    return refuse(path[:200], f"It is nested more than {MAX_DEPTH} deep.")


def _too_many(path: str) -> Exception:
    return refuse(path, f"It holds more than {MAX_VALUES} values, repeated ones counted.")


def _tagged(event: Any, path: str) -> Exception:
    return refuse(path, f"The tag {event.tag!r} is not supported; a pipeline has only texts and numbers.")
