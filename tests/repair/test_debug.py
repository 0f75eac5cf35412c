from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kfp_jupyter import dsl
from kfp_jupyter.dsl import Dataset, Input, InputPath, Metrics, Model, Output, OutputPath
from kfp_jupyter.executor.artifacts import Dataset as DatasetInStep
from kfp_jupyter.model.run import ArtifactRecord, RunChanged, State, TaskChanged, TaskError
from kfp_jupyter.notebook.source import find_pipeline
from kfp_jupyter.repair.debug import MARK, DebugError, failed_task, task_code
from kfp_jupyter.workbench import Workbench
from tests.fake_engine import FakeEngine


@dsl.component
def load(rows: int, data: Output[Dataset]):
    data.metadata["rows"] = rows
    with open(data.path, "w") as file:  # noqa: PTH123 (a step without imports)
        file.write("x" * rows)


def ratio(size: int, parts: int) -> float:
    return size / parts


@dsl.component(additional_funcs=[ratio])
def train(
    data: Input[Dataset],
    note: InputPath(str),
    model: Output[Model],
    scores: Output[Metrics],
    report: OutputPath("Markdown"),
    parts: Optional[Dict[str, int]],  # noqa: F821 (a step knows it without an import)
    lr: float = 0.1,
) -> float:
    scores.log_metric("lr", lr)
    with open(note) as file:  # noqa: PTH123
        open(report, "w").write(file.read())  # noqa: PTH123, SIM115
    return ratio(data.metadata["rows"], parts["n"])


@dsl.component
def after(loss: float):
    assert loss


@dsl.pipeline
def study(rows: int = 3):
    data = load(rows=rows).outputs["data"]
    after(loss=train(data=data, note="it's {here}", parts={"n": 0}).outputs["Output"])


def run_program(text: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "program.py"
    file.write_text(text)
    return subprocess.run([sys.executable, file], capture_output=True, text=True, check=False)


def test_a_failed_step_fails_again_in_a_bare_interpreter_on_its_real_inputs(bench, tmp_path):
    run = bench.run(study.model, {"rows": 4}).wait(300)
    before = {path: path.read_bytes() for path in (tmp_path / "data" / "runs").rglob("*") if path.is_file()}
    assert failed_task(run) == "train"
    code = task_code(run, "train", {})
    first, second, third, *_ = code.text.splitlines()
    assert first == f"{MARK}train, which failed in run {run.id}"
    assert second.startswith("# ZeroDivisionError: division by zero (")
    assert "test_debug.py, line" in second
    assert third.startswith("# Its inputs stand")
    assert code.function == "train"
    assert list(code.inputs) == ["data", "note", "model", "scores", "report", "parts", "lr"]
    assert code.inputs["data"].metadata == {"rows": 4}
    assert Path(code.inputs["data"].path).read_text() == "xxxx"

    again = run_program(code.text, tmp_path)
    assert "ZeroDivisionError: division by zero" in again.stderr
    assert "in ratio" in again.stderr

    mended = code.text.replace("size / parts", "size / max(parts, 1)").replace(
        "train(data", "print(train(data"
    )
    fixed = run_program(mended.rstrip() + ")\nprint(open(report).read())\n", tmp_path)
    assert (fixed.stderr, fixed.stdout) == ("", "4.0\nit's {here}\n")
    # Trying it left the run as it was.
    assert all(path.read_bytes() == content for path, content in before.items())


def test_a_step_that_succeeded_comes_back_too_with_its_outputs_elsewhere(bench, tmp_path):
    run = bench.run(study.model, {}).wait(300)
    code = task_code(run, "load", {})
    assert code.text.splitlines()[0] == f"{MARK}load, which succeeded in run {run.id}"
    own = run.tasks["load"].artifacts["data"].path
    assert own not in code.text
    assert run_program(code.text, tmp_path).stderr == ""
    assert Path(code.inputs["data"].path).read_text() == "xxx"


def test_a_name_that_a_component_has_is_left_to_it(bench):
    @dsl.component
    def count(load: int, count: int) -> float:
        return load / count

    @dsl.pipeline(name="names")
    def names():
        count(load=1, count=0)

    run = bench.run(names.model, {}).wait(300)
    code = task_code(run, "count", {"load": names})
    assert code.inputs == {"load_given": 1, "count_given": 0}
    assert code.text.endswith("count(load=load_given, count=count_given)\n")


def test_what_cannot_be_brought_back_says_why(bench):
    run = bench.run(study.model, {}).wait(300)
    with pytest.raises(DebugError, match=r"nobody knows its inputs: Not run because train failed"):
        task_code(run, "after", {})
    again = bench.run(study.model, {}).wait(300)
    with pytest.raises(DebugError, match=f"its result is that of run {run.id}"):
        task_code(again, "load", {})
    with pytest.raises(DebugError, match=r"has no task 'fit'.*load, train, after"):
        task_code(run, "fit", {})

    @dsl.pipeline(name="fine")
    def fine():
        load(rows=1)

    with pytest.raises(DebugError, match="No step of the run has failed"):
        failed_task(bench.run(fine.model, {}).wait(300))


def test_of_a_run_on_a_cluster_it_says_what_cannot_be_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(tmp_path))
    engine = FakeEngine()
    bench = Workbench(tmp_path, lambda target: engine)
    run = bench.run(study.model, {}, target="local")
    data = ArtifactRecord("system.Dataset", "s3://bucket/data", "", {"rows": 3})
    engine.tell(
        run.id,
        TaskChanged(1.0, "load", State.SUCCEEDED, attempt=1, artifacts={"data": (data,)}),
        TaskChanged(
            2.0,
            "train",
            State.FAILED,
            attempt=1,
            error=TaskError("ZeroDivisionError", "division by zero"),
            inputs={"note": "n", "parts": {"n": 0}},
        ),
        RunChanged(3.0, State.FAILED),
    )
    run.wait(300)
    code = task_code(run, failed_task(run), {})
    assert code.notes[0].startswith("'data' (s3://bucket/data) is not here: This engine cannot bring")
    assert code.notes[0].endswith("With a copy, set `data.path` to where it is.")
    assert isinstance(code.inputs["data"], DatasetInStep)
    assert "data = Dataset(name='data', uri='s3://bucket/data', metadata={'rows': 3})\n" in code.text
    assert "parts = {'n': 0}\n" in code.text
    bench.close()


