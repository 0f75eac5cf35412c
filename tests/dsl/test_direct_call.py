from __future__ import annotations

import asyncio
from collections import namedtuple
from pathlib import Path
from typing import NamedTuple

import pytest

from kfp_jupyter import dsl
from kfp_jupyter.dsl import Dataset, Input, InputPath, Markdown, Metrics, Model, Output, OutputPath
from kfp_jupyter.dsl.direct_call import StepCallError
from kfp_jupyter.model.check import ArgumentError
from kfp_jupyter.model.run import ArtifactRecord


@dsl.component
def prepare(rows: int, data: Output[Dataset]):
    data.metadata["rows"] = rows
    Path(data.path).write_text("1 2 3")


@dsl.component
def train(data: Input[Dataset], model: Output[Model], metrics: Output[Metrics], lr: float = 0.1) -> float:
    total = sum(map(int, Path(data.path).read_text().split()))
    Path(model.path).write_text(f"{total} {lr!r}")
    metrics.log_metric("loss", 0.5, step=1)
    return total * lr


def test_a_step_runs_at_once_on_the_artifacts_of_another(capsys):
    data = prepare(3)
    assert isinstance(data, Dataset)
    assert (Path(data.path).read_text(), data.metadata) == ("1 2 3", {"rows": 3})
    outputs = train(data, lr=2)
    # As in a step: an int for a float parameter arrives as a float.
    assert Path(outputs.model.path).read_text() == "6 2.0"
    assert set(outputs._fields) == {"model", "metrics", "Output"}
    assert outputs.Output == 12.0
    assert outputs.metrics.metadata["loss"] == 0.5
    # The lines by which a step tells its engine of metrics are none of the notebook's business.
    assert capsys.readouterr().out == ""


def test_an_artifact_is_given_as_a_path_or_as_a_run_keeps_it(tmp_path):
    file = tmp_path / "data"
    file.write_text("4")
    for given in (str(file), file, ArtifactRecord("system.Dataset", uri=str(file)), Dataset(uri=str(file))):
        assert train(data=given, lr=1.0).Output == 4.0


def test_outputs_may_have_places_of_their_own(tmp_path):
    data = Dataset(uri=str(tmp_path / "data"))
    assert prepare(rows=1, data=data) is data
    assert (tmp_path / "data").read_text() == "1 2 3"
    assert data.metadata == {"rows": 1}


def test_lists_and_paths_are_handed_over_as_in_a_step():
    @dsl.component
    def join(
        parts: Input[list[Dataset]],
        note: InputPath(str),
        report: OutputPath("Markdown"),
        size: OutputPath(int),
    ):
        text = Path(note).read_text() + "".join(Path(part.path).read_text() for part in parts)
        Path(report).write_text(text)
        Path(size).write_text(str(len(text)))

    made = join(parts=[prepare(rows=1), prepare(rows=2)], note="n:")
    assert made.size == 12


def test_what_a_named_tuple_returns_is_beside_the_artifacts():
    @dsl.component
    def measure(note: Output[Markdown]) -> NamedTuple("Sizes", [("rows", int), ("columns", int)]):
        Path(note.path).write_text("#")
        return (3, 4)

    made = measure()
    assert (made.rows, made.columns, made.note.schema_title) == (3, 4, "system.Markdown")


def test_a_component_of_values_returns_what_its_function_returns():
    @dsl.component
    def divide(a: int, b: int) -> NamedTuple("Parts", [("whole", int), ("rest", int)]):
        return namedtuple("Parts", "whole rest")(a // b, a % b)

    assert divide(7, b=2) == (3, 1)
    assert divide.python_func(7, 2).rest == 1
    with pytest.raises(ZeroDivisionError):
        divide(1, 0)


def test_a_step_that_would_fail_fails_when_it_is_tried():
    @dsl.component
    def broken(data: Input[Dataset], model: Output[Model]) -> float:
        return "not a number"

    with pytest.raises(StepCallError, match="declared as float") as raised:
        broken(data="/nowhere")
    assert "would fail in the same way" in raised.value.remedy
    assert "test_direct_call.py, line" in raised.value.where


@pytest.mark.parametrize(
    ("positional", "named", "said"),
    [
        ((), {}, "data"),
        ((1, 2, 3, 4), {}, "takes 2 arguments"),
        (("x",), {"data": "y"}, "twice"),
        (("x",), {"rate": 1}, "no argument 'rate'"),
        (("x",), {"lr": "fast"}, "float"),
        ((3,), {}, "needs an artifact for 'data', and got int"),
    ],
)
def test_wrong_arguments_are_refused_as_in_a_pipeline(positional, named, said):
    with pytest.raises(ArgumentError, match=said):
        train(*positional, **named)


@dsl.component
async def later(n: int) -> int:
    await asyncio.sleep(0)
    return n + 1


@dsl.component
async def later_with_files(data: Output[Dataset]) -> tuple[int, str]:
    await asyncio.sleep(0)
    Path(data.path).write_text("made")
    return 1, "a"


def test_an_asynchronous_function_is_done_when_the_call_returns_also_in_a_loop():
    assert later(1) == 2

    async def in_a_notebook():
        return later(2)

    assert asyncio.run(in_a_notebook()) == 3
    outputs = later_with_files()
    assert (outputs.Output_1, outputs.Output_2) == (1, "a")
    assert Path(outputs.data.path).read_text() == "made"


def test_artifacts_of_a_call_are_gone_when_the_process_ends(tmp_path):
    import subprocess
    import sys

    program = tmp_path / "program.py"
    program.write_text(
        "from kfp_jupyter import dsl\n"
        "@dsl.component\n"
        "def make(data: dsl.Output[dsl.Dataset]):\n"
        "    open(data.path, 'w').write('x')\n"
        "print(make().path)\n"
    )
    told = subprocess.run([sys.executable, program], check=True, capture_output=True, text=True).stdout
    assert told.strip()
    assert not Path(told.strip()).exists()
