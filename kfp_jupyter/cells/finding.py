"""What checks find in a component's code: text for people, and data that front ends draw squiggles from.

An error stops the cell; a warning is shown and the component is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from kfp_jupyter.cells.errors import ComponentError
from kfp_jupyter.cells.uses import Place
from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.model.component import Source
from kfp_jupyter.model.lines import lines_of
from kfp_jupyter.model.types import Json

ERROR, WARNING = "error", "warning"

MIME = "application/vnd.kfp-jupyter.findings.v1+json"
"""The type of `{"findings": [...]}` in the output of a cell."""

_PLACE = re.compile(r"^(?P<cell>.*), line (?P<line>\d+)$")


@dataclass(frozen=True, slots=True)
class Where:
    """A stretch of one line.

    Attributes:
        cell: The cell or file: `Cell In[3]`.
        line: The line in it, from 1.
        column: Where the stretch begins, in characters from 0.
        end: Where it ends; the same as `column` if that is not known.
    """

    cell: str
    line: int
    column: int = 0
    end: int = 0

    def __str__(self) -> str:
        return f"{self.cell}, line {self.line}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        severity: `error` or `warning`.
        code: What kind of thing, such as `undefined-name`.
        what: One sentence.
        where: Where.
        remedy: One sentence: what to do.
    """

    severity: str
    code: str
    what: str
    where: Where
    remedy: str = ""

    def data(self) -> dict[str, Json]:
        """Return it as JSON."""
        where: dict[str, Json] = {
            "cell": self.where.cell,
            "line": self.where.line,
            "column": self.where.column,
            "end": self.where.end,
        }
        return {
            "severity": self.severity,
            "code": self.code,
            "what": self.what,
            "where": where,
            "remedy": self.remedy,
        }


class CheckError(ComponentError):
    """Checks have found errors; its words are the first one's.

    Args:
        findings: All that was found; at least one error.
    """

    def __init__(self, findings: Iterable[Finding]) -> None:
        """Take the words of the first error, and say how many more there are."""
        self.findings = tuple(findings)
        errors = [held for held in self.findings if held.severity == ERROR]
        first = errors[0]
        super().__init__(first.what, where=str(first.where), remedy=first.remedy)

    def _render_traceback_(self) -> list[str]:
        lines: list[str] = []
        for finding in self.findings:
            if finding.severity == ERROR:
                single = ComponentError(finding.what, where=str(finding.where), remedy=finding.remedy)
                lines += [f"\x1b[31m{finding.code}\x1b[0m: {finding.what}", *single._render_traceback_()[1:]]
        return lines


def found_in(error: KfpJupyterError, otherwise: str) -> tuple[Finding, ...]:
    """Return the findings of an error, or the one that it is; `otherwise` is where, if it does not say."""
    if isinstance(error, CheckError):
        return error.findings
    match = _PLACE.match(error.where)
    where = Where(match["cell"], int(match["line"])) if match else Where(error.where or otherwise, 1)
    name = type(error).__name__.removesuffix("Error")
    code = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()
    return (Finding(ERROR, code, error.what, where, error.remedy),)


def stretch(source: Source, place: Place) -> Where:
    """Return where in the user's cells a place of a source's text is."""
    lines = lines_of(source.text)
    line = max(1, min(place.line, len(lines)))
    file, number = source.locate(line)
    column, end = columns(lines[line - 1], place)
    return Where(file, number, column, end)


def columns(line: str, place: Place) -> tuple[int, int]:
    """Return the columns of a place in its first line, in characters instead of bytes."""
    raw = line.encode()
    column = len(raw[: place.column].decode(errors="replace"))
    end = len(raw[: place.end_column].decode(errors="replace")) if place.end_line == place.line else len(line)
    return column, max(end, column)


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings without repetitions: errors before warnings, and each in the order of the text."""
    unique = dict.fromkeys(findings)
    return tuple(
        sorted(
            unique,
            key=lambda held: (held.severity != ERROR, held.where.cell, held.where.line, held.where.column),
        )
    )
