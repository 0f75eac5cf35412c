"""What a docstring says about a function, its arguments and what it returns.

Google's sections (`Args:`, `Returns:`) and reST's fields (`:param x:`) are known; KFP shows their texts
beside the inputs and outputs of a component.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

# Compiled by `re` when first used, because imports must be quick.
_SECTION = (
    r"(?m)^(Arguments|Args|Parameters|Params|Raises|Exceptions?|Attributes|Examples?|Returns|Yields):[ \t]*$"
)
_ARGUMENTS = ("Arguments", "Args", "Parameters", "Params")
_FIELD = r"(?m)^:(\w+)(?:[ \t]+([^:\n]+))?:"


@dataclass(frozen=True, slots=True)
class Docstring:
    """A docstring's parts.

    Attributes:
        summary: Its first paragraph and, on a new line, all further text before the sections.
        arguments: A text for each argument.
        returns: A text for each returned value that is listed by name.
    """

    summary: str = ""
    arguments: dict[str, str] = field(default_factory=dict)
    returns: dict[str, str] = field(default_factory=dict)


def read(docstring: str | None) -> Docstring:
    """Return the parts of a docstring; None has none."""
    if not docstring:
        return Docstring()
    text = inspect.cleandoc(docstring)
    sections = list(re.finditer(_SECTION, text)) if ":" in text else []
    fields = [] if sections or ":" not in text else list(re.finditer(_FIELD, text))
    head = text[: (sections or fields)[0].start()] if sections or fields else text
    if fields:
        return Docstring(_summary(head), _fields(text, fields))
    bodies = {match[1]: body for match, body in _between(text, sections)}
    arguments = next((_entries(bodies[title]) for title in _ARGUMENTS if title in bodies), {})
    return Docstring(_summary(head), arguments, _entries(bodies.get("Returns", "")))


def _between(text: str, matches: list[re.Match[str]]) -> Iterator[tuple[re.Match[str], str]]:
    """Yield each match with the text up to the next one."""
    for index, match in enumerate(matches):
        end = matches[index + 1].start() if index + 1 < len(matches) else len(text)
        yield match, text[match.end() : end]


def _summary(head: str) -> str:
    short, _, long = head.strip().partition("\n")
    return "\n".join(part.strip() for part in (short, long) if part.strip())


def _entries(body: str) -> dict[str, str]:
    """Read `name (type): text` entries, each with the lines that are indented more."""
    body = body.strip("\n")
    indent = body[: len(body) - len(body.lstrip())]
    if not indent:
        return {}
    entries = {}
    for entry in re.split(rf"^{indent}(?=\S)", body, flags=re.MULTILINE)[1:]:
        name, colon, text = entry.partition(":")
        if colon:
            line, newline, rest = text.strip("\n").partition("\n")
            entries[name.split("(")[0].strip()] = line.strip() + newline + inspect.cleandoc(rest)
    return entries


def _fields(text: str, matches: list[re.Match[str]]) -> dict[str, str]:
    entries = {}
    for match, body in _between(text, matches):
        if match[1] in ("param", "parameter", "arg", "argument") and match[2]:
            line, newline, rest = body.strip().partition("\n")
            entries[match[2].split()[-1]] = line + newline + inspect.cleandoc(rest)
    return entries
