"""A Kubernetes API server and an Argo Workflows controller for tests, in a few hundred lines of the standard
library.

    with TestCluster() as cluster:
        target = Target("argo", cluster.context)    # with KUBECONFIG=cluster.kubeconfig

It speaks real HTTP to the real `kubernetes` client: create (dryRun, fieldValidation), get, list, watch with
resourceVersion, merge-patch, delete, access reviews, pods and their logs. Its controller walks a posted
Workflow's DAG and *runs each step's script as a process of this machine*, after Argo's own textual
substitution, so a green test shows that what our manifests carry truly computes.

It proves only our reading of Kubernetes and Argo, never that they behave so: it was written from Argo's
source (4.1) by the people whose code it tests. Images are ignored: each step runs under this Python.

`store` holds objects and their history, `server` is HTTP, `controller` plays Argo, `pods` plays the kubelet,
`faults` is what tests can break. By hand: `python -m tests.cluster --kubeconfig FILE`.
"""

from __future__ import annotations

from tests.cluster.cluster import TestCluster

__all__ = ["TestCluster"]
