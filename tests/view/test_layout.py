"""A layout is a picture one can read: nothing overlaps, everything runs downward."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kfp_jupyter.model.pipeline import Graph, Pipeline, PipelineError
from kfp_jupyter.view.arrangement import Size, arrange
from kfp_jupyter.view.crossings import crossings, untangle
from kfp_jupyter.view.layers import Line, layered
from kfp_jupyter.view.layout import layout
from kfp_jupyter.view.look import CARD, SPACE
from tests.growth import executed_lines
from tests.view import examples

Box = tuple[int, int, int, int]
HEIGHT: int = CARD["height"]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Size], list[Line]]:
    halves = draw(st.lists(st.integers(40, 140), min_size=1, max_size=24))
    sizes = [(2 * half, draw(st.sampled_from([HEIGHT, HEIGHT, 3 * HEIGHT]))) for half in halves]
    lines = []
    for target in range(1, len(sizes)):
        lines += [(source, target) for source in draw(st.sets(st.integers(0, target - 1), max_size=3))]
    return sizes, lines


def cards(*widths: int) -> list[Size]:
    return [(width, HEIGHT) for width in widths]


def boxes(sizes: list[Size], place: list[tuple[int, int]]) -> list[Box]:
    return [(x, y, x + width, y + height) for (width, height), (x, y) in zip(sizes, place, strict=True)]


def points(path: str, steps: int = 16) -> list[tuple[float, float]]:
    """Points along path data of absolute M, L and C commands."""
    found: list[tuple[float, float]] = []
    for command, rest in re.findall(r"([MLC])([^MLC]*)", path):
        numbers = [float(number) for number in rest.split()]
        if command == "C":
            (x0, y0), (x1, y1, x2, y2, x3, y3) = found[-1], numbers
            for step in range(1, steps + 1):
                t = step / steps
                a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
                found.append((a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3))
        elif found:
            (x0, y0), (x1, y1) = found[-1], numbers
            found += [(x0 + (x1 - x0) * k / steps, y0 + (y1 - y0) * k / steps) for k in range(1, steps + 1)]
        else:
            found.append((numbers[0], numbers[1]))
    return found


def check(sizes: list[Size], lines: list[Line], budget: int | None = None) -> None:
    place, paths, width, height = arrange(sizes, lines, budget)
    margin = SPACE["margin"]
    placed = boxes(sizes, place)
    for one, other in combinations(placed, 2):
        assert one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]
    for left, top, right, bottom in placed:
        assert margin <= left
        assert right <= margin + width
        assert margin <= top
        assert bottom <= margin + height
    assert list(paths) and set(paths) == set(lines) if lines else not paths
    for (source, target), path in paths.items():
        course = points(path)
        assert course[0] == ((placed[source][0] + placed[source][2]) / 2, placed[source][3])
        assert course[-1] == ((placed[target][0] + placed[target][2]) / 2, placed[target][1])
        assert placed[source][3] < placed[target][1]
        assert all(lower > upper for (_, upper), (_, lower) in pairwise(course))
        for x, y in course[1:-1]:
            assert margin <= x <= margin + width
            assert not any(left < x < right and top < y < bottom for left, top, right, bottom in placed)


@given(graphs())
@settings(max_examples=80, deadline=None)
def test_boxes_stand_apart_and_lines_run_down_between_them(graph: tuple[list[Size], list[Line]]) -> None:
    check(*graph)


@given(graphs(), st.integers(0, 6))
@settings(max_examples=50, deadline=None)
def test_lines_without_a_chain_run_beside_the_boxes(
    graph: tuple[list[Size], list[Line]], budget: int
) -> None:
    check(*graph, budget)


@given(graphs())
@settings(max_examples=30, deadline=None)
def test_the_same_graph_is_drawn_the_same_way(graph: tuple[list[Size], list[Line]]) -> None:
    assert arrange(*graph) == arrange(*graph)


def test_a_chain_is_straight_whatever_its_widths() -> None:
    widths = [80, 200, 112, 288, 90]
    place, paths, _, _ = arrange(cards(*widths), [(index, index + 1) for index in range(4)])
    assert len({x + width // 2 for (x, _), width in zip(place, widths, strict=True)}) == 1
    assert not any("C" in path for path in paths.values())


def test_a_parent_stands_over_the_middle_of_its_children() -> None:
    place, _, _, _ = arrange(cards(*[100] * 5), [(0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4)])
    assert place[0][0] == place[2][0] == place[4][0]
    assert place[2][0] - place[1][0] == place[3][0] - place[2][0]


def test_a_line_across_many_rows_bends_only_next_to_its_ends() -> None:
    lines = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 5)]
    _, paths, _, _ = arrange(cards(*[150] * 6), lines)
    assert paths[0, 5].count("C") <= 2


def test_lines_that_need_not_cross_do_not() -> None:
    # Two ladders whose rungs were written crosswise.
    graph = layered(6, [(0, 3), (1, 2), (2, 5), (3, 4)])
    untangle(graph)
    place = [0] * 6
    for row in graph.rows:
        for index, vertex in enumerate(row):
            place[vertex] = index
    assert crossings(graph, place) == 0


def test_a_task_that_feeds_only_a_late_one_stands_right_above_it() -> None:
    place, _, _, _ = arrange(cards(*[100] * 5), [(0, 1), (1, 2), (2, 3), (3, 4)])
    late, _, _, _ = arrange(cards(*[100] * 5), [(0, 1), (1, 2), (2, 4), (3, 4)])
    assert late[3][1] == late[2][1] < late[4][1]
    assert place[3][1] > place[2][1]


def test_independent_tasks_are_wrapped_like_words() -> None:
    place, _, width, height = arrange(cards(*[150] * 60), [])
    assert len({y for _, y in place}) > 3
    assert 0.4 < width / height < 4


def test_a_picture_holds_the_tasks_in_the_order_they_were_written_in() -> None:
    picture = layout(examples.classifier())
    assert [node.id for node in picture.nodes] == list(examples.classifier().graph.tasks)
    assert picture.height == max(node.y + node.height for node in picture.nodes) + SPACE["margin"]
    right = max(node.x + node.width for node in picture.nodes)
    assert right <= picture.width - SPACE["margin"]


def test_a_wide_label_widens_its_card_up_to_a_limit() -> None:
    def width_of(label: str) -> int:
        pipeline = replace(
            examples.classifier(),
            graph=Graph({"load": examples.task("load", "load", display_name=label)}),
        )
        return layout(pipeline).nodes[0].width

    assert width_of("x") == CARD["min_width"]
    assert CARD["min_width"] < width_of("Load the newest data of all") < CARD["max_width"]
    assert width_of("학습 데이터를 불러와서 나누고 검증하는 작업") > width_of("Load the newest data")
    assert width_of("x" * 300) == CARD["max_width"]


def test_an_empty_pipeline_has_an_empty_picture() -> None:
    picture = layout(Pipeline("empty", (), (), {}, Graph({})))
    assert picture.nodes == picture.edges == ()
    assert picture.width == picture.height == 2 * SPACE["margin"]


def test_a_circle_is_refused() -> None:
    graph = Graph({"a": examples.task("a", "load", ("b",)), "b": examples.task("b", "load", ("a",))})
    with pytest.raises(PipelineError, match="circle"):
        layout(replace(examples.classifier(), graph=graph))


def wide(count: int) -> list[Line]:
    """Stages of twelve parallel tasks."""
    lines: list[Line] = []
    for first in range(0, count - 13, 13):
        for branch in range(first + 1, first + 13):
            lines += [(first, branch), (branch, first + 13)]
    return lines


def tangled(count: int) -> list[Line]:
    chance = random.Random(1)
    reach = 3 * max(3, int(count**0.5))
    lines = {
        (chance.randrange(max(0, target - reach), target), target)
        for target in range(1, count)
        for _ in range(chance.choice([1, 1, 2, 3]))
    }
    return sorted(lines)


def skipping(count: int) -> list[Line]:
    """A chain in which every task also feeds one fifty later: as many long lines as tasks."""
    return [(at, at + 1) for at in range(count - 1)] + [(at, at + 50) for at in range(count - 50)]


@pytest.mark.parametrize("shape", [wide, tangled, skipping, lambda count: []])
def test_the_work_of_a_layout_grows_with_the_number_of_tasks(shape) -> None:
    def work(count: int) -> int:
        lines = shape(count)
        return executed_lines(lambda: arrange(cards(*[150] * count), lines))

    # Four times the tasks; with anything quadratic it would be sixteen times the work.
    assert work(800) < 8 * work(200)


def test_what_stands_in_a_group_stands_in_its_frame_under_its_head() -> None:
    picture = layout(examples.looped()[0])
    nodes = {node.id: node for node in picture.nodes}
    assert list(nodes) == [
        "load",
        "for-loop-1",
        "for-loop-1/train",
        "for-loop-1/condition-1",
        "for-loop-1/condition-1/publish",
    ]
    assert [node.group for node in picture.nodes] == ["", "loop", "", "condition", ""]
    for path, node in nodes.items():
        frame = nodes.get(path.rpartition("/")[0])
        if frame is not None:
            assert frame.x < node.x
            assert node.x + node.width < frame.x + frame.width
            assert frame.y + HEIGHT < node.y
            assert node.y + node.height < frame.y + frame.height
    for edge in picture.edges:
        course = points(edge.path)
        source, target = nodes[edge.source], nodes[edge.target]
        assert course[0] == (source.x + source.width / 2, source.y + source.height)
        assert course[-1] == (target.x + target.width / 2, target.y)
    assert [edge.label for edge in picture.edges] == ["data", "train"]


def test_a_group_is_named_by_what_its_author_wrote() -> None:
    named = {node.id: (node.label, node.component) for node in layout(examples.looped()[0]).nodes}
    assert named["for-loop-1"] == ("for each of 3 items", "for-loop-1")
    assert named["for-loop-1/condition-1"] == ("if train > 0.9", "condition-1")


def test_pipelines_that_use_each_other_twice_are_drawn_only_so_deep() -> None:
    pipeline = examples.classifier()
    components = dict(pipeline.components)
    below = "comp-load"
    for level in range(30):
        graph = Graph({name: replace(examples.task(name, "load"), component=below) for name in ("a", "b")})
        below = f"comp-level-{level}"
        components[below] = replace(components["comp-load"], name=below, implementation=graph)
    top = Graph({"top": replace(examples.task("top", "load"), component=below)})
    picture = layout(replace(pipeline, components=components, graph=top))
    assert 1000 < len(picture.nodes) < 10_000
