"""A graph in layers: every vertex in a row, every line from one row to the next.

Rows are found by the longest path; a vertex that gives to more others than it takes from is then pulled down
to them, which shortens lines. A line across several rows becomes a chain of virtual vertices, one a row, so
that ordering and placing see nothing but lines between neighbouring rows. Chains cost vertices: past a budget
the longest lines get none and run in lanes beside the rows instead (`Layers.beside`), which keeps any graph
near linear.

After K. Sugiyama et al., "Methods for visual understanding of hierarchical system structures" (1981).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Line = tuple[int, int]
"""A line from a vertex to another, which stands lower."""


@dataclass(frozen=True, slots=True)
class Layers:
    """The layered graph. Vertices below `real` are the caller's own, the rest are virtual.

    Attributes:
        real: How many vertices are the caller's.
        row: The row of each vertex, from 0 at the top.
        rows: The vertices of each row, from left to right.
        above: For each vertex, the vertices of the row above that it is joined to.
        below: The same for the row below.
        chains: The virtual vertices of each line that crosses rows, from top to bottom.
        beside: The lines that got no virtual vertices.
    """

    real: int
    row: list[int]
    rows: list[list[int]]
    above: list[list[int]]
    below: list[list[int]]
    chains: dict[Line, list[int]]
    beside: list[Line]

    @property
    def size(self) -> int:
        """Vertices and lines together: what a pass over the graph costs."""
        return len(self.row) + sum(map(len, self.below))


def layered(count: int, lines: Sequence[Line], budget: int | None = None) -> Layers:
    """Put `count` vertices into rows.

    Args:
        count: The vertices are 0 to `count - 1`, each after all those that have a line to it.
        lines: The lines, without repetition.
        budget: How many virtual vertices there may be; None for a number that keeps the passes quick.
    """
    row = _ranks(count, lines)
    rows: list[list[int]] = [[] for _ in range(max(row, default=-1) + 1)]
    for vertex in range(count):
        rows[row[vertex]].append(vertex)
    graph = Layers(count, row, rows, [[] for _ in row], [[] for _ in row], {}, [])
    left = 500 + min(2 * count, 4000) if budget is None else budget
    # The cheap ones first; of equal cost the first written, so that the picture does not depend on chance.
    for line in sorted(lines, key=lambda each: row[each[1]] - row[each[0]]):
        source, target = line
        cost = row[target] - row[source] - 1
        if cost > left:
            graph.beside.append(line)
            continue
        left -= cost
        last = source
        for at in range(row[source] + 1, row[target]):
            vertex = len(row)
            row.append(at)
            rows[at].append(vertex)
            graph.above.append([])
            graph.below.append([])
            graph.chains.setdefault(line, []).append(vertex)
            _join(graph, last, vertex)
            last = vertex
        _join(graph, last, target)
    return graph


def _join(graph: Layers, upper: int, lower: int) -> None:
    graph.below[upper].append(lower)
    graph.above[lower].append(upper)


def _ranks(count: int, lines: Sequence[Line]) -> list[int]:
    before: list[list[int]] = [[] for _ in range(count)]
    behind: list[list[int]] = [[] for _ in range(count)]
    for source, target in lines:
        before[target].append(source)
        behind[source].append(target)
    row = [0] * count
    for vertex in range(count):
        row[vertex] = max((row[other] + 1 for other in before[vertex]), default=0)
    for vertex in reversed(range(count)):
        if len(behind[vertex]) > len(before[vertex]):
            row[vertex] = min(row[other] for other in behind[vertex]) - 1
    return row


def parts(count: int, lines: Sequence[Line]) -> list[list[int]]:
    """Return the sets of vertices that hang together, each ascending, by their first vertex."""
    parent = list(range(count))

    def top(vertex: int) -> int:
        while parent[vertex] != vertex:
            parent[vertex] = parent[parent[vertex]]
            vertex = parent[vertex]
        return vertex

    for source, target in lines:
        one, other = sorted((top(source), top(target)))
        parent[other] = one
    found: dict[int, list[int]] = {}
    for vertex in range(count):
        found.setdefault(top(vertex), []).append(vertex)
    return list(found.values())
