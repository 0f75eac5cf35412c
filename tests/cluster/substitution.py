"""Argo's substitution of `{{…}}`: textual, in the JSON of a template, in two passes.

Read from Argo's `util/template` and `workflow/common/util.go` (`SubstituteParams`). A replaced text is quoted
as Go quotes, which is not JSON for rare characters; where Argo would fail for that, this fails. Of
expressions only those that our manifests use are known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_TAG = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_CALL = re.compile(r"(toJson|sprig\.fromJson)\((.*)\)", re.DOTALL)
_REPLACE = re.compile(r'replace\((.*), ("(?:[^"\\]|\\.)*"), ("(?:[^"\\]|\\.)*")\)', re.DOTALL)
_NAME = re.compile(r"[a-z]+(?:\.\w+|\['[^']+'\])+")
_GO_ESCAPES = {
    "\\": "\\\\",
    '"': '\\"',
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}


class SubstitutionError(Exception):
    """A template that cannot be substituted."""


def replaced(value: Any, values: Mapping[str, str], *, strict: tuple[str, ...] = ()) -> Any:
    """Return a JSON value with known tags replaced; unknown ones that begin as `strict` are errors."""
    text = json.dumps(value, ensure_ascii=False)
    made = _TAG.sub(lambda tag: _replacement(tag, values, strict), text)
    try:
        return json.loads(made, strict=True)
    except ValueError as error:
        raise SubstitutionError(
            "cannot finish template replacement because the result was invalid JSON"
        ) from error


def substituted(template: dict[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """Return a template with all replaced: first globals, then its inputs' values and paths."""
    first = replaced(template, values)
    known = dict(values)
    for item in first.get("inputs", {}).get("parameters", []):
        known[f"inputs.parameters.{item['name']}"] = item["value"]
    for item in first.get("inputs", {}).get("artifacts", []):
        known[f"inputs.artifacts.{item['name']}.path"] = item["path"]
    for item in first.get("outputs", {}).get("artifacts", []):
        known[f"outputs.artifacts.{item['name']}.path"] = item["path"]
    for item in first.get("outputs", {}).get("parameters", []):
        known[f"outputs.parameters.{item['name']}.path"] = item["valueFrom"]["path"]
    second: dict[str, Any] = replaced(first, known)
    return second


def _replacement(tag: re.Match[str], values: Mapping[str, str], strict: tuple[str, ...]) -> str:
    name = tag.group(1).strip()
    if name.startswith("="):
        return _evaluated(tag, name, values)
    if name in values:
        return _go_quoted(values[name])
    if name.startswith(strict or ("\0",)):
        raise SubstitutionError(f"failed to resolve {{{{{name}}}}}")
    return tag.group()


def _evaluated(tag: re.Match[str], text: str, values: Mapping[str, str]) -> str:
    try:
        result = _value(json.loads(f'"{text}"').removeprefix("=").strip(), values)
    except KeyError:
        return tag.group()
    return json.dumps(result)[1:-1] if isinstance(result, str) else _go_quoted(json.dumps(result))


def _value(expression: str, values: Mapping[str, str]) -> Any:
    """Return the value of an expression; a KeyError if it names what is not known yet."""
    if _NAME.fullmatch(expression):
        return values[re.sub(r"\['([^']+)'\]", r".\1", expression)]
    if found := _REPLACE.fullmatch(expression):
        return _value(found[1], values).replace(json.loads(found[2]), json.loads(found[3]))
    if found := _CALL.fullmatch(expression):
        held = _value(found[2], values)
        return json.dumps(held, ensure_ascii=False) if found[1] == "toJson" else json.loads(held)
    raise SubstitutionError(f"this test cluster cannot evaluate {expression}")


def _go_quoted(text: str) -> str:
    return "".join(
        _GO_ESCAPES.get(char) or (f"\\x{ord(char):02x}" if ord(char) < 32 or ord(char) == 127 else char)
        for char in text
    )
