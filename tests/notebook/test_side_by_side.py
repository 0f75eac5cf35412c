"""Several kernels and a command line have the same runs before them, and one cache."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from kfp_jupyter.model.run import State
from kfp_jupyter.runs.history import History
from tests.notebook.kernel import Cell, Kernel, kernel

SECONDS = 300.0

# Each notes that it runs. The first task goes on when all three runs are there, so that they meet.
LOAD = """%%component
def load(folder: str) -> int:
    import pathlib
    import time

    with open(f"{folder}/load", "a") as file:
        file.write("x")
    while len(list(pathlib.Path(folder).parent.glob("runs/*/journal.jsonl"))) < 3:
        time.sleep(0.01)
    return 1
"""
ADD = """%%component
def add(folder: str, a: int, b: int) -> int:
    with open(f"{folder}/add-{a}-{b}", "a") as file:
        file.write("x")
    return a + b
"""
# Two of the tasks are the same, and so are those after them.
STUDY = """%%pipeline
def study(folder: str) -> int:
    first = load(folder=folder).output
    parts = [add(folder=folder, a=first, b=number).output for number in (1, 2, 3, 3, 4, 5)]
    total = parts[0]
    for part in parts[1:]:
        total = add(folder=folder, a=total, b=part).output
    return total
"""
TASKS = 1 + 6 + 5
DISTINCT = 1 + 5 + 5
TOTAL = 2 + 3 + 4 + 4 + 5 + 6


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The data folder of all, with the notebook in it and a folder for the tasks' notes."""
    (tmp_path / "ran").mkdir()
    cells = [{"cell_type": "code", "source": cell} for cell in (LOAD, ADD, STUDY)]
    (tmp_path / "study.ipynb").write_text(json.dumps({"nbformat": 4, "cells": cells}))
    return tmp_path


@pytest.fixture
def kernels(place: Path):
    """Two kernels in which the notebook's cells have run."""
    with ExitStack() as stack:
        both = [stack.enter_context(kernel(place)) for _ in range(2)]
        for each in both:
            for cell in ("%load_ext kfp_jupyter", LOAD, ADD, STUDY):
                done = each.run(cell)
                assert done.status == "ok", done.traceback
        yield both


def command(place: Path, *words: str) -> subprocess.Popen[str]:
    """Start the command line."""
    return subprocess.Popen(
        [sys.executable, "-m", "kfp_jupyter", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=place,
        env={**os.environ, "KFP_JUPYTER_DATA": str(place)},
    )


def started(each: Kernel, place: Path) -> Cell:
    """Begin a cell that runs the pipeline to its end and prints what it gave out."""
    run = f"workbench.current().run('study', {{'folder': {str(place / 'ran')!r}}})"
    return each.start(f"from kfp_jupyter import workbench\nprint({run}.wait(raise_on_failure=True).outputs)")


def test_the_same_pipeline_runs_in_all_at_once_and_each_distinct_task_once(place, kernels):
    cells = [started(each, place) for each in kernels]
    shell = command(place, "run", "study.ipynb", "-p", f"folder={place / 'ran'}")
    printed, _ = shell.communicate(timeout=SECONDS)
    assert shell.returncode == 0, printed
    for each, cell in zip(kernels, cells, strict=True):
        done = each.finish(cell, SECONDS)
        assert (done.status, done.stdout) == ("ok", f"{{'Output': {TOTAL}}}\n"), done.traceback

    counts = {note.name: note.read_text() for note in (place / "ran").iterdir()}
    assert len(counts) == DISTINCT
    assert set(counts.values()) == {"x"}, "each ran once, whoever asked for it"
    history = History(place / "history.sqlite3")
    states = [history.load(row.id)[2] for row in history.runs()]
    assert [state.state for state in states] == [State.SUCCEEDED] * 3
    tasks = [task for state in states for task in state.tasks.values()]
    assert len(tasks) == 3 * TASKS
    assert {task.state for task in tasks} == {State.SUCCEEDED}
    assert sum(not task.cached for task in tasks) == DISTINCT


def told(message: dict[str, Any]) -> str | None:
    """Return the state of the run that a message tells: of a run that was found again, or that changed."""
    if message["type"] == "run":
        return message["document"]["run"]["state"]
    return message["fields"].get("state") if message["type"] == "delta" else None


def test_a_run_that_one_kernel_resumes_goes_on_in_the_other_and_for_the_command_line(place, kernels):
    one, other = kernels
    step = "%%component\ndef wait() -> str:\n    return open('there').read()\n"
    for cell in (step, "%%pipeline late\nwait()\n"):
        assert one.run(cell).status == "ok"
    begun = one.run(
        "from kfp_jupyter.workbench import current\nrun = current().run('late').wait()\nprint(run.id)"
    )
    run = begun.stdout.strip()
    other.run("from kfp_jupyter.workbench import current")
    assert other.value(f"current().get({run!r}).state.value") == "FAILED", "there is no such file"

    screen = other.open("kfp_jupyter.runs")
    shown = screen.wait(lambda message: message["type"] == "workbench")
    assert [row["state"] for row in shown["runs"]] == ["FAILED"]
    os.mkfifo(place / "there")
    assert one.run(f"%kfp resume {run}").status == "ok"
    # Without being asked for.
    screen.wait(lambda message: told(message) == "RUNNING")
    # The step waits until somebody writes.
    assert other.value(f"current().get({run!r}).state.finished") == "False"
    assert "FAILED" not in other.value(f"[row.state.value for row in current().runs() if row.id == {run!r}]")
    shell = command(place, "show", run)
    assert shell.stdout is not None
    lines = iter(shell.stdout.readline, "")
    assert any("wait running" in line for line in lines), "it watches, past the end that there was"
    with (place / "there").open("w") as file:
        file.write("now")
    screen.wait(lambda message: told(message) == "SUCCEEDED")
    waited = f"current().get({run!r}).wait().tasks['wait'].outputs['Output']"
    assert other.value(waited) == "now"
    printed, _ = shell.communicate(timeout=SECONDS)
    assert shell.returncode == 0, printed
    assert "succeeded" in printed
