"""The run document has the form that the front end reads by."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files

import jsonschema
import pytest

from kfp_jupyter.model.component import InputSpec
from kfp_jupyter.model.run import ArtifactRecord, RunState, State, TaskRun
from kfp_jupyter.model.types import ParameterType
from kfp_jupyter.view.document import document, task_document
from tests.view import examples

SCHEMA = json.loads(files("kfp_jupyter.model").joinpath("run.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@pytest.mark.parametrize("name", list(examples.documents()))
def test_every_example_conforms_to_the_schema(name: str) -> None:
    found = json.loads(json.dumps(examples.documents()[name], allow_nan=False))
    assert [error.message for error in VALIDATOR.iter_errors(found)] == []


def test_the_fixtures_of_the_front_end_are_up_to_date() -> None:
    for path, content in examples.fixtures().items():
        assert path.read_text(encoding="utf-8") == content, "run: python -m tests.view.examples"


def test_nodes_are_the_tasks_and_edges_name_what_flows() -> None:
    graph = document(examples.classifier(), None)["graph"]
    nodes = {node["id"]: (node["label"], node["component"]) for node in graph["nodes"]}
    assert list(nodes) == list(examples.classifier().graph.tasks)
    assert nodes["evaluate-2"] == ("evaluate-2", "evaluate")
    assert nodes["publish"] == ("Publish the winner", "publish")
    flows = {(edge["source"], edge["target"]): edge["label"] for edge in graph["edges"]}
    assert flows["train-forest", "evaluate"] == "model"
    assert flows["choose", "publish"] == "winner"  # the output has no name of its own
    assert flows["train-forest", "publish"] == ""


def test_an_open_run_is_saved_as_its_id_alone() -> None:
    run = examples.running()
    assert document(examples.classifier(), run, saved=True)["run"] == {"id": run.id}
    assert document(examples.classifier(), run)["run"]["state"] == "RUNNING"


def test_an_ended_run_is_saved_whole() -> None:
    run = examples.succeeded()
    assert document(examples.classifier(), run, saved=True) == document(examples.classifier(), run)


def test_numbers_that_json_lacks_are_written_as_words() -> None:
    inputs = (InputSpec("x", ParameterType.DOUBLE, optional=True, default=float("inf")),)
    found = document(replace(examples.classifier(), inputs=inputs), None)
    assert found["pipeline"]["inputs"][0]["default"] == "Infinity"
    artifact = ArtifactRecord("system.Metrics", metadata={"loss": float("nan"), "all": [1.5, float("-inf")]})
    task = TaskRun(
        State.SUCCEEDED,
        outputs={"r": float("nan")},
        artifacts={"m": (artifact,)},
        curves={"loss": ((0, float("nan")), (1, 2.0))},
    )
    held = task_document(task)
    assert held["outputs"] == {"r": "NaN"}
    assert held["artifacts"]["m"][0]["metadata"] == {"loss": "NaN", "all": [1.5, "-Infinity"]}
    assert held["curves"] == {"loss": [[1, 2.0]]}


def test_a_task_document_stands_in_the_run_unchanged() -> None:
    run: RunState = examples.failed()
    tasks = document(examples.classifier(), run)["run"]["tasks"]
    assert tasks == {path: task_document(task) for path, task in run.tasks.items()}
