"""`kfp-jupyter check`: everything that is wrong with a file, at once, with exit codes."""

from __future__ import annotations

import json

import pytest

from kfp_jupyter.cli import main


def write_notebook(path, *cells):
    content = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [
            {"cell_type": "code", "source": cell, "metadata": {}, "outputs": [], "execution_count": None}
            for cell in cells
        ],
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


GOOD = (
    "import math\nLIMIT = 3\ndef helper(n):\n    return math.floor(n) + LIMIT",
    "rows = load_everything()",
    "%%component\ndef step(n: int) -> int:\n    return helper(n)",
    """\
from kfp_jupyter import component
@component
def other(n: int) -> int:
    return helper(n) + below()
def below():
    return LIMIT""",
    "%%pipeline whole\nother(n=step(n=1).output)",
)


def test_a_notebook_without_faults_is_read_and_not_run(tmp_path, capsys):
    path = write_notebook(tmp_path / "good.ipynb", *GOOD)
    assert main(["check", path]) == 0
    assert capsys.readouterr().out == "Nothing is wrong.\n"
    assert main(["check", path, "--strict"]) == 0


@pytest.mark.parametrize("name", ["plain.ipynb", "plain.py"])
def test_a_file_without_anything_to_check_is_told(tmp_path, capsys, name):
    path = tmp_path / name
    if path.suffix == ".py":
        path.write_text("rows = 3\n")
    else:
        write_notebook(path, "rows = 3")
    assert main(["check", str(path)]) == 0
    assert capsys.readouterr().out == "There is no component and no pipeline in it.\n"


def test_what_it_reads_compiles_to_a_source_that_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["compile", write_notebook(tmp_path / "good.ipynb", *GOOD), "-o", "out.yaml"]) == 0
    text = (tmp_path / "out.yaml").read_text(encoding="utf-8")
    assert "LIMIT = 3" in text
    assert "import math" in text
    assert "load_everything" not in text


def test_all_faults_are_told_at_once_with_cell_and_line(tmp_path, capsys):
    path = write_notebook(
        tmp_path / "bad.ipynb",
        "rows = load_everything()",
        "%%component\ndef one(n: int, id: str) -> int:\n    return len(rows) + undefinde",
        "%%component --nope\ndef two() -> int:\n    return 1",
        "%%component\ndef three(n) -> int:\n    return n",
        "%%component\ndef four(n: int) -> int:\n    !ls\n    return n",
        "%%component\ndef five(n: int, id: str) -> int:\n    return n",
        "%%pipeline whole\none(n=1)",
    )
    assert main(["check", path]) == 2
    lines = capsys.readouterr().out.splitlines()
    told = [
        (line.rpartition("[")[2].rstrip("]"), line.partition(": ")[0].rpartition("bad.ipynb, ")[2])
        for line in lines
    ]
    assert told[:-1] == [
        ("notebook-data", "cell 2, line 3"),
        ("undefined-name", "cell 2, line 3"),
        ("magic-usage", "cell 3, line 1"),
        ("missing-hint", "cell 4, line 2"),
        ("component-syntax", "cell 5, line 3"),
        ("shadowed-builtin", "cell 2, line 2"),
        ("shadowed-builtin", "cell 6, line 2"),
        ("unused-input", "cell 6, line 2"),
    ]
    assert lines[-1] == "5 errors, 3 warnings"


def test_warnings_alone_fail_only_if_they_shall(tmp_path, capsys):
    path = write_notebook(
        tmp_path / "warned.ipynb", "%%component\ndef one(n: int, unused: str) -> int:\n    return n"
    )
    assert main(["check", path]) == 0
    assert "warning: The input 'unused' is never used." in capsys.readouterr().out
    assert main(["check", path, "--strict"]) == 1


def test_findings_are_data_that_squiggles_are_drawn_from(tmp_path, capsys):
    cell = "%%component\ndef one(n: int) -> str:\n    return 'é' + missing_name"
    assert main(["check", write_notebook(tmp_path / "one.ipynb", cell), "--json"]) == 2
    (finding,) = json.loads(capsys.readouterr().out)
    assert (finding["severity"], finding["code"]) == ("error", "undefined-name")
    where = finding["where"]
    assert where["line"] == 3
    assert cell.splitlines()[2][where["column"] : where["end"]] == "missing_name"


@pytest.mark.parametrize(("body", "code"), [("return helper(n)", 0), ("return nowhere(n)", 2)])
def test_a_program_is_checked_too(tmp_path, body, code, capsys):
    path = tmp_path / f"program_{code}.py"
    path.write_text(
        "from kfp_jupyter import component\nBY = 2\n"
        f"@component\ndef step(n: int) -> int:\n    {body}\n\ndef helper(n):\n    return n * BY\n"
    )
    assert main(["check", str(path)]) == code
    assert ("line 5" in capsys.readouterr().out) == (code == 2)


def test_a_comparison_as_text_of_what_is_no_text_is_warned_of_at_its_line(tmp_path, capsys):
    calls = "with dsl.ParallelFor(numbers().output) as n:\n    with dsl.If(n > 9):\n        step(n=n)"
    cells = [
        "from kfp_jupyter import dsl",
        "%%component\ndef step(n: int) -> int:\n    return n",
        "%%component\ndef numbers() -> list:\n    return [9, 10]",
        f"%%pipeline whole\n{calls}",
    ]
    path = write_notebook(tmp_path / "text.ipynb", *cells)
    assert main(["check", path, "--strict"]) == 1
    said = capsys.readouterr().out
    assert "cell 4, line 3: warning: The item of the loop" in said
    assert "is compared with 9 as text, where '10' comes before '9'" in said
    assert "`List[int]`" in said
    cells[2] = cells[2].replace("-> list", "-> list[int]")
    assert main(["check", write_notebook(tmp_path / "typed.ipynb", *cells), "--strict"]) == 0
