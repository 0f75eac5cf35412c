"""How failures are told: to screens in three parts, under a cell without our frames.

IPython asks an exception for `_render_traceback_` before it formats one itself. Our own errors have that
method (`kfp_jupyter.errors`); an exception of the user's gets one of its own, which formats the part of the
traceback from the user's cell on.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType
from typing import Any

from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.model.types import Json

_PACKAGE = str(Path(__file__).parent.parent)


def hide_our_frames(error: BaseException, file: str, shell: Any) -> None:
    """Let IPython show `error` from its first frame in `file` on.

    Args:
        error: What was caught. Errors of ours are left as they are.
        file: The file name that the user's code was compiled under.
        shell: The IPython shell, which formats as it formats any traceback.
    """
    if isinstance(error, KfpJupyterError):
        return
    users = _from_file(error.__traceback__, file)
    if users is None:
        return

    def render() -> list[str]:
        lines: list[str] = shell.InteractiveTB.structured_traceback(type(error), error, users, tb_offset=0)
        return lines

    # An exception class with `__slots__` takes no attribute; then the whole traceback is shown.
    with contextlib.suppress(AttributeError):
        error._render_traceback_ = render  # type: ignore[attr-defined]


def _from_file(traceback: TracebackType | None, file: str) -> TracebackType | None:
    """Return the traceback from the frame on that our code has called in `file`."""
    ours = False
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_filename
        # The cell that holds the magic may go by the same name; its frame comes before ours.
        if ours and name == file:
            return traceback
        ours = ours or name.startswith(_PACKAGE)
        traceback = traceback.tb_next
    return None


def describe(error: BaseException) -> dict[str, Json]:
    """Return an error as screens take it: `what`, `where` and `remedy`."""
    if isinstance(error, KfpJupyterError):
        return {"what": error.what, "where": error.where, "remedy": error.remedy}
    return {
        "what": f"{type(error).__name__}: {error}",
        "where": "kfp_jupyter",
        "remedy": "This is a fault of kfp_jupyter; the kernel's log has the traceback.",
    }
