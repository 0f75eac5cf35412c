"""Argo's workflow-controller, as far as our manifests need one: DAGs of script and container templates.

One thread reconciles every open Workflow whenever something has changed: it starts pods whose `depends`
holds, takes over what pods did, tries again, and writes `status` in Argo's shapes (read from
`workflow/controller/{operator,dag}.go`, 4.1): node ids and pod names by FNV hash, a Retry node with
`name(0)`, `name(1)` below it, Omitted nodes of type Skipped, outputs that arrive one write after `Succeeded`
(`taskResultSynced`), nodes packed or gone when the object is large.
"""

from __future__ import annotations

import base64
import gzip
import json
import time
from pathlib import Path
from threading import Thread
from typing import Any

from tests.cluster.faults import Faults
from tests.cluster.pods import Pod
from tests.cluster.reconciliation import DONE, Reconciliation
from tests.cluster.store import Object, Store


class Controller:
    """Reconciles Workflows until stopped.

    Args:
        store: The cluster's objects.
        faults: What is broken.
        folder: Where pods and artifacts live.
        step_seconds: How much longer than it takes each step runs.
    """

    def __init__(self, store: Store, faults: Faults, folder: Path, step_seconds: float = 0.0) -> None:
        self._store = store
        self._faults = faults
        self.folder = folder
        self._step_seconds = step_seconds
        self.pods: dict[tuple[str, str], Pod] = {}
        self._offloaded: dict[str, Any] = {}
        self._looked: dict[str, float] = {}
        self._stopped = False
        self._thread = Thread(target=self._loop, name="test workflow-controller", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped = True
        for pod in list(self.pods.values()):
            pod.kill()
        self.wake()
        self._thread.join(10)

    def wake(self) -> None:
        with self._store.changed:
            self._store.changed.notify_all()

    def pod(self, namespace: str, name: str, template: dict[str, Any]) -> Pod:
        """Return a pod that has not been started, known to the cluster."""
        root = self.folder / "pods" / name
        pod = Pod(name, root, template, self.folder / "repository", self.wake, self._step_seconds)
        self.pods[(namespace, name)] = pod
        return pod

    def remove(self, namespace: str, workflow: str) -> None:
        """End and remove the pods of a Workflow that was deleted, as the cluster's garbage collector does."""
        for item in self._store.list("pods", namespace):
            if item["metadata"]["labels"].get("workflows.argoproj.io/workflow") == workflow:
                name = item["metadata"]["name"]
                self._store.delete("pods", namespace, name)
                pod = self.pods.pop((namespace, name), None)
                if pod is not None:
                    pod.kill()

    def _loop(self) -> None:
        while not self._stopped:
            self._write_pods()
            if not self._faults.controller_stopped:
                for workflow in self._store.list("workflows"):
                    if workflow.get("status", {}).get("phase") not in DONE and self._is_due(workflow):
                        self._reconcile(workflow)
            with self._store.changed:
                self._store.changed.wait(0.1)

    def _write_pods(self) -> None:
        """Write how each pod is, as its kubelet does, whatever the Workflow says meanwhile."""
        for (namespace, name), pod in list(self.pods.items()):
            status = pod.status()
            self._store.update("pods", namespace, name, lambda item, s=status: item["status"].update(s))

    def _is_due(self, workflow: Object) -> bool:
        uid = workflow["metadata"]["uid"]
        if time.monotonic() < self._looked.get(uid, 0.0) + self._faults.requeue_seconds:
            return False
        self._looked[uid] = time.monotonic()
        return True

    def _reconcile(self, workflow: Object) -> None:
        name, namespace = workflow["metadata"]["name"], workflow["metadata"]["namespace"]
        unpacked = self._unpacked(workflow.get("status", {}), workflow["metadata"]["uid"])
        status = Reconciliation(self, self._store, self._faults, workflow, unpacked).run()

        def write(item: Object) -> None:
            item["status"] = self._packed(status, workflow["metadata"]["uid"])
            if status["phase"] in DONE:
                labels = item["metadata"].setdefault("labels", {})
                labels["workflows.argoproj.io/completed"] = "true"
                labels["workflows.argoproj.io/phase"] = status["phase"]

        self._store.update("workflows", namespace, name, write)

    def _packed(self, status: dict[str, Any], uid: str) -> dict[str, Any]:
        status = dict(status)
        if self._faults.packing == "gzip":
            nodes = json.dumps(status.pop("nodes", {})).encode()
            status["compressedNodes"] = base64.b64encode(gzip.compress(nodes, mtime=0)).decode()
        elif self._faults.packing == "offloaded":
            status["offloadNodeStatusVersion"] = "fnv:784127654"
            self._offloaded[uid] = status.pop("nodes", {})
        return status

    def _unpacked(self, status: dict[str, Any], uid: str) -> dict[str, Any]:
        status = json.loads(json.dumps(status))
        if "compressedNodes" in status:
            status["nodes"] = json.loads(gzip.decompress(base64.b64decode(status.pop("compressedNodes"))))
        elif status.pop("offloadNodeStatusVersion", ""):
            status["nodes"] = json.loads(json.dumps(self._offloaded[uid]))
        return status
