"""What a run's one deciding thread does next: what others ask of it, and what is due at a time."""

from __future__ import annotations

import heapq
import itertools
import queue
import time
from collections.abc import Callable

Action = Callable[[], None]


class Agenda:
    """Actions in the order in which they were asked for, and those of a time once it has come.

    Only `put` may be called from other threads and from signal handlers.
    """

    def __init__(self) -> None:
        # Not `Queue`, whose lock a signal handler could find held by the thread that it interrupts.
        self._actions: queue.SimpleQueue[Action] = queue.SimpleQueue()
        self._alarms: list[tuple[float, int, Action]] = []
        self._order = itertools.count()

    def put(self, action: Action) -> None:
        """Ask for an action."""
        self._actions.put(action)

    def after(self, seconds: float, action: Action) -> None:
        """Ask for an action once so many seconds have passed."""
        heapq.heappush(self._alarms, (time.monotonic() + seconds, next(self._order), action))

    def next(self) -> Action:
        """Wait for the next action, and return it."""
        wait = max(0.0, self._alarms[0][0] - time.monotonic()) if self._alarms else None
        try:
            return self._actions.get(timeout=wait)
        except queue.Empty:
            return heapq.heappop(self._alarms)[2]
