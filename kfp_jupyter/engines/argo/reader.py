"""Reading from a cluster's artifact store with no other right than to run Workflows there.

A reader is a small Workflow of its own beside the run's: a pod for each artifact, whose files Argo itself
fetches (whatever the store, with the cluster's credentials), and whose program (`sender`) prints them. It
uses an image that the run has used. It is deleted when it was read, and deletes itself if that cannot be.

What passes through it stands in the pods' logs for as long, where a cluster may collect them.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from threading import Event as Stop
from types import TracebackType
from typing import Any
from uuid import uuid4

from kfp_jupyter.engines.argo.connection import Cluster
from kfp_jupyter.engines.argo.errors import ArgoMissingError, ClusterError, FetchError, RequestError
from kfp_jupyter.engines.argo.names import NAME_LIMIT, node_id, pod_name, slug
from kfp_jupyter.engines.argo.nodes import read_nodes, task_node
from kfp_jupyter.engines.argo.outage import Outage
from kfp_jupyter.engines.argo.pods import AttemptPod, PodGoneError, last_lines, pod_lines

READER_LABEL = "kfp-jupyter/reader-of"
"""The label of a reader: the Workflow that it reads for."""

LOG_BYTES = 8_000_000
"""Bytes of log that one pod prints: a kubelet keeps 10 MiB of it, and cuts what is longer."""

_LIFETIME_SECONDS = 1800
_LEFT_SECONDS = 60
_INPUT = "/tmp/kfp-jupyter-inputs/artifact"
_DONE = ("Succeeded", "Failed", "Error", "Skipped", "Omitted")
_NO_IMAGE = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
_GONE = ("NoSuchKey", "does not exist", "doesn't exist", "no key found", "NotFound", "not found")


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long a reader waits, in seconds.

    Attributes:
        image: For an image that cannot be pulled; the cluster tries it again meanwhile.
        start: For a pod to start at all.
        silence: For the next line of a pod's log, through outages of the cluster.
        look: Between two looks.
    """

    image: float = 45.0
    start: float = 300.0
    silence: float = 120.0
    look: float = 0.5


@dataclass(frozen=True, slots=True)
class Piece:
    """What one pod of a reader reads.

    Attributes:
        key: The artifact's key in the store.
        start: The byte of its archive to begin at.
    """

    key: str
    start: int = 0


def reader_workflow(
    run: str, pieces: Sequence[Piece], image: str, limit: int, *, service_account: str, instance_id: str
) -> dict[str, Any]:
    """Return the Workflow that reads these pieces, one a task `read-N`.

    Args:
        run: The Workflow of the run.
        pieces: What it reads.
        image: An image with Python.
        limit: Bytes that an artifact may have.
        service_account: The account of its pods; empty means the namespace's default.
        instance_id: The `instanceID` of the controller; empty means one without.
    """
    templates = [_template(f"read-{number}", piece, image, limit) for number, piece in enumerate(pieces)]
    tasks = [{"name": made["name"], "template": made["name"]} for made in templates]
    name = f"{slug(run, NAME_LIMIT - 14)}-read-{uuid4().hex[:8]}"
    spec: dict[str, Any] = {
        "entrypoint": "read",
        "activeDeadlineSeconds": _LIFETIME_SECONDS,
        "ttlStrategy": {"secondsAfterCompletion": _LEFT_SECONDS},
        # The log is the artifact, which is in the store already.
        "archiveLogs": False,
        "podMetadata": {"labels": {"sidecar.istio.io/inject": "false"}},
        "templates": [{"name": "read", "dag": {"failFast": False, "tasks": tasks}}, *templates],
    }
    if service_account:
        spec["serviceAccountName"] = service_account
    labels = {READER_LABEL: run}
    if instance_id:
        labels["workflows.argoproj.io/controller-instanceid"] = instance_id
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
    }


def _template(name: str, piece: Piece, image: str, limit: int) -> dict[str, Any]:
    program = resources.files("kfp_jupyter.engines.argo").joinpath("sender.py").read_text(encoding="utf-8")
    # As it was stored, even if it looks like an archive.
    artifact = {"name": "artifact", "path": _INPUT, "archive": {"none": {}}, "s3": {"key": piece.key}}
    return {
        "name": name,
        "inputs": {"artifacts": [artifact]},
        "script": {
            "image": image,
            "command": ["python3"],
            "source": f"{program}\n\nsend('{{{{inputs.artifacts.artifact.path}}}}', {piece.start}, {limit}, "
            f"{LOG_BYTES})\n",
            "resources": {
                "requests": {"cpu": "100m", "memory": "128Mi"},
                "limits": {"cpu": "1", "memory": "512Mi"},
            },
        },
    }


