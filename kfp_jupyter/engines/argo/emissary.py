"""Argo's own lines in a step's log: its emissary starts the step's program and writes beside it.

They look like `time=2026-11-22T07:51:52.818Z level=INFO msg="waiting for signals" argo=true …`, and
the log of a program that failed ends with `Error: exit status 1`. A program that ends without a newline has
its last words in front of such a line.
"""

from __future__ import annotations

import re

_OWN = re.compile(r'time="?\d{4}-\d\d-\d\dT[^ "]+"? level=\w+ msg=.* argo=true(?: .*)?')
_END = re.compile(r"Error: exit status \d+")


class Emissary:
    """Takes Argo's lines out of one log, which is given line by line."""

    def __init__(self) -> None:
        self._held: list[str] = []

    def without(self, line: str) -> list[str]:
        """Return the lines of the step that are certain with this line of the log: none, one or two."""
        found = _OWN.search(line)
        text = line[: found.start()] if found else line
        if found and not text:
            return []
        told, self._held = self._held, []
        if _END.fullmatch(text):
            # Argo's if it turns out to be the last.
            self._held = [text]
            return told
        return [*told, text]
