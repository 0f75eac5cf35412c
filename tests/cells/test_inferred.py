"""Which cells are steps of their own, and what they take and give."""

from __future__ import annotations

import ast
import math

import pytest

from kfp_jupyter.cells.inferred import changed_names, inferred_line, is_function_cell, step_name
from kfp_jupyter.cells.names import analyse


@pytest.mark.parametrize(
    "body",
    [
        "",
        "def f() -> int:\n    return 1\n",
        "import math\nimport logging\nlog = logging.getLogger()\ndef f() -> int:\n    return 1\n",
        "X = 3\nNAMES = ['a', -1]\n",
        "'A docstring.'\ndef f() -> int:\n    return 1\nY: int = 2\n1 / 0\n",
        "if True:\n    def f() -> int:\n        return 1\n",
    ],
)
def test_definitions_imports_and_constants_are_a_function(body):
    assert is_function_cell(ast.parse(body))


@pytest.mark.parametrize(
    "body",
    ["x = f(1)", "def f():\n    pass\nf()", "for i in y:\n    print(i)", "import os\nprint(os.getcwd())"],
)
def test_anything_more_is_a_step(body):
    assert not is_function_cell(ast.parse(body))


def ports(body, values=None, provided=None):
    told = provided or {}
    line = inferred_line("step", analyse(body), values or {}, told.get)
    return [port.name for port in line.inputs], [port.name for port in line.outputs]


def test_data_is_taken_and_code_is_not():
    def helper():
        pass

    values = {"df": [1], "math": math, "helper": helper, "Cls": int, "k": 3}
    body = "import os\ntop = helper(df, math.pi, Cls, k, os)\nlen(top)"
    assert ports(body, values) == (["df", "k"], ["top"])


def test_what_a_step_or_an_unread_cell_provides_is_taken_without_a_value():
    assert ports("y = x + z", {}, {"x": True, "z": False}) == (["x"], ["y"])
    assert ports("y = unknown", {}) == ([], ["y"])


def test_names_of_loops_and_private_names_are_no_outputs():
    body = "total = 0\nfor i in range(3):\n    total += i\nwith open('f') as f:\n    _x = f\na, (b, *c) = d"
    assert ports(body)[1] == ["total", "a", "b", "c"]


def test_an_input_that_is_assigned_again_goes_in_and_out():
    assert ports("df = df.dropna()", {"df": 1}) == (["df"], ["df"])


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ("df['x'] = 1", True),
        ("df.x.y = 1", True),
        ("del df['x']", True),
        ("df.drop(columns='a', inplace=True)", True),
        ("rows = 1\ndf.append(rows)", True),
        ("history = df.fit(1)", True),
        ("df.partial_fit(1).score()", True),
        ("df.head(inplace=True)", True),
        ("df.head()", False),
        ("df.plot()", False),
        ("y = df.sum()", False),
        ("print(df)", False),
        ("y = df.fitness()", False),
    ],
)
def test_an_input_that_is_changed_is_an_output_too(body, changed):
    assert ("df" in changed_names(analyse(body))) == changed
    assert ("df" in ports(body, {"df": 1})[1]) == changed


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("# Train the model\nx = 1", "train_the_model"),
        ("\n## Split: 80/20 --- and more words\nx = 1", "split_80_20_and"),
        ('"""Load."""\nx = 1', "load"),
        ("x = 1  # not this", "step_3"),
        ("# 3 ways\nx = 1", "step_3"),
        ("# \nx = 1", "step_3"),
    ],
)
def test_a_step_is_named_by_its_first_comment(body, name):
    assert step_name(body, "step_3") == name
