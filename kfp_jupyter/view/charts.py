"""Charts of what tasks measured, each a small self-contained SVG.

Curves of several tasks or runs share one chart; they differ in colour and in dashes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kfp_jupyter.model.types import Json
from kfp_jupyter.view.axes import MOST_SERIES, axes, chart, scale, stroke
from kfp_jupyter.view.confusion import confusion_chart
from kfp_jupyter.view.look import LIGHT, SERIES
from kfp_jupyter.view.markup import element
from kfp_jupyter.view.metrics import Point, Roc, confusions, curves, rocs
from kfp_jupyter.view.wording import number

_MOST_POINTS = 400
"""More points than this a line of the chart's width cannot show."""


def charts(document: Mapping[str, Json]) -> list[str]:
    """Return all charts of a run document: step curves, ROC curves, confusion matrices."""
    drawn = [curve_chart(name, series) for name, series in curves(document).items()]
    found = rocs(document)
    if found:
        drawn.append(roc_chart(found))
    return drawn + [confusion_chart(matrix) for matrix in confusions(document)]


def roc_chart(curves: Sequence[Roc]) -> str:
    """Return ROC curves (at least one) in one chart, with the area under each."""
    areas = [f"AUC {curve.auc:.3f}" for curve in curves]
    if len(curves) == 1:
        title = f"ROC · {curves[0].name} · {areas[0]}"
    elif len(curves) < 4:
        title = "ROC · AUC " + " / ".join(f"{curve.auc:.3f}" for curve in curves)
    else:
        title = f"ROC · best AUC {max(curve.auc for curve in curves):.3f}"
    frame = axes(scale(0.0, 1.0, "False positive rate"), scale(0.0, 1.0, "True positive rate"), title)
    plot = [
        element(
            "path",
            class_="kj-grid",
            d=frame.line([(0, 0), (1, 1)]),
            stroke=LIGHT["grid"],
            stroke_dasharray="4 4",
        )
    ]
    for index, curve in enumerate(curves[:MOST_SERIES]):
        plot.append(element("path", d=frame.line(thinned(curve.points)), **stroke(index)))
    names = [f"{curve.name} · {area}" for curve, area in zip(curves, areas, strict=True)]
    return chart(frame, plot, names, "; ".join(names))


def curve_chart(name: str, series: Mapping[str, Sequence[Point]]) -> str:
    """Return step curves of one metric in one chart.

    Args:
        name: The metric.
        series: The `(step, value)` points, ascending and at least one, by task or run.
    """
    steps = [step for points in series.values() for step, _ in points]
    values = [value for points in series.values() for _, value in points]
    whole = all(float(step).is_integer() for step in steps)
    title = name if len(series) > 1 else f"{name} · {next(iter(series))}"
    frame = axes(
        scale(min(steps), max(steps), "step", whole=whole), scale(min(values), max(values), ""), title
    )
    drawn = []
    for index, points in enumerate(list(series.values())[:MOST_SERIES]):
        drawn.append(element("path", d=frame.line(thinned(points)), **stroke(index)))
        x, y = frame.place(*points[-1])
        colour = index % len(SERIES["light"])
        drawn.append(
            element("circle", class_=f"kj-dot-{colour}", cx=x, cy=y, r=2.8, fill=SERIES["light"][colour])
        )
    told = "; ".join(
        f"{label}: {number(points[-1][1])} at step {number(points[-1][0])}"
        for label, points in series.items()
    )
    return chart(frame, drawn, list(series), told)


def thinned(points: Sequence[Point], most: int = _MOST_POINTS) -> Sequence[Point]:
    """Return at most about `most` of the points, so that the line keeps its ends, peaks and dips."""
    if len(points) <= most:
        return points
    buckets = most // 2
    kept = {0, len(points) - 1}
    for part in range(buckets):
        bucket = range(part * len(points) // buckets, (part + 1) * len(points) // buckets)
        kept.add(min(bucket, key=lambda index: points[index][1]))
        kept.add(max(bucket, key=lambda index: points[index][1]))
    return [points[index] for index in sorted(kept)]
