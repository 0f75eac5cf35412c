"""Charts say what was measured."""

from __future__ import annotations

import math
import re
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfp_jupyter.view.axes import MOST_SERIES, scale
from kfp_jupyter.view.charts import charts, curve_chart, roc_chart, thinned
from kfp_jupyter.view.confusion import confusion_chart
from kfp_jupyter.view.metrics import Confusion, Roc, confusion, curves, roc_points, rocs, scalars, table
from tests.view import examples
from tests.view.pages import SVG, parsed, texts

SUCCEEDED = examples.documents()["succeeded"]


def entry(rate: float, recall: float, threshold: float = 0.5) -> dict[str, float]:
    return {"confidenceThreshold": threshold, "falsePositiveRate": rate, "recall": recall}


def test_the_area_under_a_curve_is_that_of_its_trapezoids() -> None:
    assert Roc("guess", roc_points([entry(0, 0), entry(1, 1)])).auc == pytest.approx(0.5)
    assert Roc("perfect", roc_points([entry(0, 1)])).auc == pytest.approx(1.0)
    points = roc_points([entry(0.5, 1.0), entry(0.25, 0.5)])  # in any order, without its ends
    assert Roc("some", points).auc == pytest.approx(0.25 * 0.25 + 0.25 * 0.75 + 0.5)


def test_roc_points_that_are_no_points_are_left_out() -> None:
    assert roc_points(None) == roc_points([]) == roc_points("x") == roc_points([{"recall": "NaN"}]) == ()
    assert roc_points([entry(0.5, math.nan), entry(0.2, 0.7)]) == ((0, 0), (0.2, 0.7), (1, 1))


def test_a_lone_curve_says_its_area_in_the_title() -> None:
    picture = roc_chart([Roc("evaluate", roc_points([entry(0.1, 0.9)]))])
    assert "ROC · evaluate · AUC 0.900" in texts(picture)
    assert {"False positive rate", "True positive rate", "0.2", "1.0"} <= set(texts(picture))


def test_curves_of_several_tasks_share_a_chart_with_a_legend() -> None:
    found = rocs(SUCCEEDED)
    picture = roc_chart(found)
    assert [curve.name for curve in found] == ["evaluate", "evaluate-2"]
    for curve in found:
        assert f"{curve.name} · AUC {curve.auc:.3f}" in texts(picture)
    lines = [path for path in parsed(picture).iter(SVG + "path") if "kj-series" in (path.get("class") or "")]
    assert len({(path.get("stroke"), path.get("stroke-dasharray")) for path in lines}) == 2


def test_a_chart_of_too_many_curves_says_so() -> None:
    series = {f"run-{index}": [(0, index), (1, index + 1)] for index in range(MOST_SERIES + 3)}
    picture = curve_chart("loss", series)
    assert "and 3 more, not drawn" in texts(picture)
    looks = {
        (path.get("stroke"), path.get("stroke-dasharray"))
        for path in parsed(picture).iter(SVG + "path")
        if "kj-series" in (path.get("class") or "")
    }
    assert len(looks) == MOST_SERIES


def test_a_curve_of_one_point_or_one_value_is_drawn() -> None:
    assert "acc · train" in texts(curve_chart("acc", {"train": [(7, 0.93)]}))
    picture = curve_chart("rate", {"a": [(0, 1e-9), (1, 1e-9)], "b": [(0, 0.0)]})
    assert "nan" not in picture


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.floats(-1e12, 1e12)), min_size=1, max_size=30).map(sorted),
)
def test_every_point_lies_within_its_axes(points: list[tuple[float, float]]) -> None:
    picture = parsed(curve_chart("loss", {"train": points}))
    line = next(path for path in picture.iter(SVG + "path") if "kj-series" in (path.get("class") or ""))
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", line.get("d") or "")]
    width, height = float(picture.get("width") or 0), float(picture.get("height") or 0)
    assert len(numbers) == 2 * len(points)
    assert all(0 < x < width for x in numbers[::2])
    assert all(0 < y < height for y in numbers[1::2])


