"""The root of every error a user can cause.

Each room has its own subclasses in its own `errors.py` or beside the code that raises them. An error says
what happened, where, and what to do; magics, comms and the CLI print it without a traceback of our internals.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType


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


def _notebook_place(traceback: TracebackType | None) -> str:
    """Return the innermost cell and line that an error came through, as `Cell In[3], line 2`, or nothing."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    name_of = getattr(getattr(shell, "compile", None), "format_code_name", lambda _name: None)
    place = ""
    package = str(Path(__file__).parent)
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        label = None if file.startswith(package) else name_of(file)
        place = f"{' '.join(label)}, line {traceback.tb_lineno}" if label else place
        traceback = traceback.tb_next
    return place
