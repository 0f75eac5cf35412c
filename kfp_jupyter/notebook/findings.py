"""What checks of components have found, shown when a cell has ended.

The card of a `%%component` cell shows its warnings itself. A component that was made by the decorator has no
card, so its warnings are shown once; and an error stands under its cell as text, to which its data is added.
"""

from __future__ import annotations

from typing import Any

from kfp_jupyter.cells.finding import ERROR, MIME, CheckError
from kfp_jupyter.dsl.python_component import PythonComponent
from kfp_jupyter.model.types import Json
from kfp_jupyter.notebook.card import findings_bundle


def show_findings(session: Any, result: Any) -> None:
    """Show what was found in the cell that has just ended.

    Args:
        session: What this kernel's notebook knows; see `kfp_jupyter.notebook.session.Session`.
        result: IPython's result of the cell.
    """
    error = getattr(result, "error_in_exec", None)
    if isinstance(error, CheckError):
        bundle = findings_bundle(error.findings)
        warnings = findings_bundle([held for held in error.findings if held.severity != ERROR])
        shown: dict[str, Json] = {**warnings, MIME: bundle[MIME]}
        session.shell.display_pub.publish(shown)
    for name, value in list(session.shell.user_ns.items()):
        if name.startswith("_") or not isinstance(value, PythonComponent) or not value.findings:
            continue
        if not session.displays.is_told(value):
            session.shell.display_pub.publish(findings_bundle(value.findings))
