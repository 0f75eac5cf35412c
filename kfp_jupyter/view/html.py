"""A run document as static HTML, for readers that run nothing of ours: nbconvert, GitHub, untrusted pages.

No scripts, no style sheet, no classes: inline styles only, of the kind that sanitisers let through. Pictures
are `<img>` with the SVG inside, since inline SVG is stripped by JupyterLab and classes of several pictures on
a page would mix. Text takes the page's own colours, so it fits light and dark. Where a host strips pictures
too, the words and tables still tell the whole story.
"""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Mapping

from kfp_jupyter.model.run import GROUP_FAILED
from kfp_jupyter.model.types import Json
from kfp_jupyter.view.charts import charts
from kfp_jupyter.view.look import FONT, STATES
from kfp_jupyter.view.markup import element, escaped
from kfp_jupyter.view.metrics import table
from kfp_jupyter.view.svg import svg
from kfp_jupyter.view.task_names import task_labels, with_names
from kfp_jupyter.view.wording import look_key, moment, spent, state_name, status, target_name, usage

_MOST_NODES = 400
"""A larger graph is neither legible on a static page nor small enough for one."""

_MOST_ROWS = 200
_MOST_CHARTS = 24
_RULE = "1px solid rgba(127,127,127,0.35)"
_FAINT = "opacity:0.75"


def html(document: Mapping[str, Json], *, now: float | None = None) -> str:
    """Return a run document as an HTML fragment.

    Args:
        document: A RunDocument.
        now: The present in seconds since the epoch; None for the clock's.
    """
    present = time.time() if now is None else now
    run = document["run"]
    ran = bool(run) and "state" in run
    parts = [_header(document, ran, present)]
    if ran:
        parts += _failures(document)
    parts.append(_graph(document, present))
    if ran:
        parts += [_metrics(document), _charts(document), _tasks(document, present)]
    family = FONT["family"].replace("'", "")
    return _block("".join(parts), f"font-family:{family};font-size:13px;line-height:1.5;max-width:100%")


def _header(document: Mapping[str, Json], ran: bool, now: float) -> str:
    pipeline, run = document["pipeline"], document["run"]
    name = element("strong", escaped(pipeline["display_name"]), style="font-size:15px")
    if not ran:
        told = "" if run is None else f"Run {run['id']} had not ended when this was saved."
        lines = [pipeline["description"], _inputs(pipeline), told]
        return _block(
            name + "".join(_block(escaped(line), _FAINT) for line in lines if line), "margin:4px 0 8px"
        )
    facts = [
        spent(run, now),
        f"on {target_name(run['target'])}",
        moment(run["created_at"]),
        f"run {run['id']}",
    ]
    about = element("span", escaped(" · ".join(fact for fact in facts if fact)), style=_FAINT)
    first = f"{name} {_badge(run)} {about}"
    lines = [_arguments(run["arguments"]), _short(with_names(document, run["message"]), 600), *run["notices"]]
    return _block(first + "".join(_block(escaped(line)) for line in lines if line), "margin:4px 0 8px")


def _inputs(pipeline: Mapping[str, Json]) -> str:
    return ", ".join(
        f"{spec['name']}: {spec['type']}" + (f" = {spec['default']!r}" if spec["optional"] else "")
        for spec in pipeline["inputs"]
    )


def _arguments(arguments: Mapping[str, Json]) -> str:
    return ", ".join(f"{name} = {_short(repr(value))}" for name, value in arguments.items())


def _short(text: str, most: int = 80) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _badge(held: Mapping[str, Json]) -> str:
    """The state on its own colour, dark enough for white text whatever the page is."""
    state = STATES[look_key(held)]
    style = f"background-color:{state['light']};color:#ffffff;border-radius:4px;padding:1px 7px"
    return element("span", escaped(f"{state['mark']} {state_name(held)}"), style=style)


def _failures(document: Mapping[str, Json]) -> list[str]:
    return [
        _failure(document, path, label)
        for path, label in task_labels(document).items()
        if document["run"]["tasks"][path]["state"] == "FAILED"
        and document["run"]["tasks"][path]["reason"] != GROUP_FAILED
    ]


