"""The model's JSON form is lossless."""

from __future__ import annotations

import json

import pytest

from kfp_jupyter.model import codec
from kfp_jupyter.model.component import Component, Fragment, InputSpec, OutputSpec, PythonStep, Source
from kfp_jupyter.model.pipeline import Constant, Graph, Pipeline, Retry, Task, TaskOutput, TaskSettings
from kfp_jupyter.model.run import ArtifactRecord, Event, State, TaskChanged, TaskError
from kfp_jupyter.model.types import ArtifactType, ParameterType


def small_pipeline() -> Pipeline:
    step = PythonStep(
        Source((Fragment("def f():\n  pass\n", "Cell In[1]"),)), "f", "python:3.11", ("pandas",)
    )
    component = Component(
        "f",
        (
            InputSpec("rate", ParameterType.DOUBLE, optional=True, default=1.0),
            InputSpec("data", ArtifactType("system.Dataset")),
        ),
        (OutputSpec("model", ArtifactType("system.Model")),),
        step,
    )
    task = Task(
        "f",
        "comp-f",
        {"rate": Constant({"kind": "a user's own key"}), "data": TaskOutput("load", "data")},
        settings=TaskSettings(retry=Retry(2), env=(("A", "b"),)),
    )
    return Pipeline("p", (), (), {"comp-f": component}, Graph({"f": task}))


def test_a_pipeline_survives_the_round_trip_through_json() -> None:
    pipeline = small_pipeline()
    assert codec.decode(Pipeline, json.loads(json.dumps(codec.encode(pipeline)))) == pipeline


def test_an_event_is_decoded_to_its_own_class() -> None:
    event = TaskChanged(
        1.0, "f", State.FAILED, error=TaskError("E", "m"), artifacts={"m": (ArtifactRecord("system.Model"),)}
    )
    assert codec.decode(Event, json.loads(json.dumps(codec.encode(event)))) == event  # type: ignore[arg-type]


def test_records_may_be_decoded_when_they_are_asked_for() -> None:
    pipeline = small_pipeline()
    lazy = codec.decode(Pipeline, json.loads(json.dumps(codec.encode(pipeline))), lazy=True)
    assert isinstance(lazy.graph.tasks, codec.Lazy)
    assert list(lazy.graph.tasks) == ["f"]
    assert lazy.graph.tasks["f"] is lazy.graph.tasks["f"], "what did not change is known by its identity"
    assert lazy == pipeline
    assert pipeline == lazy
    assert codec.encode(lazy) == codec.encode(pipeline)
    with pytest.raises(KeyError):
        lazy.graph.tasks["g"]


def test_records_of_a_newer_version_are_seen_before_one_is_asked_for() -> None:
    written = codec.encode(small_pipeline())
    written["graph"]["tasks"]["f"]["mood"] = "good"
    with pytest.raises(ValueError, match="mood"):
        codec.decode(Pipeline, written, lazy=True)


def test_a_record_of_the_wrong_shape_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="not a Pipeline"):
        codec.decode(Pipeline, {"name": "p", "unknown": 1})
