"""Argo's `depends`: what a DAG's task waits for, as a logical expression over other tasks' results.

https://argo-workflows.readthedocs.io/en/latest/enhanced-depends-logic/
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_WORD = re.compile(r"\s*(&&|\|\||!|\(|\)|[A-Za-z0-9][-A-Za-z0-9]*(?:\.[A-Za-z]+)?)")
_RESULTS = {"Succeeded", "Failed", "Errored", "Skipped", "Omitted", "Daemoned"}
_PHASE_RESULTS = {"Error": "Errored"}


def operands(depends: str) -> list[str]:
    """Return the tasks that an expression names.

    Raises:
        ValueError: It is no such expression.
    """
    return [word.partition(".")[0] for word in _words(depends) if word[0].isalnum()]


def holds(depends: str, phases: Mapping[str, str]) -> bool:
    """Say whether the expression is true when the tasks ended in these phases."""
    python = []
    for word in _words(depends):
        if word[0].isalnum():
            task, _, result = word.partition(".")
            phase = _PHASE_RESULTS.get(phases[task], phases[task])
            python.append(str(phase == result if result else phase in ("Succeeded", "Skipped", "Daemoned")))
        else:
            python.append({"&&": " and ", "||": " or ", "!": " not "}.get(word, word))
    return bool(eval("".join(python), {"__builtins__": {}}))  # only of True, False, and, or, not


def _words(depends: str) -> list[str]:
    words, at = [], 0
    while at < len(depends.rstrip()):
        found = _WORD.match(depends, at)
        if not found:
            raise ValueError(f"invalid depends {depends!r} at {at}")
        word = found.group(1)
        if "." in word and word.partition(".")[2] not in _RESULTS:
            raise ValueError(f"unknown result in {word!r}")
        words.append(word)
        at = found.end()
    return words
