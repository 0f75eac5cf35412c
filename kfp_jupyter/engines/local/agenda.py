"""What a run's one deciding thread does next: what others ask of it, and what is due at a time."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable

Action = Callable[[], None]


class Agenda:
    """Actions in the order in which they were asked for, and those of a time once it has come.

    Only `put` may be called from other threads and from signal handlers.
    """

    def __init__(self) -> None:
        # Neither `Queue`, whose lock a signal handler could find held by the thread that it interrupts, nor
        # `SimpleQueue`, whose `get` waits for ever if its timeout has passed before it begins to wait (in
        # Python up to 3.12).
        self._actions: deque[Action] = deque()
        self._alarms: list[tuple[float, int, Action]] = []
        self._order = itertools.count()
        # Free when something was put since the last look.
        self._news = threading.Lock()

    def put(self, action: Action) -> None:
        """Ask for an action."""
        self._actions.append(action)
        with contextlib.suppress(RuntimeError):  # It is free already.
            self._news.release()

    def after(self, seconds: float, action: Action) -> None:
        """Ask for an action once so many seconds have passed."""
        heapq.heappush(self._alarms, (time.monotonic() + seconds, next(self._order), action))

    def next(self) -> Action:
        """Wait for the next action, and return it."""
        while not self._actions:
            wait = threading.TIMEOUT_MAX
            if self._alarms:
                wait = min(wait, self._alarms[0][0] - time.monotonic())
                if wait <= 0:
                    return heapq.heappop(self._alarms)[2]
            self._news.acquire(timeout=wait)
        return self._actions.popleft()
