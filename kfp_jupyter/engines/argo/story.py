"""The events of one run, from what a watch sees of its Workflow and what its pods say.

Argo writes the states of tasks only every ten seconds. While a task waits for its pod, the pods are looked at
as well, often at first and ever more seldom while nothing happens; that it runs is told when its pod does.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from kfp_jupyter.engines.argo.connection import Cluster
from kfp_jupyter.engines.argo.errors import ClusterError
from kfp_jupyter.engines.argo.failure import read_failure
from kfp_jupyter.engines.argo.pods import attempt_pods, begun_nodes, last_lines
from kfp_jupyter.engines.argo.points import Points
from kfp_jupyter.engines.argo.record import Record, read_record
from kfp_jupyter.engines.argo.status import RETRYING, Reading, changes, read
from kfp_jupyter.engines.argo.watch import Lost
from kfp_jupyter.model.run import Event, RunCreated, RunRef, State, TaskChanged

PICKED_UP_SECONDS = 10.0
"""A Workflow that no controller has touched for so long is probably seen by none."""

LOOK_SECONDS = 1.0
"""How long after the last look pods are looked at again, at first; later a tenth of the time without news."""

LONGEST_LOOK_SECONDS = 10.0
"""What that grows to: by then Argo has written the state itself."""

LOST_SECONDS = 20.0
"""A cluster that cannot be reached for so long is worth a word."""

FAILURE_LINES = 200
"""Lines of a failed task's log that are read: the error is told at its end."""

_NOT_PICKED_UP = (
    "No Argo controller has picked it up yet. Is the workflow-controller running, does it manage namespace "
    "{!r}, and does it want an instance id?"
)


class Story:
    """Tells one run.

    Args:
        ref: The run.
        cluster: Where it is.
    """

    def __init__(self, ref: RunRef, cluster: Cluster) -> None:
        self._ref = ref
        self._cluster = cluster
        self._record: Record | None = None
        self._points: Points | None = None
        self._before: Reading | None = None
        self._worry = ""
        self._workflow: Mapping[str, Any] = {}
        self._begun: set[str] = set()
        self._news_at = self._look_at = 0.0

    @property
    def finished(self) -> bool:
        """True once the run's end has been told."""
        return self._before is not None and self._before.run.state.finished

    def news(self, workflow: Mapping[str, Any]) -> Iterator[Event]:
        """Yield what a Workflow says that has not been told yet."""
        self._news_at = time.monotonic()
        self._workflow = workflow
        if self._record is None:
            self._record = read_record(workflow)
        after = read(workflow, self._record, self._begun)
        if self._points is None:
            self._points = Points(self._cluster, self._record)
            yield _created(self._ref, after, self._record)
        self._points.attend(workflow, after)
        yield from self._points.told()
        for event in changes(self._before, after):
            yield self._with_log(workflow, self._record, event)
        self._before, self._worry = after, ""

    def silence(self, lost: Lost | None) -> Iterator[Event]:
        """Yield what there is to say while the Workflow does not change."""
        if self._points is not None:
            yield from self._points.told()
        if self._before is None:
            return
        if lost is None and self._has_begun():
            yield from self.news(self._workflow)
        worry = _worry(lost, self._before, self._cluster.namespace)
        if worry != self._worry:
            self._worry = worry
            yield replace(self._before.run, message=worry or self._before.run.message)

    def _has_begun(self) -> bool:
        """Look at the pods if it is time to; say whether one runs of which that was not known."""
        now = time.monotonic()
        if now < self._look_at or self._before is None or not _waits(self._before):
            return False
        self._look_at = now + min(max((now - self._news_at) / 10, LOOK_SECONDS), LONGEST_LOOK_SECONDS)
        try:
            found = begun_nodes(self._cluster, self._workflow["metadata"]["name"])
        except ClusterError:
            # An extra: whoever may not list pods is told when Argo writes it.
            return False
        new = found - self._begun
        self._begun |= new
        return bool(new)

    def close(self) -> None:
        """Leave off reading the pods."""
        if self._points is not None:
            self._points.close()

    def _with_log(self, workflow: Mapping[str, Any], record: Record, event: Event) -> Event:
        """Return the event of a failed task with what its pod says about it."""
        if not isinstance(event, TaskChanged) or event.state is not State.FAILED:
            return event
        pods = attempt_pods(self._cluster, workflow, record, event.task)
        if not pods:
            return event
        lines = last_lines(self._cluster, pods[-1], FAILURE_LINES)
        error, tail = read_failure(lines, record.component(event.task), event.error)
        return replace(event, error=error, log_tail=tail)


def _created(ref: RunRef, reading: Reading, record: Record) -> RunCreated:
    tasks = tuple(record.tasks.values())
    about = (ref.run_id, record.pipeline, ref.target, record.arguments, tasks, record.notices)
    return RunCreated(reading.created, *about)


def _waits(reading: Reading) -> bool:
    """Say whether a task has a pod that is not known to run."""
    return any(
        held.starts and held.now.state is State.PENDING and held.now.reason != RETRYING
        for held in reading.tasks.values()
    )


def _worry(lost: Lost | None, before: Reading, namespace: str) -> str:
    """Return what people should know about a run of which there is no news; empty if all is well."""
    if lost is not None:
        return f"{lost.reason} Trying again." if lost.seconds > LOST_SECONDS else ""
    idle = before.run.state is State.PENDING and not before.run.message
    return (
        _NOT_PICKED_UP.format(namespace) if idle and time.time() - before.created > PICKED_UP_SECONDS else ""
    )
