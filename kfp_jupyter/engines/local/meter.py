"""Tells what running steps use, and at their end what they have used.

They are looked at about once a second, all at once, and less often where a look takes long: it may take a
hundredth of the time. A step that ends within a second is never looked at. What was seen is told when it is
news for somebody who watches, so that a step that runs for hours is told of a hundred times. It is not
flushed to the disk: the end tells it again, by what the system counted.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from kfp_jupyter.engines.local.agenda import Agenda
from kfp_jupyter.engines.local.attempt import Attempt
from kfp_jupyter.engines.local.budget import limits
from kfp_jupyter.engines.local.journal import Journal
from kfp_jupyter.engines.local.process_usage import Spent, spent
from kfp_jupyter.engines.local.underway import Underway
from kfp_jupyter.model.run import UsageMeasured
from kfp_jupyter.model.usage import Usage

LOOK_SECONDS = 1.0
"""How often is looked, at most."""

LOOK_COST = 100
"""How many times longer than a look takes is waited for the next."""

TELL_SECONDS = 2.0
"""How long after its beginning, or after it was told of, a step is told of again."""

NEWS = 0.1
"""How much more a step must have used to be told of again, as a share of what was told."""


class _Seen:
    """What was seen of one process.

    Attributes:
        pid: Its id.
        told_at: When it was told of, or begun with.
        told: What was told.
        most: The most that was seen.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.told_at = time.monotonic()
        self.told = Usage(0.0, 0)
        self.most = Spent(0.0, 0)


class Meter:
    """Looks at what runs.

    Args:
        agenda: Where the looks stand.
        journal: Where to tell.
        running: What runs, by task; it changes.
    """

    def __init__(self, agenda: Agenda, journal: Journal, running: Mapping[str, Underway]) -> None:
        self._agenda = agenda
        self._journal = journal
        self._running = running
        self._seen: dict[str, _Seen] = {}

    def look(self) -> None:
        """Look, and look again in a while."""
        begin = time.monotonic()
        known: dict[str, _Seen] = {}
        for path, underway in self._running.items():
            pid = underway.attempt.pid if isinstance(underway.attempt, Attempt) else 0
            if pid:
                seen = self._seen.get(path)
                known[path] = seen if seen is not None and seen.pid == pid else _Seen(pid)
        old = {path: seen for path, seen in known.items() if path in self._seen}
        self._seen = known
        found = spent([seen.pid for seen in old.values()]) if old else {}
        for path, seen in old.items():
            if seen.pid in found:
                seen.most = _most(seen.most, found[seen.pid])
                self._tell(path, seen)
        took = time.monotonic() - begin
        self._agenda.after(max(LOOK_SECONDS, LOOK_COST * took), self.look)

    def ended(self, underway: Underway) -> Usage | None:
        """Return what an attempt that has ended used; None if it had no process."""
        seen = self._seen.pop(underway.task.name, None)
        most = seen.most if seen is not None else Spent(0.0, 0)
        ended = underway.attempt.ended if isinstance(underway.attempt, Attempt) else None
        if ended is not None:
            # What has left its parent is in neither of the two alone.
            most = _most(most, Spent(ended.cpu_seconds, ended.memory_bytes))
        return _usage(most, underway) if most.memory_bytes else None

    def _tell(self, path: str, seen: _Seen) -> None:
        now = time.monotonic()
        usage = _usage(seen.most, self._running[path])
        if now - seen.told_at >= TELL_SECONDS and usage.differs(seen.told, NEWS):
            seen.told, seen.told_at = usage, now
            self._journal.append(UsageMeasured(time.time(), path, usage), durable=False)


def _most(one: Spent, other: Spent) -> Spent:
    return Spent(max(one.cpu_seconds, other.cpu_seconds), max(one.memory_bytes, other.memory_bytes))


def _usage(most: Spent, underway: Underway) -> Usage:
    cores, memory = limits(underway.task.settings.resources)
    return Usage(round(most.cpu_seconds, 3), most.memory_bytes, cores, memory)
