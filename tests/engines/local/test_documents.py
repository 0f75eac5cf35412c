"""Pipelines that KFP compiled are read and run here, without KFP."""

from __future__ import annotations

from pathlib import Path

from kfp_jupyter.interchange.read import read_pipeline
from kfp_jupyter.model.run import State

GOLDENS = Path(__file__).parents[2] / "interchange" / "goldens"


def test_a_document_of_python_components_runs(bench):
    pipeline = read_pipeline((GOLDENS / "order.yaml").read_text(encoding="utf-8")).pipeline
    state = bench.run(pipeline, seed=5).state
    assert state.state is State.SUCCEEDED
    outputs = {name: task.outputs["Output"] for name, task in state.tasks.items()}
    assert outputs["load-data"] == 5
    assert sorted(outputs.values()) == [0, 1, 4, 4, 5, 5, 10]


def test_a_failure_is_told_with_the_line_of_the_source_in_the_document(bench):
    text = (GOLDENS / "order.yaml").read_text(encoding="utf-8")
    state = bench.run(read_pipeline(text.replace("return a + b", "return a + b[0]")).pipeline, seed=5).state
    failed = next(task for task in state.tasks.values() if task.error)
    assert failed.error.type == "TypeError"
    assert failed.error.file == "the pipeline's document"
