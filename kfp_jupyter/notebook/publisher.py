"""The one thread that tells every screen what changed.

    followers (a thread a run) → RunStore ──wakes──▶ Publisher ──messages──▶ screens (comms, widgets)
                                                         └──ended runs──▶ displays

Why one thread: widget traits may only be set from a single thread, a screen must see a snapshot before the
deltas that build on it, and a burst of a thousand events must become ten messages a second. So followers only
leave the newest state of their run here and ring; the thread takes what has gathered, sends it, and rests for
the remainder of a tenth of a second.

The publisher remembers the state it last sent of each run: a delta is always what lies between two states
that were sent, and a screen that joins gets exactly those states, whatever has happened in the store since.

It never prints (ipykernel would put the text under whichever cell ran last) and never dies silently: what
goes wrong is logged, sent to the screens as an `error` message and kept in `failure`, and the thread goes on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event, Lock, Thread, current_thread
from typing import Any, Protocol

from kfp_jupyter.model.run import RunState, State
from kfp_jupyter.model.types import Json
from kfp_jupyter.notebook.failures import describe
from kfp_jupyter.runs.store import RunStore
from kfp_jupyter.view.delta import delta

_LOG = logging.getLogger(__name__)
# Seconds between two rounds: at most ten messages a second for a run.
_PACE = 0.1
# Seconds after which what other processes do is looked at, whatever happens here.
_GLANCE = 3.0
# Seconds to wait for the thread to end when the extension is unloaded.
_JOIN = 2.0


class Source(Protocol):
    """What the publisher asks for what it sends; the notebook's session answers from the workbench."""

    def workbench_message(self, *, targets: bool) -> dict[str, Json]:
        """Return the `workbench` message; with `targets` after looking for targets anew."""
        ...

    def document(self, run: RunState) -> dict[str, Json]:
        """Return the RunDocument of that state of a run."""
        ...

    def reconnect(self) -> None:
        """Take up again the runs that had not ended when the kernel was restarted."""
        ...

    def look_around(self) -> None:
        """Take up the runs that others have begun, or gone on with, since."""
        ...


class Screen(Protocol):
    """Someone who looks: one comm of a front end, or one widget."""

    def send(self, message: dict[str, Json]) -> None:
        """Deliver a message; an exception means that the screen is gone."""
        ...


