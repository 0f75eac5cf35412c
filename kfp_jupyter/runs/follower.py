"""Following one run: a thread that folds the engine's events into the store until the run has ended.

An engine tells a run's events from the first one on, so a run that is found again is told anew. What a screen
already shows must not go back meanwhile: the told events are folded aside, and shown once they have caught
up.

Nothing gets lost silently: an engine that fails leaves the run as last seen, with the reason `Disconnected`
and the engine's message. Whoever wants to see more starts another follower. A run that its engine knows to be
gone has failed, with the reason `Gone`: nobody will ever learn how it ended.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from threading import Event as Stop
from threading import Lock, Thread, Timer

from kfp_jupyter.errors import GoneError, KfpJupyterError
from kfp_jupyter.model.run import Event, RunChanged, RunRef, RunState, State, TaskChanged, apply
from kfp_jupyter.runs.store import RunStore

DISCONNECTED = "Disconnected"
"""The reason of a run whose engine could not be followed any more; its state is the last one seen."""

GONE = "Gone"
"""The reason of a run that was deleted before its end was seen."""

_LOG = logging.getLogger(__name__)
_CATCH_UP_SECONDS = 0.5
_GOODBYE_SECONDS = 1.0


class Follower:
    """Follows one run in a daemon thread of its own.

    Args:
        store: Where the run's state is kept.
        run_id: The run.
        events: Gives the run's events until they end or the given `Stop` is set.
        goes_on: Called in the end if the run goes on although the events have told its end: somebody had it
            go on before that end was noticed here.
    """

    def __init__(
        self,
        store: RunStore,
        run_id: str,
        events: Callable[[Stop], Iterator[Event]],
        goes_on: Callable[[], None] | None = None,
    ) -> None:
        self._store = store
        self._run_id = run_id
        self._events = events
        self._goes_on = goes_on
        self._over = False
        self._replay = _Replay(store, run_id)
        self._caught_up = Stop()
        self._stop = _Rest(self._rests)
        self._thread = Thread(target=self._follow, name=f"kfp-jupyter run {run_id}", daemon=True)

    def start(self) -> None:
        """Begin to follow; once only."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; the run itself goes on."""
        self._stop.set()

    def join(self, timeout_seconds: float) -> None:
        """Wait until the thread has ended."""
        self._thread.join(timeout_seconds)

    def catch_up(self, timeout_seconds: float) -> None:
        """Wait until the store has all that the engine knows by now, or until the thread has ended."""
        self._caught_up.wait(timeout_seconds)

    @property
    def following(self) -> bool:
        """True as long as events may still come."""
        return self._thread.is_alive() and not self._stop.is_set() and not self._over

    def _rests(self) -> None:
        self._replay.catch_up()
        self._caught_up.set()

    def _follow(self) -> None:
        try:
            self._fold()
        finally:
            self._caught_up.set()

    def _fold(self) -> None:
        replay, gone = self._replay, False
        try:
            for event in self._events(self._stop):
                if self._stop.is_set():
                    return
                replay.add(event)
            replay.end()
            problem = "The engine said no more before the run had ended."
        except KfpJupyterError as error:
            problem, gone = str(error), isinstance(error, GoneError)
        except Exception as error:  # noqa: BLE001 - a thread that dies leaves a run "running" for ever
            _LOG.exception("following run %s failed", self._run_id)
            problem = f"{type(error).__name__}: {error}"
        finally:
            replay.finish()
        # Who hears what is told below may want the run followed again, while this thread is still there.
        self._over = True
        state = self._store.get(self._run_id)
        if self._stop.is_set() or state is None or state.state.finished:
            return
        if replay.ended and self._goes_on is not None:
            self._goes_on()
        else:
            ended = _gone(state, problem) if gone else replace(state, reason=DISCONNECTED, message=problem)
            self._store.put(ended)


def _gone(state: RunState, why: str) -> RunState:
    """Return the state with an end: everything that was going on failed when it was last heard of."""
    times = [state.created_at, state.started_at]
    for task in state.tasks.values():
        times += [task.started_at, task.finished_at]
    last = max(time for time in times if time is not None)
    for path, task in state.tasks.items():
        if not task.state.finished:
            begun = task.state in (State.RUNNING, State.CANCELING)
            end = State.FAILED if begun else State.SKIPPED
            state = apply(state, TaskChanged(last, path, end, reason=GONE, message="The run is gone."))
    return apply(state, RunChanged(last, State.FAILED, GONE, f"{why} How the run ended is not known."))


