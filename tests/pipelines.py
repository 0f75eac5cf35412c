"""A small pipeline for tests of what surrounds pipelines."""

from __future__ import annotations

from kfp_jupyter.model.component import Component, ContainerStep, InputSpec, OutputSpec
from kfp_jupyter.model.pipeline import Constant, Graph, Pipeline, PipelineInput, Task, TaskOutput
from kfp_jupyter.model.types import ArtifactType, ParameterType


def churn() -> Pipeline:
    """Return load → train → train-2, with one parameter and both kinds of outputs."""
    load = Component("load", (), (OutputSpec("rows", ParameterType.INTEGER),), ContainerStep("busybox"))
    train = Component(
        "train",
        (InputSpec("rows", ParameterType.INTEGER), InputSpec("lr", ParameterType.DOUBLE)),
        (
            OutputSpec("model", ArtifactType("system.Model")),
            OutputSpec("parts", ArtifactType("system.Artifact", is_list=True)),
            OutputSpec("metrics", ArtifactType("system.Metrics")),
            OutputSpec("accuracy", ParameterType.DOUBLE),
        ),
        ContainerStep("busybox", ("train",), ("{{$.inputs.parameters['lr']}}",)),
    )
    tasks = (
        Task("load", "comp-load"),
        Task("train", "comp-train", {"rows": TaskOutput("load", "rows"), "lr": PipelineInput("lr")}),
        Task("train-2", "comp-train", {"rows": Constant(3), "lr": Constant(0.5)}, after=("train",)),
    )
    outputs = {
        "accuracy": TaskOutput("train", "accuracy"),
        "model": TaskOutput("train", "model"),
        "lr": PipelineInput("lr"),
        "kind": Constant("tree"),
    }
    return Pipeline(
        name="churn",
        inputs=(InputSpec("lr", ParameterType.DOUBLE, optional=True, default=0.1),),
        outputs=(
            OutputSpec("accuracy", ParameterType.DOUBLE),
            OutputSpec("model", ArtifactType("system.Model")),
            OutputSpec("lr", ParameterType.DOUBLE),
            OutputSpec("kind", ParameterType.STRING),
        ),
        components={"comp-load": load, "comp-train": train},
        graph=Graph({task.name: task for task in tasks}, outputs),
    )
