"""The root of every error a user can cause.

Each room has its own subclasses in its own `errors.py` or beside the code that raises them. An error says
what happened, where, and what to do; magics, comms and the CLI print it without a traceback of our internals.
A program that it ends shows its own lines only: what Python does with an uncaught exception is extended for
errors of this class, and for these alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

_PACKAGE = str(Path(__file__).parent) + os.sep


class KfpJupyterError(Exception):
    """What went wrong, where, and the remedy.

    Args:
        what: One sentence: what happened.
        where: The place in the user's terms: a cell and line, a task, a file. Empty if there is none.
        remedy: One sentence: what to do about it.
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        """Store the three parts; `str()` joins them."""
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        """Return `where: what remedy`, leaving out what is empty."""
        place = f"{self.where}: " if self.where else ""
        remedy = f" {self.remedy}" if self.remedy else ""
        return f"{place}{self.what}{remedy}"

    def _render_traceback_(self) -> list[str]:
        """Return the lines that IPython shows instead of a traceback, whose frames would be our own code."""
        place = _notebook_place(self.__traceback__)
        named = place.partition(",")[0] in self.where
        where = "; ".join(part for part in (self.where, "" if named else place) if part)
        lines = [f"\x1b[31m{type(self).__name__}\x1b[0m: {self.what}"]
        if where:
            lines.append(f"Where: {where}")
        if self.remedy:
            lines.append(f"What to do: {self.remedy}")
        return lines


class GoneError(KfpJupyterError):
    """What was asked for is not there any more, and asking again will not bring it back."""


def _notebook_place(traceback: TracebackType | None) -> str:
    """Return the innermost cell and line that an error came through, as `Cell In[3], line 2`, or nothing."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    name_of = getattr(getattr(shell, "compile", None), "format_code_name", lambda _name: None)
    place = ""
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        label = None if file.startswith(_PACKAGE) else name_of(file)
        place = f"{' '.join(label)}, line {traceback.tb_lineno}" if label else place
        traceback = traceback.tb_next
    return place


def is_ours(traceback: TracebackType) -> bool:
    """Say whether the frame of a traceback's entry is this package's code."""
    return traceback.tb_frame.f_code.co_filename.startswith(_PACKAGE)


def without_our_frames(traceback: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the frames of this package."""
    entries = []
    while traceback is not None:
        if not is_ours(traceback):
            entries.append(traceback)
        traceback = traceback.tb_next
    kept: TracebackType | None = None
    for entry in reversed(entries):
        kept = TracebackType(kept, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return kept


_Hook = Callable[[type[BaseException], BaseException, TracebackType | None], object]


def _shortened(previous: _Hook) -> _Hook:
    def show(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> object:
        if isinstance(error, KfpJupyterError):
            traceback = without_our_frames(traceback)
            # What caused it is told by its own words.
            error = error.with_traceback(traceback)
            error.__cause__ = None
            error.__suppress_context__ = True
        return previous(kind, error, traceback)

    return show


sys.excepthook = _shortened(sys.excepthook)