@given(st.floats(-1e300, 1e300) | st.integers(-50, 50), st.floats(-1e300, 1e300) | st.integers(-50, 50))
def test_ticks_are_few_and_cover_the_range(one: float, other: float) -> None:
    low, high = sorted((one, other))
    axis = scale(low, high, "x", whole=isinstance(one, int) and isinstance(other, int))
    invisible = (axis.high - axis.low) * 1e-6
    assert axis.low <= low + invisible
    assert axis.high >= high - invisible
    assert 2 <= len(axis.ticks) <= 9


def test_values_of_any_size_are_drawn() -> None:
    for least, most in ((-1.7e308, 1.7e308), (0.0, 5e-324), (1.0, 1.0 + 1e-15)):
        assert "nan" not in curve_chart("x", {"train": [(0, least), (1, most)]})


def test_ticks_are_round_numbers() -> None:
    assert [text for _, text in scale(0, 1, "x").ticks] == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert [text for _, text in scale(3, 27_000, "x").ticks] == ["0", "10k", "20k", "30k"]
    assert [text for _, text in scale(0, 2, "x", whole=True).ticks] == ["0", "1", "2"]


def test_thinning_keeps_ends_and_peaks() -> None:
    points = [(float(step), math.sin(step / 50)) for step in range(10_000)]
    points[5_003] = (5_003.0, 9.0)
    kept = thinned(points)
    assert len(kept) <= 402
    assert kept[0] == points[0]
    assert kept[-1] == points[-1]
    assert (5_003.0, 9.0) in kept


@pytest.mark.parametrize("size", [2, 3, 5, 10])
def test_a_confusion_matrix_shows_every_count_and_class(size: int) -> None:
    names = [f"class number {index}" for index in range(size)]
    rows = tuple(tuple(100 * row + column for column in range(size)) for row in range(size))
    picture = confusion_chart(Confusion("evaluate", tuple(names), rows))
    shown = texts(picture)
    for row in rows:
        for count in row:
            assert str(count) in shown
    assert [shown.count(name) for name in names] == [2] * size
    assert "true class number 1: 100 as class number 0" in texts(picture, "desc")[0]
    width, height = (float(parsed(picture).get(side) or 0) for side in ("width", "height"))
    for box in parsed(picture).iter(SVG + "rect"):
        assert float(box.get("x") or 0) + float(box.get("width") or 0) <= width
        assert float(box.get("y") or 0) + float(box.get("height") or 0) <= height


def test_large_counts_are_shortened_to_their_cell() -> None:
    names = tuple(str(index) for index in range(10))
    rows = tuple(tuple(1_234_567 for _ in names) for _ in names)
    assert texts(confusion_chart(Confusion("x", names, rows))).count("1.2M") == 100


def test_a_matrix_that_is_none_is_left_out() -> None:
    for wrong in (None, {}, {"rows": []}, {"rows": [{"row": [1, 2]}]}, {"rows": [{"row": ["a"]}]}):
        assert confusion("x", wrong) is None
    assert confusion("x", {"rows": [{"row": [1, 0]}, {"row": [0, 1]}]}) == Confusion(
        "x", ("0", "1"), ((1, 0), (0, 1))
    )


def test_scalars_are_the_numbers_of_metrics_artifacts() -> None:
    document = deepcopy(SUCCEEDED)
    tasks = document["run"]["tasks"]
    tasks["choose"]["outputs"] = {"Output": 7}
    odd = {"metricCurves": {"loss": [[0, 1.0]]}, "loss": "NaN", "kind": "forest", "flag": True, "rows": [1]}
    tasks["load"]["artifacts"] = {"odd": [{"type": "system.Metrics", "uri": "", "path": "", "metadata": odd}]}
    found = scalars(document)
    assert found["evaluate"] == {"accuracy": 0.972, "f1": 0.96, "test_rows": 143}
    assert found["load"] == {"loss": "NaN"}
    assert "choose" not in found
    assert table(SUCCEEDED)[0] == ["metric", "evaluate", "evaluate-2"]


def test_all_that_was_measured_gets_a_chart() -> None:
    assert len(charts(SUCCEEDED)) == len(curves(SUCCEEDED)) + 1 + 2
    assert charts(examples.documents()["pipeline"]) == charts(examples.documents()["open"]) == []
