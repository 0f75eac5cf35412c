"""The notebook's cells as they run: ids and texts, kept for the ledger of component cells.

IPython tells of each cell before and after it runs, with the id that the front end has given it. Cells that
are no components are only remembered; they are read when a component cell asks who has written which name.
"""

from __future__ import annotations

import json
from itertools import dropwhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kfp_jupyter.cells.ledger import Ledger, StepCell


class NotebookCells:
    """The cells of one shell's notebook.

    Args:
        shell: The IPython shell.

    Attributes:
        id: The running cell's id; empty if the front end gives none.
        text: The running cell's text.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._ledger: Ledger | None = None
        self._unread: list[tuple[str, str]] = []
        # Ids by the numbers under which cells ran.
        self._ids: dict[int, str] = {}
        self.id = ""
        self.text = ""

    def start(self) -> None:
        """Ask IPython to tell of cells."""
        self._shell.events.register("pre_run_cell", self._begins)
        self._shell.events.register("post_run_cell", self._ended)

    def stop(self) -> None:
        """Take that back."""
        self._shell.events.unregister("pre_run_cell", self._begins)
        self._shell.events.unregister("post_run_cell", self._ended)

    @property
    def ledger(self) -> Ledger:
        """The component cells, and who has written which name last."""
        from kfp_jupyter.cells.ledger import Ledger
        from kfp_jupyter.cells.names import analyse

        if self._ledger is None:
            self._ledger = Ledger()
        for text, place in self._unread:
            if self._ledger.has_seen(place):
                continue
            try:
                names = analyse(self._shell.transform_cell(text))
            except (SyntaxError, ValueError, RecursionError):
                continue
            self._ledger.add_cell(names, place)
        self._unread.clear()
        return self._ledger

    def stale(self, notebook: str) -> list[StepCell]:
        """Return the component cells whose text in the saved notebook is not the one that ran."""
        try:
            cells = json.loads(Path(notebook).read_text(encoding="utf-8"))["cells"]
            texts = {cell["id"]: "".join(cell["source"]).rstrip() for cell in cells if "id" in cell}
        except (OSError, ValueError, KeyError, TypeError):
            return []
        return self.ledger.stale(texts)

    def id_of(self, number: int) -> str:
        """Return the id of the cell that ran, or runs, as that number; empty if it is not known."""
        running = not self._ids or number > max(self._ids)
        return self.id if running else self._ids.get(number, "")

    def line(self, number: int, line: int) -> str | None:
        """Return a line, counted from 1, of the cell that ran as that number; None if it was not kept."""
        history = getattr(self._shell.history_manager, "input_hist_raw", ())
        if not 0 < number < len(history):
            return None
        from kfp_jupyter.model.lines import lines_of

        # As IPython counts them: a cell begins with its first line that is not blank.
        lines = list(dropwhile(lambda text: not text.strip(), lines_of(history[number])))
        return lines[line - 1] if 0 < line <= len(lines) else None

    def _begins(self, info: Any) -> None:
        self.id = getattr(info, "cell_id", None) or ""
        self.text = (info.raw_cell or "").rstrip()
        for deleted in self._deleted():
            self.ledger.forget(deleted)

    def _ended(self, result: Any) -> None:
        number = getattr(result, "execution_count", None)
        text = getattr(result.info, "raw_cell", "") or ""
        if number is not None:
            # A cell that leaves no history has the number of the one that will run next.
            if getattr(result.info, "store_history", True):
                self._ids[number] = getattr(result.info, "cell_id", None) or ""
            self._unread.append((text, f"Cell In[{number}]"))

    def _deleted(self) -> list[str]:
        """Return the ids of cells that JupyterLab says were deleted since the last one ran."""
        get_parent = getattr(getattr(self._shell, "kernel", None), "get_parent", None)
        parent = get_parent() if get_parent is not None else None
        return list((parent or {}).get("metadata", {}).get("deletedCells") or ())
