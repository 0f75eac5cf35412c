"""What checks of components have found, shown under the cells that ran.

Findings are an output of their own, beside a component's card: our front end lists them and draws squiggles
from their data, any other shows the table. An error stands under its cell as text already; its output tells
what that text cannot, the warnings, and carries the data of both.

A front end has to find the place in a notebook that may have been edited, run again, or reloaded since.
So each place has the id of its cell and the line as it was when it ran.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from kfp_jupyter.cells.finding import ERROR, MIME, WARNING, Finding, Where, found_in, ordered
from kfp_jupyter.dsl.pipeline_function import PipelineFunction
from kfp_jupyter.dsl.python_component import PythonComponent
from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.model.types import Json
from kfp_jupyter.notebook.card import CELL, FAINT, TABLE

_CHECKED = (PythonComponent, PipelineFunction)
"""What is made in cells and may come with warnings."""

_SIGNS = {ERROR: "✖", WARNING: "⚠"}
_NUMBER = re.compile(r"^Cell In\[(\d+)\]$")


def findings_bundle(
    findings: Sequence[Finding], place: Callable[[Where], dict[str, Json]], *, told: bool = False
) -> dict[str, Json]:
    """Return the MIME bundle of findings: data for our front end, a table, and lines of text.

    Args:
        findings: What was found.
        place: Says what else is known of a place, for the data.
        told: The cell's traceback tells the errors already; only the data has them too.
    """
    data: list[Json] = []
    for held in findings:
        known = held.data()
        data.append({**known, "where": {**known["where"], **place(held.where)}})
    listed = [held for held in findings if not (told and held.severity == ERROR)]
    rows = "".join(
        f'<tr><td style="{CELL};white-space:nowrap">{_SIGNS[held.severity]} {held.severity}</td>'
        f'<td style="{CELL};{FAINT};white-space:nowrap">{escape(str(held.where))}</td>'
        f'<td style="{CELL}">{escape(held.what)}<br><span style="{FAINT}">{escape(held.remedy)}</span></td>'
        f'<td style="{CELL};{FAINT}"><code>{escape(held.code)}</code></td></tr>'
        for held in listed
    )
    lines = [
        f"  {_SIGNS[held.severity]} {held.where}: {held.what} {held.remedy} [{held.code}]" for held in listed
    ]
    return {
        MIME: {"findings": data, "told": [ERROR] if told else []},
        "text/html": f'<table style="{TABLE}">{rows}</table>' if rows else "",
        "text/plain": "\n".join(lines),
    }


class Findings:
    """Shows findings, and remembers those of cells that ended with an error.

    Args:
        session: What this kernel's notebook knows; see `kfp_jupyter.notebook.session.Session`.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        # By the cell's id or, where the front end gives none, its number. A cell that runs again starts anew.
        self._failed: dict[str, tuple[Finding, ...]] = {}

    def show(self, findings: Sequence[Finding], *, told: bool = False) -> None:
        """Show findings under the running cell, if there are any."""
        if findings:
            bundle = findings_bundle(findings, self._place, told=told)
            self._session.shell.display_pub.publish(bundle)

    def cell_ended(self, result: Any) -> None:
        """Show what was found in the cell that has just ended, and was not shown yet.

        Args:
            result: IPython's result of the cell.
        """
        cell = self._session.cells.id or str(result.execution_count)
        self._failed.pop(cell, None)
        found = _found_in_cell(result)
        if found:
            self._failed[cell] = found
            self.show(found, told=True)
        # A component of the decorator has no card that its warnings could have followed.
        for name, value in list(self._session.shell.user_ns.items()):
            if name.startswith("_") or not isinstance(value, _CHECKED) or not value.findings:
                continue
            if not self._session.displays.is_told(value):
                self.show(value.findings)

    def show_all(self) -> None:
        """Show what is wrong with the notebook: its components, and the cells that ended with an error."""
        names = self._session.shell.user_ns.values()
        checked = list(dict.fromkeys(held for held in names if isinstance(held, _CHECKED)))
        made = [held for held in checked if isinstance(held, PythonComponent)]
        failed = [finding for findings in self._failed.values() for finding in findings]
        found = ordered([*failed, *(finding for held in checked for finding in held.findings)])
        if found:
            self.show(found)
            return
        count = len(made)
        what = f"{count} component{'s' * (count != 1)}"
        self._session.say(f"Nothing is wrong with the notebook's {what}." if count else "No components yet.")

    def _place(self, where: Where) -> dict[str, Json]:
        """Return the id of a place's cell and the text of its line, as far as they are known."""
        match = _NUMBER.match(where.cell)
        if match is None:
            return {}
        cells, number = self._session.cells, int(match[1])
        known: dict[str, Json] = {"id": cells.id_of(number)}
        text = cells.line(number, where.line)
        return known if text is None else {**known, "text": text}


def _found_in_cell(result: Any) -> tuple[Finding, ...]:
    """Return what an error of ours says of cells; nothing for other errors, and where it names no cell."""
    error = result.error_before_exec or result.error_in_exec
    where = ""
    if not isinstance(error, KfpJupyterError):
        # A magic's line that cannot be read: IPython has an error of its own for that, which shows one line.
        error = getattr(error, "__context__", None)
        where = f"Cell In[{result.execution_count}]"
        if not isinstance(error, KfpJupyterError) or not (result.info.raw_cell or "").startswith("%%"):
            return ()
    return tuple(held for held in found_in(error, where) if _NUMBER.match(held.where.cell))
