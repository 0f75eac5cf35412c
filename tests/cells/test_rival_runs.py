"""What goes wrong in other tools while pipelines are written and run, each defect with our answer.

Measured on Kale 2.3.0, Elyra 4.1.1 and KFP's SDK 2.17.0; a test is named after the defect.
"""

from __future__ import annotations

import json
import os
import socket
import textwrap
import time

import pytest
import yaml

from kfp_jupyter.cells.finding import MIME
from kfp_jupyter.cells.kale import KaleError
from kfp_jupyter.cells.notebook import load_notebook
from kfp_jupyter.notebook.kale_pipeline import kale_pipeline
from tests.cells.notebooks import commands_of
from tests.notebook.kernel import kernel

LOADED = """
%load_ext kfp_jupyter
from typing import *
from kfp_jupyter import component, dsl, pipeline
from kfp_jupyter.dsl import *
"""

WAITS = """
@component
def waits(path: str) -> int:
    import os, time
    print("it has begun", flush=True)
    while not os.path.exists(path):
        time.sleep(0.02)
    return 1

@pipeline
def waiting(path: str):
    waits(path=path)
"""


@pytest.fixture(scope="module")
def silent():
    """A cluster that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture(scope="module")
def notebook(tmp_path_factory, silent):
    """A kernel beside a cluster that does not answer, in a folder of its own."""
    folder = tmp_path_factory.mktemp("notebook")
    url = f"http://127.0.0.1:{silent.getsockname()[1]}"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "silent",
        "clusters": [{"name": "silent", "cluster": {"server": url}}],
        "users": [{"name": "me", "user": {}}],
        "contexts": [{"name": "silent", "context": {"cluster": "silent", "user": "me"}}],
    }
    (folder / "kubeconfig").write_text(yaml.safe_dump(config))
    with kernel(folder, KUBECONFIG=str(folder / "kubeconfig")) as made:
        assert made.run(LOADED).status == "ok"
        made.folder = folder
        yield made


def done(notebook, text):
    outcome = notebook.run(textwrap.dedent(text))
    assert outcome.status == "ok", outcome.traceback
    return outcome


def manifest(notebook, calls, name):
    body = "\n".join(f"    {line}" for line in calls.splitlines())
    done(notebook, f"@pipeline(name='{name}')\ndef _made():\n{body}\n_made.compile('{name}.yaml')")
    return next(yaml.safe_load_all((notebook.folder / f"{name}.yaml").read_text(encoding="utf-8")))


def until(notebook, expression, wanted):
    """Ask until an expression has a value, two minutes at most."""
    end = time.monotonic() + 120
    while (value := notebook.value(expression)) != wanted and time.monotonic() < end:
        time.sleep(0.05)
    assert value == wanted


# --- Kale and Elyra ---


def test_a_cluster_that_does_not_answer_blocks_the_start(notebook, silent):
    done(notebook, WAITS)
    assert "argo:silent" in str(done(notebook, "%kfp targets").bundles)
    # Nobody has knocked at its door.
    silent.settimeout(0)
    with pytest.raises(BlockingIOError):
        silent.accept()


def test_what_a_step_prints_never_comes_to_the_log_and_done_is_said_while_it_runs(notebook):
    done(notebook, WAITS + "_run = waiting.run(path='go')")
    until(notebook, "'it has begun' in _run.logs('waits')", "True")
    assert notebook.value("_run.state.value") == "RUNNING"
    (notebook.folder / "go").touch()
    done(notebook, "_run.wait()")
    assert notebook.value("_run.state.value") == "SUCCEEDED"


def test_waiting_for_a_canceled_run_never_ends(notebook):
    done(notebook, WAITS + "_run = waiting.run(path='never')")
    until(notebook, "'it has begun' in _run.logs('waits')", "True")
    done(notebook, "_run.cancel()\n_run.wait(300)")
    assert notebook.value("_run.state.value") == "CANCELED"


def test_every_step_installs_what_any_step_imports(notebook):
    done(
        notebook,
        "%%component --packages auto\ndef reads(t: str) -> dict:\n  import yaml\n  return yaml.safe_load(t)",
    )
    done(
        notebook,
        "%%component --packages auto\ndef plain(n: int) -> int:\n    import math\n    return math.floor(n)",
    )
    commands = commands_of(manifest(notebook, "reads(t='a: 1')\nplain(n=1)", "apart"))
    assert any("PyYAML" in word for word in commands["reads"])
    assert not any("pip install" in word for word in commands["plain"])


def test_a_package_that_is_missing_is_found_when_all_has_run(notebook):
    outcome = notebook.run(
        "%%component\ndef step() -> int:\n    import no_such_module_anywhere as m\n    return m.x"
    )
    (told,) = [held[MIME]["findings"] for held in outcome.bundles if MIME in held]
    assert [(held["code"], held["where"]["line"]) for held in told] == [("unknown-import", 3)]


@pytest.fixture
def tagged(tmp_path):
    def write(*cells):
        held = [
            {"cell_type": "code", "source": text, "metadata": {"tags": list(tags)}} for text, *tags in cells
        ]
        path = tmp_path / "tagged.ipynb"
        path.write_text(json.dumps({"nbformat": 4, "metadata": {}, "cells": held}))
        return path

    return write


def test_a_step_with_capital_letters_is_an_unrecognized_tag(tagged):
    path = tagged(("x = 1", "step:TrainModel"), ("print(x)", "step:show", "prev:TrainModel"))
    graph = kale_pipeline(load_notebook(path), path, print).graph
    assert list(graph.tasks) == ["trainmodel", "show"]
    assert graph.tasks["show"].dependencies == ("trainmodel",)


def test_another_notebook_in_the_place_of_a_cell_is_dropped(tagged):
    path = tagged(("", "notebook:other"), ("x = 1", "step:a"))
    with pytest.raises(KaleError, match=r"notebook_step"):
        kale_pipeline(load_notebook(path), path, print)


# --- KFP's SDK ---


def test_each_component_warns_of_its_image(notebook):
    text = "%%component\ndef quiet() -> int:\n    return 1\n"
    done(notebook, "import warnings; warnings.simplefilter('error')")
    done(notebook, text)
    done(notebook, text.replace("%%", "@").replace("quiet", "quieter"))
    manifest(notebook, "quiet()\nquieter()", "quiet")
    done(notebook, "warnings.resetwarnings()")


@pytest.mark.parametrize(
    "hint",
    ["int | None", "Optional[int]", "Literal[1, 2]", "'int'", "Annotated[int, 'many']"],
)
def test_a_hint_that_python_knows_is_refused(notebook, hint):
    done(notebook, f"@component\ndef hinted(n: {hint} = 1) -> int:\n    return n or 0")
    inputs = manifest(notebook, "hinted()", "hinted")["components"]["comp-hinted"]["inputDefinitions"]
    assert inputs["parameters"]["n"]["parameterType"] == "NUMBER_INTEGER"


def test_a_dataclass_is_no_result(notebook):
    done(notebook, "from dataclasses import dataclass\n@dataclass\nclass Two:\n    a: int\n    b: str")
    done(notebook, "@component\ndef two() -> Two:\n    return Two(1, 'x')")
    outputs = manifest(notebook, "two()", "two")["components"]["comp-two"]["outputDefinitions"]
    assert sorted(outputs["parameters"]) == ["a", "b"]


def test_a_tuple_is_no_result(notebook):
    done(notebook, "@component\ndef halves(n: int) -> tuple[int, str]:\n    return n // 2, 'rest'")
    declared = manifest(notebook, "halves(n=5)", "halves")["components"]["comp-halves"]["outputDefinitions"]
    types = {name: held["parameterType"] for name, held in declared["parameters"].items()}
    assert types == {"Output_1": "NUMBER_INTEGER", "Output_2": "STRING"}
    done(
        notebook,
        """
        @pipeline
        def halved():
            task = halves(n=5)
            halves(n=task.outputs["Output_1"])
        _run = halved.run()
        _run.wait(300)
        """,
    )
    outputs = "[sorted(t.outputs.items()) for t in _run.tasks.values()]"
    assert notebook.value(outputs) == str(
        [[("Output_1", 2), ("Output_2", "rest")], [("Output_1", 1), ("Output_2", "rest")]]
    )


def test_what_autoreload_has_loaded_anew_is_compiled_as_it_was(notebook):
    steps = "from kfp_jupyter import component, pipeline\nRATE = {0}\n\ndef rate() -> int:\n    return {0}\n"
    steps += "class Scale:\n    def by(self) -> int:\n        return {0}\n"
    steps += "@component\ndef rated() -> int:\n    return RATE + {0}\n"
    steps += "@pipeline\ndef rating():\n    rated()\n"
    file = notebook.folder / "reloaded_steps.py"
    file.write_text(steps.format(1))
    done(
        notebook, "%load_ext autoreload\n%autoreload 2\nfrom reloaded_steps import Scale, rate, rated, rating"
    )
    cell = "%%component\ndef own() -> int:\n    return rate() + Scale().by()"
    done(notebook, cell)
    file.write_text(steps.format(20))
    # Autoreload goes by the file's time.
    os.utime(file, (time.time() + 10, time.time() + 10))
    done(notebook, cell)
    assert notebook.value("(own(), rated(), rated.python_func())") == "(40, 40, 40)"
    text = str(manifest(notebook, "own()\nrated()", "reloaded"))
    assert "return 20" in text
    assert "RATE = 20" in text
    done(notebook, "rating.compile('rating.yaml')\n%autoreload 0")
    assert "RATE = 20" in (notebook.folder / "rating.yaml").read_text(encoding="utf-8")


def test_outputs_are_not_calculated_with_nor_selected_nor_compared_twice(notebook):
    done(
        notebook,
        """
        @component
        def pair() -> dict:
            return {"k": 1, "items": [1, 2]}
        @component
        def show(n: int) -> int:
            return n
        @pipeline
        def calculated():
            p = pair()
            one = show(n=p.output["k"])
            show(n=one.output + 1)
            with dsl.If((one.output == 1) & (one.output > 0)):
                show(n=5)
            with dsl.ParallelFor(p.output["items"]) as item:
                show(n=item)
        _run = calculated.run()
        _run.wait(300)
        """,
    )
    assert notebook.value("_run.state.value") == "SUCCEEDED"
    shown = notebook.value("sorted(t.outputs['Output'] for path, t in _run.tasks.items() if 'show' in path)")
    assert shown == "[1, 1, 2, 2, 5]"


def test_an_argument_without_a_hint_fails_without_its_place(notebook):
    outcome = notebook.run("%%component\ndef bare(n: int, m) -> int:\n    return n")
    assert outcome.status == "error"
    assert "'m'" in outcome.traceback
    assert "line 2" in outcome.traceback


def test_a_component_with_an_artifact_cannot_be_called_alone(notebook):
    done(
        notebook, "@component\ndef size(data: Input[Dataset]) -> int:\n    return len(open(data.path).read())"
    )
    (notebook.folder / "data.txt").write_text("four")
    assert notebook.value("size(data='data.txt')") == "4"
