"""Runs pipelines on Kubernetes under Argo Workflows: one Workflow resource a run, one pod a task.

`manifest` writes the resource, `connection` reaches the cluster, `watch` follows the resource, `status` reads
it, `logs` reads the pods; `engine` puts them together.
"""

from __future__ import annotations

from kfp_jupyter.engines.argo.engine import ArgoEngine

__all__ = ["ArgoEngine"]
