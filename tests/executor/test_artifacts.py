from __future__ import annotations

import json
import math

import pytest

from kfp_jupyter.executor.artifacts import (
    CURVE_LIMIT,
    Artifact,
    ClassificationMetrics,
    Dataset,
    Metrics,
    Model,
    SlicedClassificationMetrics,
    artifact_class,
    plain,
)

numpy = pytest.importorskip("numpy")


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("gs://bucket/a/b", "/gcs/bucket/a/b"),
        ("s3://bucket/a", "/s3/bucket/a"),
        ("minio://bucket/a", "/minio/bucket/a"),
        ("oci://registry/model:1", "/oci/registry_model:1/models"),
        ("/home/me/a", "/home/me/a"),
    ],
)
def test_the_path_of_an_artifact_is_its_buckets_mount(uri, path):
    assert Dataset(uri=uri).path == path


@pytest.mark.parametrize(("path", "uri"), [("/gcs/b/a", "gs://b/a"), ("/s3/b/a", "s3://b/a"), ("/x", "/x")])
def test_setting_the_path_sets_the_uri(path, uri):
    artifact = Artifact(uri="s3://elsewhere/a")
    artifact.custom_path = "/mnt/a"
    assert artifact.path == "/mnt/a"
    artifact.path = path
    assert (artifact.uri, artifact.path) == (uri, path)


def test_a_confusion_matrix_has_the_shape_that_kfp_draws():
    whole, by_hand = ClassificationMetrics(), ClassificationMetrics()
    whole.log_confusion_matrix(numpy.array(["cat", "dog"]), numpy.array([[3, 1], [0, 4]]))
    by_hand.set_confusion_matrix_categories(["cat", "dog"])
    by_hand.log_confusion_matrix_row("cat", [3, 9])
    by_hand.log_confusion_matrix_cell("cat", "dog", 1)
    by_hand.log_confusion_matrix_cell("dog", "dog", 4)
    expected = {
        "annotationSpecs": [{"displayName": "cat"}, {"displayName": "dog"}],
        "rows": [{"row": [3, 1]}, {"row": [0, 4]}],
    }
    assert json.loads(json.dumps(whole.metadata)) == {"confusionMatrix": expected} == by_hand.metadata


def test_a_confusion_matrix_of_the_wrong_size_is_refused():
    metrics = ClassificationMetrics()
    with pytest.raises(ValueError, match="2 rows"):
        metrics.log_confusion_matrix(["a", "b"], [[1, 2]])
    with pytest.raises(ValueError, match="2 values"):
        metrics.log_confusion_matrix(["a", "b"], [[1, 2], [3]])
    with pytest.raises(ValueError, match="'c' is not among"):
        metrics.log_confusion_matrix_row("c", [1, 2])
    with pytest.raises(ValueError, match="'a' is not among"):
        ClassificationMetrics().log_confusion_matrix_cell("a", "a", 1)


def test_a_roc_curve_from_scikit_learn_becomes_strict_json():
    fpr, tpr = numpy.array([0.0, 0.5, 1.0]), numpy.array([0.0, 1.0, 1.0])
    metrics = ClassificationMetrics()
    metrics.log_roc_curve(fpr, tpr, numpy.array([math.inf, 0.8, 0.1]))
    points = json.loads(json.dumps(metrics.metadata, allow_nan=False))["confidenceMetrics"]
    assert points == [
        {"confidenceThreshold": 1.8, "recall": 0.0, "falsePositiveRate": 0.0},
        {"confidenceThreshold": 0.8, "recall": 1.0, "falsePositiveRate": 0.5},
        {"confidenceThreshold": 0.1, "recall": 1.0, "falsePositiveRate": 1.0},
    ]
    one_by_one = ClassificationMetrics()
    for rate, recall, limit in zip(fpr, tpr, [math.inf, 0.8, 0.1], strict=True):
        one_by_one.log_roc_data_point(rate, recall, limit)
    limits = [point["confidenceThreshold"] for point in one_by_one.metadata["confidenceMetrics"]]
    assert limits == [2.0, 0.8, 0.1]
    with pytest.raises(ValueError, match="fpr 3, tpr 2, threshold 1"):
        metrics.log_roc_curve(fpr, [0, 1], [0.5])


def test_slices_hold_classification_metrics_of_their_own():
    metrics = SlicedClassificationMetrics()
    metrics.load_confusion_matrix("young", ["a", "b"], [[1, 0], [0, 1]])
    metrics.log_roc_reading("old", 0.5, 0.9, 0.1)
    metrics.load_roc_readings("young", [[0.5, 0.9, 0.1]])
    young, old = metrics.metadata["evaluationSlices"]
    assert (young["slice"], old["slice"]) == ("young", "old")
    assert set(young["sliceClassificationMetrics"]) == {"confusionMatrix", "confidenceMetrics"}
    assert old["sliceClassificationMetrics"] == {
        "confidenceMetrics": [{"confidenceThreshold": 0.5, "recall": 0.9, "falsePositiveRate": 0.1}]
    }


def test_a_metric_with_steps_is_a_curve_whose_last_value_stands():
    metrics = Metrics()
    for step in range(3):
        metrics.log_metric("loss", numpy.float32(1 / (step + 1)), step=step)
    metrics.log_metric("accuracy", 0.9)
    metadata = json.loads(json.dumps(metrics.metadata))
    assert metadata["accuracy"] == 0.9
    assert metadata["loss"] == pytest.approx(1 / 3)
    assert [step for step, _ in metadata["metricCurves"]["loss"]] == [0, 1, 2]


def test_a_long_curve_is_thinned_in_the_metadata_but_keeps_its_ends():
    metrics = Metrics()
    for step in range(10 * CURVE_LIMIT):
        metrics.log_metric("loss", step, step=step)
    curve = metrics.metadata["metricCurves"]["loss"]
    assert len(curve) <= CURVE_LIMIT
    assert (curve[0][0], curve[-1][0]) == (0, 10 * CURVE_LIMIT - 1)
    assert curve == sorted(curve)


def test_what_json_cannot_hold_becomes_plain():
    held = {"a": numpy.int64(1), "b": [numpy.nan, math.inf, -math.inf], "c": (1, numpy.bool_(True))}
    assert plain(held) == {"a": 1, "b": ["NaN", "Infinity", "-Infinity"], "c": [1, True]}


def test_schema_titles_have_classes_also_when_they_are_not_kfps_own():
    assert artifact_class("system.Model") is Model
    assert artifact_class("") is Artifact
    made = artifact_class("google.VertexModel")
    assert (made.__name__, made.schema_title) == ("VertexModel", "google.VertexModel")
