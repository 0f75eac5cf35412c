"""Names as Kubernetes and Argo take them, and the ones Argo makes itself.

A Workflow is named after its run, so that posting it twice makes one. Names of nodes' pods follow Argo's
`util/pod_name.go`: a hash (FNV-1a) of the node's name tells apart what its template's name does not.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

NAME_LIMIT = 63
"""Characters in the name of a Workflow: it becomes a label's value."""

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_TASK = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")
_POD_NAME_LIMIT = 253
_HASH_LENGTH = 10


def workflow_name(run_id: str, pipeline: str) -> str:
    """Return the Workflow's name for a run: its id, or if that is no valid name, one made of it."""
    if len(run_id) <= NAME_LIMIT and _LABEL.fullmatch(run_id):
        return run_id
    return f"{slug(pipeline, NAME_LIMIT - 9)}-{_digest(run_id)}"


def slug(text: str, limit: int = NAME_LIMIT) -> str:
    """Return the text as a DNS label of at most `limit` characters; `pipeline` if nothing of it is left."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower())[:limit].strip("-")
    return plain or "pipeline"


def label_value(text: str) -> str:
    """Return the text as a label's value: itself if it is valid, else shortened and told apart by a hash."""
    if len(text) <= NAME_LIMIT and re.fullmatch(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?", text):
        return text
    return f"{slug(text, NAME_LIMIT - 9)}-{_digest(text)}"


def task_names(tasks: Iterable[str]) -> dict[str, str]:
    """Return Argo's name of each task: letters, digits and dashes, no digit first, each once."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for task in tasks:
        name = task
        if not _TASK.fullmatch(name):
            name = re.sub(r"[^a-zA-Z0-9]+", "-", task).strip("-") or "task"
            name = (name if name[0].isalpha() else f"t-{name}")[:119]
        if name in taken:
            name = f"{name[:119]}-{_digest(task)}"
        taken.add(name)
        names[task] = name
    return names


def node_id(workflow: str, node: str) -> str:
    """Return the id Argo gives to the node of that name."""
    return workflow if node == workflow else f"{workflow}-{_fnv(node)}"


def pod_name(workflow: str, node: str, template: str, *, version: str = "v2") -> str:
    """Return the name of a node's pod.

    Args:
        workflow: The Workflow's name.
        node: The node's name, such as `run-1.train(0)`.
        template: The name of the node's template.
        version: `v1` names pods by their node's id; the Workflow's annotation
            `workflows.argoproj.io/pod-name-format`.
    """
    if version == "v1" or node == workflow:
        return node_id(workflow, node)
    prefix = f"{workflow}-{template}" if template else workflow
    return f"{prefix[: _POD_NAME_LIMIT - _HASH_LENGTH - 1]}-{_fnv(node)}"


def _fnv(text: str) -> int:
    value = 0x811C9DC5
    for byte in text.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
