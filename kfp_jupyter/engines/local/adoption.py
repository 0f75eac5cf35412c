"""The history with all runs of this machine, also those that it could not keep when they began.

A run is kept by who starts it. If the history cannot be written at that moment, or that process is killed
before it has, the run goes on and only its folder knows of it. So whoever lists runs looks which folders
there are, if any are new, and has the history keep those that it lacks; what stands in a run's folder is read
only of a run that is lacking. A history that was damaged and put aside fills again in that way.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from kfp_jupyter.runs.database import HistoryError
from kfp_jupyter.runs.history import History
from kfp_jupyter.runs.summary import RunSummary

if TYPE_CHECKING:
    from kfp_jupyter.engines.local.plan import Plan
    from kfp_jupyter.model.run import RunState

AGE_SECONDS = 10.0
"""How long ago a run's folder must have been made: until then its own process may be about to keep it."""

SURE_SECONDS = 1.0
"""How long a folder must not have changed for it to be seen by its time when it changes again."""

AT_ONCE = 50
"""How many runs are taken in at once, the newest first; others with the next look."""


class LocalHistory(History):
    """The runs in one file, and in the run folders beside it.

    Args:
        path: The SQLite file; the runs' folders are in `runs` beside it.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._folders = path.with_name("runs")
        # Folders that need no second look in this process.
        self._known: set[str] = set()
        # When the folder of them had changed last, if none in it needs a second look.
        self._seen = 0.0

    def runs(self, limit: int = 50, *, pipeline: str = "", notebook: str = "") -> list[RunSummary]:
        """Return the newest runs; see `History.runs`."""
        self._take_in()
        return super().runs(limit, pipeline=pipeline, notebook=notebook)

    def open_runs(self, limit: int = 50) -> list[str]:
        """Return the newest runs that had not ended; see `History.open_runs`."""
        self._take_in()
        return super().open_runs(limit)

    def find(self, text: str) -> str:
        """Return the id of a run; see `History.find`."""
        try:
            return super().find(text)
        except HistoryError:
            if not self._take_in():
                raise
        return super().find(text)

    def _take_in(self) -> bool:
        """Keep the runs that are lacking; return whether there were any."""
        try:
            changed = self._folders.stat().st_mtime
            if changed == self._seen:
                return False
            names = os.listdir(self._folders)  # noqa: PTH208 (thousands of paths would take ten times as long)
        except OSError:
            return False
        now, taken_in = time.time(), False
        found = {name for name in names if not name.startswith(".")} - self._known
        with contextlib.suppress(HistoryError):
            lacking = self.without(found) if found else set()
            self._known |= found - lacking
            began = {name: _began(self._folders / name) for name in lacking}
            old = [
                name for name in sorted(lacking, key=began.__getitem__) if began[name] <= now - AGE_SECONDS
            ]
            for name in old[-AT_ONCE:]:
                taken_in |= self._adopt(self._folders / name)
                self._known.add(name)
            if lacking <= self._known and changed < now - SURE_SECONDS:
                self._seen = changed
        return taken_in

    def _adopt(self, folder: Path) -> bool:
        """Keep the run of a folder, and say whether it is one."""
        from kfp_jupyter.model.run import RunRef

        read = _read(folder)
        if read is not None:
            plan, state = read
            ref = RunRef(folder.name, plan.options.target, str(folder))
            self.record(ref, plan.pipeline, state, plan.options.labels or {}, again=False)
        return read is not None


def _began(folder: Path) -> float:
    """Return when a run was prepared or resumed, or when its folder was made."""
    for sign in (folder / "plan.json", folder):
        with contextlib.suppress(OSError):
            return sign.stat().st_mtime
    return 0.0


def _read(folder: Path) -> tuple[Plan, RunState] | None:
    """Return the plan of a run, and how far it has come; None if that cannot be read."""
    from kfp_jupyter.engines.local.folder import RunFolder
    from kfp_jupyter.engines.local.journal import state_in
    from kfp_jupyter.engines.local.plan import read_plan

    run = RunFolder(folder)
    try:
        plan, state = read_plan(run.plan), state_in(run.journal)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        # Not a run's, or one of another version.
        return None
    return None if state is None else (plan, state)
