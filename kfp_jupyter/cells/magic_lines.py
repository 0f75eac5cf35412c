"""Lines that only IPython understands: `%magic`, `!command`, `name = !command`, `help?`.

A cell that holds such lines is made plain Python with the same lines, so that everything else in it can be
read. A line counts only where a statement begins, not inside a string or between brackets.

Reference: https://ipython.readthedocs.io/en/stable/interactive/reference.html#ipython-reference
"""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass

_LINE = re.compile(
    r"^(?P<indent>[ \t]*)(?P<target>[\w.\[\]'\", \t]+?[ \t]*=[ \t]*)?(?P<sign>%{1,2}|!{1,2}|\?{1,2}).*$"
)
_HELP = re.compile(r"^(?P<indent>[ \t]*)(?P<rest>[%\w.*]+[ \t]*\?{1,2})[ \t]*$")


@dataclass(frozen=True, slots=True)
class MagicLine:
    """A line that only IPython understands.

    Attributes:
        line: Its number, from 1.
        column: Where it begins in that line, from 0.
        text: It, without what stands before and after it.
    """

    line: int
    column: int
    text: str


def plain_python(text: str) -> tuple[str, tuple[MagicLine, ...]]:
    """Return a cell's text as plain Python with the same lines, and the lines that were none.

    Such a line becomes `pass`; one that assigns, as `files = !ls`, assigns None.
    """
    if not any(sign in text for sign in "%!?"):
        return text, ()
    lines = text.split("\n")
    found: list[MagicLine] = []
    for number, line in enumerate(lines):
        match = _LINE.match(line) or _HELP.match(line)
        if match is None or not _begins_statement(lines[:number]):
            continue
        target = match.groupdict().get("target") or ""
        if target and match["sign"].startswith("?"):
            continue
        found.append(MagicLine(number + 1, len(match["indent"]), line.strip()))
        lines[number] = match["indent"] + (f"{target}None" if target else "pass")
        # A command goes on after a backslash.
        while line.endswith("\\") and number + 1 < len(lines):
            number += 1  # noqa: PLW2901 - the lines of this command are taken together
            line, lines[number] = lines[number], ""  # noqa: PLW2901
    return "\n".join(lines), tuple(found)


def _begins_statement(before: list[str]) -> bool:
    """Say whether a statement can begin after these lines."""
    if not before:
        return True
    if before[-1].endswith("\\"):
        return False
    try:
        for _ in tokenize.generate_tokens(io.StringIO("\n".join(before) + "\n").readline):
            pass
    except tokenize.TokenError as error:
        # Python says which of its brackets or strings is open; anything else is not ours to judge.
        return "EOF in multi-line" not in str(error) and "unterminated triple" not in str(error)
    except SyntaxError:
        pass
    return True
