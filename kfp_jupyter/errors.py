"""The root of every error a user can cause.

Each room has its own subclasses in its own `errors.py` or beside the code that raises them. An error says
what happened, where, and what to do; magics, comms and the CLI print it without a traceback of our internals.
"""

from __future__ import annotations


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
