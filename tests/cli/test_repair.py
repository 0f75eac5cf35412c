"""`kfp-jupyter debug` and `rerun`, on real runs of this machine."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import kfp_jupyter.workbench
from kfp_jupyter.cli import main

LOAD = "%%component\ndef load(rows: int) -> int:\n    return rows\n"
TRAIN = "%%component\ndef train(rows: int) -> float:\n    return 1 / rows\n"
STUDY = "%%pipeline study(rows: int = 0)\ntrain(rows=load(rows=rows).output)\n"


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)

    def write(*cells):
        held = [{"cell_type": "code", "source": cell} for cell in cells]
        (tmp_path / "study.ipynb").write_text(json.dumps({"nbformat": 4, "cells": held}))

    yield write
    kfp_jupyter.workbench.close_current()


def test_a_failed_run_is_debugged_as_a_program_and_rerun_from_the_mended_notebook(notebook, tmp_path, capsys):
    notebook(LOAD, TRAIN, STUDY)
    assert main(["run", "study.ipynb", "--no-cache"]) == 1
    assert main(["debug"]) == 0
    assert capsys.readouterr().out.endswith(
        "Wrote debug_train.py; `python -m pdb debug_train.py` steps through it.\n"
    )
    told = subprocess.run([sys.executable, "debug_train.py"], capture_output=True, text=True, check=False)
    assert "ZeroDivisionError" in told.stderr
    assert main(["debug", "latest", "load", "-o", "first.py"]) == 0
    assert "rows = 0\n" in (tmp_path / "first.py").read_text()

    notebook(LOAD, TRAIN.replace("1 / rows", "1.5"), STUDY)
    capsys.readouterr()
    assert main(["rerun", "study.ipynb", "--no-cache"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Taken over from run study-")
    assert ": load. Run again: train.\n" in out
    assert "1.5" in out

    assert main(["rerun", "study.ipynb"]) == 2
    assert "Nothing was changed since this run" in capsys.readouterr().err
    assert main(["debug"]) == 0  # the run that failed is still there
    assert main(["debug", "-o", "no/such/folder.py"]) == 2
