"""What cells define, without IPython: as the CLI reads a notebook."""

from __future__ import annotations

import pytest

from kfp_jupyter.cells.magic_parser import MagicUsageError
from kfp_jupyter.dsl import PipelineFunction, PythonComponent
from kfp_jupyter.model.check import ArgumentError
from kfp_jupyter.model.pipeline import PipelineError, PipelineInput, Resources, Retry, TaskOutput
from kfp_jupyter.notebook.define import DefinitionError, argument_values, define_component, define_pipeline

LOAD = "def load(n: int = 3) -> int:\n    return n\n"


@pytest.fixture
def names():
    names = {}
    define_component("", LOAD, "nb.ipynb, cell 1", names)
    return names


def test_options_become_the_settings_that_tasks_start_with(names):
    line = "--cpu 2 --memory 4Gi --gpu 1 --retry 3 --timeout 30m --env A=b --no-cache --packages x 'y>=1'"
    made = define_component(line, "def step() -> int:\n    return 1\n", "cell 2", names)
    assert isinstance(names["step"], PythonComponent)
    pipeline, _ = define_pipeline("p", "step()\n", "cell 3", names)
    settings = pipeline.model.graph.tasks["step"].settings
    assert settings.resources == Resources("2", "2", "4Gi", "4Gi", "nvidia.com/gpu", "1")
    assert settings.retry == Retry(3)
    assert (settings.timeout_seconds, settings.env, settings.caching) == (1800.0, (("A", "b"),), False)
    assert made.model.implementation.packages == ("x", "y>=1")


def test_a_name_chooses_the_function_and_the_others_are_its_helpers(names):
    body = "def wanted() -> int:\n    return other()\n\ndef other() -> int:\n    return 2\n"
    made = define_component("wanted", body, "cell 2", names)
    assert made.name == "wanted"
    assert "def other" in made.model.implementation.source.text
    assert names["wanted"]() == 2


def test_hints_need_no_import(names):
    body = "def step(data: Input[Dataset], out: Output[Model], rows: List[int]):\n    pass\n"
    made = define_component("", body, "cell 2", names)
    assert [spec.type.python_name for spec in made.model.inputs] == ["Dataset", "list"]
    assert "Dataset" not in names


def test_a_cell_that_fails_while_it_runs_leaves_the_name_as_it_was(names):
    before = names["load"]
    with pytest.raises(ZeroDivisionError):
        define_component("", LOAD + "\n1 / 0\n", "cell 2", names)
    assert names["load"] is before
    with pytest.raises(ZeroDivisionError):
        define_component("", "def new() -> int:\n    return 1\n1 / 0\n", "cell 2", names)
    assert "new" not in names


def test_the_parameters_on_the_line_flow_into_the_calls(names):
    made, options = define_pipeline(
        "My_Pipe(n: int = 2, tag: str = 'a') --run -p n=5 --description 'What it does'",
        "first = load(n=n)\nsecond = load(n=first.output)\n",
        "cell 2",
        names,
    )
    tasks = made.model.graph.tasks
    assert made.model.name == "my-pipe"
    assert tasks["load"].arguments == {"n": PipelineInput("n")}
    assert tasks["load-2"].arguments == {"n": TaskOutput("load", "Output")}
    assert made.model.description == "What it does"
    assert options.run
    assert names["My_Pipe"] is made
    assert {"first", "second", "n"}.isdisjoint(names)


def test_a_body_may_reuse_a_components_name_for_its_task(names):
    made, _ = define_pipeline("p", "load = load(n=1)\nload.set_retry(2)\n", "cell 2", names)
    assert made.model.graph.tasks["load"].settings.retry == Retry(2)
    assert isinstance(names["load"], PythonComponent)


def test_one_function_is_a_pipeline_with_outputs(names):
    body = "import math\n\ndef whole(n: int = 1) -> int:\n    'Doc.'\n    return load(n=n).output\n"
    made, _ = define_pipeline("", body, "cell 2", names)
    assert made.model.name == "whole"
    assert made.model.description == "Doc."
    assert made.model.graph.outputs == {"Output": TaskOutput("load", "Output")}
    renamed, _ = define_pipeline("other", body, "cell 2", names)
    assert renamed.model.name == "other"
    assert names["other"] is names["whole"] is renamed


def test_a_function_that_is_decorated_already_stays_what_it_is(names):
    from kfp_jupyter import dsl

    body = "@dsl.pipeline(name='deco')\ndef whole(n: int = 1):\n    load(n=n)\n"
    made, _ = define_pipeline("", body, "cell 2", {**names, "dsl": dsl})
    assert made.model.name == "deco"


def test_calls_without_a_name_take_the_notebooks(names):
    made, _ = define_pipeline("", "load()\n", "cell 2", names, "Quick start")
    assert made.model.name == "quick-start"


def test_a_default_name_does_not_take_the_place_of_something_else(names):
    names["pipeline"] = kept = object()
    define_pipeline("", "load()\n", "cell 2", names)
    assert names["pipeline"] is kept
    define_pipeline("pipeline", "load()\n", "cell 2", names)
    assert isinstance(names["pipeline"], PipelineFunction)


def test_errors_name_the_cell_and_the_line(names):
    with pytest.raises(DefinitionError, match=r"nb.ipynb, cell 2, line 3: .*\(n=\(\)"):
        define_pipeline("", "load()\nload(n=()\n", "nb.ipynb, cell 2", names)
    with pytest.raises(DefinitionError, match=r"cell 2, line 3: .*return x.*Only a function returns"):
        define_pipeline("", "x = load()\nreturn x\n", "cell 2", names)
    with pytest.raises(MagicUsageError, match="--nope"):
        define_component("--nope", LOAD, "cell 2", names)


def test_texts_are_read_by_the_parameters_type(names):
    made, options = define_pipeline(
        "p(n: int = 1, x: float = 1.0, tag: str = '', on: bool = False, many: list = [], d: dict = {})"
        """ --run -p n=5 x=1e-3 tag=2024 on=true many=[1,2] d='{"a": 1}'""",
        "load(n=n)\n",
        "cell 2",
        names,
    )
    values = argument_values(made.model, options.arguments)
    assert values == {"n": 5, "x": 0.001, "tag": "2024", "on": True, "many": [1, 2], "d": {"a": 1}}
    assert argument_values(made.model, {"on": "True", "d": "{'a': 1}"}) == {"on": True, "d": {"a": 1}}
    with pytest.raises(ArgumentError, match=r"'n'.*'many'.*int"):
        argument_values(made.model, {"n": "many"})
    with pytest.raises(ArgumentError, match=r"'m'.*n, x, tag"):
        argument_values(made.model, {"m": "1"})


def test_names_that_kfps_spelling_would_garble_are_shown_as_written(names):
    define_component("", "def 학습(größe: int) -> int:\n    return größe\n", "cell 2", names)
    made, _ = define_pipeline("größe", "학습(größe=1)\n", "cell 3", names)
    (task,) = made.model.graph.tasks.values()
    assert (made.model.name, made.model.display_name) == ("gr-e", "größe")
    assert (task.name, task.settings.display_name) == ("task", "학습")


def test_a_name_that_is_too_long_is_refused_at_the_cell(names):
    with pytest.raises(PipelineError, match="has 200 characters") as caught:
        define_pipeline("x" * 200, "load()\n", "cell 2", names)
    assert caught.value.remedy == "Choose one of at most 128."
    assert "x" * 200 not in names
