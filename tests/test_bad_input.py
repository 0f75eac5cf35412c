"""What a user can do wrong, through every door: a cell, a notebook file, a program, `p.run(…)`, a front end.

Each mistake gives one message: what, where, what to do. It shows no line of our own code, and nothing is left
behind: no run in the history, no run's folder, no Workflow, no name in the notebook.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kfp_jupyter.cli.command import main
from kfp_jupyter.runs.history import History
from tests.cluster import TestCluster
from tests.mistakes import CALLS, LOAD, MISTAKES, PROGRAM, REFUSALS, TRAIN, Refusal
from tests.notebook.kernel import Cell, Comm, Kernel, kernel

# Without caching, for there is a notice where that cannot be had, and a message shall be all that is seen.
MAKE_LOAD = f"%%component --no-cache\n{LOAD}"
MAKE_TRAIN = f"%%component --no-cache\n{TRAIN}"

# A program with a syntax error is told of by Python itself.
IN_PROGRAMS = {name: mistake for name, mistake in MISTAKES.items() if "syntax" not in name}


@pytest.fixture(scope="module")
def cluster() -> Iterator[TestCluster]:
    with TestCluster() as made:
        yield made


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def notebook(cluster, data) -> Iterator[Kernel]:
    """A notebook's kernel with two components and a good pipeline."""
    with kernel(data, KUBECONFIG=cluster.kubeconfig) as made:
        for cell in (
            "%load_ext kfp_jupyter\nfrom kfp_jupyter.workbench import current",
            MAKE_LOAD,
            MAKE_TRAIN,
            f"%%pipeline good(rows: int)\n{CALLS}",
        ):
            done = made.run(cell)
            assert done.status == "ok", done.traceback
        yield made


@pytest.fixture(scope="module")
def commands(notebook) -> Comm:
    """What a front end asks through."""
    return notebook.open("kfp_jupyter.commands", notebook.create_subshell() if notebook.subshells else None)


