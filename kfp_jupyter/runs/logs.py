"""What tasks print, kept for screens that ask again and again for what is new.

A log is followed by a thread of its own from the first question on, into a buffer of bounded length. Lines
are numbered from 0 in the order the engine tells them, and a cursor is the number of the next line to read;
so a log that was dropped (nobody asked for a while, or too many are open) is simply followed again, and
cursors keep their meaning.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from threading import Condition, Thread
from threading import Event as Stop

from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.executor.markers import parse
from kfp_jupyter.model.run import RunRef

Follow = Callable[[RunRef, str, Stop], Iterator[str]]
"""Yields what a task prints until it has ended or the `Stop` is set: an engine's `logs(…, follow=True)`."""

LINES_KEPT = 10_000
"""The most lines kept of one task; the oldest go first, and readers are told."""

_LOG = logging.getLogger(__name__)
_LOGS_KEPT = 32
# Seconds that the first question waits for the first lines, so that a log that is there is shown at once.
_FIRST_LINES = 0.15


class LogBook:
    """The logs of tasks that somebody looks at.

    Args:
        follow: How a task's lines are got.
        idle_seconds: A log that nobody asked for during this time is not followed any longer.
        logs_kept: The most logs kept; the one asked for longest ago goes first.
    """

    def __init__(self, follow: Follow, idle_seconds: float = 60.0, logs_kept: int = _LOGS_KEPT) -> None:
        self._follow = follow
        self._idle_seconds = idle_seconds
        self._logs_kept = logs_kept
        self._logs: OrderedDict[tuple[str, str], _TaskLog] = OrderedDict()
        # Guards the dict and every buffer, and rings when lines came. Followers hold it for one line, readers
        # for one copy of what they ask for; with a handful of open logs nobody waits noticeably.
        self._news = Condition()
        self._closed = Stop()
        self._sweeper: Thread | None = None

    def read(self, ref: RunRef, task: str, after: int, attempt: int = 0) -> tuple[list[str], int, bool]:
        """Return what a task printed from line number `after` on.

        Args:
            ref: The run.
            task: The task's path.
            after: The cursor.
            attempt: The task's attempt by now: a log that ended with an earlier one is followed again.

        Returns:
            The lines, the cursor for the next question, and whether nothing more will come. Where lines had
            to be dropped, a line says so; it is not counted.
        """
        with self._news:
            log = self._log(ref, task, attempt)
            if log.began_seconds_ago < _FIRST_LINES:
                self._news.wait_for(lambda: log.ended or log.end > after, _FIRST_LINES)
            return log.read(after)

    def close(self) -> None:
        """End all threads."""
        self._closed.set()
        with self._news:
            for log in self._logs.values():
                log.stop.set()
            self._logs.clear()

    def _log(self, ref: RunRef, task: str, attempt: int) -> _TaskLog:
        key = (ref.run_id, task)
        log = self._logs.get(key)
        past = log is not None and (log.attempt < attempt if log.ended else log.stop.is_set())
        if log is None or past:
            log = self._logs[key] = _TaskLog(attempt)
            Thread(
                target=self._fill,
                args=(log, ref, task),
                name=f"kfp-jupyter log {ref.run_id}/{task}",
                daemon=True,
            ).start()
            self._sweep_from_now_on()
        self._logs.move_to_end(key)
        log.asked_at = time.monotonic()
        while len(self._logs) > self._logs_kept:
            _, oldest = self._logs.popitem(last=False)
            oldest.stop.set()
        return log

    def _fill(self, log: _TaskLog, ref: RunRef, task: str) -> None:
        problem = ""
        try:
            for line in self._follow(ref, task, log.stop):
                text, _ = parse(line)
                if log.stop.is_set():
                    return
                if text is not None:
                    with self._news:
                        log.add(text)
                        self._news.notify_all()
        except KfpJupyterError as error:
            problem = str(error)
        except Exception as error:  # noqa: BLE001 - who looks at a log must see why it stopped
            _LOG.exception("following the log of %s/%s failed", ref.run_id, task)
            problem = f"{type(error).__name__}: {error}"
        with self._news:
            if problem:
                log.add(f"— the log could not be read further: {problem} —")
            log.ended = not log.stop.is_set()
            self._news.notify_all()

    def _sweep_from_now_on(self) -> None:
        if self._sweeper is None or not self._sweeper.is_alive():
            self._sweeper = Thread(target=self._sweep, name="kfp-jupyter log sweeper", daemon=True)
            self._sweeper.start()

    def _sweep(self) -> None:
        """Stop the followers of logs that nobody asks for; ends when there are none left to watch."""
        while not self._closed.wait(self._idle_seconds / 4):
            with self._news:
                followed = [log for log in self._logs.values() if not log.ended and not log.stop.is_set()]
                if not followed:
                    self._sweeper = None
                    return
                for log in followed:
                    if time.monotonic() - log.asked_at > self._idle_seconds:
                        log.stop.set()


class _TaskLog:
    """The buffer of one task's log."""

    def __init__(self, attempt: int) -> None:
        self.attempt = attempt
        self.lines: deque[str] = deque(maxlen=LINES_KEPT)
        self.end = 0
        self.ended = False
        self.stop = Stop()
        self.asked_at = self._began_at = time.monotonic()

    @property
    def began_seconds_ago(self) -> float:
        return time.monotonic() - self._began_at

    def add(self, line: str) -> None:
        self.lines.append(line)
        self.end += 1

    def read(self, after: int) -> tuple[list[str], int, bool]:
        start = self.end - len(self.lines)
        skipped = start - max(after, 0)
        lines = list(islice(self.lines, max(0, -skipped), None))
        if skipped > 0:
            lines.insert(0, f"— {skipped:,} earlier lines are not kept here —")
        reached = max(after, self.end)
        return lines, reached, self.ended


def lines_or_tail(lines: Iterator[str], tail: Sequence[str]) -> Iterator[str]:
    """Yield a task's lines; if they cannot be had at all, those that were kept when the task ended.

    A pod that was removed has taken its log along.
    """
    begun = False
    try:
        for line in lines:
            begun = True
            yield line
    except KfpJupyterError:
        if begun or not tail:
            raise
        yield from tail
