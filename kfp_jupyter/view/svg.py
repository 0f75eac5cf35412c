"""A run document as one self-contained SVG picture.

Every shape carries its light colours as plain attributes, which every viewer honours; a style sheet gives the
dark ones where the viewer supports it and prefers dark. Cards bring their own surface and what lies beside
them is a grey for both, so a viewer that guesses wrong still shows a legible picture. Arrowheads are plain
paths, not markers: those go by id, and ids of several pictures on one page would meet.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from kfp_jupyter.model.types import Json
from kfp_jupyter.view.iterations import shown_tasks
from kfp_jupyter.view.labels import NUMBER, Label, labels
from kfp_jupyter.view.look import CARD, EDGE, FONT, ICON, LIGHT, STATES, fitted, style_sheet
from kfp_jupyter.view.markup import element, escaped
from kfp_jupyter.view.wording import look_key, spent, state_name, status

_MUTED = ("NONE", "PENDING", "SKIPPED")
"""States whose card steps back: its second line is grey."""


def svg(document: Mapping[str, Json], *, now: float | None = None) -> str:
    """Return the graph of a run document, with the states of its run, as SVG text.

    Args:
        document: A RunDocument; an open run is shown without states.
        now: The present in seconds since the epoch; None for the clock's. It tells how long running tasks
            have run.
    """
    present = time.time() if now is None else now
    graph, run = document["graph"], document["run"]
    ran = bool(run) and "state" in run
    shown = shown_tasks(document)
    drawn = "".join(
        [
            *(_card(node, shown.get(node["id"]), present) for node in graph["nodes"] if node["group"]),
            *map(_edge, graph["edges"]),
            *map(_chip, labels(graph)),
            *(_card(node, shown.get(node["id"]), present) for node in graph["nodes"] if not node["group"]),
        ]
    )
    body = [
        element("title", escaped(_title(document, ran, present))),
        element("desc", escaped(_description(document, shown, present) or "No tasks.")),
        element("style", style_sheet(drawn)),
        drawn,
    ]
    return element(
        "svg",
        "".join(body),
        xmlns="http://www.w3.org/2000/svg",
        class_="kfp-jupyter-graph",
        role="img",
        viewBox=f"0 0 {graph['width']} {graph['height']}",
        width=graph["width"],
        height=graph["height"],
        font_family=FONT["family"],
    )


def _title(document: Mapping[str, Json], ran: bool, now: float) -> str:
    name = document["pipeline"]["display_name"]
    if not ran:
        return f"Pipeline {name}"
    told = [state_name(document["run"]), spent(document["run"], now)]
    return f"Pipeline {name}: {', '.join(word for word in told if word)}"


def _description(document: Mapping[str, Json], tasks: Mapping[str, Json], now: float) -> str:
    sentences = []
    sources: dict[str, list[str]] = {}
    labels = {node["id"]: node["label"] for node in document["graph"]["nodes"]}
    for edge in document["graph"]["edges"]:
        sources.setdefault(edge["target"], []).append(labels[edge["source"]])
    for node in document["graph"]["nodes"]:
        words = [node["label"]]
        if node["id"] in tasks:
            task = tasks[node["id"]]
            line = status(task, now)
            words.append(line if state_name(task) in line else f"{state_name(task)}, {line}")
        if node["id"] in sources:
            words.append(f"after {', '.join(sources[node['id']])}")
        sentences.append(": ".join(words[:2]) + (f" ({words[2]})" if len(words) > 2 else ""))
    return ". ".join(sentences)


def _edge(edge: Mapping[str, Json]) -> str:
    *_, x, y = NUMBER.findall(edge["path"])
    dash = "" if edge["label"] else EDGE["order_dash"]
    tip = EDGE["arrow_path"]
    lines = element("path", d=edge["path"], stroke_dasharray=dash) + element(
        "path", d=tip, transform=f"translate({x} {y})", stroke_linejoin="round"
    )
    named = f"{edge['source']} → {edge['target']}" + (f": {edge['label']}" if edge["label"] else "")
    return element(
        "g",
        element("title", escaped(named)) + lines,
        fill="none",
        stroke=LIGHT["edge"],
        stroke_width=EDGE["width"],
        stroke_linecap="round",
    )


def _chip(label: Label) -> str:
    """An edge's label on a piece of surface, which hides the line behind it on any background."""
    size, height = FONT["edge"]["size"], EDGE["chip_height"]
    return element(
        "rect",
        class_="kj-surface",
        x=label.x - label.width / 2,
        y=label.y - height / 2,
        width=label.width,
        height=height,
        rx=EDGE["chip_radius"],
        fill=LIGHT["surface"],
    ) + element(
        "text",
        escaped(label.text),
        class_="kj-detail",
        x=label.x,
        y=label.y + size * 0.34,
        text_anchor="middle",
        font_size=size,
        fill=LIGHT["detail"],
    )


