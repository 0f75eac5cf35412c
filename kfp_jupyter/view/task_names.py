"""What people read for the tasks of a run: the label on the graph, and which iteration of a loop it is.

A task is known by its path (`for-loop-1[2]/train`), which commands take; people read `train #2 · rate 0.3`:
the number is the one in the path, the values are those inputs that tell its iterations apart. Engines name
tasks by their paths in what they say of a run; `with_names` puts the names there when that is shown.

The front end names them in the same way (`labextension/src/taskNames.ts`).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from kfp_jupyter.model.types import Json
from kfp_jupyter.model.value import CHANNEL
from kfp_jupyter.view.iterations import iteration_of, node_of

_LOOKED_AT, _MOST_TOLD, _LONGEST = 20, 2, 24
"""How many iterations are looked at for what tells them apart; the most inputs told; the longest value."""

_NAMED = re.compile(
    r"^(\S+)(?= failed: )"
    r"|(?<=^Not run because )(\S+)(?= (?:failed|was skipped)\.$)"
    r"|(?:(?<=Also failed: )|(?<=^Failed: ))([^\s,]+(?:, [^\s,]+)*)"
)
"""Where the engines' sentences name tasks (`engines/local/underway`, `.../flow`, `engines/argo/status`)."""


def task_labels(document: Mapping[str, Json]) -> dict[str, str]:
    """Return the name shown for each task of the run, tasks of the graph first and in its order."""
    names = node_names(document)
    place = {path: index for index, path in enumerate(names)}
    tasks = (document["run"] or {}).get("tasks", {})
    told: dict[str, str] = {}
    for node, paths in _by_node(tasks).items():
        if names.get(node, node) != node:
            told |= dict(zip(paths, _telling_inputs([tasks[path]["inputs"] for path in paths]), strict=True))
    ordered = sorted(tasks, key=lambda path: place.get(node_of(path), len(place)))
    return {path: task_name(names, path) + told.get(path, "") for path in ordered}


def node_names(document: Mapping[str, Json]) -> dict[str, str]:
    """Return the name shown for each node of the graph: its label, or its path if another has that label."""
    nodes = document["graph"]["nodes"]
    count = Counter(node["label"] for node in nodes)
    return {node["id"]: node["label"] if count[node["label"]] == 1 else node["id"] for node in nodes}


def task_name(names: Mapping[str, str], path: str) -> str:
    """Return the name shown for a task: its node's, and which iteration it is, as in `train #2`.

    Args:
        names: What `node_names` returns.
        path: The task's path.
    """
    node = node_of(path)
    if names.get(node, node) == node:
        return path
    return f"{names[node]} #{iteration_of(path)}" if node != path else names[node]


def with_names(document: Mapping[str, Json], message: str) -> str:
    """Return what an engine said of the run or one of its tasks, with the tasks' names for their paths."""
    names, tasks = node_names(document), document["run"]["tasks"]

    def named(found: re.Match[str]) -> str:
        words = found[0].split(", ")
        paths = [word.removesuffix(".") for word in words]
        return ", ".join(
            task_name(names, path) + word[len(path) :] if path in tasks else word
            for path, word in zip(paths, words, strict=True)
        )

    return _NAMED.sub(named, message)


def _by_node(tasks: Mapping[str, Json]) -> dict[str, list[str]]:
    """Return the paths of the iterations that each node stands for; nodes outside of loops are left out."""
    found: dict[str, list[str]] = {}
    for path in tasks:
        node = node_of(path)
        if node != path:
            found.setdefault(node, []).append(path)
    return found


def _telling_inputs(inputs: Sequence[Mapping[str, Json]]) -> list[str]:
    """Return of each iteration the inputs that differ between them, as in ` · rate 0.3`."""
    texts = [{name: _shown(value) for name, value in each.items()} for each in inputs]
    looked = texts[:_LOOKED_AT]
    names = dict.fromkeys(name for each in looked for name in each)
    telling = [name for name in names if len({each.get(name) for each in looked}) > 1][:_MOST_TOLD]
    return ["".join(f" · {_plain(name)} {each[name]}" for name in telling if name in each) for each in texts]


def _shown(value: Json) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _plain(name: str) -> str:
    """Return what a group takes under its author's name: `pipelinechannel--train-Output` is `train`."""
    return name.removeprefix(CHANNEL).removesuffix("-Output") if name.startswith(CHANNEL) else name
