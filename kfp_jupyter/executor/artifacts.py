"""Artifacts as a component's function sees them: a URI, a path on this machine, and metadata.

The same classes serve the author (`kfp_jupyter.dsl` offers them as annotations) and the step at run time.
What methods log goes into `metadata` in KFP's own shapes, so that a KFP server draws it as well.
Classes and shapes: https://www.kubeflow.org/docs/components/pipelines/user-guides/data-handling/artifacts/
"""
# ruff: noqa: A002 (argument names are KFP's)

from __future__ import annotations

import math
from typing import Any, Callable, Sequence

MOUNTS = (("gs://", "/gcs/"), ("s3://", "/s3/"), ("minio://", "/minio/"))
"""URI schemes and the folders that KFP mounts their buckets at."""

CURVES = "metricCurves"
"""The metadata key of step curves: `{name: [[step, value], …]}`."""

CURVE_LIMIT = 1000
"""The most points kept of one curve in the metadata; a longer curve is thinned."""


def plain(value: Any) -> Any:
    """Return the value as strict JSON takes it: numpy's as Python's, NaN by protobuf's name."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: plain(held) for key, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(held) for held in value]
    return value


class Artifact:
    """A file or folder with a type and metadata.

    Args:
        name: Its name in the metadata store, or the output's name.
        uri: Where it is stored.
        metadata: Facts about it, JSON values by name.
    """

    schema_title = "system.Artifact"
    schema_version = "0.0.1"

    def __init__(
        self, name: str | None = None, uri: str | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        self.name = name or ""
        self.uri = uri or ""
        self.custom_path = ""
        self.metadata: dict[str, Any] = {} if metadata is None else metadata

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, uri={self.uri!r})"

    def set_path(self, path: str) -> None:
        """Let it be at a place of its own on this machine."""
        self.custom_path = path

    @property
    def path(self) -> str:
        """Where it is on this machine: a place of its own, its bucket's mount, or the URI itself."""
        if self.custom_path:
            return self.custom_path
        if self.uri.startswith("oci://"):
            return "/oci/" + self.uri[len("oci://") :].replace("/", "_") + "/models"
        for scheme, folder in MOUNTS:
            if self.uri.startswith(scheme):
                return folder + self.uri[len(scheme) :]
        return self.uri

    @path.setter
    def path(self, path: str) -> None:
        self.custom_path = ""
        for scheme, folder in MOUNTS:
            if str(path).startswith(folder):
                path = scheme + str(path)[len(folder) :]
        self.uri = str(path)


class Dataset(Artifact):
    """Data to learn from or to look at."""

    schema_title = "system.Dataset"


class Model(Artifact):
    """A trained model."""

    schema_title = "system.Model"

    @property
    def framework(self) -> str:
        """The framework it was made with, such as `scikit-learn`."""
        return str(self.metadata.get("framework", ""))

    @framework.setter
    def framework(self, framework: str) -> None:
        self.metadata["framework"] = framework


class Metrics(Artifact):
    """Numbers by name, and curves of them over the steps of a training."""

    schema_title = "system.Metrics"
    on_step: Callable[[str, float, float], None] | None = None
    """Told `(name, step, value)` of each point at once; the executor sets it."""

    def log_metric(self, metric: str, value: float, step: float | None = None) -> None:
        """Log a metric.

        Args:
            metric: Its name.
            value: Its value; the last one logged is the metric's.
            step: The step or epoch it belongs to: a point of a curve that is seen while the task runs.
        """
        self.metadata[metric] = plain(value)
        if step is None:
            return
        curve = self.metadata.setdefault(CURVES, {}).setdefault(metric, [])
        if len(curve) >= CURVE_LIMIT:
            del curve[1::2]
        point = [plain(step), plain(value)]
        curve.append(point)
        report = type(self).on_step
        if report and math.isfinite(value):
            report(metric, *point)


