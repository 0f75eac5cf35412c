from __future__ import annotations

import pytest

from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import RunCreated, RunRef, RunState, Target, apply
from tests.pipelines import churn


@pytest.fixture
def pipeline() -> Pipeline:
    return churn()


@pytest.fixture
def ref() -> RunRef:
    return RunRef("churn-20261122-060000-ab12", Target("argo", "kind", "team-a"), "team-a/churn-ab12")


@pytest.fixture
def created(ref, pipeline) -> RunState:
    tasks = tuple(pipeline.graph.tasks)
    return apply(None, RunCreated(100.0, ref.run_id, pipeline.name, ref.target, {"lr": 0.2}, tasks))
