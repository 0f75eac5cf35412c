"""The end of a run whose supervisor is gone: whoever notices writes it into the journal, once."""

from __future__ import annotations

import os
import time

from kfp_jupyter.engines.local.folder import RunFolder
from kfp_jupyter.engines.local.fork_server import kill_marked
from kfp_jupyter.engines.local.journal import Journal, Tail, events_in
from kfp_jupyter.engines.local.lock import take
from kfp_jupyter.model.run import RunChanged, RunState, State, TaskChanged, apply


def settle(folder: RunFolder) -> None:
    """Write the end of an interrupted run, unless it has one or somebody looks after it."""
    lock = take(folder.lock)
    if lock is None:
        return
    try:
        state: RunState | None = None
        for event in events_in(Tail(folder.journal).lines()):
            state = apply(state, event)
        if state is None or not state.state.finished:
            kill_marked(f"{folder.path}/")
            _write_end(folder, state)
    finally:
        os.close(lock)


def _write_end(folder: RunFolder, state: RunState | None) -> None:
    journal = Journal(folder.journal)
    message = "The run's supervisor ended before the run: it was killed, or the machine was restarted."
    said = folder.supervisor_log.read_text(errors="replace").strip() if folder.supervisor_log.exists() else ""
    if said:
        message = (
            f"The run's supervisor failed: {said.splitlines()[-1]} (all of it: {folder.supervisor_log})."
        )
    for name, task in (state.tasks if state is not None else {}).items():
        if task.state in (State.RUNNING, State.CANCELING):
            ended = TaskChanged(
                time.time(), name, State.FAILED, reason="Interrupted", message="It was interrupted."
            )
            journal.append(ended)
        elif not task.state.finished:
            skipped = TaskChanged(
                time.time(), name, State.SKIPPED, reason="Interrupted", message="The run ended."
            )
            journal.append(skipped)
    journal.append(RunChanged(time.time(), State.FAILED, "Interrupted", message))
    journal.close()
