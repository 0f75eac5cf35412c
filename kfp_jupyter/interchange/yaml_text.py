"""YAML as KFP's files are written, and Argo's manifests: sources readable, as blocks.

An emitter of our own, because a general one decides for each value what is fixed here (style, anchors, tags,
folding): PyYAML's, also the one in C, takes five times as long, which would be most of the time of compiling.
Every text is written so that YAML 1.1 and 1.2, and Go's readers, read the same.
Spec: https://yaml.org/spec/1.1/
"""

from __future__ import annotations

import math
import re
from typing import Any

from kfp_jupyter.interchange.errors import InterchangeError
from kfp_jupyter.model.types import Json

_PLAIN = re.compile(r"(?:--?|/)?[A-Za-z](?:[\w./@%+=~$-]|:(?=[\w./])|[ ](?=[\w./]))*", re.ASCII)
"""Texts that need no quotes, but for the words that YAML means something else by."""

_LONGEST_KEY = 1000
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
_UNPRINTABLE = re.compile("[^\n -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""Also other line breaks than a newline, which a reader would take for one."""

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}


def dump(documents: list[Json], *, sort_keys: bool = True) -> str:
    """Return the documents as YAML.

    Args:
        documents: JSON values.
        sort_keys: Whether keys are sorted, as KFP does, or stand in their own order.

    Raises:
        InterchangeError: A value is none of JSON's.
    """
    return "---\n".join(_Emitter(sort_keys).document(held) for held in documents)


def comment(lines: str) -> str:
    """Return lines of comments in which no character ends the comment but a newline."""
    return _UNPRINTABLE.sub(lambda found: found[0] if found[0] == "\t" else repr(found[0])[1:-1], lines)


class _Emitter:
    """Writes one document, line by line."""

    def __init__(self, sort_keys: bool) -> None:
        self._sort_keys = sort_keys
        self._lines: list[str] = []
        # The same texts stand in many places: types, names, the lines that start a step.
        self._keys: dict[str, str] = {}
        self._words: dict[str, str] = {}
        # Texts of several lines, by themselves and what their lines begin with.
        self._blocks: dict[tuple[str, str], str] = {}

    def document(self, value: Json) -> str:
        """Return the text of a document."""
        if isinstance(value, dict) and value:
            self._mapping(value, "", "")
        elif isinstance(value, list) and value:
            self._list(value, "", "")
        else:
            self._lines.append(self._scalar(value, "") + "\n")
        return "".join(self._lines)

    def _mapping(self, held: dict[str, Json], indent: str, first: str) -> None:
        """Write a mapping whose lines begin with `indent`, but the first with `first`."""
        append, keys, words, start = self._lines.append, self._keys, self._words, first
        inner = indent + "  "
        for key in sorted(held) if self._sort_keys else held:
            value = held[key]
            name = keys.get(key) or self._key(key)
            if len(name) > _LONGEST_KEY:
                # So long a key needs another notation.
                name = f"? {name}\n{indent}"
            if isinstance(value, str):
                text = words.get(value) or self._text(value, inner)
                append(f"{start}{name}: {text}\n")
            elif isinstance(value, dict) and value:
                append(f"{start}{name}:\n")
                self._mapping(value, inner, inner)
            elif isinstance(value, (list, tuple)) and value:
                append(f"{start}{name}:\n")
                self._list(value, indent, indent)
            else:
                append(f"{start}{name}: {self._scalar(value, inner)}\n")
            start = indent

    def _list(self, held: list[Json] | tuple[Json, ...], indent: str, first: str) -> None:
        append, words, start = self._lines.append, self._words, first
        inner = indent + "  "
        for value in held:
            if isinstance(value, str):
                text = words.get(value) or self._text(value, inner)
                append(f"{start}- {text}\n")
            elif isinstance(value, dict) and value:
                self._mapping(value, inner, f"{start}- ")
            elif isinstance(value, (list, tuple)) and value:
                self._list(value, inner, f"{start}- ")
            else:
                append(f"{start}- {self._scalar(value, inner)}\n")
            start = indent

    def _key(self, key: Any) -> str:
        if not isinstance(key, str):
            raise InterchangeError(f"The key {key!r} is no text, which JSON does not know.")
        made = self._keys[key] = _one_line(key)
        return made

    def _text(self, text: str, inner: str) -> str:
        if "\n" not in text:
            made = self._words[text] = _one_line(text)
            return made
        block = self._blocks.get((text, inner))
        if block is None:
            block = self._blocks[text, inner] = _block(text, inner) or _one_line(text)
        return block

    def _scalar(self, value: Json, inner: str) -> str:
        if isinstance(value, str):
            return self._text(value, inner)
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int):
            return str(value)
        if isinstance(value, float):
            return _number(value)
        if isinstance(value, dict):
            return "{}"
        if isinstance(value, (list, tuple)):
            return "[]"
        raise InterchangeError(f"{value!r} of type {type(value).__name__} is no value of JSON.")


def _one_line(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    if "\n" in text or _UNPRINTABLE.search(text):
        return _quoted(text)
    return "'" + text.replace("'", "''") + "'"


def _quoted(text: str) -> str:
    def escaped(found: re.Match[str]) -> str:
        character = found[0]
        code = ord(character)
        return _ESCAPES.get(character) or (f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")

    return '"' + re.sub(rf'["\\\n]|{_UNPRINTABLE.pattern}', escaped, text) + '"'


def _block(text: str, inner: str) -> str | None:
    """Return a text of several lines as a block, or None if a block cannot hold it."""
    body = text.rstrip("\n")
    if not body.strip(" \n") or _UNPRINTABLE.search(text):
        return None
    # Where the first line is blank or indented, the block's own indentation must be told.
    told = "2" if body[0] in " \n" else ""
    ending = {0: "-", 1: ""}.get(len(text) - len(body), "+")
    indent = inner or "  "
    lines = "\n".join(
        indent + line if line else "" for line in text[: -1 if ending != "-" else None].split("\n")
    )
    return f"|{told}{ending}\n{lines}"


def _number(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    text = repr(value)
    # YAML 1.1 knows no number with an exponent but without a point.
    return text if "." in text or "e" not in text else text.replace("e", ".0e")