def test_packages_that_a_step_installs_are_named(bench):
    @dsl.component(packages_to_install=["pytest"])
    def need() -> int:
        raise ValueError("no\nway")

    @dsl.pipeline(name="needy")
    def needy():
        need()

    run = bench.run(needy.model, {}).wait(300)
    code = task_code(run, "need", {})
    assert code.notes == ("It installs packages, which must be here too: pytest.",)
    assert "ValueError: no (" in code.text.splitlines()[1]
    # For a front end the notes stand in the code, where nothing that runs is above them.
    noted = code.noted.splitlines()
    at = noted.index(f"# {code.notes[0]}")
    assert noted[0] == code.text.splitlines()[0]
    assert all(line.startswith("#") for line in noted[:at])
    assert [*noted[:at], *noted[at + 1 :]] == code.text.splitlines()


def test_a_final_status_and_odd_numbers_are_written_as_python(bench, tmp_path):
    from kfp_jupyter.executor.annotations import PipelineTaskFinalStatus
    from kfp_jupyter.repair.debug import _expression

    status = PipelineTaskFinalStatus("FAILED", "job", "task", 1, "it's")
    for value in (float("inf"), float("-inf"), 0.1, "a'b", [1, None], status, [DatasetInStep("d", "/x")]):
        text = _expression(value, False)
        made = eval(text, {"PipelineTaskFinalStatus": PipelineTaskFinalStatus, "Dataset": DatasetInStep})
        assert _plain(made) == _plain(value)
    assert str(eval(_expression(float("nan"), False))) == "nan"


def _plain(value):
    return json.dumps(value, default=vars)


LOADED = """%%component load(rows: int = 2) -> data, size: int
data = {'held': {1, 4}, 'none': 0}
size = rows
"""
USED = """# the first line of the cell
import math
scores.log_metric('size', size)
total = sum(map(math.sqrt, data['held'])) / data['none']
"""
CELLS = (
    LOADED,
    f"%%component use(data, size: int) -> scores: Metrics, total\n{USED}",
    "%%pipeline study\nmade = load()\nuse(data=made.outputs['data'], size=made.outputs['size'])\n",
)


def notebook_of(folder):
    cells = [{"cell_type": "code", "source": text} for text in CELLS]
    place = folder / "study.ipynb"
    place.write_text(json.dumps({"nbformat": 4, "cells": cells}))
    return place


def test_a_step_that_was_written_as_a_cell_comes_back_as_its_body(bench, tmp_path):
    run = bench.run(find_pipeline(notebook_of(tmp_path)), {}).wait(300)
    assert failed_task(run) == "use", run.logs()
    code = task_code(run, "use", {})
    # The values themselves, as the cell has them.
    assert code.inputs["data"] == {"held": {1, 4}, "none": 0}
    assert code.inputs["size"] == 2
    assert code.function == ""
    assert code.text.endswith(USED)
    assert "run_cell" not in code.text
    assert "ZeroDivisionError" in run_program(code.text, tmp_path).stderr
    mended = code.text.replace("/ data['none']", "/ 1") + "print(total, scores.metadata)\n"
    assert run_program(mended, tmp_path).stdout == "3.0 {'size': 2}\n"
