"""Where the labels of edges stand: on the line, and on nothing else.

A label tries the middle of its edge's last stretch, then places before and behind it, then the first stretch,
and takes the first where it meets no card and no label that was placed before. One that finds none is not
drawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from kfp_jupyter.model.types import Json
from kfp_jupyter.view.look import CARD, EDGE, FONT, SPACE, fitted, text_width

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
"""A coordinate in an edge's path data."""

_STRETCH = re.compile(r"([MLC])([^MLC]*)")
_BAND = 64
"""The height in pixels of the bands by which neighbours are looked up."""

_Rectangle = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Label:
    """A label with its centre and the width of its chip, in pixels."""

    text: str
    x: float
    y: float
    width: float


def labels(graph: Mapping[str, Json]) -> list[Label]:
    """Return the labels of a run document's graph that have room, in the order of its edges."""
    font, height = FONT["edge"], EDGE["chip_height"]
    bands: dict[int, list[_Rectangle]] = {}
    for node in graph["nodes"]:
        # Of a frame only its head and its left and right edge are taken.
        left, top, right, bottom = node["x"], node["y"], node["x"] + node["width"], node["y"] + node["height"]
        if node["group"]:
            _take(bands, (left, top, right, top + CARD["height"]))
            _take(bands, (left - 1, top, left + 1, bottom))
            _take(bands, (right - 1, top, right + 1, bottom))
        else:
            _take(bands, (left, top, right, bottom))
    found: list[Label] = []
    for edge in graph["edges"]:
        if not edge["label"]:
            continue
        text = fitted(edge["label"], font, font["max_width"])
        width = text_width(text, font) + 2 * EDGE["chip_padding"]
        for x, y in _spots(edge["path"]):
            box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            if x >= width / 2 and x + width / 2 <= graph["width"] and _free(bands, box):
                _take(bands, box)
                found.append(Label(text, x, y, width))
                break
    return found


def _spots(path: str) -> Iterator[tuple[float, float]]:
    stretches = [
        (command, [float(number) for number in NUMBER.findall(rest)])
        for command, rest in _STRETCH.findall(path)
    ]
    pieces = [
        (command, (start[-2], start[-1]), (end[-2], end[-1]))
        for (_, start), (command, end) in pairwise(stretches)
    ]
    for command, (x0, y0), (x1, y1) in dict.fromkeys([pieces[-1], pieces[0]]):
        if command == "L":
            near = SPACE["layer"] / 2 if y1 - y0 > 2 * SPACE["layer"] + CARD["height"] else (y1 - y0) / 2
            for y in (y1 - near, y0 + near, y1 - near - 12, y0 + near + 12):
                yield x0, y
        else:
            for t in (0.5, 0.35, 0.65):
                yield x0 + (x1 - x0) * (3 - 2 * t) * t * t, y0 + (y1 - y0) * (1.5 - 1.5 * t + t * t) * t


def _around(box: _Rectangle) -> range:
    return range(int(box[1]) // _BAND, int(box[3]) // _BAND + 1)


def _take(bands: dict[int, list[_Rectangle]], box: _Rectangle) -> None:
    for band in _around(box):
        bands.setdefault(band, []).append(box)


def _free(bands: dict[int, list[_Rectangle]], box: _Rectangle) -> bool:
    left, top, right, bottom = box
    return not any(
        left < other[2] and other[0] < right and top < other[3] and other[1] < bottom
        for band in _around(box)
        for other in bands.get(band, ())
    )
