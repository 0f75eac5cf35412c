"""Points of curves while their tasks still run, from the logs of their pods, where the executor marks them.

Only tasks that give out metrics are read, a few at a time; the others, and what a lost log has swallowed,
come with the task's outputs when it ends. A point that is told twice is the same point, so nothing has to be
remembered.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from queue import SimpleQueue
from threading import Event as Stop
from threading import Thread
from typing import Any

from kfp_jupyter.engines.argo.connection import Cluster
from kfp_jupyter.engines.argo.errors import ClusterError
from kfp_jupyter.engines.argo.outage import Outage
from kfp_jupyter.engines.argo.pods import AttemptPod, PodGoneError, attempt_pods, pod_lines
from kfp_jupyter.engines.argo.record import Record
from kfp_jupyter.engines.argo.status import Reading
from kfp_jupyter.executor.artifacts import Metrics
from kfp_jupyter.executor.markers import parse
from kfp_jupyter.model.run import MetricLogged, State
from kfp_jupyter.model.types import ArtifactType

READERS = 8
"""Logs that are read at once; each takes a connection and two threads."""


class Points:
    """Reads the logs of a run's running tasks that give out metrics.

    Args:
        cluster: Where the run is.
        record: What is known of its tasks.
    """

    def __init__(self, cluster: Cluster, record: Record) -> None:
        self._cluster = cluster
        self._record = record
        self._told: SimpleQueue[MetricLogged] = SimpleQueue()
        self._readers: dict[tuple[str, int], tuple[Thread, Stop]] = {}

    def attend(self, workflow: Mapping[str, Any], reading: Reading) -> None:
        """Begin to read what runs, and leave off what does not any more."""
        running = {
            (task, held.now.attempt)
            for task, held in reading.tasks.items()
            if held.now.state is State.RUNNING and self._has_metrics(task)
        }
        for key, (_, stop) in self._readers.items():
            if key not in running:
                stop.set()
        alive = sum(thread.is_alive() for thread, _ in self._readers.values())
        for key in sorted(running - self._readers.keys())[: max(0, READERS - alive)]:
            pods = attempt_pods(self._cluster, workflow, self._record, key[0])
            if pods:
                self._read(key, pods[-1])

    def told(self) -> list[MetricLogged]:
        """Return the points that came since the last call."""
        found = []
        # Nobody else takes from it.
        while not self._told.empty():
            found.append(self._told.get())
        return found

    def close(self) -> None:
        """Leave off all reading."""
        for _, stop in self._readers.values():
            stop.set()

    def _has_metrics(self, task: str) -> bool:
        component = self._record.component(task)
        return component is not None and any(
            isinstance(spec.type, ArtifactType) and spec.type.schema_title == Metrics.schema_title
            for spec in component.outputs
        )

    def _read(self, key: tuple[str, int], pod: AttemptPod) -> None:
        stop = Stop()
        thread = Thread(
            target=self._follow, args=(key[0], pod, stop), name=f"kfp-jupyter points {pod.name}", daemon=True
        )
        self._readers[key] = (thread, stop)
        thread.start()

    def _follow(self, task: str, pod: AttemptPod, stop: Stop) -> None:
        try:
            for line in pod_lines(self._cluster, pod, stop, follow=True, outage=Outage()):
                message = parse(line)[1] if line else None
                point = message.get("metric") if message else None
                if isinstance(point, dict):
                    self._tell(task, point)
        except (PodGoneError, ClusterError):
            # Curves are an extra: whoever may not read logs gets them when the task ends.
            return

    def _tell(self, task: str, point: Mapping[str, Any]) -> None:
        try:
            name, step, value = str(point["name"]), float(point["step"]), float(point["value"])
        except (KeyError, TypeError, ValueError):
            # Something that a user's program printed.
            return
        self._told.put(MetricLogged(time.time(), task, name, step, value))
