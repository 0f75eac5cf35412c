"""The tasks of a run as the graph shows them: those of all iterations of a loop as one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from kfp_jupyter.model.types import Json

_ITERATION = re.compile(r"\[\d+\]")
_FIRST_TOLD = ("FAILED", "RUNNING", "CANCELING", "PAUSED", "PENDING", "CANCELED", "SUCCEEDED", "SKIPPED")
"""Of tasks in different states, the state that is told."""
_FINISHED = ("SUCCEEDED", "SKIPPED", "FAILED", "CANCELED")


def node_of(path: str) -> str:
    """Return the id of the node that shows a task: `loop/train` for the iteration `loop[3]/train`."""
    return _ITERATION.sub("", path)


def iteration_of(path: str) -> str:
    """Return what tells iterations apart: `3`, or `3.1` in a loop in a loop; empty outside of loops."""
    return ".".join(part[1:-1] for part in _ITERATION.findall(path))


def shown_tasks(document: Mapping[str, Json]) -> dict[str, dict[str, Json]]:
    """Return what each node of the graph shows: its task, or those of all iterations `together`."""
    tasks: Mapping[str, Json] = (document["run"] or {}).get("tasks", {})
    of_node: dict[str, list[dict[str, Json]]] = {}
    for path, task in tasks.items():
        of_node.setdefault(node_of(path), []).append(task)
    return {
        # A loop has a task of its own beside those of its iterations, and then that one tells.
        node: tasks[node] if node in tasks else together(held)
        for node, held in of_node.items()
    }


def together(tasks: Sequence[dict[str, Json]]) -> dict[str, Json]:
    """Return several tasks as one, with a `tally` that says how many of them are in its state.

    Args:
        tasks: Tasks of a run document, at least one; a single one is returned as it is.
    """
    if len(tasks) == 1:
        return tasks[0]
    state = next(state for state in _FIRST_TOLD if any(task["state"] == state for task in tasks))
    count = sum(task["state"] == state for task in tasks)
    done = sum(task["state"] in _FINISHED for task in tasks)
    succeeded = [task for task in tasks if task["state"] == "SUCCEEDED"]
    started = [task["started_at"] for task in tasks if task["started_at"] is not None]
    finished = [task["finished_at"] for task in tasks if task["finished_at"] is not None]
    return {
        **tasks[0],
        "state": state,
        "reason": "",
        "started_at": min(started, default=None),
        "finished_at": max(finished, default=None) if done == len(tasks) else None,
        "cached_from": tasks[0]["cached_from"] if all(task["cached_from"] for task in succeeded) else "",
        "usage": None,
        "tally": f"{count if state in _FINISHED else done} of {len(tasks)}",
    }
