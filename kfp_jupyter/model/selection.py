"""A part of a value, as KFP's selectors take it: `parseJson(string_value)["a"][0]`.

A selector is a CEL expression in KFP's format, of which KFP's own compiler writes this one form; the key is a
text for a dict or a number for a list, and keys may follow each other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from kfp_jupyter.model.graph import PipelineError
from kfp_jupyter.model.types import Json

_START = "parseJson(string_value)"
_KEY = re.compile(r"""\[\s*(-?\d+|"(?:[^"\\]|\\.)*"|'[^'"\\]*')\s*\]""")


class SelectionError(PipelineError):
    """A part of a value that is not there, or a selector that is not understood."""


def selector_of(keys: Sequence[str | int]) -> str:
    """Return the selector that takes one key after the other."""
    return _START + "".join(f"[{json.dumps(key)}]" for key in keys)


def keys_of(selector: str) -> tuple[str | int, ...]:
    """Return the keys of a selector.

    Raises:
        SelectionError: It is of another form.
    """
    keys: list[str | int] = []
    place = len(_START)
    while selector.startswith(_START) and place < len(selector):
        found = _KEY.match(selector, place)
        if found is None:
            break
        keys.append(json.loads(found[1].replace("'", '"') if found[1].startswith("'") else found[1]))
        place = found.end()
    if place != len(selector) or not keys:
        raise SelectionError(
            f"The selector `{selector}` is none that takes parts by their keys.",
            remedy=f'Write it like `{_START}["key"]`.',
        )
    return tuple(keys)


def selected(value: Json, selector: str) -> Json:
    """Return the part of a value that a selector names; a text is read as JSON first, as KFP does.

    Args:
        value: The value.
        selector: The selector; empty takes the whole value.

    Raises:
        SelectionError: It has no such part, or the selector is not understood.
    """
    if not selector:
        return value
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise SelectionError(f"{_short(value)} is no JSON, so it has no parts.") from None
    for key in keys_of(selector):
        value = _part(value, key)
    return value


def _part(value: Json, key: str | int) -> Json:
    if isinstance(key, str) and isinstance(value, dict):
        if key in value:
            return value[key]
        listed = ", ".join(repr(name) for name in list(value)[:20])
        raise SelectionError(
            f"There is no {key!r} in {_short(value)}.",
            remedy=f"Its keys are: {listed}." if value else "It is empty.",
        )
    if isinstance(key, int) and isinstance(value, list):
        if 0 <= key < len(value):
            return value[key]
        raise SelectionError(f"There is no [{key}] in a list of {len(value)}.")
    raise SelectionError(f"{_short(value)} of type {type(value).__name__} has no part [{key!r}].")


def _short(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "…"
