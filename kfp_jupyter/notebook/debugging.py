"""`%kfp debug`: a failed step in a new cell, with its inputs; and what is put back after that cell ran.

The cell defines the step's function as a plain one, since only so breakpoints hold in it. The name belongs to
the component, which pipelines and reruns go by: it is given back as soon as the cell has run.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kfp_jupyter.repair.debug import TaskCode

_LOG = logging.getLogger(__name__)


def brought(
    session: Any, run_id: str = "", task: str = "", tell: Callable[[str], None] = _LOG.info
) -> TaskCode:
    """Return a task of a run as code for a new cell.

    Nothing of the user's is touched, so a request may be answered with it while a cell runs.

    Args:
        session: What this kernel's notebook knows.
        run_id: The beginning of the run's id; empty means the latest that failed.
        task: The task's path; empty means the one that failed.
        tell: Called with sentences on how far bringing its artifacts from a cluster is.

    Raises:
        KfpJupyterError: There is no such task, or it cannot be brought back.
    """
    from kfp_jupyter.dsl.base_component import BaseComponent
    from kfp_jupyter.repair.debug import failed_task, task_code
    from kfp_jupyter.repair.rerun import latest_run

    bench, names = session.workbench, session.shell.user_ns
    run = bench.get(run_id) if run_id else latest_run(bench, failed=True)
    code = task_code(run, run.tasks[task].name if task else failed_task(run), names, tell)
    held = names.get(code.function)
    if isinstance(held, BaseComponent):
        session.debugged[code.function] = held
    return code


def debug(session: Any, options: argparse.Namespace) -> None:
    """Bring a task of a run into the notebook."""
    code = brought(session, options.run, options.task, session.say)
    session.shell.push(dict(code.inputs))
    for name, value in code.inputs.items():
        session.say(f"{name} = {_short(value)}")
    for note in code.notes:
        session.say(note)
    session.say(f"The next cell runs {code.task} of run {code.run_id} again, with these inputs.")
    session.shell.set_next_input(code.text.rstrip())


def give_back(session: Any, cell: str) -> None:
    """Bind components again whose names the code of a debugged task has taken."""
    from kfp_jupyter.dsl.base_component import BaseComponent
    from kfp_jupyter.repair.debug import MARK

    if not cell.startswith(MARK):
        return
    names = session.shell.user_ns
    for name, component in session.debugged.items():
        if not isinstance(names.get(name), BaseComponent):
            names[name] = component


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