class Followers:
    """A follower for each run that is to be followed, and never two of one run.

    Args:
        store: Where the runs' states are kept.
        events: Gives a run's events: an engine's `events`.
    """

    def __init__(self, store: RunStore, events: Callable[[RunRef, Stop], Iterator[Event]]) -> None:
        self._store = store
        self._events = events
        self._followers: dict[str, Follower] = {}
        # Main thread and comm handlers may ask for the same run at once; held for a look and a thread's
        # start.
        self._lock = Lock()

    def follow(self, ref: RunRef) -> None:
        """Have a thread follow a run of the store, if it is open and none does."""
        with self._lock:
            state = self._store.get(ref.run_id)
            follower = self._followers.get(ref.run_id)
            if state is None or state.state.finished or (follower is not None and follower.following):
                return
            if state.reason == DISCONNECTED:
                self._store.put(replace(state, reason="", message=""))
            self._start(ref, partial(self._follow_again, ref))

    def _follow_again(self, ref: RunRef) -> None:
        with self._lock:
            # Not if all were ended meanwhile; and once: who tells the same end again knows no more.
            if ref.run_id in self._followers and not self._followers[ref.run_id].following:
                self._start(ref, None)

    def _start(self, ref: RunRef, goes_on: Callable[[], None] | None) -> None:
        follower = Follower(self._store, ref.run_id, partial(self._events, ref), goes_on)
        self._followers[ref.run_id] = follower
        follower.start()

    def catch_up(self, run_ids: Iterable[str], timeout_seconds: float) -> None:
        """Wait until the store has all that engines know by now of runs that are followed, but no longer."""
        deadline = time.monotonic() + timeout_seconds
        for follower in [self._followers[run_id] for run_id in run_ids if run_id in self._followers]:
            follower.catch_up(max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        """End all threads; the runs go on."""
        with self._lock:
            followers, self._followers = list(self._followers.values()), {}
        for follower in followers:
            follower.stop()
        deadline = time.monotonic() + _GOODBYE_SECONDS
        for follower in followers:
            follower.join(max(0.0, deadline - time.monotonic()))


class _Rest(Stop):
    """A stop that says when it is waited for: by then the engine has told all that there is to tell.

    Args:
        begins: Called in the thread that waits, each time.
    """

    def __init__(self, begins: Callable[[], None]) -> None:
        super().__init__()
        self._begins = begins

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, as any `Event` does."""
        self._begins()
        return super().wait(timeout)


class _Replay:
    """The events told so far, kept aside until they are as new as what the store shows."""

    def __init__(self, store: RunStore, run_id: str) -> None:
        self._store = store
        self._state: RunState | None = None
        self._shown: RunState | None = None
        self._began = time.time()
        known = store.get(run_id)
        self._known_version = known.version if known else 0
        # The timer's thread and the follower's both show the state; the lock keeps the older from coming
        # second.
        self._showing = Lock()
        # The count of events says when all is caught up, except where an engine tells fewer of them this
        # time.
        self._timer = Timer(_CATCH_UP_SECONDS, self.catch_up)
        self._timer.daemon = True

    def add(self, event: Event) -> None:
        """Fold an event, and show the result if it is news."""
        with self._showing:
            if self._state is None:
                self._timer.start()
            self._state = apply(self._state, event)
            news = (
                self._shown is not None
                or self._state.version >= self._known_version
                or event.time >= self._began
            )
        if news:
            self._show()

    def end(self) -> None:
        """Show how all ended: an engine may tell fewer events this time.

        An end among the events is not it: a run that was resumed has one behind it.
        """
        if self.ended:
            self._show()

    @property
    def ended(self) -> bool:
        """True if the last event that was told is the run's end."""
        return self._state is not None and self._state.state.finished

    def finish(self) -> None:
        """End the keeping aside; what has not caught up by now is older than what is shown."""
        self._timer.cancel()

    def catch_up(self) -> None:
        """Show what was told, unless it is an end: whether it is the last is known when no more comes."""
        self._show(end=False)

    def _show(self, *, end: bool = True) -> None:
        with self._showing:
            if self.ended and not end:
                return
            if self._state is not None and self._state is not self._shown:
                self._shown = self._state
                self._store.put(self._state)
