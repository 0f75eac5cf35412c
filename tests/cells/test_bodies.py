"""Difficult Python as a cell's body: the notebook, a local run and the compiled step give the same value."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from kfp_jupyter.cells.cell_form import FIRST_LINE
from kfp_jupyter.cells.ledger import Ledger
from kfp_jupyter.dsl import PipelineBuilder, PipelineFunction
from kfp_jupyter.executor.formats import STORED, load
from kfp_jupyter.executor.program import program
from kfp_jupyter.interchange.write import to_yaml
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.notebook.define import define_component
from kfp_jupyter.workbench import Workbench

TEXT = Path(__file__).with_name("bodies.txt").read_text(encoding="utf-8")
BODIES = dict(re.findall(r"^=== (.*)\n((?:(?!=== ).*\n)*)", TEXT, re.MULTILINE))
BODIES["no newline, and a comment at the end"] = "result = n\n# the end"
BODIES["odd separators of lines"] = "a = 'x\x0cy'\nb = 'p\u2028q\x85'\nresult = [a, b]"
NAMES = {what: f"step_{number}" for number, what in enumerate(BODIES)}
SOURCE = "words = ['lorem', 'ipsum']\n"


@pytest.fixture(scope="module")
def notebook() -> dict[str, Any]:
    """The value that each body gives in the notebook, and the components by name."""
    values: dict[str, Any] = {}
    components: dict[str, Any] = {}
    for what, body in BODIES.items():
        names: dict[str, Any] = {"__name__": "__main__"}
        # A class that is pickled is looked up there.
        before = sys.modules["__main__"].__dict__.copy()
        exec(SOURCE + "n = 3", names)
        line = f"{NAMES[what]}(n: int, words: list) -> result: Artifact"
        sys.modules["__main__"].__dict__.update(names)
        try:
            names = sys.modules["__main__"].__dict__
            components[NAMES[what]] = define_component(line, body, f"<{what}>", names, ledger=Ledger())
            values[what] = names["result"]
        finally:
            for name in set(sys.modules["__main__"].__dict__) - set(before):
                del sys.modules["__main__"].__dict__[name]
            sys.modules["__main__"].__dict__.update(before)
    return {"values": values, "components": components}


@pytest.fixture(scope="module")
def pipeline(notebook) -> Pipeline:
    with PipelineBuilder("bodies") as builder:
        for component in notebook["components"].values():
            component(n=3, words=["lorem", "ipsum"])
    return PipelineFunction(builder.build()).model


@pytest.fixture(scope="module")
def run(pipeline, tmp_path_factory):
    bench = Workbench(tmp_path_factory.mktemp("data"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KFP_JUPYTER_DATA", str(tmp_path_factory.mktemp("runs")))
        yield bench.run(pipeline, caching=False).wait(300)
        bench.close()


def test_there_are_enough_of_them():
    assert len(BODIES) >= 50


@pytest.mark.parametrize("what", BODIES)
def test_a_local_run_gives_what_the_notebook_gives(what, notebook, run):
    task = run.tasks[NAMES[what].replace("_", "-")]
    assert task.state == "SUCCEEDED", task.logs()
    made = task.artifacts["result"]
    assert load(made.path, made.metadata[STORED]) == notebook["values"][what]


@pytest.fixture(scope="module")
def steps(pipeline) -> dict[str, str]:
    """The source of each step, out of the compiled document."""
    (document,) = yaml.safe_load_all(to_yaml(pipeline))
    executors = document["deploymentSpec"]["executors"]
    assert all("kfp_jupyter" not in str(held["container"]["image"]) for held in executors.values())
    return {
        held["container"]["args"][-1]: _source(held["container"]["command"]) for held in executors.values()
    }


def _source(command: list[str]) -> str:
    (source,) = [word for word in command if word.startswith("import kfp")]
    return source


@pytest.mark.parametrize("what", BODIES)
def test_the_compiled_step_gives_it_in_a_bare_interpreter(what, notebook, steps, tmp_path):
    made = tmp_path / "made"
    given = {
        "inputs": {"parameterValues": {"n": 3, "words": ["lorem", "ipsum"]}},
        "outputs": {
            "artifacts": {
                "result": {"artifacts": [{"uri": str(made), "type": {"schemaTitle": "system.Artifact"}}]}
            },
            "outputFile": str(tmp_path / "output.json"),
        },
    }
    (tmp_path / "executor.py").write_text(program(), encoding="utf-8")
    (tmp_path / "step.py").write_text(steps[NAMES[what]], encoding="utf-8")
    words = ["--executor_input", json.dumps(given), "--function_to_execute", NAMES[what]]
    words += ["--component_module_path", str(tmp_path / "step.py")]
    done = subprocess.run(
        [sys.executable, "-I", str(tmp_path / "executor.py"), *words],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    (artifact,) = json.loads((tmp_path / "output.json").read_text())["artifacts"]["result"]["artifacts"]
    assert load(str(made), artifact["metadata"][STORED]) == notebook["values"][what]


@pytest.mark.parametrize("what", BODIES)
def test_each_line_of_a_step_is_a_line_of_the_cell(what, notebook):
    source = notebook["components"][NAMES[what]].model.implementation.source
    lines = source.text.split("\n")
    found = {}
    for number in range(1, len(lines)):
        file, line = source.locate(number)
        if file == f"<{what}>":
            found[line] = lines[number - 1]
    for number, text in enumerate(BODIES[what].rstrip("\n").split("\n"), start=FIRST_LINE):
        # A quote opens before the first line of a piece, or a line with both kinds of quotes is escaped.
        assert found[number].endswith(text) or '"""' in text, (number, text)


def test_the_packed_program_is_what_the_text_says(notebook):
    source = notebook["components"][NAMES["one line"]].model.implementation.source.text
    packed = source.split("b64decode('''")[1].split("'''")[0]
    assert "def run_cell(" in zlib.decompress(base64.b64decode(packed)).decode()
