"""A cell as a component: what is refused, how open types are decided, and what goes wrong in a step."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from kfp_jupyter import serializers
from kfp_jupyter.cells.cell_form import CellForm, CellStep, body_names, decided, read_cell_form, stored_values
from kfp_jupyter.cells.cell_line import read_cell_line
from kfp_jupyter.cells.errors import CellFormError, SerializerError
from kfp_jupyter.cells.serializers import choice, missing_from


def form(line: str, body: str, components=()) -> CellForm:
    return read_cell_form(read_cell_line(line, {}), body, "Cell In[3]", components)


@pytest.mark.parametrize(
    ("body", "where", "said"),
    [
        ("x = 1\ny = 2 +\n", "line 3", "y = 2 +"),
        ("x = 1\nreturn x\n", "line 3", "name its outputs after `->`"),
        ("x = 1\n\nx = await f()\n", "line 4", "no event loop"),
        ("async with a:\n    x = 1\n", "line 2", "no event loop"),
        ("x = 1\nyield x\n", "line 3", "Only a function yields"),
        ("x = 1\n!pip install y\n", "line 3", "--packages"),
        ("%matplotlib inline\nx = 1\n", "line 2", "Take lines with `!` or `%` out"),
        ("X = 1\n", "line 1", "'x' is never assigned.*"),
        ("xx = 1\n", "line 1", "assigns 'xx': did you mean that"),
        ("def f():\n    x = 1\n", "line 1", "'x' is never assigned"),
    ],
)
def test_a_body_that_cannot_be_the_step_is_refused_at_its_line(body, where, said):
    with pytest.raises(CellFormError, match=said) as caught:
        form("f(a) -> x", body)
    assert caught.value.where == f"Cell In[3], {where}"
    assert caught.value.remedy


@pytest.mark.parametrize(
    "body",
    [
        "x = 1",
        "if a:\n    x = 1",
        "for x in a:\n    pass",
        "import os as x",
        "def x():\n    pass",
        "with a as x:\n    pass",
        "def f():\n    global x\n    x = 1\nf()",
        "from os import *",
        "(x := 1)",
    ],
)
def test_an_output_may_be_bound_in_any_way(body):
    assert form("f(a) -> x", body).name == "f"


def test_an_input_that_is_an_output_and_what_is_logged_to_need_no_assignment():
    made = form(
        "f(df) -> df, scores: Metrics, page: HTML", "df['a'] = 1\nscores.log_metric('a', 1)\npage = ''"
    )
    assert made.logged == ("scores",)


def test_an_output_called_like_a_component_is_an_error():
    with pytest.raises(CellFormError, match="'train' of component 'f' is called like a component") as caught:
        form("f(a) -> train", "train = 1", {"train"})
    assert caught.value.where == "Cell In[3], line 1"
    with pytest.raises(CellFormError, match="called like a component"):
        form("f(a) -> f", "f = 1")


def test_a_component_whose_body_uses_something_else_of_its_name_is_an_error():
    with pytest.raises(CellFormError, match="uses something else of this name") as caught:
        form("train(a) -> x", "b = a\nx = train(b)")
    assert caught.value.where == "Cell In[3], line 3"


def test_values_decide_what_the_line_leaves_open():
    table, model = pd.DataFrame({"a": [1]}), LogisticRegression()
    made = form("f(a, b, c: float, gone) -> x, y, z: Model", "x = y = z = 1")
    made = decided(made, {"a": 3, "b": table, "c": 1}, {"x": model, "y": {"k": 1}, "z": 5})
    inputs, outputs = made.line.inputs, made.line.outputs
    assert [port.type and port.type.python_name for port in inputs] == ["int", "Dataset", "float", None]
    assert [port.type.python_name for port in outputs] == ["Model", "Artifact", "Model"]
    component = CellStep(made).component()
    assert component.input("gone").type.python_name == "Artifact"


def test_the_packages_of_values_join_those_of_the_line():
    table, model = pd.DataFrame({"a": [1]}), LogisticRegression()
    made = form("f(a) -> x, y", "x = y = 1")
    made = decided(made, {"a": table}, {"x": model, "y": np.eye(2)})
    stored = stored_values(made, {"a": choice(table)}, {"x": model, "y": np.eye(2)})
    assert {name: held.format for name, held in stored.items()} == {"a": "parquet", "x": "joblib", "y": "npy"}
    step = CellStep(made, packages=("Scikit_Learn>=1.3",), stored=stored)
    assert step.component().implementation.packages == (
        "Scikit_Learn>=1.3",
        "pandas",
        "pyarrow",
        "joblib",
        "numpy",
    )


@pytest.mark.parametrize(
    ("value", "format_", "packages"),
    [
        (3, "json", ()),
        ((1, np.eye(1)), "pickle", ("numpy",)),
        ({"deep": [{"er": pd.Series([1])}]}, "pickle", ("pandas",)),
        (np.float32(1), "npy", ("numpy",)),
        (pd.Timestamp("2020"), "pickle", ("pandas",)),
    ],
)
def test_packages_are_those_of_the_value_and_its_members(value, format_, packages):
    assert (choice(value).format, choice(value).packages) == (format_, packages)


def test_a_requirement_that_names_no_distribution_is_left_alone():
    assert missing_from(["git+https://example.org/x.git", "NumPy"], ["numpy", "x"]) == ("x",)


class Corpus:
    def __init__(self, lines: list[str]) -> None:
        self.lines = lines


def save_corpus(value, path):
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - it runs in a step
        file.write("\n".join(value.lines))


def load_corpus(path):
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - it runs in a step
        return Corpus(file.read().split("\n"))


@pytest.fixture
def corpus():
    serializers.register(Corpus, save_corpus, load_corpus, packages=["corpora>=2"])
    yield
    serializers.unregister(Corpus)


def test_a_class_of_ones_own_is_stored_by_its_functions(corpus):
    assert choice(Corpus(["a"])).format == f"{__name__}.Corpus"
    assert choice(Corpus(["a"])).packages == ("corpora>=2",)
    text = CellStep(form("f() -> x", "x = 1")).component().implementation.source.text
    assert "def save_corpus(value, path):" in text
    serializers.unregister(Corpus)
    assert choice(Corpus(["a"])).format == "pickle"
    assert "save_corpus" not in CellStep(form("f() -> x", "x = 1")).component().implementation.source.text


def test_functions_that_cannot_be_sent_along_are_refused():
    with pytest.raises(SerializerError, match="functions for Corpus cannot be sent along"):
        serializers.register(Corpus, lambda value, path: None, load_corpus)
    with pytest.raises(SerializerError, match="is no class"):
        serializers.register(Corpus([]), save_corpus, load_corpus)  # type: ignore[arg-type]


def test_a_body_is_described_by_its_docstring():
    made = form("f() -> x", '"""Makes x."""\nx = 1')
    assert CellStep(made).component().description == "Makes x."
    assert list(body_names("x = y", "Cell In[3]").reads) == ["y"]