def _failure(document: Mapping[str, Json], path: str, label: str) -> str:
    task = document["run"]["tasks"][path]
    error = task["error"]
    colour = STATES["FAILED"]["light"]
    said = (
        f": {error['type']}: {error['message']}"
        if error
        else f": {with_names(document, task['message']) or task['reason'] or 'failed'}"
    )
    lines = [element("strong", escaped(f"{STATES['FAILED']['mark']} {label}")) + escaped(_short(said, 2000))]
    if error and error["file"]:
        where = f"{error['file']}, line {error['line']}" if error["line"] else error["file"]
        lines.append(_block(escaped(where), _FAINT))
    if label != path:
        lines.append(_block(escaped(f"task {path}"), _FAINT))
    if error and error["traceback"]:
        lines.append(_folded("Traceback", error["traceback"]))
    if task["log_tail"]:
        lines.append(_folded("Last lines of the log", "\n".join(task["log_tail"])))
    return _block("".join(lines), f"border-left:4px solid {colour};padding:2px 0 2px 10px;margin:8px 0")


def _folded(summary: str, text: str) -> str:
    style = f"font-family:{FONT['mono'].replace(chr(39), '')};font-size:12px;overflow-x:auto;margin:4px 0"
    return element(
        "details",
        element("summary", escaped(summary)) + element("pre", escaped(text.rstrip("\n")), style=style),
    )


def _graph(document: Mapping[str, Json], now: float) -> str:
    count = sum(not node["group"] for node in document["graph"]["nodes"])
    if count > _MOST_NODES:
        return _block(f"A graph of {count} tasks, too large to draw on a page.", _FAINT)
    named = f"Graph of the pipeline {document['pipeline']['display_name']}, {count} tasks"
    return _block(_image(svg(document, now=now), named), "margin:8px 0;overflow-x:auto")


def _image(picture: str, named: str) -> str:
    source = "data:image/svg+xml;base64," + b64encode(picture.encode()).decode()
    return element("img", src=source, alt=named, style="max-width:100%")


def _metrics(document: Mapping[str, Json]) -> str:
    rows = table(document)
    return _table(rows[0], rows[1:], "right") if rows else ""


def _charts(document: Mapping[str, Json]) -> str:
    drawn = charts(document)
    images = [
        element(
            "span", _image(chart, "Chart"), style="display:inline-block;vertical-align:top;margin:0 8px 8px 0"
        )
        for chart in drawn[:_MOST_CHARTS]
    ]
    if len(drawn) > _MOST_CHARTS:
        images.append(_block(f"and {len(drawn) - _MOST_CHARTS} charts more", _FAINT))
    return _block("".join(images), "margin:8px 0") if images else ""


def _tasks(document: Mapping[str, Json], now: float) -> str:
    rows = []
    labels = task_labels(document)
    for path, label in labels.items():
        task = document["run"]["tasks"][path]
        why = task["error"]["message"] if task["error"] else with_names(document, task["message"])
        mark = STATES[look_key(task)]["mark"]
        line = status(task, now)
        told = line if line.startswith(state_name(task)) else f"{state_name(task)} · {line}"
        rows.append([label, f"{mark} {told}", usage(task, now), _short(why, 200)])
    left_out = len(rows) - _MOST_ROWS
    more = _block(f"and {left_out} more", _FAINT) if left_out > 0 else ""
    head = ["task", "state", "used", "message"]
    if not any(used for _, _, used, _ in rows):
        head, rows = ["task", "state", "message"], [[*row[:2], row[3]] for row in rows]
    held = _table(head, rows[:_MOST_ROWS], "left") + more
    return element("details", element("summary", escaped(f"{len(labels)} tasks")) + held)


def _table(head: list[str], rows: list[list[str]], align: str) -> str:
    def cell(tag: str, text: str, column: int) -> str:
        side = "left" if column == 0 else align
        style = f"text-align:{side};padding:3px 12px;border-bottom:{_RULE}"
        return element(tag, escaped(text) or " ", style=style)

    lines = [element("tr", "".join(cell("th", text, column) for column, text in enumerate(head)))]
    lines += [
        element("tr", "".join(cell("td", text, column) for column, text in enumerate(row))) for row in rows
    ]
    return element("table", "".join(lines), style="border-collapse:collapse;font-size:13px;margin:8px 0")


def _block(content: str, style: str = "") -> str:
    return element("div", content, style=style) if content else ""
