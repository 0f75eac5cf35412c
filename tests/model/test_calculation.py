"""What is calculated with values of a run, before it (types) and in it (values)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kfp_jupyter.model import codec
from kfp_jupyter.model.calculation import CalculationError, evaluate, result_type
from kfp_jupyter.model.check import check
from kfp_jupyter.model.component import Component, ContainerStep, InputSpec, OutputSpec
from kfp_jupyter.model.pipeline import Graph, Pipeline, PipelineError, Task
from kfp_jupyter.model.types import ArtifactType, ParameterType
from kfp_jupyter.model.value import Calculation, Constant, PipelineInput, TaskOutput, Value, renamed, sources

INT, FLOAT, TEXT = ParameterType.INTEGER, ParameterType.DOUBLE, ParameterType.STRING
LIST, BOOL, DICT = ParameterType.LIST, ParameterType.BOOLEAN, ParameterType.STRUCT
A, B = TaskOutput("a", "Output"), PipelineInput("b")


def value(operator: str, *operands: Any) -> Any:
    return evaluate(
        Calculation(operator, (A, B)[: len(operands)]), lambda operand: operands[0 if operand is A else 1]
    )


@pytest.mark.parametrize(
    ("operator", "operands", "result"),
    [
        ("+", (2, 3), 5),
        ("+", (2, 0.5), 2.5),
        ("+", ("a", "b"), "ab"),
        ("+", ([1], ["x"]), [1, "x"]),
        ("-", (2, 3), -1),
        ("-", (2,), -2),
        ("*", (2, 3), 6),
        ("/", (4, 2), 2.0),
        ("//", (-7, 2), -4),
        ("%", (-7, 2), 1),
        ("**", (2, 10), 1024),
        ("**", (2.0, -1), 0.5),
    ],
)
def test_values_are_as_python_calculates_them_and_of_the_type_said_before(
    operator: str, operands: tuple[Any, ...], result: Any
) -> None:
    made = value(operator, *operands)
    assert made == result
    types = {int: INT, float: FLOAT, str: TEXT, list: LIST}
    said = result_type(operator, tuple(types[type(held)] for held in operands))
    assert said is types[type(made)]


@pytest.mark.parametrize(
    ("operator", "types", "result"),
    [
        ("+", (INT, None), None),
        ("+", (TEXT, None), TEXT),
        ("*", (None, FLOAT), FLOAT),
        ("/", (None, None), FLOAT),
        ("-", (None,), None),
    ],
)
def test_a_type_is_known_where_the_types_of_the_operands_suffice(
    operator: str, types: tuple[ParameterType | None, ...], result: ParameterType | None
) -> None:
    assert result_type(operator, types) is result


@pytest.mark.parametrize(
    ("operator", "types", "message"),
    [
        ("+", (INT, TEXT), "`int + str` cannot be calculated. Put both into a text, as in `f'{a}{b}'`."),
        ("*", (TEXT, INT), "`str * int`"),
        ("-", (LIST, LIST), "`list - list`"),
        ("+", (BOOL, INT), "compare a bool"),
        ("+", (DICT, DICT), "`dict + dict`"),
        ("-", (TEXT,), "`-str`"),
        ("+", (INT,), "`+int`"),
        ("@", (INT, INT), "`int @ int`"),
    ],
)
def test_types_that_do_not_fit_are_refused(
    operator: str, types: tuple[ParameterType, ...], message: str
) -> None:
    with pytest.raises(CalculationError) as refused:
        result_type(operator, types)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("operator", "operands", "message"),
    [
        ("/", (1, 0), "`1 / 0` cannot be calculated: division by zero"),
        ("**", (10, 10**9), "more than 4096 bits"),
        ("**", (-2, 10**18), "more than 4096 bits"),
        (
            "*",
            (2**4000, 2**200),
            "`an int * an int` cannot be calculated: the result has more than 4096 bits",
        ),
        ("**", (2, -1), "the result is no int"),
        ("**", (-8.0, 0.5), "the result would be ("),
        ("**", (10.0, 999), "cannot be calculated"),
        ("*", (1e308, 10), "the result would be inf"),
        ("/", (10**400, 1), "cannot be calculated"),
        ("+", ("a" * 9_000_000, "b" * 2_000_000), "longer than 10,000,000"),
        ("+", (1, None), "one of them has no value"),
        ("+", (1, "a"), "`int + str`"),
        ("+", (True, 1), "`bool + int`"),
    ],
)
def test_values_that_do_not_allow_it_are_refused(
    operator: str, operands: tuple[Any, ...], message: str
) -> None:
    with pytest.raises(CalculationError) as refused:
        value(operator, *operands)
    assert message in str(refused.value)
    assert len(str(refused.value)) < 300


FORMULA = Calculation("*", (Calculation("+", (A, Constant(1))), B))


def test_a_formula_survives_the_round_trip_and_knows_its_sources() -> None:
    assert codec.decode(Value, json.loads(json.dumps(codec.encode(FORMULA)))) == FORMULA  # type: ignore[arg-type]
    assert sources(FORMULA) == ("a",)
    assert sources(renamed(FORMULA, "a", "c")) == ("c",)
    assert renamed(FORMULA, "x", "c") == FORMULA
    assert evaluate(FORMULA, lambda operand: 2 if operand is A else 10) == 30


def checked(argument: Value, type_: ParameterType = INT) -> None:
    made = Component(
        "a",
        (),
        (
            OutputSpec("Output", INT),
            OutputSpec("word", TEXT),
            OutputSpec("data", ArtifactType("system.Dataset")),
        ),
        ContainerStep("image"),
    )
    use = Component("use", (InputSpec("n", type_),), (), ContainerStep("image"))
    tasks = {"a": Task("a", "a"), "use": Task("use", "use", {"n": argument})}
    check(Pipeline("p", (InputSpec("b", INT),), (), {"a": made, "use": use}, Graph(tasks)))


def test_a_formula_is_checked_in_a_pipeline() -> None:
    checked(FORMULA)
    checked(FORMULA, FLOAT)
    with pytest.raises(PipelineError) as refused:
        checked(FORMULA, TEXT)
    assert refused.value.where == "task use"
    assert refused.value.what == (
        "The argument 'n' of task 'use' is of type str, but `(output 'Output' of task 'a' + 1) * "
        "the pipeline's parameter 'b'` is of type int."
    )


@pytest.mark.parametrize(
    ("operand", "message"),
    [
        (TaskOutput("a", "word"), "`str - int` cannot be calculated: `output 'word' of task 'a' - 1`."),
        (TaskOutput("a", "data"), "Output 'data' of task 'a' is an artifact (Dataset), which cannot be"),
        (TaskOutput("a", "nope"), "Task 'a' has no output 'nope'."),
        (TaskOutput("gone", "o"), "It uses task 'gone', which is not in the pipeline."),
    ],
)
def test_operands_that_do_not_fit_name_the_task_and_the_output(operand: TaskOutput, message: str) -> None:
    with pytest.raises(PipelineError) as refused:
        checked(Calculation("-", (operand, Constant(1))))
    assert refused.value.where == "task use"
    assert message in refused.value.what
