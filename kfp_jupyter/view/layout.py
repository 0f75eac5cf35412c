"""Where everything stands: a pipeline's tasks as boxes from top to bottom, its dependencies as curves.

Tasks that hang together are laid out together: rows (`layers`), order within the rows (`crossings`), places
(`placement`). The separate parts are then set beside each other and wrapped like words. A curve only ever
moves sideways between two rows and passes a row straight down through a free lane, so it crosses no box. The
result depends on the pipeline alone, never on a run, so a picture does not move while it is watched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from math import ceil, sqrt

from kfp_jupyter.model.pipeline import Pipeline, Task, TaskOutput
from kfp_jupyter.view.crossings import untangle
from kfp_jupyter.view.layers import Layers, Line, layered, parts
from kfp_jupyter.view.look import CARD, FONT, SPACE, text_width
from kfp_jupyter.view.placement import centres


@dataclass(frozen=True, slots=True)
class Node:
    """A task's box; places and sizes in pixels, `x` and `y` its left and top edge.

    Attributes:
        id: The task's path.
        label: The name shown to people.
        component: The name of the component that it runs.
    """

    id: str
    label: str
    component: str
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Edge:
    """A dependency.

    Attributes:
        source: The task that comes first.
        target: The task that waits for it.
        label: The values that flow, comma separated; empty for a bare order.
        path: SVG path data from the bottom centre of the source to the top centre of the target: `M`, then
            `C` and `L` commands with absolute coordinates, so its last two numbers are the tip.
    """

    source: str
    target: str
    label: str
    path: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A laid-out graph; sizes in pixels. Nodes and edges are in the order they were written in."""

    width: int
    height: int
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def layout(pipeline: Pipeline) -> Picture:
    """Lay out the root graph of a pipeline.

    Raises:
        PipelineError: The tasks wait for each other in a circle, or for a task that is not there.
    """
    order = {task.name: index for index, task in enumerate(pipeline.graph.in_order())}
    tasks = pipeline.graph.tasks
    boxes = [_box(pipeline, tasks[name]) for name in order]
    flows = {
        (order[source], order[task.name]): _flow(task, source)
        for task in tasks.values()
        for source in task.dependencies
    }
    place, paths, width, height = arrange([box.width for box in boxes], list(flows))
    placed = [replace(box, x=x, y=y) for box, (x, y) in zip(boxes, place, strict=True)]
    margin: int = SPACE["margin"]
    return Picture(
        width + 2 * margin,
        height + 2 * margin,
        tuple(placed[order[name]] for name in tasks),
        tuple(
            Edge(boxes[line[0]].id, boxes[line[1]].id, label, paths[line]) for line, label in flows.items()
        ),
    )


def _box(pipeline: Pipeline, task: Task) -> Node:
    label = task.settings.display_name or task.name
    component = pipeline.component_of(task).name
    wanted = max(text_width(label, FONT["label"]), text_width(component, FONT["detail"]))
    room = CARD["text_x"] + wanted + CARD["padding_right"]
    width = 2 * ceil(min(max(room, CARD["min_width"]), CARD["max_width"]) / 2)
    return Node(task.name, label, component, 0, 0, width, CARD["height"])


def _flow(task: Task, source: str) -> str:
    """The values that `task` takes from `source`; a lone, unnamed output goes by the argument's name."""
    names = [
        argument if value.output == "Output" else value.output
        for argument, value in task.arguments.items()
        if isinstance(value, TaskOutput) and value.task == source
    ]
    return ", ".join(dict.fromkeys(names))


