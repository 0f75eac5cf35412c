"""The order of the vertices in each row, with few crossing lines.

Sweeps down and up sort each row by the mean place of its neighbours in the row before (the barycentre); a
transposing pass then swaps neighbours where that removes crossings. The best order seen is kept. How many
sweeps a graph gets depends on its size alone, so the same graph is always drawn the same way, and a large one
in good time.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from kfp_jupyter.view.layers import Layers

_WORK = 32_000
"""Vertices and lines that all sweeps together may look at; about 30 ms."""

_PAIRS = 8_000
"""Neighbours that all transposing passes together may compare; about 15 ms."""


def untangle(graph: Layers) -> None:
    """Reorder `graph.rows` in place."""
    place = [0] * len(graph.row)
    for row in graph.rows:
        _renumber(row, place)
    best = crossings(graph, place)
    kept = [list(row) for row in graph.rows]
    sweeps = max(2, min(16, _WORK // max(1, graph.size)))
    pairs = _PAIRS
    for sweep in range(sweeps):
        if best == 0:
            break
        _sweep(graph, place, down=sweep % 2 == 0, mirrored=sweep % 4 >= 2)
        pairs = _transpose(graph, place, pairs)
        count = crossings(graph, place)
        if count < best:
            best = count
            kept = [list(row) for row in graph.rows]
    graph.rows[:] = kept


def crossings(graph: Layers, place: list[int]) -> int:
    """Return how many pairs of lines cross, with `place[vertex]` its index in its row."""
    total = 0
    for row in graph.rows[:-1]:
        ends: list[int] = []
        for vertex in row:
            # Ascending, so that none of its own lines counts as crossing another of them.
            for end in sorted([place[other] for other in graph.below[vertex]]):
                at = bisect_right(ends, end)
                total += len(ends) - at
                ends.insert(at, end)
    return total


def _renumber(row: list[int], place: list[int]) -> None:
    for index, vertex in enumerate(row):
        place[vertex] = index


def _sweep(graph: Layers, place: list[int], *, down: bool, mirrored: bool) -> None:
    near = graph.above if down else graph.below
    rows = graph.rows[1:] if down else graph.rows[-2::-1]
    for row in rows:
        key: dict[int, float] = {}
        for vertex in row:
            others = near[vertex]
            if len(others) == 1:  # as in every chain
                key[vertex] = place[others[0]]
            elif others:
                key[vertex] = sum([place[other] for other in others]) / len(others)
            else:
                key[vertex] = place[vertex]
        if mirrored:  # what is tied changes sides, which leads out of a dead end
            row.reverse()
        row.sort(key=key.__getitem__)
        _renumber(row, place)


def _transpose(graph: Layers, place: list[int], pairs: int) -> int:
    """Swap neighbours while that removes crossings; compare at most `pairs`, return how many are left."""
    for row in graph.rows:
        if len(row) > pairs:
            continue
        above = {vertex: sorted([place[other] for other in graph.above[vertex]]) for vertex in row}
        below = {vertex: sorted([place[other] for other in graph.below[vertex]]) for vertex in row}
        improved = True
        while improved and pairs >= len(row):
            improved = False
            pairs -= len(row)
            for index in range(len(row) - 1):
                left, right = row[index], row[index + 1]
                now = _inversions(above[left], above[right]) + _inversions(below[left], below[right])
                if now == 0:
                    continue
                swapped = _inversions(above[right], above[left]) + _inversions(below[right], below[left])
                if swapped < now:
                    row[index], row[index + 1] = right, left
                    improved = True
        _renumber(row, place)
    return pairs


def _inversions(left: list[int], right: list[int]) -> int:
    return sum(bisect_left(right, end) for end in left) if right else 0
