"""Notebooks with Kale's tags, read as they are; each of Kale 2.3's wrong guesses is a test named after it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kfp_jupyter.cells.kale import KaleError, has_kale_tags
from kfp_jupyter.cells.notebook import NotebookError, load_notebook
from kfp_jupyter.model.component import PythonStep
from kfp_jupyter.model.types import ParameterType
from kfp_jupyter.notebook.kale_pipeline import kale_pipeline
from kfp_jupyter.notebook.source import find_pipeline
from kfp_jupyter.workbench import Workbench

IMPORTS = ("import json\nimport math\n", "imports")
FUNCTIONS = (
    """import statistics

LIMIT = 2

def center(values):
    return [value - statistics.mean(values) for value in values]

def unused():
    return missing
""",
    "functions",
)
PARAMETERS = ('rows = 4\nname = "it\'s {here}"\n', "pipeline-parameters")
LOAD = ("data = [math.sqrt(i) for i in range(rows)]", "step:load")


@pytest.fixture
def written(tmp_path):
    def write(*cells, **metadata) -> Path:
        held = [
            {"cell_type": "code", "source": text, "metadata": {"tags": list(tags)}, "outputs": []}
            for text, *tags in cells
        ]
        said = {"kubeflow_notebook": {"pipeline_name": "study", "experiment_name": "e", **metadata}}
        path = tmp_path / "study.ipynb"
        path.write_text(json.dumps({"nbformat": 4, "metadata": said, "cells": held}))
        return path

    return write


@pytest.fixture
def bench(tmp_path, monkeypatch) -> Iterator[Workbench]:
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    made = Workbench(tmp_path / "data")
    yield made
    made.close()


def edges(pipeline) -> dict[str, list[str]]:
    return {name: sorted(task.dependencies) for name, task in pipeline.graph.tasks.items()}


def source(pipeline, component: str) -> str:
    step = pipeline.components[component].implementation
    assert isinstance(step, PythonStep)
    return step.source.text


def test_a_tagged_notebook_runs_as_a_pipeline_of_its_names(written, bench):
    path = written(
        ("%matplotlib inline\n# no tag: no part of it",),
        IMPORTS,
        FUNCTIONS,
        PARAMETERS,
        LOAD,
        ("centered = center(data)\n", "step:middle", "prev:load"),
        ("centered.append(LIMIT)  # belongs to the cell above",),
        ("print('skipped'); 1 / 0", "skip"),
        ("total = round(sum(centered), 6)\nprint(name, json.dumps(total))\n", "step:add_up", "prev:middle"),
        ("print(total)", "pipeline-metrics"),
    )
    assert has_kale_tags(load_notebook(path))
    pipeline = find_pipeline(path)
    assert (pipeline.name, [spec.name for spec in pipeline.inputs]) == ("study", ["rows", "name"])
    assert edges(pipeline) == {"load": [], "middle": ["load"], "add-up": ["middle"]}
    run = bench.run(pipeline, {"rows": 3}).wait(300)
    assert run.state == "SUCCEEDED", run.logs()
    assert "it's {here} 2.0" in run.logs("add-up")
    assert run.metrics == {"add-up": {"total": 2.0}}


def test_an_error_in_a_step_names_the_cell_and_line_it_was_written_in(written, bench):
    path = written(
        ("first = 1\n", "step:only"),
        ("\nsecond = first / 0\n",),
        ("third = second", "step:next", "prev:only"),
    )
    run = bench.run(find_pipeline(path), {}).wait(300)
    error = run.tasks["only"].error
    assert (error.type, error.file, error.line) == ("ZeroDivisionError", f"{path}, cell 2", 2)


# --- Kale 2.3's wrong guesses ---


def test_kale_drops_cpu_and_memory_limits(written):
    settings = [
        "limit:cpu:2",
        "limit:memory:4Gi",
        "limit:nvidia.com/gpu:1",
        "image:python:3.12",
        "cache:disabled",
    ]
    more = ["secret:db:password:DB_PASSWORD", "annotation:team/a:b", "label:c:d"]
    pipeline = find_pipeline(written((*LOAD, *settings, *more), PARAMETERS, IMPORTS))
    held = pipeline.graph.tasks["load"].settings
    assert (held.resources.cpu_limit, held.resources.memory_limit) == ("2", "4Gi")
    assert (held.resources.accelerator_type, held.resources.accelerator_count) == ("nvidia.com/gpu", "1")
    assert held.caching is False
    assert pipeline.components["comp-load"].implementation.base_image == "python:3.12"
    said = json.dumps(held.kubernetes, default=dict)
    for word in ("DB_PASSWORD", "team/a", '"c"'):
        assert word in said


def test_kale_compiles_an_undefined_name_without_a_warning(written):
    with pytest.raises(KaleError, match="'dat', which no cell of the pipeline defines") as raised:
        find_pipeline(written(IMPORTS, PARAMETERS, LOAD, ("\nx = dat + 1", "step:use", "prev:load")))
    assert raised.value.where.endswith("study.ipynb, cell 4, line 2")


def test_kale_compiles_a_name_that_only_a_skipped_cell_defines(written):
    with pytest.raises(KaleError, match=r"'limit', which is defined in cell 1 only.*tag `skip`"):
        find_pipeline(written(("limit = 3", "skip"), ("x = limit", "step:use")))
    with pytest.raises(KaleError, match=r"defined in cell 1 only.*has no tag"):
        find_pipeline(written(("limit = 3",), ("x = limit", "step:use")))


def test_kale_serialises_branches_that_share_no_data(written):
    pipeline = find_pipeline(
        written(
            ("x = 1", "step:a"),
            ("print('b')", "step:b", "prev:a"),
            ("print('c')", "step:c", "prev:a"),
            ("print('d')", "step:d", "prev:b", "prev:c"),
        )
    )
    assert edges(pipeline) == {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}


def test_kale_chains_steps_that_have_nothing_to_do_with_each_other(written):
    pipeline = find_pipeline(written(("x = 1", "step:a"), ("y = 1", "step:b"), ("z = 1", "step:c")))
    assert edges(pipeline) == {"a": [], "b": [], "c": []}


def test_kale_does_not_install_what_a_step_itself_imports(written):
    pipeline = find_pipeline(written(("import yaml\nprint(yaml.dump(1))", "step:a"), ("print(2)", "step:b")))
    packages = {key: held.implementation.packages for key, held in pipeline.components.items()}
    assert {held.lower() for held in packages["comp-a"]} == {"pyyaml"}
    assert packages["comp-b"] == ()


def test_kale_asks_pypi_for_a_local_module(written, tmp_path, bench, monkeypatch):
    (tmp_path / "mylocal.py").write_text("def answer():\n    return 42\n")
    path = written(("import mylocal", "imports"), ("print('it is', mylocal.answer())", "step:a"))
    monkeypatch.chdir("/")
    pipeline = find_pipeline(path)
    assert pipeline.components["comp-a"].implementation.packages == ()
    run = bench.run(pipeline, {}).wait(300)
    assert "it is 42" in run.logs("a")


def test_kale_fails_on_pip_and_magics_in_a_step(written):
    pipeline = find_pipeline(
        written(("!pip install -q 'six>=1.0' attrs\n%matplotlib inline\nx = 1", "step:a"))
    )
    assert pipeline.components["comp-a"].implementation.packages == ("six>=1.0", "attrs")
    assert "!pip" not in source(pipeline, "comp-a")
    with pytest.raises(KaleError, match=r"cell 1, line 2.*`!ls` is a command of the notebook"):
        find_pipeline(written(("x = 1\n!ls", "step:a")))


def test_kale_breaks_on_a_quote_in_a_parameter(written, bench):
    path = written(('text = "\'}}; import os #"', "pipeline-parameters"), ("print('it', text)", "step:a"))
    run = bench.run(find_pipeline(path), {}).wait(300)
    assert "it '}}; import os #" in run.logs("a")


def test_kale_refuses_lists_as_parameters(written):
    pipeline = find_pipeline(written(("sizes = [1, 2]", "pipeline-parameters"), ("print(sizes)", "step:a")))
    assert [(spec.type, spec.default) for spec in pipeline.inputs] == [(ParameterType.LIST, [1, 2])]


def test_kale_lets_an_await_pass_that_a_step_cannot_run(written):
    with pytest.raises(KaleError, match=r"awaits"):
        find_pipeline(written(("import asyncio\nawait asyncio.sleep(0)", "step:a")))


# --- What is not obvious ---


def test_a_name_comes_from_the_branch_that_a_step_stands_in(written):
    pipeline = find_pipeline(
        written(
            ("frame = [1]", "step:a"),
            ("frame = frame + [2]", "step:b", "prev:a"),
            ("mine = frame + [3]", "step:c", "prev:a"),
            ("print(frame, mine)", "step:d", "prev:b", "prev:c"),
        )
    )
    assert edges(pipeline) == {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}


def test_a_function_brings_the_data_that_it_reads(written):
    pipeline = find_pipeline(
        written(
            ("def scaled(v):\n    return v * factor * rate\n", "functions"),
            ("rate = 2.0", "pipeline-parameters"),
            ("factor = 3", "step:a"),
            ("print(scaled(1))", "step:b", "prev:a"),
        )
    )
    assert sorted(pipeline.graph.tasks["b"].arguments) == ["factor", "rate"]


def test_a_function_that_a_step_defines_travels_as_source(written, bench):
    path = written(
        ("import math\ndef area(r):\n    return round(math.pi * r * r, 2)\nr = 2", "step:a"),
        ("print('area', area(r))", "step:b", "prev:a"),
    )
    run = bench.run(find_pipeline(path), {}).wait(300)
    assert "area 12.57" in run.logs("b")
    assert sorted(run.pipeline.graph.tasks["b"].arguments) == ["r"]


def test_classes_travel_to_the_steps_that_load_their_instances(written, bench):
    path = written(
        ("class Shared:\n    def __init__(self, n):\n        self.n = n\n", "functions"),
        ("class Own(Shared):\n    pass\nheld = [Shared(2), Own(3)]", "step:make"),
        ("total = sum(item.n for item in held)", "step:use", "prev:make"),
        ("print('total', total, held[1].n)", "step:show", "prev:use"),
    )
    run = bench.run(find_pipeline(path), {}).wait(300)
    assert run.state == "SUCCEEDED", run.logs()
    assert run.logs("show") == "total 5 3\n"


def test_what_a_shared_cell_does_is_done_in_every_step(written):
    pipeline = find_pipeline(
        written(
            ("import os, warnings\nwarnings.simplefilter('ignore')\n", "imports"),
            ("x = 1", "step:a"),
        )
    )
    assert "import os, warnings\nwarnings.simplefilter('ignore')\n" in source(pipeline, "comp-a")
    assert "def unused" not in source(find_pipeline(written(FUNCTIONS, ("x = 1", "step:a"))), "comp-a")


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([("x = 1", "step:a", "prev:b")], r"waits for 'b', and no step above it"),
        ([("x = 1", "step:a", "functions")], r"at once"),
        ([("x = 1", "step:a", "limit:")], r"says nothing after its colon"),
        ([("", "notebook:other"), ("x = 1", "step:a")], r"another notebook"),
        ([("x = (", "step:a")], r"cell 1, line 1.*not valid Python"),
        ([("x = 1", "step:a"), ("print(y)", "pipeline-metrics")], r"metric 'y' is computed by no step"),
    ],
)
def test_tags_that_cannot_be_are_refused_with_their_cell(written, cells, said):
    with pytest.raises(KaleError, match=said) as raised:
        find_pipeline(written(*cells))
    assert "study.ipynb, cell" in raised.value.where


def test_a_parameter_that_has_to_be_computed_is_refused(written):
    with pytest.raises(NotebookError, match=r"`rows = len\(x\)` gives no parameter a value"):
        find_pipeline(written(("rows = len(x)", "pipeline-parameters"), ("print(rows)", "step:a")))


def test_what_is_asked_for_and_not_done_is_said(written):
    path = written(
        ("import nowhere_to_be_found", "step:a", "report:enabled"),
        volumes=[{"type": "pvc", "name": "data", "mount_point": "/data"}, {"type": "new_pvc", "name": "new"}],
        steps_defaults=["label:team:x"],
    )
    told: list[str] = []
    pipeline = kale_pipeline(load_notebook(path), path, told.append)
    assert [held.split("'")[1] for held in told] == ["a", "report:enabled", "new"]
    assert "'nowhere_to_be_found', which nothing installed here provides" in told[0]
    said = json.dumps(pipeline.graph.tasks["a"].settings.kubernetes, default=dict)
    assert '"team"' in said
    assert "/data" in said


def test_a_notebook_is_the_same_after_a_save_and_a_reload(written):
    import nbformat

    path = written(IMPORTS, FUNCTIONS, PARAMETERS, LOAD, ("x = center(data)", "step:next", "prev:load"))
    before = find_pipeline(path)
    content = nbformat.read(path, as_version=4)
    nbformat.write(content, path)
    assert find_pipeline(path) == before


def test_kale_drops_retries_and_timeouts(written):
    path = written(
        ("x = 1", "step:a", "limit:cpu:4"),
        timeout=60,
        steps_defaults={
            "retry_count": 2,
            "retry_interval": "30s",
            "retry_factor": 3,
            "limits": {"cpu": "2", "memory": "1Gi"},
            "labels": {"team": "x"},
            "secrets": {"db": {"password": "DB_PASSWORD"}},
            "base_image": "python:3.12",
        },
    )
    told: list[str] = []
    pipeline = kale_pipeline(load_notebook(path), path, told.append)
    settings = pipeline.graph.tasks["a"].settings
    assert (settings.retry.max_count, settings.retry.backoff_seconds) == (2, 30)
    assert settings.timeout_seconds == 60
    assert (settings.resources.cpu_limit, settings.resources.memory_limit) == ("4", "1Gi")
    assert pipeline.components["comp-a"].implementation.base_image == "python:3.12"
    said = json.dumps(settings.kubernetes, default=dict)
    assert '"team"' in said
    assert "DB_PASSWORD" in said
    assert told == []


def test_kale_crashes_on_docker_image_of_notebooks_before_its_second_version(written):
    path = written(("x = 1", "step:a"), docker_image="jupyter/base:1", autosnapshot=True, katib_run=True)
    told: list[str] = []
    pipeline = kale_pipeline(load_notebook(path), path, told.append)
    assert pipeline.components["comp-a"].implementation.base_image == "jupyter/base:1"
    assert ["'autosnapshot' does nothing" in told[0], "'katib_run' does nothing" in told[1]] == [True, True]


def test_kale_mounts_claims_without_a_word_on_those_that_it_does_not(written):
    volumes = [
        {
            "type": "pvc",
            "name": "my-data",
            "mount_point": "/data",
            "expose_as_env_var": True,
            "snapshot": True,
        },
        {"type": "new_pvc", "name": "new", "mount_point": "/new"},
    ]
    path = written(
        ("x = 1", "step:a"), ("y = 1", "step:b"), volumes=volumes, security_context={"run_as_user": 7}
    )
    told: list[str] = []
    pipeline = kale_pipeline(load_notebook(path), path, told.append)
    for name in ("a", "b"):
        settings = pipeline.graph.tasks[name].settings
        assert dict(settings.env) == {"KALE_VOLUME_MY_DATA": "/data"}
        said = json.dumps(settings.kubernetes, default=dict)
        assert '"/data"' in said
        assert "7" in said
    assert [held.split("'")[1] for held in told] == ["my-data", "new"]