def arrange(
    widths: Sequence[int], lines: Sequence[Line], budget: int | None = None
) -> tuple[list[tuple[int, int]], dict[Line, str], int, int]:
    """Place boxes and draw lines.

    Args:
        widths: The even width of each box; its number comes after those of all boxes that have a line to it.
        lines: `(upper, lower)` pairs, without repetition.
        budget: See `layers.layered`.

    Returns:
        The left and top edge of each box, the path data of each line, and the width and height of all of it
        without the
        margin (which the places do include).
    """
    groups = parts(len(widths), lines)
    home = {
        vertex: (index, number) for index, group in enumerate(groups) for number, vertex in enumerate(group)
    }
    own: list[list[Line]] = [[] for _ in groups]
    for line in lines:
        own[home[line[0]][0]].append(line)
    alone = {
        width: _Block([width], [], 0) for width in {widths[group[0]] for group in groups if len(group) == 1}
    }
    blocks = [
        _Block(
            [widths[vertex] for vertex in group],
            [(home[source][1], home[target][1]) for source, target in inner],
            budget,
        )
        if inner
        else alone[widths[group[0]]]
        for group, inner in zip(groups, own, strict=True)
    ]
    corners, width, height = _wrapped(blocks)
    place = [(0, 0)] * len(widths)
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

    def __init__(self, widths: Sequence[int], lines: Sequence[Line], budget: int | None) -> None:
        self._widths = widths
        self._graph = graph = layered(len(widths), lines, budget)
        self._height: int = CARD["height"]
        untangle(graph)
        gap, lane = SPACE["node"], SPACE["lane"]
        own = [width / 2 for width in widths] + [lane / 2] * (len(graph.row) - graph.real)
        space = [gap / 2] * graph.real + [0.0] * (len(graph.row) - graph.real)
        x = centres(graph, [half + free for half, free in zip(own, space, strict=True)])
        left = round(min(at - half for at, half in zip(x, own, strict=True)))
        self._x = [at - left for at in x]
        edge = round(max(at + half for at, half in zip(self._x, own, strict=True)))
        self._lanes = _lanes(graph)
        self.width = edge + (max(self._lanes.values()) + 1) * lane if self._lanes else edge
        self._edge = edge
        self._top = self._tops()
        self.height = self._top[-1] + self._height

    def corner(self, vertex: int) -> tuple[int, int]:
        """Return the left and top edge of a box."""
        return self._x[vertex] - self._widths[vertex] // 2, self._top[self._graph.row[vertex]]

    def path(self, line: Line, dx: int, dy: int) -> str:
        """Return the path data of a line, moved by (dx, dy)."""
        stops = self._stops(line)
        x, top = next(stops)
        drawn = leave = top + self._height
        parts = [f"M{x + dx} {leave + dy}"]
        for other, top in stops:
            if other != x:
                if drawn != leave:
                    parts.append(f"L{x + dx} {leave + dy}")
                middle = (leave + top) // 2 + dy
                parts.append(f"C{x + dx} {middle} {other + dx} {middle} {other + dx} {top + dy}")
                x, drawn = other, top
            leave = top + self._height
        if drawn != top:
            parts.append(f"L{x + dx} {top + dy}")
        return "".join(parts)

    def _stops(self, line: Line) -> Iterator[tuple[int, int]]:
        """The x of the line in each row where it may turn, and the row's top."""
        source, target = line
        first, last = self._graph.row[source], self._graph.row[target]
        yield self._x[source], self._top[first]
        if line in self._graph.chains:
            for vertex in self._graph.chains[line]:
                yield self._x[vertex], self._top[self._graph.row[vertex]]
        elif last - first > 1:
            lane = self._edge + (self._lanes[source] + 1) * SPACE["lane"]
            yield lane, self._top[first + 1]
            yield lane, self._top[last - 1]
        yield self._x[target], self._top[last]

    def _tops(self) -> list[int]:
        """The top of each row; rows stand further apart where lines go far sideways and would lie flat."""
        far = [0] * len(self._graph.rows)
        for vertex, others in enumerate(self._graph.below):
            for other in others:
                far[self._graph.row[vertex]] = max(
                    far[self._graph.row[vertex]], abs(self._x[vertex] - self._x[other])
                )
        tops = [0]
        for distance in far[:-1]:
            more = min(max(0, (distance - 240) // 12), 88)
            tops.append(tops[-1] + self._height + SPACE["layer"] + more)
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
