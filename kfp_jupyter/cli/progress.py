"""A run on a terminal: a picture that changes in place, or lines where there is no terminal to change."""

from __future__ import annotations

import os
import shutil
from typing import TextIO

from kfp_jupyter.model.run import RunState, TaskRun
from kfp_jupyter.run import Run
from kfp_jupyter.view.document import document
from kfp_jupyter.view.task_line import task_line
from kfp_jupyter.view.task_names import node_names, task_name
from kfp_jupyter.view.text import text

# https://en.wikipedia.org/wiki/ANSI_escape_code
_CLEAR_LINE, _CLEAR_BELOW = "\x1b[2K", "\x1b[J"
_NO_WRAP, _WRAP = "\x1b[?7l", "\x1b[?7h"


def show_until_end(run: Run, out: TextIO) -> None:
    """Show a run while it goes on, until it has ended.

    Raises:
        ConnectionLostError: It cannot be followed any more.
    """
    if out.isatty() and os.environ.get("TERM", "") not in ("", "dumb"):
        _show_picture(run, out)
    else:
        _show_lines(run, out)


def _show_picture(run: Run, out: TextIO) -> None:
    """Draw the run again and again in the same place, and leave nothing behind."""
    drawn = 0
    out.write(_NO_WRAP)
    try:
        for state in run.states():
            lines = _fitting(run, state)
            again = "".join(f"{_CLEAR_LINE}{line}\n" for line in lines)
            out.write(_up(drawn) + again + _CLEAR_BELOW)
            out.flush()
            drawn = len(lines)
        out.write(_up(drawn) + _CLEAR_BELOW)
    finally:
        out.write(_WRAP)
        out.flush()


def _fitting(run: Run, state: RunState) -> list[str]:
    """Return the picture's lines, as many as can be overwritten: those that scrolled away cannot."""
    lines = text(document(run.pipeline, state)).split("\n")
    most = shutil.get_terminal_size().lines - 2
    return lines if len(lines) <= most else [*lines[: most - 1], "…"]


def _up(lines: int) -> str:
    return f"\x1b[{lines}A" if lines else ""


def _show_lines(run: Run, out: TextIO) -> None:
    told: dict[str, TaskRun] = {}
    names = node_names(document(run.pipeline, None))
    for state in run.states():
        for path, task in state.tasks.items():
            before = told.get(path, TaskRun())
            if (task.state, task.attempt) != (before.state, before.attempt):
                out.write(f"{task_line(task_name(names, path), task)}\n")
                out.flush()
            told[path] = task
