"""The picture of a pipeline: its tasks as boxes from top to bottom, its dependencies as curves.

A task that runs a graph (a group of control flow, a pipeline in the pipeline) is a frame around the picture
of that graph, and each graph is arranged by itself (`arrangement`), as its tasks only depend on tasks beside
them. The result depends on the pipeline alone, never on a run, so a picture does not move while watched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from math import ceil

from kfp_jupyter.model.pipeline import Graph, GroupKind, Pipeline, Task, TaskOutput
from kfp_jupyter.model.value import CHANNEL
from kfp_jupyter.view.arrangement import arrange
from kfp_jupyter.view.groups import spoken, titles
from kfp_jupyter.view.look import CARD, FONT, SPACE, text_width

_MOST_NODES = 4000
"""Once a picture has so many, what stands inside further tasks is not drawn: a pipeline whose graphs each use
the next one twice would grow without end."""

_POINT = re.compile(r"(-?\d+) (-?\d+)")


@dataclass(frozen=True, slots=True)
class Node:
    """A task's box; places and sizes in pixels, `x` and `y` its left and top edge.

    Attributes:
        id: The task's path; the tasks of a loop's body have no iteration in it.
        label: The name shown to people.
        component: What it runs: the name of its component, or more on a group.
        group: The kind of graph that stands in its frame (`model.graph.GroupKind`); empty for a card.
    """

    id: str
    label: str
    component: str
    group: str
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

    def moved(self, dx: int, dy: int) -> Picture:
        """Return the picture with everything in it moved."""

        def shifted(point: re.Match[str]) -> str:
            return f"{int(point[1]) + dx} {int(point[2]) + dy}"

        return replace(
            self,
            nodes=tuple(replace(node, x=node.x + dx, y=node.y + dy) for node in self.nodes),
            edges=tuple(replace(edge, path=_POINT.sub(shifted, edge.path)) for edge in self.edges),
        )


def layout(pipeline: Pipeline) -> Picture:
    """Lay out a pipeline.

    Raises:
        PipelineError: The tasks wait for each other in a circle, or for a task that is not there.
    """
    return _Painter(pipeline).picture(pipeline.graph, "")


class _Painter:
    """Lays out the graphs of a pipeline, from the outermost inwards."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._count = 0

    def picture(self, graph: Graph, prefix: str) -> Picture:
        order = {task.name: index for index, task in enumerate(graph.in_order())}
        self._count += len(order)
        drawn = [self._drawn(graph.tasks[name], prefix, graph.group) for name in order]
        boxes = [box for box, _ in drawn]
        flows = {
            (order[source], order[task.name]): _flow(task, source)
            for task in graph.tasks.values()
            for source in task.dependencies
        }
        place, paths, width, height = arrange([(box.width, box.height) for box in boxes], list(flows))
        nodes: list[Node] = []
        edges = [
            Edge(boxes[line[0]].id, boxes[line[1]].id, label, paths[line]) for line, label in flows.items()
        ]
        for name in graph.tasks:
            (box, inside), (x, y) = drawn[order[name]], place[order[name]]
            nodes.append(replace(box, x=x, y=y))
            if inside is not None:
                held = inside.moved(x + (box.width - inside.width) // 2, y + CARD["height"])
                nodes += held.nodes
                edges += held.edges
        margin: int = SPACE["margin"]
        return Picture(width + 2 * margin, height + 2 * margin, tuple(nodes), tuple(edges))

    def _drawn(self, task: Task, prefix: str, within: GroupKind) -> tuple[Node, Picture | None]:
        """Return a task's box, and what stands in it if it is a frame."""
        component = self._pipeline.component_of(task)
        label, told = titles(task, component, within)
        wanted = max(text_width(label, FONT["label"]), text_width(told, FONT["detail"]))
        room = CARD["text_x"] + wanted + CARD["padding_right"]
        width = 2 * ceil(min(max(room, CARD["min_width"]), CARD["max_width"]) / 2)
        card = Node(prefix + task.name, label, told, "", 0, 0, width, CARD["height"])
        graph = component.implementation
        if not isinstance(graph, Graph) or self._count + len(graph.tasks) > _MOST_NODES:
            return card, None
        inside = self.picture(graph, f"{card.id}/")
        frame = replace(
            card,
            group=graph.group.value,
            width=max(width, inside.width + inside.width % 2),
            height=CARD["height"] + inside.height,
        )
        return frame, inside


def _flow(task: Task, source: str) -> str:
    """The values that `task` takes from `source`; a lone, unnamed output goes by the argument's name."""
    names = [
        spoken(argument) if value.output == "Output" or value.output.startswith(CHANNEL) else value.output
        for argument, value in task.arguments.items()
        if isinstance(value, TaskOutput) and value.task == source
    ]
    return ", ".join(dict.fromkeys(names))
