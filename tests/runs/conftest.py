from __future__ import annotations

import pytest

from kfp_jupyter.model.component import Component, ContainerStep, InputSpec, OutputSpec
from kfp_jupyter.model.pipeline import Constant, Graph, Pipeline, PipelineInput, Task, TaskOutput
from kfp_jupyter.model.run import RunCreated, RunRef, RunState, Target, apply
from kfp_jupyter.model.types import ArtifactType, ParameterType


@pytest.fixture
def pipeline() -> Pipeline:
    load = Component("load", (), (OutputSpec("rows", ParameterType.INTEGER),), ContainerStep("busybox"))
    train = Component(
        "train",
        (InputSpec("rows", ParameterType.INTEGER), InputSpec("lr", ParameterType.DOUBLE)),
        (
            OutputSpec("model", ArtifactType("system.Model")),
            OutputSpec("metrics", ArtifactType("system.Metrics")),
        ),
        ContainerStep("busybox", ("train",), ("{{$.inputs.parameters['lr']}}",)),
    )
    tasks = (
        Task("load", "comp-load"),
        Task("train", "comp-train", {"rows": TaskOutput("load", "rows"), "lr": PipelineInput("lr")}),
        Task("train-2", "comp-train", {"rows": Constant(3), "lr": Constant(0.5)}, after=("train",)),
    )
    return Pipeline(
        name="churn",
        inputs=(InputSpec("lr", ParameterType.DOUBLE, optional=True, default=0.1),),
        outputs=(),
        components={"comp-load": load, "comp-train": train},
        graph=Graph({task.name: task for task in tasks}),
    )


@pytest.fixture
def ref() -> RunRef:
    return RunRef("churn-20261122-060000-ab12", Target("argo", "kind", "team-a"), "team-a/churn-ab12")


@pytest.fixture
def created(ref, pipeline) -> RunState:
    tasks = tuple(pipeline.graph.tasks)
    return apply(None, RunCreated(100.0, ref.run_id, pipeline.name, ref.target, {"lr": 0.2}, tasks))
