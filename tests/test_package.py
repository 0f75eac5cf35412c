from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import kfp_jupyter


def python(code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(Path(kfp_jupyter.__file__).parent.parent)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_it_loads_nothing_of_its_own():
    assert (
        python("import sys, kfp_jupyter; print([m for m in sys.modules if m.startswith('kfp_jupyter.')])")
        == "[]\n"
    )


def test_public_names_load_when_they_are_used():
    for name in kfp_jupyter.__all__:
        assert getattr(kfp_jupyter, name) is not None
    assert set(kfp_jupyter.__all__) <= set(dir(kfp_jupyter))
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        _ = kfp_jupyter.nope


PIPELINE = """
from kfp_jupyter.model.pipeline import Graph, Pipeline
from kfp_jupyter.dsl import PipelineFunction
made = PipelineFunction(Pipeline("p", (), (), {}, Graph({})))
import kfp_jupyter, sys
assert "kfp_jupyter.workbench" not in sys.modules
import kfp_jupyter.workbench as workbench
from types import SimpleNamespace
class Bench:
    def run(self, pipeline, arguments, target):
        return SimpleNamespace(wait=lambda: f"waited for {pipeline.name} {arguments} {target}")
workbench.current = lambda: Bench()
print(made.run(target="argo", wait=True))
"""


@pytest.mark.parametrize(
    "way", ["import kfp_jupyter.dsl", "from kfp_jupyter import dsl", "from kfp_jupyter.dsl import component"]
)
def test_a_pipeline_can_be_run_however_the_dsl_was_imported(way):
    assert python(f"{way}\n{PIPELINE}") == "waited for p {} argo\n"


def test_a_pipeline_compiles_to_argo_however_the_dsl_was_imported(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "from kfp_jupyter.dsl import component, pipeline\n"
        "@component\ndef step(n: int) -> int:\n    return n\n"
        "@pipeline\ndef p(n: int = 1):\n    step(n)\n"
        f"print(p.compile({str(tmp_path / 'p.yaml')!r}, target='argo').read_text()[:39])\n"
    )
    assert python(f"import runpy; runpy.run_path({str(program)!r})") == (
        "apiVersion: argoproj.io/v1alpha1\nkind: \n"
    )