class Reader:
    """A reader in the cluster, there as long as it is entered.

    Args:
        cluster: Where, and in which namespace.
        workflow: What `reader_workflow` gave.
        waiting: How long to wait for what.
    """

    def __init__(self, cluster: Cluster, workflow: dict[str, Any], waiting: Waiting) -> None:
        self._cluster = cluster
        self._workflow = workflow
        self._name: str = workflow["metadata"]["name"]
        self._waiting = waiting
        self._began = 0.0
        self._image = workflow["spec"]["templates"][1]["script"]["image"]

    def __enter__(self) -> Reader:
        """Create it.

        Raises:
            ClusterError: It may not be created, or the cluster cannot be reached.
        """
        try:
            self._cluster.request("POST", self._path(), body=self._workflow)
        except RequestError as error:
            if error.status == 404:
                raise ArgoMissingError(self._cluster.host) from error
            raise
        self._began = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Delete it; whoever may not do that leaves it to its time limit."""
        with suppress(ClusterError):
            self._cluster.request("DELETE", f"{self._path()}/{self._name}")

    def lines(self, number: int) -> Iterator[str]:
        """Yield the lines that the pod of a piece prints, until it has ended.

        Raises:
            FetchError: The pod cannot start, or failed.
            ClusterError: It may not be looked at, or the cluster is lost.
        """
        task = f"read-{number}"
        node = f"{self._name}.{task}"
        name = pod_name(self._name, node, task)
        self._wait(task, name, ("Running", "Succeeded"))
        lines = pod_lines(
            self._cluster,
            AttemptPod(name, node_id(self._name, node), False),
            Stop(),
            follow=True,
            outage=Outage(),
        )
        try:
            yield from self._while_it_speaks(lines)
        except PodGoneError:
            raise self._error("its pod was removed while it was read", "Try it again.") from None
        self._wait(task, name, ("Succeeded",))

    def _while_it_speaks(self, lines: Iterator[str | None]) -> Iterator[str]:
        heard = time.monotonic()
        for line in lines:
            if line is not None:
                heard = time.monotonic()
                yield line
            elif time.monotonic() - heard > self._waiting.silence:
                what = f"its log has said nothing for {self._waiting.silence:g} s"
                raise self._error(what, "See that the cluster can be reached, and try it again.")

    def _wait(self, task: str, name: str, phases: Collection[str]) -> None:
        """Wait until a pod is in one of some phases.

        Raises:
            FetchError: It will not be.
        """
        outage, why, stuck = Outage(), "", 0.0
        while True:
            try:
                pod = self._pod(name)
                node = self._node(task)
            except ClusterError as error:
                if not outage.passes(error) or self._waited() > self._waiting.start:
                    raise
                time.sleep(self._waiting.look)
                continue
            phase = str((pod.get("status") or {}).get("phase", ""))
            if phase in phases or node.get("phase") == "Succeeded":
                return
            message = str(node.get("message") or "")
            failed = message if node.get("phase") in _DONE else _why_failed(pod)
            if failed or node.get("phase") in _DONE:
                raise self._failure(name, failed)
            why = _why_pending(pod) or message or why
            stuck = (stuck or time.monotonic()) if why.startswith(_NO_IMAGE) else 0.0
            if stuck and time.monotonic() - stuck > self._waiting.image:
                raise self._error(
                    f"the image {self._image} cannot be pulled ({why})",
                    "See that the namespace can still pull that image, which the run has used.",
                )
            if self._waited() > self._waiting.start:
                what = f"its pod did not start in {self._waiting.start:g} s"
                raise self._error(f"{what} ({why})" if why else what, "Try it again when there is room.")
            time.sleep(self._waiting.look)

    def _failure(self, pod: str, message: str) -> FetchError:
        if "failed to load" in message and any(word in message for word in _GONE):
            return FetchError(
                "It is not in the cluster's store any more.",
                remedy="It was deleted there, by someone or by a time limit. Run the pipeline again.",
            )
        if not message.startswith("main:"):
            return self._error(
                f"its pod failed ({message or 'Argo does not say why'})",
                "See that pipelines still run there.",
            )
        printed = last_lines(self._cluster, AttemptPod(pod, "", True), 1)
        return self._error(
            f"its pod failed ({': '.join([message, *printed])})",
            f"It ran `python3` in the image {self._image}, which must have it.",
        )

    def _error(self, what: str, remedy: str) -> FetchError:
        place = f"workflow {self._cluster.namespace}/{self._name}"
        return FetchError(f"The reader in the cluster did not send it: {what}.", where=place, remedy=remedy)

    def _waited(self) -> float:
        return time.monotonic() - self._began

    def _pod(self, name: str) -> dict[str, Any]:
        try:
            return self._cluster.get(f"/api/v1/namespaces/{self._cluster.namespace}/pods/{name}")
        except RequestError as error:
            if error.status != 404:
                raise
            return {}

    def _node(self, task: str) -> dict[str, Any]:
        """Return the node of a task; of a Workflow that failed as a whole, its own phase and message."""
        try:
            held = self._cluster.get(f"{self._path()}/{self._name}")
        except RequestError as error:
            if error.status != 404:
                raise
            raise self._error("its workflow was deleted", "Try it again.") from error
        node = task_node(held, read_nodes(held), task)
        status = held.get("status") or {}
        if node is None and status.get("phase") in _DONE:
            return {"phase": status["phase"], "message": status.get("message", "")}
        return dict(node or {})

    def _path(self) -> str:
        return f"/apis/argoproj.io/v1alpha1/namespaces/{self._cluster.namespace}/workflows"


def _why_failed(pod: dict[str, Any]) -> str:
    """Return why a pod failed, in Argo's words, which itself says so only some seconds later."""
    status = pod.get("status") or {}
    if status.get("phase") != "Failed":
        return ""
    for held in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        ended = (held.get("state") or {}).get("terminated") or {}
        if ended.get("exitCode"):
            why = f": {ended['message']}" if ended.get("message") else ""
            return f"{held['name']}: {ended.get('reason')} (exit code {ended['exitCode']}){why}"
    return str(status.get("message") or "")


def _why_pending(pod: dict[str, Any]) -> str:
    """Return the cluster's own word on a pod that does not start; empty if there is none."""
    status = pod.get("status") or {}
    for held in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        waiting = (held.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") not in (None, "PodInitializing", "ContainerCreating"):
            return ": ".join(str(waiting[key]) for key in ("reason", "message") if waiting.get(key))
    for held in status.get("conditions") or []:
        if held.get("type") == "PodScheduled" and held.get("status") == "False":
            return ": ".join(str(held[key]) for key in ("reason", "message") if held.get(key))
    return ""
