"""Pipelines and arguments are checked before anything runs."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import Any

import pytest

from kfp_jupyter.model.check import ArgumentError, bind_arguments, check, parameter_value
from kfp_jupyter.model.component import Component, ContainerStep, InputSpec, OutputSpec
from kfp_jupyter.model.pipeline import (
    Constant,
    Graph,
    Pipeline,
    PipelineError,
    PipelineInput,
    Task,
    TaskOutput,
)
from kfp_jupyter.model.types import ArtifactType, ParameterType

MODEL = ArtifactType("system.Model")
COMPONENT = Component(
    "train",
    (
        InputSpec("rows", ParameterType.INTEGER),
        InputSpec("rate", ParameterType.DOUBLE, optional=True, default=0.1),
        InputSpec("prior", MODEL, optional=True),
    ),
    (OutputSpec("model", MODEL), OutputSpec("loss", ParameterType.DOUBLE)),
    ContainerStep("image"),
)


def pipeline(*tasks: Task, **changes: Any) -> Pipeline:
    made = Pipeline(
        "p",
        (
            InputSpec("rows", ParameterType.INTEGER),
            InputSpec("rate", ParameterType.DOUBLE, optional=True, default=0.5),
            InputSpec("tag", ParameterType.STRING, optional=True),
        ),
        (),
        {"comp-train": COMPONENT},
        Graph({task.name: task for task in tasks}),
    )
    return replace(made, **changes)


def task(name: str = "train", **arguments: Any) -> Task:
    return Task(name, "comp-train", {"rows": Constant(1), **arguments})


GOOD = pipeline(task(rows=PipelineInput("rows")), task("train-2", prior=TaskOutput("train", "model")))


def test_a_good_pipeline_passes() -> None:
    check(GOOD)


@pytest.mark.parametrize(
    ("wrong", "where", "message"),
    [
        (pipeline(), "pipeline p", "has no task"),
        (pipeline(Task("train", "comp-none")), "task train", "'comp-none' is not in the pipeline"),
        (pipeline(Task("train", "comp-train")), "task train", "lacks its argument 'rows'"),
        (pipeline(task(rwos=Constant(1))), "task train", "Did you mean 'rows'?"),
        (pipeline(task(rows=Constant("1"))), "task train", "'rows' got '1' of type str, not int"),
        (pipeline(task(prior=Constant("x"))), "task train", "'prior' is an artifact (Model)"),
        (pipeline(task(rows=PipelineInput("row"))), "task train", "no parameter 'row'. Did you mean 'rows'?"),
        (pipeline(task(rows=PipelineInput("rate"))), "task train", "parameter 'rate' is of type float"),
        (pipeline(task(prior=TaskOutput("load", "m"))), "task train", "uses task 'load', which is not"),
        (pipeline(task(), task("b", prior=TaskOutput("train", "mdl"))), "task b", "Did you mean 'model'?"),
        (
            pipeline(task(), task("b", prior=TaskOutput("train", "loss"))),
            "task b",
            "output 'loss' of task 'train' is of type float",
        ),
        (pipeline(replace(task(), after=("train",))), "task train", "waits for itself"),
        (pipeline(replace(task(), after=("gone",))), "task train", "'gone' that is not in the pipeline"),
        (
            replace(
                GOOD,
                outputs=(OutputSpec("out", ParameterType.STRING),),
                graph=replace(GOOD.graph, outputs={"out": TaskOutput("train", "loss")}),
            ),
            "pipeline p",
            "'out' is of type str, but gets output 'loss' of task 'train' of type float",
        ),
    ],
)
def test_a_wrong_pipeline_is_refused_with_task_and_reason(wrong: Pipeline, where: str, message: str) -> None:
    with pytest.raises(PipelineError) as refused:
        check(wrong)
    assert refused.value.where == where
    assert message in str(refused.value)


def test_arguments_are_bound_with_defaults() -> None:
    assert bind_arguments(GOOD, {"rows": 3}) == {"rows": 3, "rate": 0.5, "tag": None}
    bound = bind_arguments(GOOD, {"rows": 3, "rate": 2, "tag": "x"})
    assert bound == {"rows": 3, "rate": 2.0, "tag": "x"}
    assert isinstance(bound["rate"], float)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "'rows' has no value"),
        ({"rows": None}, "'rows' has no value"),
        ({"rows": 1, "rte": 2}, "Did you mean 'rate'?"),
        ({"rows": "1"}, "'rows' got '1' of type str, not int"),
        ({"rows": 1.0}, "'rows' got 1.0 of type float, not int"),
        ({"rows": True}, "'rows' got True of type bool, not int"),
        ({"rows": 1, "tag": 1}, "'tag' got 1 of type int, not str"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        bind_arguments(GOOD, arguments)
    assert refused.value.where == "pipeline p"
    assert message in str(refused.value)
    assert refused.value.remedy


def test_an_artifact_cannot_be_given_to_a_run() -> None:
    wants = replace(GOOD, inputs=(InputSpec("model", MODEL),))
    with pytest.raises(ArgumentError, match="is an artifact"):
        bind_arguments(wants, {"model": "x"})


def test_values_become_plain_json() -> None:
    class Kind(str, Enum):
        RED = "red"

    class Count(int):
        pass

    plain = parameter_value(ParameterType.STRING, Kind.RED)
    assert (plain, type(plain)) == ("red", str)
    assert type(parameter_value(ParameterType.INTEGER, Count(3))) is int
    assert type(parameter_value(ParameterType.DOUBLE, 3)) is float
    assert parameter_value(ParameterType.LIST, (1, (2, 3))) == [1, [2, 3]]
    with pytest.raises(ValueError, match="not JSON"):
        parameter_value(ParameterType.STRUCT, {"a": float("nan")})
