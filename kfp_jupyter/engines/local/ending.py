"""The end of a run whose supervisor is gone, and going on after an end.

Whoever notices the end writes it into the journal, once. A run goes on in the same journal: what had
succeeded stays so, all else is pending again.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from kfp_jupyter.engines.local.folder import RunFolder
from kfp_jupyter.engines.local.fork_server import kill_marked, remove_containers
from kfp_jupyter.engines.local.journal import Journal, state_in
from kfp_jupyter.engines.local.lock import take
from kfp_jupyter.model.run import RunChanged, RunState, State, TaskChanged

RESUMED = "Resumed"
"""The reason of a run that goes on, until it runs."""

GOES_ON = "— the run goes on —"

GONE_SECONDS = 5.0
"""How long killed processes may take to be gone."""

POLL_SECONDS = 0.01


def settle(folder: RunFolder) -> None:
    """Write the end of an interrupted run, unless it has one or somebody looks after it.

    Raises:
        OSError: It could not be written.
    """
    lock = take(folder.lock)
    if lock is None:
        return
    try:
        state = state_in(folder.journal)
        if state is None or not state.state.finished:
            kill_marked(f"{folder.path}/")
            remove_containers(f"{folder.path}/")
            _write_end(folder, state)
    finally:
        os.close(lock)


def reopen(folder: RunFolder) -> None:
    """Make an ended run one that goes on; to be called by who holds its lock.

    Raises:
        OSError: It could not be written.
    """
    deadline = time.monotonic() + GONE_SECONDS
    # A worker that outlived both supervisor and fork server would write into what is run again.
    while kill_marked(f"{folder.path}/") and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    remove_containers(f"{folder.path}/")
    folder.supervisor.unlink(missing_ok=True)
    folder.failure.unlink(missing_ok=True)
    with folder.supervisor_log.open("a", encoding="utf-8") as log:
        # What it says already stays, and is not taken for what comes.
        log.write(f"{GOES_ON}\n" if log.tell() else "")
    state = state_in(folder.journal)
    tasks = state.tasks if state is not None else {}
    done = sum(task.state is State.SUCCEEDED for task in tasks.values())
    journal = Journal(folder.journal)
    try:
        message = f"It goes on; {done} of {len(tasks)} tasks had succeeded."
        journal.append(RunChanged(time.time(), State.PENDING, RESUMED, message))
        for path, task in tasks.items():
            if task.state not in (State.SUCCEEDED, State.PENDING):
                journal.append(TaskChanged(time.time(), path, State.PENDING))
    finally:
        journal.close()


def _last_line(path: Path) -> str:
    text = path.read_text(encoding="utf-8", errors="replace").strip() if path.exists() else ""
    last = text.splitlines()[-1] if text else ""
    return "" if last == GOES_ON else last


def _write_end(folder: RunFolder, state: RunState | None) -> None:
    journal = Journal(folder.journal)
    message = "The run's supervisor ended before the run: it was killed, or the machine was restarted."
    said = _last_line(folder.failure) or _last_line(folder.supervisor_log)
    if said:
        message = f"The run's supervisor failed: {said} (all of it: {folder.supervisor_log})."
    try:
        for name, task in (state.tasks if state is not None else {}).items():
            if task.state in (State.RUNNING, State.CANCELING):
                reason, why = State.FAILED, "It was interrupted."
            elif not task.state.finished:
                reason, why = State.SKIPPED, "The run ended."
            else:
                continue
            journal.append(TaskChanged(time.time(), name, reason, reason="Interrupted", message=why))
        journal.append(RunChanged(time.time(), State.FAILED, "Interrupted", message))
        journal.reserve.give_up()
    finally:
        journal.close()
