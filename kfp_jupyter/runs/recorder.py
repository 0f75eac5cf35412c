"""Keeps the history in step with the store: what is worth a write, and what happens when writing fails.

Losing sight of the history must never disturb a run. So a failed write is only noted, and tried again with
the next change.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import RunRef, RunState
from kfp_jupyter.runs.database import HistoryError
from kfp_jupyter.runs.follower import DISCONNECTED
from kfp_jupyter.runs.history import History
from kfp_jupyter.runs.store import RunStore

# How many times longer a history that failed is left alone.
_PATIENCE = 30


class Recorder:
    """Writes runs to the history as they change: the beginning, the end, and now and then a state between.

    Args:
        history: Where to write.
        store: Whose changes are written.
        interval_seconds: The shortest time between two writes of a run that has not ended.

    Attributes:
        problem: Why the last write failed; None if it did not.
    """

    def __init__(self, history: History, store: RunStore, interval_seconds: float = 1.0) -> None:
        self._history = history
        self._interval = interval_seconds
        # Only touched by the store's writers, which the store lets in one at a time, and by `record`, whose
        # run no other thread knows yet.
        self._written: dict[str, tuple[RunState, float]] = {}
        self._unkept: dict[str, tuple[RunRef, Pipeline, Mapping[str, str]]] = {}
        self.problem: HistoryError | None = None
        self.close = store.subscribe(self._changed)

    def record(self, ref: RunRef, pipeline: Pipeline, state: RunState, labels: Mapping[str, str]) -> None:
        """Keep a new run, and from now on its changes."""
        try:
            self._history.record(ref, pipeline, state, labels)
            self.problem = None
        except HistoryError as error:
            self.problem = error
            self._unkept[ref.run_id] = ref, pipeline, labels
        self._written[ref.run_id] = (state, time.monotonic())

    def resume(self, state: RunState) -> None:
        """Keep the changes of a run that was found in the history, where `state` is what is kept of it."""
        self._written[state.id] = (state, time.monotonic())

    def kept(self, run_id: str) -> RunState | None:
        """Return the state of a run that was written last, or found in the history; None of others."""
        known = self._written.get(run_id)
        return None if known is None else known[0]

    def _changed(self, _before: RunState | None, after: RunState) -> None:
        if after.id not in self._written or after.reason == DISCONNECTED:
            return
        known, written_at = self._written[after.id]
        now = time.monotonic()
        # A history that fails may take seconds to do so, and the run's screens wait meanwhile.
        interval = self._interval * (_PATIENCE if self.problem else 1)
        if not after.state.finished and now - written_at < interval:
            return
        try:
            if after.id in self._unkept:
                ref, pipeline, labels = self._unkept[after.id]
                self._history.record(ref, pipeline, after, labels)
                del self._unkept[after.id]
            else:
                self._history.update(after, known)
            self._written[after.id] = (after, now)
            self.problem = None
        except HistoryError as error:
            self._written[after.id] = (known, now)
            self.problem = error