class ClassificationMetrics(Artifact):
    """A ROC curve and a confusion matrix."""

    schema_title = "system.ClassificationMetrics"

    def log_roc_data_point(self, fpr: float, tpr: float, threshold: float) -> None:
        """Add a point to the ROC curve: false positive rate, true positive rate, decision threshold."""
        points = self.metadata.setdefault("confidenceMetrics", [])
        known = [point["confidenceThreshold"] for point in points]
        limit = _finite([threshold, *known])[0]
        points.append({"confidenceThreshold": limit, "recall": plain(tpr), "falsePositiveRate": plain(fpr)})

    def log_roc_curve(self, fpr: Sequence[float], tpr: Sequence[float], threshold: Sequence[float]) -> None:
        """Log a ROC curve from three sequences of one length, as scikit-learn's `roc_curve` returns them.

        Raises:
            ValueError: The lengths differ.
        """
        rates, recalls, limits = plain(fpr), plain(tpr), _finite(threshold)
        if not len(rates) == len(recalls) == len(limits):
            raise ValueError(f"lengths differ: fpr {len(rates)}, tpr {len(recalls)}, threshold {len(limits)}")
        self.metadata["confidenceMetrics"] = [
            {"confidenceThreshold": limit, "recall": recall, "falsePositiveRate": rate}
            for rate, recall, limit in zip(rates, recalls, limits)
        ]

    def set_confusion_matrix_categories(self, categories: Sequence[str]) -> None:
        """Begin a confusion matrix of zeros over these categories."""
        names = [str(name) for name in plain(categories)]
        self.metadata["confusionMatrix"] = {
            "annotationSpecs": [{"displayName": name} for name in names],
            "rows": [{"row": [0] * len(names)} for _ in names],
        }

    def log_confusion_matrix_row(self, row_category: str, row: Sequence[float]) -> None:
        """Set the row of one true category.

        Raises:
            ValueError: No such category, or a row of another length.
        """
        index, size = self._category(row_category)
        values = plain(row)
        if len(values) != size:
            raise ValueError(f"the row of {row_category!r} must have {size} values, not {len(values)}")
        self.metadata["confusionMatrix"]["rows"][index] = {"row": list(values)}

    def log_confusion_matrix_cell(self, row_category: str, col_category: str, value: float) -> None:
        """Set one cell.

        Raises:
            ValueError: No such category.
        """
        row, column = self._category(row_category)[0], self._category(col_category)[0]
        self.metadata["confusionMatrix"]["rows"][row]["row"][column] = plain(value)

    def log_confusion_matrix(self, categories: Sequence[str], matrix: Sequence[Sequence[float]]) -> None:
        """Log a confusion matrix: a row for each true category, a column for each predicted one.

        Raises:
            ValueError: The matrix is not square over the categories.
        """
        names, rows = [str(name) for name in plain(categories)], plain(matrix)
        if len(rows) != len(names):
            raise ValueError(f"the matrix must have {len(names)} rows, one a category, not {len(rows)}")
        self.set_confusion_matrix_categories(names)
        for name, row in zip(names, rows):
            self.log_confusion_matrix_row(name, row)

    def _category(self, name: str) -> tuple[int, int]:
        matrix = self.metadata.get("confusionMatrix", {"annotationSpecs": []})
        names = [spec["displayName"] for spec in matrix["annotationSpecs"]]
        if str(name) not in names:
            raise ValueError(f"{name!r} is not among the categories {names}")
        return names.index(str(name)), len(names)


class SlicedClassificationMetrics(Artifact):
    """Classification metrics for each of several slices of the data."""

    schema_title = "system.SlicedClassificationMetrics"

    def log_roc_reading(self, slice: str, threshold: float, tpr: float, fpr: float) -> None:
        """Add a point to a slice's ROC curve."""
        self._of(slice).log_roc_data_point(fpr, tpr, threshold)

    def load_roc_readings(self, slice: str, readings: Sequence[Sequence[float]]) -> None:
        """Set a slice's ROC curve from `[threshold, tpr, fpr]` readings."""
        limits, recalls, rates = zip(*readings)
        self._of(slice).log_roc_curve(rates, recalls, limits)

    def set_confusion_matrix_categories(self, slice: str, categories: Sequence[str]) -> None:
        """Begin a slice's confusion matrix of zeros over these categories."""
        self._of(slice).set_confusion_matrix_categories(categories)

    def log_confusion_matrix_row(self, slice: str, row_category: str, row: Sequence[float]) -> None:
        """Set the row of one true category in a slice."""
        self._of(slice).log_confusion_matrix_row(row_category, row)

    def log_confusion_matrix_cell(
        self, slice: str, row_category: str, col_category: str, value: float
    ) -> None:
        """Set one cell in a slice."""
        self._of(slice).log_confusion_matrix_cell(row_category, col_category, value)

    def load_confusion_matrix(
        self, slice: str, categories: Sequence[str], matrix: Sequence[Sequence[float]]
    ) -> None:
        """Log a slice's confusion matrix."""
        self._of(slice).log_confusion_matrix(categories, matrix)

    def _of(self, name: str) -> ClassificationMetrics:
        slices: list[dict[str, Any]] = self.metadata.setdefault("evaluationSlices", [])
        for held in slices:
            if held["slice"] == name:
                return ClassificationMetrics(metadata=held["sliceClassificationMetrics"])
        slices.append({"slice": name, "sliceClassificationMetrics": {}})
        return self._of(name)


class HTML(Artifact):
    """A page of HTML to look at."""

    schema_title = "system.HTML"


class Markdown(Artifact):
    """A text in Markdown to look at."""

    schema_title = "system.Markdown"


ARTIFACT_CLASSES = (
    Artifact,
    Dataset,
    Model,
    Metrics,
    ClassificationMetrics,
    SlicedClassificationMetrics,
    HTML,
    Markdown,
)


def artifact_class(schema_title: str) -> type:
    """Return the class of a schema title (`system.Model`); one of that title is made if there is none."""
    for known in ARTIFACT_CLASSES:
        if known.schema_title == schema_title:
            return known
    name = schema_title.rsplit(".", 1)[-1]
    return type(name, (Artifact,), {"schema_title": schema_title}) if name else Artifact


task_root = [""]
"""The URI under which the running task's outputs lie; the executor sets it."""


def get_uri(suffix: str = "Output") -> str:
    """Return a URI under the running task's own root, for an artifact that the function returns.

    Raises:
        RuntimeError: No task is running.
    """
    if not task_root[0]:
        raise RuntimeError("no task is running")
    return task_root[0].rstrip("/") + "/" + suffix.lstrip("/")


def _finite(thresholds: Sequence[float]) -> list[float]:
    """Return the thresholds, infinity (where scikit-learn's ROC curves begin) as one past the largest."""
    limits = [float(value) for value in plain(thresholds)]
    finite = [value for value in limits if math.isfinite(value)] or [1.0]
    outside = {math.inf: max(finite) + 1.0, -math.inf: min(finite) - 1.0}
    return [outside.get(value, 0.0 if math.isnan(value) else value) for value in limits]
