from __future__ import annotations

import math

from kfp_jupyter.model.run import ArtifactRecord, TaskRun
from kfp_jupyter.runs.metrics import task_metrics


def test_metrics_are_the_numbers_in_metrics_artifacts():
    metadata = {
        "auc": 0.9,
        "rows": 7,
        "loss": "NaN",
        "metricCurves": {"auc": [[0, 0.9]]},
        "kind": "tree",
        "flag": True,
    }
    artifacts = {
        "scores": (ArtifactRecord("system.Metrics", metadata=metadata),),
        "model": (ArtifactRecord("system.Model", metadata={"depth": 3}),),
    }
    found = task_metrics(TaskRun(artifacts=artifacts, outputs={"Output": 0.5}))
    assert found.keys() == {"auc", "rows", "loss"}
    assert (found["auc"], found["rows"]) == (0.9, 7)
    assert math.isnan(found["loss"])
