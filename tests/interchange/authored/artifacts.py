"""Artifacts: every class, a class of the user's, paths, returned artifacts, optional inputs."""


from typing import NamedTuple

from kfp import compiler, dsl
from kfp.dsl import (
    HTML,
    Artifact,
    ClassificationMetrics,
    Dataset,
    Input,
    InputPath,
    Markdown,
    Metrics,
    Model,
    Output,
    OutputPath,
    SlicedClassificationMetrics,
)


@dsl.component(packages_to_install=["pandas==2.0", "numpy"], base_image="python:3.12")
def make(
    anything: Output[Artifact],
    data: Output[Dataset],
    model: Output[Model],
    metrics: Output[Metrics],
    report: Output[ClassificationMetrics],
    slices: Output[SlicedClassificationMetrics],
    page: Output[HTML],
    text: Output[Markdown],
    rows: int = 10,
) -> float:
    return 1.0


@dsl.component
def by_path(
    data: InputPath("Dataset"),
    typed: InputPath(Dataset),
    number_path: OutputPath(int),
    words: OutputPath(str),
    model: OutputPath("Model"),
):
    pass


@dsl.component
def use(data: Input[Dataset], model: Input[Model] = None, anything: Input[Artifact] = None) -> Dataset:
    return data


@dsl.component
def both(data: Input[Dataset], count: int) -> NamedTuple("Both", [("best", Model), ("score", float)]):
    return Model(uri="u"), 0.5


@dsl.pipeline(name="artifacts")
def artifacts(rows: int = 10):
    made = make(rows=rows)
    paths = by_path(data=made.outputs["data"], typed=made.outputs["anything"])
    used = use(data=made.outputs["data"], model=paths.outputs["model"])
    use(data=used.output, anything=made.outputs["report"])
    both(data=used.output, count=paths.outputs["number_path"])


compiler.Compiler().compile(artifacts, "artifacts.yaml")
