"""The states of all runs that this process knows, and whom to tell when one changes.

Writers are the followers, one thread a run. Readers are the main thread (`run.state`), the comms and the
history. States are frozen, so a reader takes a run's whole state in one step and never sees half a change.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from threading import Condition, RLock

from kfp_jupyter.model.run import Event, RunState, TaskRun, apply

Subscriber = Callable[[RunState | None, RunState], None]
"""Called with a run's state before (None for a new run) and after a change."""

_LOG = logging.getLogger(__name__)
# Seconds after which waiting wakes although it is notified: on Windows an untimed wait cannot be interrupted.
_WAIT_SLICE = 0.5


class RunStore:
    """The state of each run by id. `version` of a run never goes back, whatever is applied or put."""

    def __init__(self) -> None:
        self._states: dict[str, RunState] = {}
        self._told: dict[str, RunState] = {}
        self._subscribers: list[Subscriber] = []
        self._changes: deque[tuple[RunState | None, RunState]] = deque()
        self._delivering = False
        # Serialises the writers, and is held while subscribers are called, so that each of them sees every
        # change once and in order. Reentrant, because a subscriber may write too. Contended by a handful of
        # followers, for about as long as the slowest subscriber takes; readers do not take it.
        self._writing = RLock()
        self._changed = Condition()

    def apply(self, run_id: str, event: Event) -> RunState:
        """Fold an event into a run's state and return the new state.

        Raises:
            ValueError: The run is not known and the event is not `RunCreated`.
        """
        with self._writing:
            return self.put(apply(self._states.get(run_id), event))

    def put(self, state: RunState) -> RunState:
        """Make `state` the run's state and return it, with a version that is later than the one before."""
        with self._writing:
            before = self._states.get(state.id)
            if state is before:
                return state
            if before is not None and state.version <= before.version:
                state = replace(state, version=before.version + 1)
            self._states[state.id] = state
            self._changes.append((before, state))
            if not self._delivering:
                self._deliver()
            return state

    def get(self, run_id: str) -> RunState | None:
        """Return a run's state, or None if this process does not know the run."""
        return self._states.get(run_id)

    def task(self, run_id: str, path: str) -> TaskRun | None:
        """Return the state of a task of a run, or None if this process does not know it."""
        state = self._states.get(run_id)
        return state.tasks.get(path) if state else None

    def all(self) -> list[RunState]:
        """Return the states of all known runs, in the order in which they became known."""
        return list(self._states.values())

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        """Call `callback(before, after)` on every change, in the writer's thread; return what ends that.

        A callback that raises is logged, and the others are still called.
        """
        with self._writing:
            self._subscribers.append(callback)

        def unsubscribe() -> None:
            with self._writing:
                if callback in self._subscribers:
                    self._subscribers.remove(callback)

        return unsubscribe

    def wait(
        self, run_id: str, done: Callable[[RunState], bool], timeout_seconds: float | None = None
    ) -> RunState | None:
        """Return the run's state once `done` is true of it, or after `timeout_seconds` (None: no limit).

        By then every subscriber has been told, so what they keep (the history) is up to date too. Returns
        None if the time is over and the run is still unknown. KeyboardInterrupt gets through at once.
        """
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        with self._changed:
            while True:
                state = self._told.get(run_id)
                if state is not None and done(state):
                    return state
                left = _WAIT_SLICE if deadline is None else deadline - time.monotonic()
                if left <= 0:
                    return state
                self._changed.wait(min(left, _WAIT_SLICE))

    def _deliver(self) -> None:
        """Tell everyone of the queued changes; one made by a subscriber meanwhile is queued behind them."""
        self._delivering = True
        try:
            while self._changes:
                before, after = self._changes.popleft()
                for callback in tuple(self._subscribers):
                    _call(callback, before, after)
                with self._changed:
                    self._told[after.id] = after
                    self._changed.notify_all()
        finally:
            # An interrupt in the main thread may end this early; the next change takes along what is left.
            self._delivering = False


def _call(callback: Subscriber, before: RunState | None, after: RunState) -> None:
    try:
        callback(before, after)
    except Exception:  # noqa: BLE001 - whatever a screen does, the run's other readers must hear of it
        _LOG.exception("a subscriber failed on a change of run %s", after.id)
