from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from kfp_jupyter.cells.errors import ComponentError
from kfp_jupyter.model.component import PythonStep
from kfp_jupyter.notebook.source import SourceError, UserCodeError, find_pipeline, find_pipelines

IMPORTS = (
    "%load_ext kfp_jupyter\nfrom kfp_jupyter import dsl\nfrom kfp_jupyter.dsl import Input, Model, Output"
)
TRAIN = "%%component\ndef train(model: Output[Model], lr: float):\n    import sklearn_that_is_not_here\n"
PIPELINE = "%%pipeline fit(lr: float = 0.1)\ntrain(lr=lr)\n"


@pytest.fixture
def notebook(tmp_path):
    def write(*cells: str) -> Path:
        path = tmp_path / "study.ipynb"
        held = [{"cell_type": "code", "source": source} for source in cells]
        path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": held}))
        return path

    return write


@pytest.fixture
def program(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "study_program.py"
        path.write_text(text)
        return path

    yield write
    sys.modules.pop("study_program", None)
    if str(tmp_path) in sys.path:
        sys.path.remove(str(tmp_path))


def test_cells_with_magics_are_defined_and_no_other_is_run(notebook):
    path = notebook(IMPORTS, "raise SystemExit('this was run')", TRAIN, PIPELINE, "open('/nope')")
    pipeline = find_pipeline(path)
    assert (pipeline.name, [spec.name for spec in pipeline.inputs]) == ("fit", ["lr"])
    assert list(pipeline.graph.tasks) == ["train"]
    step = pipeline.components["comp-train"].implementation
    assert isinstance(step, PythonStep)
    at = next(number for number, line in enumerate(step.source.text.split("\n"), 1) if "not_here" in line)
    assert step.source.locate(at) == (f"{path}, cell 3", 3)


def test_decorated_functions_of_plain_cells_are_taken_and_nothing_beside_them(notebook):
    path = notebook(
        IMPORTS,
        "x = 1 / 0\n@dsl.component\ndef load() -> int:\n    return 3\n",
        "!ls\n@dsl.pipeline(name='other-name')\ndef fit():\n    load()\nfit.run()\n",
    )
    assert list(find_pipelines(path)) == ["other-name"]


def test_a_cell_run_again_replaces_its_pipeline(notebook):
    pipelines = find_pipelines(notebook(IMPORTS, TRAIN, PIPELINE, PIPELINE.replace("0.1", "0.2")))
    assert [pipeline.inputs[0].default for pipeline in pipelines.values()] == [0.2]


def test_a_pipeline_without_a_name_has_the_notebooks(notebook):
    assert list(find_pipelines(notebook(IMPORTS, TRAIN, "%%pipeline\ntrain(lr=0.1)\n"))) == ["study"]


def test_a_name_from_another_cell_is_named_with_cell_and_line(notebook):
    path = notebook(IMPORTS, "RATE = len('abc')", TRAIN, "%%pipeline fit\n\ntrain(lr=RATE)\n")
    with pytest.raises(UserCodeError, match="RATE") as raised:
        find_pipeline(path)
    assert raised.value.where == f"{path}, cell 4, line 3"
    assert "Other cells were not run" in raised.value.remedy


def test_constants_of_other_cells_are_read_and_not_run(notebook):
    cells = (IMPORTS, "RATE = MORE = 0.5\nSIZE: int = 3\nSIZE = 4\nLEN = 1", "LEN = len('abc')", TRAIN)
    pipeline = find_pipeline(notebook(*cells, "%%pipeline fit\ntrain(lr=RATE + MORE)\n"))
    assert pipeline.graph.tasks["train"].arguments["lr"].value == 1.0
    for unknown in ("SIZE", "LEN"):
        with pytest.raises(UserCodeError, match=unknown):
            find_pipeline(notebook(*cells, f"%%pipeline fit\ntrain(lr={unknown})\n"))


def test_cells_that_are_steps_are_not_run_and_are_linked_by_their_data(notebook, tmp_path):
    path = notebook(
        "rows = 3",
        f"%%component load(rows: int) -> data\nopen({str(tmp_path / 'ran')!r}, 'w')\ndata = [1] * rows",
        "%%component\n# total\nresult = sum(data)",
        "%%pipeline --auto",
    )
    pipeline = find_pipeline(path)
    assert {name: task.dependencies for name, task in pipeline.graph.tasks.items()} == {
        "load": (),
        "total": ("load",),
    }
    assert [(spec.name, spec.default) for spec in pipeline.inputs] == [("rows", 3)]
    assert not (tmp_path / "ran").exists()


def test_a_wrong_component_is_named_with_its_cell(notebook):
    with pytest.raises(ComponentError, match=r"study.ipynb, cell 2, line 2"):
        find_pipeline(notebook(IMPORTS, "%%component\ndef train(model): ...\n", PIPELINE))


def test_a_program_is_imported_but_not_as_the_main_one(program, tmp_path):
    (tmp_path / "beside_the_study.py").write_text("RATE = 0.5\n")
    path = program(
        "from beside_the_study import RATE\n"
        "from kfp_jupyter import dsl\n"
        "@dsl.component\ndef load() -> int:\n    return 3\n"
        "@dsl.pipeline\ndef fit(lr: float = RATE):\n    load()\n"
        "if __name__ == '__main__':\n    raise SystemExit\n"
    )
    assert find_pipeline(path).inputs[0].default == 0.5


def test_a_program_that_was_changed_within_the_same_second_is_read_anew(program, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    text = "from kfp_jupyter import dsl\n@dsl.component\ndef load() -> int:\n    return 3\n"
    text += "@dsl.pipeline\ndef fit(n: int = 1):\n    load()\n"
    path = program(text)
    os.utime(path, ns=(0, 10**18))
    assert find_pipeline(path).inputs[0].default == 1
    program(text.replace("return 3", "return 4").replace("n: int = 1", "n: int = 2"))
    os.utime(path, ns=(0, 10**18 + 5 * 10**8))
    changed = find_pipeline(path)
    assert changed.inputs[0].default == 2
    step = changed.components["comp-load"].implementation
    assert isinstance(step, PythonStep)
    assert "return 4" in step.source.text


def test_an_error_in_a_program_is_named_with_its_line(program):
    path = program("x = 1\ny = x / 0\n")
    with pytest.raises(UserCodeError, match="ZeroDivisionError") as raised:
        find_pipeline(path)
    assert raised.value.where == f"{path}, line 2"


TWO = "".join(f"@dsl.pipeline\ndef {name}():\n    load()\n" for name in ("first_one", "second"))


def test_of_several_pipelines_one_must_be_named(program):
    path = program(f"from kfp_jupyter import dsl\n@dsl.component\ndef load() -> int:\n    return 3\n{TWO}")
    with pytest.raises(SourceError, match=r"first-one, second.*--pipeline"):
        find_pipeline(path)
    assert find_pipeline(path, "first_one").name == find_pipeline(path, "first-one").name == "first-one"
    with pytest.raises(SourceError, match="Did you mean 'second'"):
        find_pipeline(path, "secnd")


def test_files_without_a_pipeline_are_refused(program, tmp_path, notebook):
    with pytest.raises(SourceError, match="no pipeline"):
        find_pipeline(program("x = 1\n"))
    with pytest.raises(SourceError, match="no pipeline"):
        find_pipeline(notebook(IMPORTS, TRAIN))
    with pytest.raises(SourceError, match="no such file"):
        find_pipeline(tmp_path / "none.py")
    with pytest.raises(SourceError, match=r"neither a \.py nor a \.ipynb"):
        find_pipeline(tmp_path / "data.csv")


def calls_to_read(notebook, steps: int) -> int:
    """Return how many functions are called to read a notebook of steps, each of which uses other cells."""
    cells = ["import math\nRATE = 0.5", "def scaled(values):\n    return [value * RATE for value in values]"]
    told = []
    for number in range(steps):
        before, own = f"data_{steps}_{number - 1}", f"data_{steps}_{number}"
        line = f"%%component step_{steps}_{number}{f'({before}: list)' if number else ''} -> {own}: list"
        cells.append(f"{line}\n{own} = scaled([math.pi, {before if number else 1}, RATE])")
        told.append(f"{own} = step_{steps}_{number}({f'{before}={before}.output' if number else ''})")
        function = f"def count_{steps}_{number}() -> float:\n    return scaled([math.pi, RATE])[0]"
        cells.append(f"%%component\n{function}")
        told.append(f"count_{steps}_{number}()")
    path = notebook(*cells, "%%pipeline many\n" + "\n".join(told))
    count = 0

    def called(_frame, event, _argument):
        nonlocal count
        count += event == "call"

    before_us = sys.getprofile()
    sys.setprofile(called)
    try:
        pipeline = find_pipeline(path)
    finally:
        sys.setprofile(before_us)
    assert len(pipeline.graph.tasks) == 2 * steps
    return count


def test_a_step_costs_as_much_in_a_long_notebook_as_in_a_short_one(notebook):
    calls_to_read(notebook, 3)  # what is done once
    few, some, many = (calls_to_read(notebook, steps) for steps in (10, 20, 60))
    assert (many - some) / 40 <= 1.1 * (some - few) / 10