def _card(node: Mapping[str, Json], task: Mapping[str, Json] | None, now: float) -> str:
    key = look_key(task)
    colour = STATES[key]["light"]
    width, height, border = node["width"], node["height"], CARD["border"]
    room = width - CARD["text_x"] - CARD["padding_right"] / 2
    if task is not None:
        second = status(task, now)
    else:
        second = node["component"] if node["component"] != node["label"] else ""
    muted = key in _MUTED
    shapes = [
        element("title", escaped(f"{node['label']}: {second}" if second else node["label"])),
        element(
            "rect",
            class_="kj-frame kj-border" if node["group"] else "kj-surface kj-border",
            x=border / 2,
            y=border / 2,
            width=width - border,
            height=height - border,
            rx=CARD["radius"],
            fill=LIGHT["frame" if node["group"] else "surface"],
            stroke=LIGHT["border"],
            stroke_width=border,
            stroke_dasharray=CARD["frame_dash"] if node["group"] else "",
        ),
        "" if node["group"] else element("path", class_=f"kj-fill-{key}", d=CARD["stripe_path"], fill=colour),
        _icon(key),
        element(
            "text",
            escaped(fitted(node["label"], FONT["label"], room)),
            class_="kj-label",
            x=CARD["text_x"],
            y=CARD["label_y"] if second else CARD["label_alone_y"],
            font_size=FONT["label"]["size"],
            font_weight=FONT["label"]["weight"],
            fill=LIGHT["label"],
        ),
    ]
    if second:
        shapes.append(
            element(
                "text",
                escaped(fitted(second, FONT["detail"], room)),
                class_="kj-detail" if muted else f"kj-fill-{key}",
                x=CARD["text_x"],
                y=CARD["detail_y"],
                font_size=FONT["detail"]["size"],
                fill=LIGHT["detail"] if muted else colour,
            )
        )
    return element("g", "".join(shapes), transform=f"translate({node['x']} {node['y']})")


def _icon(key: str) -> str:
    icon, colour = STATES[key]["icon"], STATES[key]["light"]
    shapes = []
    if icon["fill"]:
        shapes.append(element("path", class_=f"kj-fill-{key}", d=icon["fill"], fill=colour))
    round_ends = {"fill": "none", "stroke_linecap": "round", "stroke_linejoin": "round"}
    if icon["line"]:
        shapes.append(
            element(
                "path",
                class_=f"kj-line-{key}",
                d=icon["line"],
                stroke=colour,
                stroke_width=ICON["line_width"],
                **round_ends,
            )
        )
    if icon["cut"]:
        shapes.append(
            element(
                "path",
                class_="kj-cut",
                d=icon["cut"],
                stroke=LIGHT["surface"],
                stroke_width=ICON["cut_width"],
                **round_ends,
            )
        )
    return element("g", "".join(shapes), transform=f"translate({CARD['icon_x']} {CARD['icon_y']})")