class Publisher:
    """Coalesces the store's changes and sends them to the screens.

    Args:
        store: The runs.
        source: Where messages come from.
        ended: Called (in the publisher's thread) with the last state of each run that has ended.
    """

    def __init__(self, store: RunStore, source: Source, ended: Callable[[RunState], None]) -> None:
        self.failure: BaseException | None = None
        self._source = source
        self._ended = ended
        self.store = store
        # Guards what other threads leave here; held for a few pointer moves only.
        self._lock = Lock()
        self._changed: dict[str, RunState] = {}
        self._joining: list[Screen] = []
        self._stale = False
        self._screens: list[Screen] = []
        # Touched by the thread alone.
        self._sent: dict[str, RunState] = {}
        self._sent_workbench: dict[str, Json] | None = None
        self._bell = Event()
        self._stop = Event()
        self._thread: Thread | None = None
        self._unsubscribe = store.subscribe(self._note)

    def join(self, screen: Screen) -> None:
        """Add a screen; it gets the workbench and the live runs, then every change."""
        with self._lock:
            self._joining.append(screen)
        self._ring()

    def leave(self, screen: Screen) -> None:
        """Send nothing more to a screen."""
        with self._lock:
            self._joining = [other for other in self._joining if other is not screen]
            self._screens = [other for other in self._screens if other is not screen]

    def refresh(self) -> None:
        """Say that pipelines or the target in use may have changed."""
        with self._lock:
            self._stale = True
            watched = bool(self._screens)
        if watched:
            self._ring()

    def stop(self) -> None:
        """End the thread and forget the screens. Safe to call twice."""
        self._unsubscribe()
        self._stop.set()
        self._bell.set()
        thread = self._thread
        if thread is not None and thread is not current_thread():
            thread.join(_JOIN)
        with self._lock:
            self._screens, self._joining = [], []

    def _note(self, _before: RunState | None, after: RunState) -> None:
        with self._lock:
            self._changed[after.id] = after
        self._ring()

    def _ring(self) -> None:
        # Started by the first need, so that loading the extension starts nothing.
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._thread = Thread(target=self._work, name="kfp-jupyter-publisher", daemon=True)
                self._thread.start()
        self._bell.set()

    def _work(self) -> None:
        glanced = time.monotonic()
        while not self._stop.is_set():
            with self._lock:
                watched = bool(self._screens)
            rang = self._bell.wait(_GLANCE if watched else None)
            self._bell.clear()
            if self._stop.is_set():
                return
            if rang:
                self._round()
            if not rang or (watched and time.monotonic() - glanced >= _GLANCE):
                self._survive(self._glance)
                glanced = time.monotonic()
            self._stop.wait(_PACE)

    def _round(self) -> None:
        with self._lock:
            changed, self._changed = self._changed, {}
            joining = tuple(self._joining)
            stale, self._stale = self._stale, False
            watched = bool(self._screens)
        for state in changed.values():
            before = self._sent.get(state.id)
            self._survive(self._tell_change, before, state)
            if _end(state) not in (None, _end(before)):
                self._survive(self._ended, state)
        if joining:
            self._survive(self._greet, joining)
        if (changed or stale) and watched:
            self._survive(self._tell_workbench)

    def _glance(self) -> None:
        """See what others do with the same history; asked for only while somebody looks."""
        self._source.look_around()
        self._tell_workbench()

    def _survive(self, part: Callable[..., None], *arguments: Any) -> None:
        """Do one part of a round; what fails in it is told, and the other parts still happen."""
        try:
            part(*arguments)
        except Exception as error:  # noqa: BLE001 - a thread that dies leaves every screen as it was
            _LOG.exception("the publisher failed")
            self.failure = error
            self._send({"type": "error", "error": describe(error)})

    def _tell_change(self, before: RunState | None, state: RunState) -> None:
        self._sent[state.id] = state
        if before is None:
            self._send({"type": "run", "document": self._source.document(state)})
        elif before.version != state.version:
            self._send(delta(before, state))

    def _tell_workbench(self) -> None:
        message = self._source.workbench_message(targets=False)
        if message != self._sent_workbench:
            self._sent_workbench = message
            self._send(message)

    def _greet(self, joining: tuple[Screen, ...]) -> None:
        with self._lock:
            # Some may have left since they were seen.
            greeted = [screen for screen in joining if screen in self._joining]
            self._joining = [screen for screen in self._joining if screen not in greeted]
            self._screens.extend(greeted)
        # If this greeting fails, what was sent to the others is news to these, at the next glance.
        self._sent_workbench = None
        self._source.reconnect()
        message = self._source.workbench_message(targets=True)
        self._sent_workbench = message
        # All screens get it: the newly found targets are news to the others too.
        self._send(message)
        for state in self.store.all():
            if state.state.finished:
                continue
            known = self._sent.get(state.id)
            if known is None:
                # It has begun a moment ago: none of the others has heard of it either.
                self._tell_change(None, state)
                continue
            message = {"type": "run", "document": self._source.document(known)}
            for screen in greeted:
                self._deliver(screen, message)

    def _send(self, message: dict[str, Json]) -> None:
        with self._lock:
            screens = tuple(self._screens)
        for screen in screens:
            self._deliver(screen, message)

    def _deliver(self, screen: Screen, message: dict[str, Json]) -> None:
        try:
            screen.send(message)
        except Exception:  # noqa: BLE001 - whatever a comm or widget raises, the others go on
            _LOG.exception("a screen is gone")
            self.leave(screen)


def _end(state: RunState | None) -> tuple[State, float | None] | None:
    """Return how and when a run has ended; None if it goes on. One that was resumed ends again."""
    return (state.state, state.finished_at) if state is not None and state.state.finished else None