@pytest.fixture
def command_line(tmp_path, cluster, monkeypatch, capsys) -> Callable[..., str]:
    """Return what runs `kfp-jupyter run FILE …`, and returns its one line of error."""
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("KUBECONFIG", cluster.kubeconfig)
    monkeypatch.chdir(tmp_path)

    def refused(*words: str) -> str:
        assert main(["run", *words]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.count("\n") == 1
        assert_nothing_left(tmp_path / "data", cluster)
        return str(printed.err)

    return refused


def assert_nothing_left(data: Path, cluster: TestCluster) -> None:
    assert not list((data / "runs").glob("*"))
    assert History(data / "history.sqlite3").runs() == []
    assert cluster.store.list("workflows") == []


def assert_nothing_left_in(notebook: Kernel, data: Path, cluster: TestCluster) -> None:
    assert_nothing_left(data, cluster)
    assert notebook.value("current().runs(), 'wrong' in globals(), 'step' in globals()") == "[] False False"


def told(cell: Cell) -> tuple[str, str, str, str]:
    """Return the class, what, where and remedy of the only thing that a refused cell shows."""
    assert cell.status == "error"
    (output,) = (output for output in cell.outputs if "data" not in output)
    assert output["type"] == "error"
    found = re.fullmatch(r"(\w+): (.*)\nWhere: (.*)\nWhat to do: (.*)", cell.traceback)
    assert found, cell.traceback
    return found[1], found[2], found[3], found[4]


def written(path: Path, *cells: str) -> Path:
    """Write a notebook file."""
    content = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [
            {"cell_type": "code", "id": f"cell-{n}", "metadata": {}, "outputs": [], "source": cell}
            for n, cell in enumerate(cells)
        ],
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_a_cell(notebook, data, cluster, mistake):
    cell = notebook.run(mistake.cell)
    error, what, where, remedy = told(cell)
    task = f", task {mistake.task}" if mistake.task else ""
    number = notebook.replies[cell.request]["content"]["execution_count"]
    assert (error, where) == (mistake.error, f"Cell In[{number}], line {mistake.line + 1}{task}")
    assert mistake.what in what
    assert mistake.remedy in remedy
    assert_nothing_left_in(notebook, data, cluster)


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_a_notebook_file(command_line, tmp_path, mistake):
    before = ["%load_ext kfp_jupyter", MAKE_LOAD, MAKE_TRAIN]
    written(tmp_path / "study.ipynb", *before, mistake.cell)
    task = f", task {mistake.task}" if mistake.task else ""
    line = command_line("study.ipynb")
    assert line.startswith(f"kfp-jupyter: study.ipynb, cell 4, line {mistake.line + 1}{task}: ")
    assert mistake.what in line
    assert mistake.remedy in line


@pytest.mark.parametrize("mistake", IN_PROGRAMS.values(), ids=IN_PROGRAMS)
def test_a_mistake_in_a_program(command_line, tmp_path, mistake):
    (tmp_path / "study.py").write_text(mistake.program)
    task = f", task {mistake.task}" if mistake.task else ""
    line = command_line("study.py")
    assert line.startswith(f"kfp-jupyter: study.py, line {mistake.program_line}{task}: ")
    assert mistake.what in line
    assert mistake.remedy in line


def in_a_magic(refusal: Refusal) -> str:
    values = "".join(f" -p {name}={value}" for name, value in refusal.arguments.items())
    return f"%kfp run good --target {refusal.target}{values}"


def in_python(refusal: Refusal) -> str:
    values = ", ".join(
        f"{name}={value if value.isdecimal() else repr(value)}" for name, value in refusal.arguments.items()
    )
    return f"good.run({values}{', ' if values else ''}target={refusal.target!r})"


@pytest.mark.parametrize("spelled", [in_a_magic, in_python])
@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_run_that_is_refused_in_a_cell(notebook, data, cluster, refusal, spelled):
    with refusal.trouble(cluster):
        cell = notebook.run(spelled(refusal))
    error, what, where, remedy = told(cell)
    number = notebook.replies[cell.request]["content"]["execution_count"]
    besides = f"{refusal.where}; " if refusal.where else ""
    assert (error, where) == (refusal.error, f"{besides}Cell In[{number}], line 1")
    assert re.search(refusal.what, what)
    assert refusal.remedy in remedy
    assert_nothing_left_in(notebook, data, cluster)


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_run_that_is_refused_to_a_front_end(notebook, commands, data, cluster, refusal):
    # As a form sends them: numbers are numbers.
    values = {name: int(v) if v.isdecimal() else v for name, v in refusal.arguments.items()}
    with refusal.trouble(cluster):
        answer = commands.request("run", pipeline="good", target=refusal.target, arguments=values)
    error = answer["error"]
    assert error["where"] == refusal.where
    assert re.search(refusal.what, error["what"])
    assert refusal.remedy in error["remedy"]
    assert_nothing_left_in(notebook, data, cluster)


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_run_that_is_refused_on_the_command_line(command_line, tmp_path, cluster, refusal):
    written(
        tmp_path / "study.ipynb",
        MAKE_LOAD,
        MAKE_TRAIN,
        f"%%pipeline good(rows: int)\n{CALLS}",
    )
    values = [word for name, value in refusal.arguments.items() for word in ("-p", f"{name}={value}")]
    with refusal.trouble(cluster):
        line = command_line("study.ipynb", "--target", refusal.target, *values)
    assert line.startswith(f"kfp-jupyter: {refusal.where}{': ' if refusal.where else ''}")
    assert re.search(refusal.what, line)
    assert refusal.remedy in line


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("good.run(rows='abc')", "pipeline good: The parameter 'rows' got 'abc' of type str, not int."),
        ("load(rosw=3)", "'rosw'"),
        ("good.run(3)", "Write `good.run(rows=…)`."),
        ("good.run(rows=3, target='moon')", "'moon' is no target."),
    ],
)
def test_a_program_that_python_runs_shows_its_own_lines_only(tmp_path, end, told):
    good = f"@pipeline\ndef good(rows: int):\n{textwrap.indent(CALLS, '    ')}\n"
    inside = "@pipeline\ndef wrong():\n    " if end.startswith("load") else ""
    (tmp_path / "study.py").write_text(f"{PROGRAM}{good}{inside}{end}\n")
    ended = subprocess.run(
        [sys.executable, "study.py"],
        cwd=tmp_path,
        env={"KFP_JUPYTER_DATA": str(tmp_path / "data"), "PATH": "", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert set(re.findall(r'File "[^"\n]*/([^"/]+)"', ended.stderr)) == {"study.py"}
    assert end in ended.stderr
    assert told in ended.stderr.splitlines()[-1]
    assert not (tmp_path / "data" / "runs").exists()


RAISES = {
    "%%pipeline wrong\nload(rows=1)\nraise ValueError('mine')": 3,
    "import kfp_jupyter\n@kfp_jupyter.pipeline\ndef wrong():\n    raise ValueError('mine')": 4,
    "%%component\ndef f():\n    raise ValueError('mine')\nf()\ndef step(a: int) -> int:\n    return a": 3,
    "%%component step(k: int = 1) -> n\nn = k\nraise ValueError('mine')": 3,
}


@pytest.mark.parametrize("code", RAISES)
def test_what_the_users_own_code_raises_keeps_its_traceback_without_our_frames(notebook, data, cluster, code):
    cell = notebook.run(code)
    number = notebook.replies[cell.request]["content"]["execution_count"]
    assert cell.ename == "ValueError"
    assert "kfp_jupyter/" not in cell.traceback
    assert cell.traceback.rstrip().endswith("ValueError: mine")
    assert f"Cell In[{number}], line {RAISES[code]}" in cell.traceback
    assert_nothing_left_in(notebook, data, cluster)


@pytest.mark.parametrize("content", ["", "text", '{"nbformat": 4}', "[]", "\x00"])
def test_a_file_that_is_no_notebook(command_line, tmp_path, content):
    (tmp_path / "study.ipynb").write_text(content)
    line = command_line("study.ipynb")
    assert line.startswith("kfp-jupyter: study.ipynb: The file is not a notebook")
    assert "JupyterLab" in line


def test_a_folder_that_cannot_be_written_to(tmp_path, monkeypatch, capsys):
    place = tmp_path / "file" / "data"
    (tmp_path / "file").touch()
    (tmp_path / "study.py").write_text(f"{PROGRAM}@pipeline\ndef good():\n    load(rows=1)\n")
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(place))
    assert main(["run", str(tmp_path / "study.py")]) == 2
    assert capsys.readouterr().err == (
        f"kfp-jupyter: {place}: The run could not be prepared: Not a directory. "
        "Make that folder writable, or set KFP_JUPYTER_DATA to another one.\n"
    )
    assert main(["runs"]) == 2
    assert "The run history cannot be used: Not a directory." in capsys.readouterr().err
