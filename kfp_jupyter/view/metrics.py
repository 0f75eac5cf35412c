"""The metrics in a run document: scalars, step curves, ROC curves and confusion matrices, by task.

Metrics are the metadata of KFP's `system.Metrics` and `system.ClassificationMetrics` artifacts, in the form
that `log_metric`, `log_roc_curve` and `log_confusion_matrix` write
(https://www.kubeflow.org/docs/components/pipelines/user-guides/data-handling/artifacts/). What does not have
that form is left out, for a user may write anything there; and a number that a task gives out as a parameter
is its output and no metric.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite

from kfp_jupyter.model.types import Json
from kfp_jupyter.view.task_names import task_labels
from kfp_jupyter.view.wording import number

Point = tuple[float, float]

_NOT_FINITE = ("NaN", "Infinity", "-Infinity")


@dataclass(frozen=True, slots=True)
class Roc:
    """A ROC curve: `(false positive rate, recall)` points, ascending."""

    name: str
    points: tuple[Point, ...]

    @property
    def auc(self) -> float:
        """The area under the curve, by trapezoids."""
        pairs = pairwise(self.points)
        return sum((x1 - x0) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in pairs)


@dataclass(frozen=True, slots=True)
class Confusion:
    """A confusion matrix: a row for each true class, a column for each predicted one."""

    name: str
    classes: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]


def scalars(document: Mapping[str, Json]) -> dict[str, dict[str, Json]]:
    """Return the scalars of each task's metrics artifacts by name.

    Values that JSON has no number for are the words `NaN`, `Infinity` and `-Infinity`.
    """
    found: dict[str, dict[str, Json]] = {}
    for label, task in _tasks(document):
        numbers = {
            name: value
            for _, metadata in _metadata(task, "system.Metrics")
            for name, value in metadata.items()
            if _is_number(value)
        }
        if numbers:
            found[label] = numbers
    return found


def table(document: Mapping[str, Json]) -> list[list[str]]:
    """Return the scalars as rows of text, the first row and column being headings; empty if there are none.

    Tasks are the columns, unless that would make the table wider than it is long.
    """
    found = scalars(document)
    names = list(dict.fromkeys(name for numbers in found.values() for name in numbers))
    if not found:
        return []
    if len(found) > max(4, len(names)):
        rows = [[task, *(_shown(numbers, name) for name in names)] for task, numbers in found.items()]
        return [["task", *names], *rows]
    rows = [[name, *(_shown(numbers, name) for numbers in found.values())] for name in names]
    return [["metric", *found], *rows]


def _shown(numbers: Mapping[str, Json], name: str) -> str:
    return number(numbers[name]) if name in numbers else ""


def curves(document: Mapping[str, Json]) -> dict[str, dict[str, list[Point]]]:
    """Return the step curves: for each name the `(step, value)` points by task."""
    found: dict[str, dict[str, list[Point]]] = {}
    for label, task in _tasks(document):
        for name, points in task["curves"].items():
            if points:
                found.setdefault(name, {})[label] = [(step, value) for step, value in points]
    return found


def rocs(document: Mapping[str, Json]) -> list[Roc]:
    """Return the ROC curves of all tasks."""
    found = []
    for label, name, metadata in _classifications(document):
        points = roc_points(metadata.get("confidenceMetrics"))
        if len(points) > 1:
            found.append(Roc(f"{label}{name}", points))
    return found


def roc_points(confidence_metrics: Json) -> tuple[Point, ...]:
    """Return the points of KFP's `confidenceMetrics`, ascending from (0, 0) to (1, 1), or none."""
    if not isinstance(confidence_metrics, list):
        return ()
    points = []
    for entry in confidence_metrics:
        if isinstance(entry, Mapping):
            x, y = entry.get("falsePositiveRate", 0.0), entry.get("recall", 0.0)
            if _is_finite(x) and _is_finite(y):
                points.append((min(max(float(x), 0.0), 1.0), min(max(float(y), 0.0), 1.0)))
    return tuple(sorted({(0.0, 0.0), *points, (1.0, 1.0)})) if points else ()


def confusions(document: Mapping[str, Json]) -> list[Confusion]:
    """Return the confusion matrices of all tasks."""
    found = []
    for label, name, metadata in _classifications(document):
        matrix = confusion(f"{label}{name}", metadata.get("confusionMatrix"))
        if matrix is not None:
            found.append(matrix)
    return found


def confusion(name: str, confusion_matrix: Json) -> Confusion | None:
    """Return KFP's `confusionMatrix` under a name, or None if it is not one."""
    if not isinstance(confusion_matrix, Mapping) or not isinstance(confusion_matrix.get("rows"), list):
        return None
    rows = [row.get("row") if isinstance(row, Mapping) else row for row in confusion_matrix["rows"]]
    size = len(rows)
    counts = [
        tuple(row) for row in rows if isinstance(row, list) and len(row) == size and all(map(_is_finite, row))
    ]
    if not size or len(counts) < size:
        return None
    specs = confusion_matrix.get("annotationSpecs")
    named = [str(spec.get("displayName", "")) for spec in specs or () if isinstance(spec, Mapping)]
    classes = named if len(named) == size else [str(index) for index in range(size)]
    return Confusion(name, tuple(classes), tuple(counts))


def _tasks(document: Mapping[str, Json]) -> Iterator[tuple[str, Mapping[str, Json]]]:
    for path, label in task_labels(document).items():
        yield label, document["run"]["tasks"][path]


def _metadata(task: Mapping[str, Json], type_: str) -> Iterator[tuple[str, Mapping[str, Json]]]:
    """The metadata of a task's artifacts of a type, each with the output's name (and number in a list)."""
    for name, records in task["artifacts"].items():
        for index, record in enumerate(records):
            if record["type"] == type_:
                yield name if len(records) == 1 else f"{name}[{index}]", record["metadata"]


def _classifications(document: Mapping[str, Json]) -> Iterator[tuple[str, str, Mapping[str, Json]]]:
    """Metadata with its task's label and, where the task has several, the output's name as an addition."""
    for label, task in _tasks(document):
        drawn = [
            (name, metadata)
            for name, metadata in _metadata(task, "system.ClassificationMetrics")
            if "confidenceMetrics" in metadata or "confusionMatrix" in metadata
        ]
        for name, metadata in drawn:
            yield label, f" · {name}" if len(drawn) > 1 else "", metadata


def _is_number(value: Json) -> bool:
    return value in _NOT_FINITE if isinstance(value, str) else _is_finite(value)


def _is_finite(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
