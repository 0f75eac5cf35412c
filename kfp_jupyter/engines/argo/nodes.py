"""The nodes of a Workflow's status, however Argo has packed them.

A large status holds them compressed, a still larger one leaves them in Argo's own database, where the
Kubernetes API does not
reach: https://argo-workflows.readthedocs.io/en/latest/offloading-large-workflows/
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from typing import Any

from kfp_jupyter.engines.argo.names import node_id
from kfp_jupyter.engines.argo.record import Record

Node = Mapping[str, Any]

_GZIP = b"\x1f\x8b"


class NodesOutOfReachError(Exception):
    """The nodes cannot be read from here; the message says why."""


def read_nodes(workflow: Mapping[str, Any]) -> Mapping[str, Node]:
    """Return the nodes by id; none before Argo has begun.

    Raises:
        NodesOutOfReachError: They are in Argo's database, or packed by a method that Python's library does
            not know.
    """
    status = workflow.get("status") or {}
    if status.get("offloadNodeStatusVersion"):
        raise NodesOutOfReachError(
            "This run is so large that Argo keeps its tasks' states in a database of its own."
        )
    if not status.get("compressedNodes"):
        return status.get("nodes") or {}
    packed = base64.b64decode(status["compressedNodes"])
    if not packed.startswith(_GZIP):
        raise NodesOutOfReachError(
            "Argo has packed the tasks' states by a method that cannot be unpacked here."
        )
    nodes: dict[str, Node] = json.loads(gzip.decompress(packed))
    return nodes


def task_node(workflow: Mapping[str, Any], nodes: Mapping[str, Node], task: str) -> Node | None:
    """Return the node of a task (by Argo's name of it), or None if there is none yet."""
    name = workflow["metadata"]["name"]
    return nodes.get(node_id(name, f"{name}.{task}"))


def attempts(node: Node, nodes: Mapping[str, Node]) -> list[Node]:
    """Return the nodes of a task's attempts that have pods, first to last."""
    if node["type"] != "Retry":
        return [node] if node["type"] == "Pod" else []
    found = (nodes[child] for child in node.get("children") or [] if child in nodes)
    return [
        child for child in found if (child.get("nodeFlag") or {}).get("retried") or child["type"] == "Pod"
    ]


def task_attempts(workflow: Mapping[str, Any], record: Record, task: str) -> list[Node]:
    """Return the nodes of the attempts of a task, by our path of it.

    Raises:
        NodesOutOfReachError: See `read_nodes`.
    """
    nodes = read_nodes(workflow)
    argo = next((name for name, path in record.tasks.items() if path == task), task)
    node = task_node(workflow, nodes, argo)
    return attempts(node, nodes) if node is not None else []
