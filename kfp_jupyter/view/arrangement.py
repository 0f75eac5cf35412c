"""Where boxes stand and how the lines between them run: from top to bottom, in pixels.

Boxes that hang together are laid out together: rows (`layers`), order within the rows (`crossings`), places
(`placement`). The separate parts are then set beside each other and wrapped like words. A line only ever
moves sideways between two rows and passes a row straight down through a free lane, so it crosses no box.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from math import ceil, sqrt
from typing import TypeAlias

from kfp_jupyter.view.crossings import untangle
from kfp_jupyter.view.layers import Layers, Line, layered, parts
from kfp_jupyter.view.look import SPACE
from kfp_jupyter.view.placement import centres

Size: TypeAlias = "tuple[int, int]"
"""A width and a height."""


def arrange(
    sizes: Sequence[Size], lines: Sequence[Line], budget: int | None = None
) -> tuple[list[tuple[int, int]], dict[Line, str], int, int]:
    """Place boxes and draw lines.

    Args:
        sizes: The even width and the height of each box; its number comes after those of all boxes that
            have a line to it.
        lines: `(upper, lower)` pairs, without repetition.
        budget: See `layers.layered`.

    Returns:
        The left and top edge of each box, the path data of each line, and the width and height of all of it
        without the margin (which the places do include).
    """
    groups = parts(len(sizes), lines)
    home = {
        vertex: (index, number) for index, group in enumerate(groups) for number, vertex in enumerate(group)
    }
    own: list[list[Line]] = [[] for _ in groups]
    for line in lines:
        own[home[line[0]][0]].append(line)
    alone = {size: _Block([size], [], 0) for size in {sizes[group[0]] for group in groups if len(group) == 1}}
    blocks = [
        _Block(
            [sizes[vertex] for vertex in group],
            [(home[source][1], home[target][1]) for source, target in inner],
            budget,
        )
        if inner
        else alone[sizes[group[0]]]
        for group, inner in zip(groups, own, strict=True)
    ]
    corners, width, height = _wrapped(blocks)
    place = [(0, 0)] * len(sizes)
    paths: dict[Line, str] = {}
    for block, group, inner, (dx, dy) in zip(blocks, groups, own, corners, strict=True):
        for number, vertex in enumerate(group):
            x, y = block.corner(number)
            place[vertex] = (x + dx, y + dy)
        for line in inner:
            paths[line] = block.path((home[line[0]][1], home[line[1]][1]), dx, dy)
    return place, paths, width, height


def _wrapped(blocks: Sequence[_Block]) -> tuple[list[tuple[int, int]], int, int]:
    """Set blocks in lines like words; return each one's corner, and the width and height of all."""
    gap, margin = SPACE["node"], SPACE["margin"]
    area = sum((block.width + gap) * (block.height + gap) for block in blocks)
    limit = max([640, ceil(sqrt(area * 1.8)), *(block.width for block in blocks)])
    corners: list[tuple[int, int]] = []
    x = y = deepest = widest = 0
    for block in blocks:
        if x and x + block.width > limit:
            x, y, deepest = 0, y + deepest + gap, 0
        corners.append((margin + x, margin + y))
        widest = max(widest, x + block.width)
        deepest = max(deepest, block.height)
        x += block.width + gap
    return corners, widest, y + deepest


class _Block:
    """The tasks of one part of the graph, placed from (0, 0)."""

    def __init__(self, sizes: Sequence[Size], lines: Sequence[Line], budget: int | None) -> None:
        self._sizes = sizes
        self._graph = graph = layered(len(sizes), lines, budget)
        # The boxes of a row stand in line at their tops; the highest makes the row's height.
        self._heights = [
            max((sizes[vertex][1] for vertex in row if vertex < graph.real), default=0) for row in graph.rows
        ]
        untangle(graph)
        gap, lane = SPACE["node"], SPACE["lane"]
        own = [width / 2 for width, _ in sizes] + [lane / 2] * (len(graph.row) - graph.real)
        space = [gap / 2] * graph.real + [0.0] * (len(graph.row) - graph.real)
        x = centres(graph, [half + free for half, free in zip(own, space, strict=True)])
        left = round(min(at - half for at, half in zip(x, own, strict=True)))
        self._x = [at - left for at in x]
        edge = round(max(at + half for at, half in zip(self._x, own, strict=True)))
        self._lanes = _lanes(graph)
        self.width = edge + (max(self._lanes.values()) + 1) * lane if self._lanes else edge
        self._edge = edge
        self._top = self._tops()
        self.height = self._top[-1] + self._heights[-1]

    def corner(self, vertex: int) -> tuple[int, int]:
        """Return the left and top edge of a box."""
        return self._x[vertex] - self._sizes[vertex][0] // 2, self._top[self._graph.row[vertex]]

    def path(self, line: Line, dx: int, dy: int) -> str:
        """Return the path data of a line, moved by (dx, dy)."""
        stops = self._stops(line)
        x, row = next(stops)
        drawn = self._top[row] + self._sizes[line[0]][1]
        leave = self._top[row] + self._heights[row]
        parts = [f"M{x + dx} {drawn + dy}"]
        for other, row in stops:
            top = self._top[row]
            if other != x:
                if drawn != leave:
                    parts.append(f"L{x + dx} {leave + dy}")
                middle = (leave + top) // 2 + dy
                parts.append(f"C{x + dx} {middle} {other + dx} {middle} {other + dx} {top + dy}")
                x, drawn = other, top
            leave = top + self._heights[row]
        if drawn != top:
            parts.append(f"L{x + dx} {top + dy}")
        return "".join(parts)

    def _stops(self, line: Line) -> Iterator[tuple[int, int]]:
        """The x of the line in each row where it may turn, and the row."""
        source, target = line
        first, last = self._graph.row[source], self._graph.row[target]
        yield self._x[source], first
        if line in self._graph.chains:
            for vertex in self._graph.chains[line]:
                yield self._x[vertex], self._graph.row[vertex]
        elif last - first > 1:
            lane = self._edge + (self._lanes[source] + 1) * SPACE["lane"]
            yield lane, first + 1
            yield lane, last - 1
        yield self._x[target], last

    def _tops(self) -> list[int]:
        """The top of each row; rows stand further apart where lines go far sideways and would lie flat."""
        far = [0] * len(self._graph.rows)
        for vertex, others in enumerate(self._graph.below):
            for other in others:
                far[self._graph.row[vertex]] = max(
                    far[self._graph.row[vertex]], abs(self._x[vertex] - self._x[other])
                )
        tops = [0]
        for height, distance in zip(self._heights, far[:-1], strict=False):
            more = min(max(0, (distance - 240) // 12), 88)
            tops.append(tops[-1] + height + SPACE["layer"] + more)
        return tops


def _lanes(graph: Layers) -> dict[int, int]:
    """Give each source of lines beside the rows a lane (from 0) that is free down to its lowest target."""
    last: dict[int, int] = {}
    for source, target in graph.beside:
        last[source] = max(last.get(source, 0), graph.row[target])
    lanes: dict[int, int] = {}
    busy: list[tuple[int, int]] = []
    count = 0
    for source in sorted(last, key=lambda vertex: (graph.row[vertex], vertex)):
        if busy and busy[0][0] <= graph.row[source]:
            lane = heappop(busy)[1]
        else:
            lane, count = count, count + 1
        lanes[source] = lane
        heappush(busy, (last[source], lane))
    return lanes
