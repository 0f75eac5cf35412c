from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import kfp_jupyter
from kfp_jupyter.executor.joining import joined
from kfp_jupyter.executor.program import KEPT, digest, keep


def python(code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(Path(kfp_jupyter.__file__).parent.parent)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
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


def test_what_the_package_imports_is_what_it_says_it_needs():
    root = Path(kfp_jupyter.__file__).parent
    asked = {
        name.partition(".")[0]
        for file in root.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        for name in imported(node)
    }
    project = (root.parent / "pyproject.toml").read_text(encoding="utf-8")
    listed = project.partition("\ndependencies = [")[2].partition("\n]")[0]
    needed = set(re.findall(r'^  "([\w-]+)', listed, re.MULTILINE))
    # Under another name, or a dependency of a dependency whose interface we meet it in.
    brought = {
        "pyyaml": {"yaml"},
        "ipython": {"IPython", "traitlets"},
        "ipykernel": {"comm"},
        "kubernetes": {"urllib3"},
    }
    known = {name for package in needed for name in brought.get(package, set()) | {package}}
    # What `kfp` means in a step, what a notebook's step installs, and what pip carries: no dependencies.
    elsewhere = {"kfp_jupyter", "kfp", "jupyter_client", "nbclient", "nbconvert", "pip"}
    # What reads object stores is the user's own; without, nothing can be imported from there.
    elsewhere |= {"boto3", "fsspec", "google"}
    assert asked - set(sys.stdlib_module_names) - known - elsewhere == set()


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


@pytest.mark.golden
@pytest.mark.parametrize("files", KEPT, ids="-".join)
def test_the_text_of_the_executor_is_kept_as_its_files_make_it(request, files):
    if request.config.getoption("--update-goldens"):
        keep()
    made_of, _, kept = KEPT[files].read_text(encoding="utf-8").partition("\n")
    assert made_of == digest(files), (
        "the executor's files have changed: `pytest tests/test_package.py --update-goldens`"
    )
    # Not the texts: how `ast` writes what it has read differs a little from Python to Python.
    assert ast.dump(ast.parse(kept)) == ast.dump(ast.parse(joined(files)))


def test_executor_files_that_have_changed_are_joined_anew(tmp_path):
    folder = Path(kfp_jupyter.__file__).parent / "executor"
    copy = shutil.copytree(folder, tmp_path / "kfp_jupyter" / "executor")
    (tmp_path / "kfp_jupyter" / "__init__.py").touch()
    with (copy / "main.py").open("a", encoding="utf-8") as file:
        file.write("\nCHANGED = []\n")
    code = "from kfp_jupyter.executor.program import program; print('CHANGED=[]' in program())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"


def test_a_component_and_a_pipeline_are_defined_without_the_step_s_program():
    cell = "def add(a: int, b: int = 1) -> int:\n    return a + b\n"
    assert (
        python(
            "from kfp_jupyter.executor import program\n"
            "from kfp_jupyter.notebook.define import define_component, define_pipeline\n"
            "from kfp_jupyter.view import document, html\n"
            "import kfp_jupyter.cli, kfp_jupyter.engines.argo.engine, kfp_jupyter.engines.local.engine\n"
            "import kfp_jupyter.notebook.magics, kfp_jupyter.workbench\n"
            "names = {}\n"
            f"define_component('', {cell!r}, 'Cell In[1]', names)\n"
            "pipeline, _ = define_pipeline('p', 'add(a=add(a=1).output)', 'Cell In[2]', names)\n"
            "html(document(pipeline.model, None))\n"
            "print(program.cache_info().misses)\n"
        )
        == "0\n"
    )
