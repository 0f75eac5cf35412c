"""The pods of a task's attempts and what they print.

A pod's name is computed as Argo computes it; where that does not hit (an older Argo, an inline template), and
where a large run's nodes are out of reach, pods are found by their labels and annotations.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from threading import Event as Stop
from typing import Any

from kfp_jupyter.engines.argo.connection import Cluster
from kfp_jupyter.engines.argo.emissary import Emissary
from kfp_jupyter.engines.argo.errors import ClusterError, RequestError
from kfp_jupyter.engines.argo.lines import Lines
from kfp_jupyter.engines.argo.names import pod_name
from kfp_jupyter.engines.argo.nodes import NodesOutOfReachError, task_attempts
from kfp_jupyter.engines.argo.outage import Outage
from kfp_jupyter.engines.argo.record import Record

SILENCE_SECONDS = 120.0
"""A log that says nothing for so long is asked for again: a dead connection looks the same."""

_PAUSE_SECONDS = 1.0
_TICK_SECONDS = 0.5
_LABEL = "workflows.argoproj.io/workflow"
_COMPLETED = "workflows.argoproj.io/completed"
_NODE_NAME = "workflows.argoproj.io/node-name"
_NODE_ID = "workflows.argoproj.io/node-id"


class PodGoneError(Exception):
    """The pod has been removed, and its log with it."""


@dataclass(frozen=True, slots=True)
class AttemptPod:
    """The pod of one attempt.

    Attributes:
        name: The pod's name, as computed.
        node: The id of its node; empty if unknown.
        ended: Whether the attempt is over.
    """

    name: str
    node: str
    ended: bool


def attempt_pods(
    cluster: Cluster, workflow: Mapping[str, Any], record: Record, task: str
) -> list[AttemptPod]:
    """Return the pods of a task's attempts so far, first to last.

    Raises:
        ClusterError: They had to be asked for, and could not be.
    """
    metadata = workflow["metadata"]
    version = metadata.get("annotations", {}).get("workflows.argoproj.io/pod-name-format", "v2")
    try:
        nodes = task_attempts(workflow, record, task)
    except NodesOutOfReachError:
        return _found_pods(cluster, metadata["name"], record, task)
    return [
        AttemptPod(
            pod_name(metadata["name"], node["name"], _template_name(node), version=version),
            node["id"],
            node["phase"] not in ("", "Pending", "Running"),
        )
        for node in nodes
    ]


def begun_nodes(cluster: Cluster, workflow: str) -> set[str]:
    """Return the ids of a Workflow's nodes whose pods run, or have run and not been taken note of by Argo.

    Argo writes states every ten seconds; a pod's own is there at once.

    Raises:
        ClusterError: They cannot be asked for.
    """
    query = {
        "labelSelector": f"{_LABEL}={workflow},{_COMPLETED}=false",
        "fieldSelector": "status.phase!=Pending",
    }
    items = cluster.get(_path(cluster), query).get("items") or []
    return {str(item["metadata"].get("annotations", {}).get(_NODE_ID, "")) for item in items}


def pod_lines(
    cluster: Cluster, pod: AttemptPod, stop: Stop, *, follow: bool, outage: Outage | None = None
) -> Iterator[str | None]:
    """Yield the lines that a step printed in its pod, without Argo's own, and None while it is silent.

    With `follow` until the container ends, with `outage` through those of the cluster. Lost connections are
    taken up where they were lost: by the lines' timestamps, so that none comes twice.

    Raises:
        PodGoneError: The pod is not there any more.
        ClusterError: Its log may not be read.
    """
    name = pod.name
    position, emissary = _Position(), Emissary()
    while not stop.is_set():
        query = {"container": "main", "timestamps": "true", **({"follow": "true"} if follow else {})}
        try:
            try:
                place = f"{_path(cluster)}/{name}/log"
                answer = cluster.stream(place, query | position.since(), SILENCE_SECONDS)
            except RequestError as error:
                if error.status == 404:
                    name = _other_name(cluster, pod, name)
                    continue
                if error.status != 400 or "waiting to start" not in error.message:
                    raise
                if not follow:
                    return
                yield None
                stop.wait(_PAUSE_SECONDS)
                continue
            ended = yield from _read(Lines(answer), position, emissary, stop)
            if not ended and outage is not None:
                outage.lost()
            if ended and not (follow and _phase(cluster, name) == "Running"):
                return
        except ClusterError as error:
            if outage is None or not outage.passes(error):
                raise
            yield None
            stop.wait(_PAUSE_SECONDS)


def last_lines(cluster: Cluster, pod: AttemptPod, count: int) -> list[str]:
    """Return the last lines that a step printed in its pod, about so many; none if they cannot be had."""
    emissary = Emissary()
    return [shown for line in _last_lines(cluster, pod, count) for shown in emissary.without(line)]


def _last_lines(cluster: Cluster, pod: AttemptPod, count: int) -> list[str]:
    query = {"container": "main", "tailLines": str(count)}
    try:
        try:
            return cluster.text(f"{_path(cluster)}/{pod.name}/log", query).splitlines()
        except RequestError as error:
            if error.status != 404:
                raise
            name = _other_name(cluster, pod, pod.name)
            return cluster.text(f"{_path(cluster)}/{name}/log", query).splitlines()
    except (PodGoneError, ClusterError):
        return []


class _Position:
    """How far a log has been read: the last timestamp, and how many lines have it."""

    def __init__(self) -> None:
        self._last = ""
        self._count = 0
        self._again = 0

    def since(self) -> dict[str, str]:
        """Return the query for what comes from here on; whole seconds, which is what Kubernetes takes."""
        self._again = self._count
        return {"sinceTime": f"{self._last[:19]}Z"} if self._last else {}

    def is_new(self, stamp: str) -> bool:
        """Say whether a line of that timestamp has not been read yet, and count it as read."""
        seconds, _, fraction = stamp.rstrip("Z").partition(".")
        moment = f"{seconds}.{fraction:0<9}"
        if moment < self._last:
            return False
        if moment == self._last:
            if self._again > 0:
                self._again -= 1
                return False
            self._count += 1
            return True
        self._last, self._count, self._again = moment, 1, 0
        return True


def _read(
    lines: Lines, position: _Position, emissary: Emissary, stop: Stop
) -> Generator[str | None, None, bool]:
    """Yield new lines; return True if the log ended, False if it was lost or `stop` was set."""
    try:
        while not stop.is_set():
            line = lines.next(_TICK_SECONDS)
            if line is None:
                yield None
                continue
            stamp, _, text = line.partition(" ")
            if position.is_new(stamp):
                yield from emissary.without(text)
    except EOFError:
        return True
    except ConnectionError:
        return False
    finally:
        lines.close()
    return False


def _path(cluster: Cluster) -> str:
    return f"/api/v1/namespaces/{cluster.namespace}/pods"


def _phase(cluster: Cluster, name: str) -> str:
    try:
        found = cluster.get(f"{_path(cluster)}/{name}")
    except RequestError as error:
        if error.status == 404:
            return ""
        raise
    return str((found.get("status") or {}).get("phase", ""))


def _template_name(node: Mapping[str, Any]) -> str:
    return str((node.get("templateRef") or {}).get("template") or node.get("templateName") or "")


def _other_name(cluster: Cluster, pod: AttemptPod, tried: str) -> str:
    """Return the pod's real name if it is not the computed one.

    Raises:
        PodGoneError: There is no such pod.
    """
    workflow = pod.node.rpartition("-")[0]
    found = cluster.get(_path(cluster), {"labelSelector": f"{_LABEL}={workflow}"})
    for item in found.get("items") or []:
        metadata = item["metadata"]
        if metadata.get("annotations", {}).get(_NODE_ID) == pod.node and metadata["name"] != tried:
            return str(metadata["name"])
    raise PodGoneError


def _found_pods(cluster: Cluster, workflow: str, record: Record, task: str) -> list[AttemptPod]:
    argo = next((name for name, path in record.tasks.items() if path == task), task)
    found = cluster.get(_path(cluster), {"labelSelector": f"{_LABEL}={workflow}"})
    pods: list[tuple[str, AttemptPod]] = []
    for item in found.get("items") or []:
        annotations = item["metadata"].get("annotations", {})
        node = annotations.get(_NODE_NAME, "")
        if node == f"{workflow}.{argo}" or node.startswith(f"{workflow}.{argo}("):
            phase = (item.get("status") or {}).get("phase", "")
            ended = phase in ("Succeeded", "Failed")
            created = str(item["metadata"].get("creationTimestamp", ""))
            pods.append(
                (
                    f"{created}{node}",
                    AttemptPod(item["metadata"]["name"], annotations.get(_NODE_ID, ""), ended),
                )
            )
    return [pod for _, pod in sorted(pods, key=lambda held: held[0])]
