"""A run document as plain text, for terminals and `text/plain`.

The graph is written as a tree: a task stands under the last of the tasks it waits for. Only a fork indents,
so a long chain stays at the margin; what no fork shows is said after an arrow. What stands in a group comes
right after it, further in.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from kfp_jupyter.model.run import GROUP_FAILED
from kfp_jupyter.model.types import Json
from kfp_jupyter.view.iterations import shown_tasks
from kfp_jupyter.view.look import STATES
from kfp_jupyter.view.metrics import Point, curves, table
from kfp_jupyter.view.task_names import task_labels, with_names
from kfp_jupyter.view.wording import (
    look_key,
    number,
    plain,
    spent,
    state_name,
    status,
    target_name,
    usage,
)

_BARS = "▁▂▃▄▅▆▇█"
_SPARK = 24
"""The length of a curve drawn in characters."""

_MOST_TASKS = 200
_LOG_LINES = 10


def text(document: Mapping[str, Json], *, now: float | None = None) -> str:
    """Return a run document as plain text, without a newline at its end.

    Args:
        document: A RunDocument.
        now: The present in seconds since the epoch; None for the clock's.
    """
    present = time.time() if now is None else now
    parts = [_header(document, present), _tree(document, present)]
    if document["run"] and "state" in document["run"]:
        parts += [_failures(document), metrics_table(document), _sparks(document)]
    return "\n\n".join(part for part in parts if part)


def metrics_table(document: Mapping[str, Json]) -> str:
    """Return the scalar metrics of a run document as aligned columns; empty if there are none."""
    rows = [[plain(cell) for cell in row] for row in table(document)]
    if not rows:
        return ""
    widths = [max(map(_columns, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["─" * width for width in widths])
    return "\n".join(
        "  ".join([_padded(row[0], widths[0]), *map(_pushed, row[1:], widths[1:])]).rstrip() for row in rows
    )


def _header(document: Mapping[str, Json], now: float) -> str:
    run = document["run"]
    words = [document["pipeline"]["display_name"]]
    if run and "state" in run:
        words.append(f"{STATES[look_key(run)]['mark']} {state_name(run)}")
        words += [spent(run, now)] if run["started_at"] is not None else []
        words += [f"on {target_name(run['target'])}", f"run {run['id']}"]
    elif run:
        words.append(f"run {run['id']} had not ended when this was saved")
    said = [with_names(document, run["message"]), *run["notices"]] if run and "state" in run else []
    return plain("\n".join([" · ".join(words), *filter(None, said)]))


def _tree(document: Mapping[str, Json], now: float) -> str:
    rows = list(_rows(document, now))
    left_out = len(rows) - _MOST_TASKS
    rows = rows[:_MOST_TASKS]
    widest = max((_columns(name) for name, _, _, _ in rows), default=0)
    second = max((_columns(told) for _, told, _, _ in rows), default=0)
    third = max((_columns(used) + 2 for _, _, used, _ in rows if used), default=0)
    lines = [
        f"{_padded(name, widest)}  {_padded(told, second)}  {_padded(used, third)}{others}".rstrip()
        for name, told, used, others in rows
    ]
    return "\n".join(lines + ([f"… and {left_out} tasks more"] if left_out > 0 else []))


def _rows(document: Mapping[str, Json], now: float) -> Iterator[tuple[str, str, str, str]]:
    """Yield for each task its name in the tree, its status, what it used, and what else it waits for."""
    graph, tasks = document["graph"], shown_tasks(document)
    labels = {node["id"]: plain(node["label"]) for node in graph["nodes"]}
    groups = {
        node["id"]: plain(node["component"])
        for node in graph["nodes"]
        if node["group"] and node["component"] != node["label"]
    }
    # By row and place, which is an order that no dependency contradicts.
    order = [node["id"] for node in sorted(graph["nodes"], key=lambda node: (node["y"], node["x"]))]
    rank = {path: index for index, path in enumerate(order)}
    sources: dict[str, list[str]] = {path: [] for path in order}
    for edge in graph["edges"]:
        sources[edge["target"]].append(edge["source"])
    parents = {path: max(sources[path], key=rank.__getitem__, default="") for path in order}
    below: dict[str, list[str]] = {}
    inside: dict[str, list[str]] = {}
    for path in order:
        if parents[path]:
            below.setdefault(parents[path], []).append(path)
        else:
            inside.setdefault(path.rpartition("/")[0], []).append(path)
    beside = [(path, "") for path in tasks if path not in labels]
    for path, rail in [*_walk(below, inside), *beside]:
        # A fork shows where it comes from; of a task at the margin it must be said.
        drawn = parents.get(path) if len(below.get(parents.get(path, ""), ())) > 1 else None
        others = [labels[source] for source in sources.get(path, ()) if source != drawn]
        name = f"{rail}{STATES[look_key(tasks.get(path))]['mark']} {labels.get(path) or plain(path)}"
        told = plain(status(tasks[path], now)) if path in tasks else ""
        if path in groups:
            told = f"{groups[path]} · {told}" if told else groups[path]
        used = usage(tasks[path], now) if path in tasks else ""
        yield name, told, used, f"← {', '.join(others)}" if others else ""


def _walk(
    below: Mapping[str, Sequence[str]], inside: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, str]]:
    """Yield each task with what is drawn before it; a child that is alone goes on at its parent's margin.

    Args:
        below: The tasks under each task.
        inside: The first tasks of the graph in each group, and under an empty name those of the pipeline.
    """
    stack = [(path, "", "") for path in reversed(inside.get("", ()))]
    while stack:
        path, rail, margin = stack.pop()
        yield path, rail
        after = below.get(path, ())
        if len(after) == 1:
            stack.append((after[0], margin, margin))
        else:
            for child in reversed(after):
                last = child == after[-1]
                stack.append(
                    (child, margin + ("└─ " if last else "├─ "), margin + ("   " if last else "│  "))
                )
        within = margin + ("│  " if after else "   ")
        stack.extend((child, f"{within}", within) for child in reversed(inside.get(path, ())))


def _failures(document: Mapping[str, Json]) -> str:
    return "\n\n".join(
        _failure(document, path, label)
        for path, label in task_labels(document).items()
        if document["run"]["tasks"][path]["state"] == "FAILED"
        and document["run"]["tasks"][path]["reason"] != GROUP_FAILED
    )


def _failure(document: Mapping[str, Json], path: str, label: str) -> str:
    task = document["run"]["tasks"][path]
    error = task["error"]
    said = (
        f"{error['type']}: {error['message']}"
        if error
        else with_names(document, task["message"]) or task["reason"] or "failed"
    )
    where = f" ({error['file']}, line {error['line']})" if error and error["file"] and error["line"] else ""
    lines = [f"{STATES['FAILED']['mark']} {label}: {said}{where}"]
    if label != path:
        lines.append(f"    task {path}")
    if error and error["traceback"]:
        lines += [f"    {line}" for line in error["traceback"].rstrip("\n").split("\n")]
    if task["log_tail"]:
        lines += ["  last lines of the log:", *(f"    {line}" for line in task["log_tail"][-_LOG_LINES:])]
    return "\n".join(map(plain, lines))


def _sparks(document: Mapping[str, Json]) -> str:
    rows = [
        (
            plain(f"{name} · {label}"),
            _spark(points),
            f"{number(points[-1][1])} at step {number(points[-1][0])}",
        )
        for name, series in curves(document).items()
        for label, points in series.items()
    ]
    widest = max((_columns(name) for name, _, _ in rows), default=0)
    return "\n".join(f"{_padded(name, widest)}  {bars}  {last}" for name, bars, last in rows)


def _spark(points: Sequence[Point]) -> str:
    count = min(_SPARK, len(points))
    values = [points[index * (len(points) - 1) // max(1, count - 1)][1] for index in range(count)]
    low, high = min(values), max(values)
    top = len(_BARS) - 1
    return "".join(
        _BARS[round((value - low) / (high - low) * top) if high > low else top // 2] for value in values
    )


def _columns(line: str) -> int:
    """How many columns of a terminal a line takes."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in line
    )


def _padded(line: str, width: int) -> str:
    return line + " " * (width - _columns(line))


def _pushed(line: str, width: int) -> str:
    return " " * (width - _columns(line)) + line
