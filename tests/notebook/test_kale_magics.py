"""`%kfp` in an open notebook with Kale's tags: what somebody who comes from Kale types there."""

from __future__ import annotations

import json

import pytest

from tests.notebook.kernel import kernel

CELLS = (
    ("import math", "imports"),
    ("rows = 4", "pipeline-parameters"),
    ("data = [math.sqrt(i * i) for i in range(rows)]", "step:load"),
    ("total = sum(data)\nprint('the total is', total)", "step:add_up", "prev:load"),
)


def write(path, *cells, name="study"):
    held = [
        {"cell_type": "code", "source": text, "metadata": {"tags": list(tags)}, "outputs": []}
        for text, *tags in cells
    ]
    said = {"kubeflow_notebook": {"pipeline_name": name}}
    path.write_text(json.dumps({"nbformat": 4, "metadata": said, "cells": held}))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("kale")
    write(made / "open.ipynb", *CELLS)
    write(made / "other.ipynb", *CELLS[:3], name="other")
    write(made / "wrong.ipynb", ("x = 1", "step:a", "prev:b"))
    write(made / "plain.ipynb", ("x = 1",))
    return made


@pytest.fixture(scope="module")
def book(folder):
    """A kernel whose notebook is open in a front end, as Jupyter Server tells it."""
    with kernel(folder, JPY_SESSION_NAME=str(folder / "open.ipynb")) as made:
        assert made.run("%load_ext kfp_jupyter").status == "ok"
        yield made


def ok(book, line):
    outcome = book.run(line)
    assert outcome.status == "ok", outcome.traceback
    return outcome


def refused(book, line):
    outcome = book.run(line)
    assert outcome.status == "error", outcome.stdout
    return outcome.traceback + outcome.stderr


def test_the_steps_of_the_open_notebook_are_drawn_without_a_name(book):
    outcome = ok(book, "%kfp graph")
    assert "Read from open.ipynb as it was saved." in outcome.stdout
    assert "add-up" in str(outcome.bundles)
    assert "load" in str(outcome.bundles)


def test_the_open_notebook_runs_without_a_name_with_its_parameters(book):
    ok(book, "%kfp run -p rows=3 --wait")
    assert "the total is 3.0" in ok(book, "%kfp logs latest add-up").stdout


def test_what_was_changed_and_saved_is_run_again_and_nothing_else(book, folder):
    ok(book, "%kfp run --no-cache --wait")
    edited = CELLS[3][0].replace("the total", "now the sum")
    write(folder / "open.ipynb", *CELLS[:3], (edited, *CELLS[3][1:]))
    ok(book, "%kfp rerun --wait")
    write(folder / "open.ipynb", *CELLS)
    assert "now the sum is 6.0" in ok(book, "%kfp logs latest add-up").stdout
    taken = "{path: bool(task.cached_from) for path, task in current().get('latest').status.tasks.items()}"
    ok(book, "from kfp_jupyter.workbench import current")
    assert book.value(taken) == str({"load": True, "add-up": False})


def test_another_notebook_is_named_by_its_file(book, folder):
    assert "load" in str(ok(book, "%kfp graph other.ipynb").bundles)
    ok(book, "%kfp compile other.ipynb -o other.yaml")
    assert "comp-load" in (folder / "other.yaml").read_text(encoding="utf-8")
    # It is known by its name from then on.
    assert "load" in str(ok(book, "%kfp show other").bundles)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%kfp graph wrong.ipynb", "The step 'a' waits for 'b', and no step above it is called so."),
        ("%kfp run plain.ipynb", "there is no pipeline in plain.ipynb"),
        ("%kfp run nowhere.ipynb", "There is no such file"),
        ("%kfp run steps.py", "Import its pipeline, as in `from steps import NAME`"),
    ],
)
def test_what_a_file_cannot_give_is_told(book, line, said):
    assert said in refused(book, line)


def test_without_tags_and_pipelines_a_name_is_asked_for(folder, tmp_path):
    with kernel(tmp_path) as book:
        ok(book, "%load_ext kfp_jupyter")
        assert "there is no pipeline yet" in refused(book, "%kfp run")
        ok(book, "from kfp_jupyter import component, pipeline\n@component\ndef one() -> int:\n    return 1")
        ok(book, "@pipeline\ndef first():\n    one()")
        ok(book, "%kfp compile -o first.yaml")
        assert (tmp_path / "first.yaml").exists()
        ok(book, "@pipeline\ndef second():\n    one()")
        assert "Name one of: first, second." in refused(book, "%kfp run")
