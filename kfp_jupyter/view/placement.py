"""The horizontal place of every vertex: chains straight, parents over the middle of their children.

Four placements are made, each preferring the left or right and the upper or lower neighbour. In each, a
vertex is aligned with its median neighbour, which makes blocks that share one place, and the blocks are
pushed together as far as widths allow. The four are laid over each other and every vertex gets the mean of
its two middle places: this keeps all distances, and what is straight in all four stays straight. A line
through several rows wins over a short one that crosses it, so long lines have no bends.

After U. Brandes and B. Köpf, "Fast and Simple Horizontal Coordinate Assignment" (2002).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from kfp_jupyter.view.layers import Layers, Line


def centres(graph: Layers, halves: Sequence[float]) -> list[int]:
    """Return the centre of each vertex, in whole pixels, from about 0.

    Args:
        graph: The graph with its rows in order.
        halves: For each vertex half of the width it needs, with half of the space to its neighbours.
    """
    crossed = _crossed(graph)
    places: list[list[float]] = []
    for down in (True, False):
        rows = graph.rows if down else graph.rows[::-1]
        near = _wanted(graph, down=down)
        for leftward in (True, False):
            ordered = rows if leftward else [row[::-1] for row in rows]
            root = _blocks(ordered, near, crossed)
            found = _pushed(ordered, root, halves)
            places.append(found if leftward else [-x for x in found])
    _overlay(places, halves)
    return [round(sum(sorted(four)[1:3]) / 2) for four in zip(*places, strict=True)]


def _wanted(graph: Layers, *, down: bool) -> list[list[int]]:
    """For each vertex those of the row before with which it may share its place.

    A task goes by the tasks next to it, and a long line comes second: it may bend at its ends, so that the
    main course
    of a pipeline stays straight.
    """
    near, far = (graph.above, graph.below) if down else (graph.below, graph.above)
    real = graph.real
    wanted: list[list[int]] = []
    for vertex, others in enumerate(near):
        if vertex < real:
            wanted.append([other for other in others if other < real] or others)
        elif others[0] < real and any(other < real for other in far[others[0]]):
            wanted.append([])
        else:
            wanted.append(others)
    return wanted


def _crossed(graph: Layers) -> set[Line]:
    """The lines that cross an inner piece of a chain: no block is made along them."""
    found: set[Line] = set()
    place = [0] * len(graph.row)
    for row in graph.rows:
        for index, vertex in enumerate(row):
            place[vertex] = index
    for upper, lower in zip(graph.rows[1:], graph.rows[2:], strict=False):
        last = 0
        start = 0
        for index, vertex in enumerate(lower):
            inner = _inner_above(graph, vertex)
            if inner is None and index < len(lower) - 1:
                continue
            bound = len(upper) if inner is None else place[inner]
            for other in lower[start : index + 1]:
                if other < graph.real or not _is_virtual(graph, graph.above[other]):
                    for above in graph.above[other]:
                        if not last <= place[above] <= bound:
                            found.add((above, other))
            start = index + 1
            last = bound
    return found


def _inner_above(graph: Layers, vertex: int) -> int | None:
    above = graph.above[vertex]
    return above[0] if vertex >= graph.real and _is_virtual(graph, above) else None


def _is_virtual(graph: Layers, vertices: list[int]) -> bool:
    return bool(vertices) and vertices[0] >= graph.real


def _blocks(rows: list[list[int]], near: list[list[int]], crossed: set[Line]) -> list[int]:
    """Align each vertex with the median of its wanted ones; return for each the first of its block."""
    count = len(near)
    root = list(range(count))
    place = [0] * count
    for index, vertex in enumerate(rows[0] if rows else ()):
        place[vertex] = index
    for row in rows[1:]:
        bound = -1
        for index, vertex in enumerate(row):
            place[vertex] = index
            others = near[vertex]
            degree = len(others)
            if degree > 1:
                others = sorted(others, key=place.__getitem__)
            for other in others[(degree - 1) // 2 : degree // 2 + 1]:
                if place[other] > bound and not ((other, vertex) in crossed or (vertex, other) in crossed):
                    root[vertex] = root[other]
                    bound = place[other]
                    break
    return root


def _pushed(rows: list[list[int]], root: list[int], halves: Sequence[float]) -> list[float]:
    """Push the blocks to the left as far as they go, then loose ones right again to their neighbours."""
    count = len(root)
    right: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    waits = [0] * count
    for row in rows:
        for vertex, following in pairwise(row):
            right[root[vertex]].append((root[following], halves[vertex] + halves[following]))
            waits[root[following]] += 1
    x = [0.0] * count
    order = [vertex for vertex in range(count) if root[vertex] == vertex and not waits[vertex]]
    for block in order:
        here = x[block]
        for other, distance in right[block]:
            if here + distance > x[other]:
                x[other] = here + distance
            waits[other] -= 1
            if not waits[other]:
                order.append(other)
    for block in reversed(order):
        if right[block]:
            x[block] = max(x[block], min([x[other] - distance for other, distance in right[block]]))
    return [x[block] for block in root]


def _overlay(places: list[list[float]], halves: Sequence[float]) -> None:
    """Shift all over the narrowest: those pushed left by their left ends, the others by their right ends."""
    ends = [
        (
            min((x - half for x, half in zip(found, halves, strict=True)), default=0.0),
            max((x + half for x, half in zip(found, halves, strict=True)), default=0.0),
        )
        for found in places
    ]
    low, high = min(ends, key=lambda end: end[1] - end[0])
    for index, found in enumerate(places):
        shift = low - ends[index][0] if index % 2 == 0 else high - ends[index][1]
        places[index] = [x + shift for x in found]
