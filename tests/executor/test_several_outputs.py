"""A function that returns several outputs, in each form that says so; and values that are one of a few."""

from __future__ import annotations

import pytest

from tests.executor.test_step import KFP_HEADER

SEVERAL = {
    "a tuple": "def step() -> 'Tuple[int, Literal[1, 2], float]':\n    return 1.0, 2.0, 3",
    "a tuple whose hint cannot be read": "def step() -> 'unknown[int, int, float]':\n    return 1, 2, 3",
    "a dataclass": """
@dataclass
class Made:
    Output_1: int
    Output_2: "int"
    Output_3: Optional[float]
    unit: ClassVar[str] = "m"
def step() -> Made:
    return Made(1.0, 2.0, 3)""",
    "a dataclass without a __dict__": """
@dataclass
class Made:
    __slots__ = ("Output_1", "Output_2", "Output_3")
    Output_1: int
    Output_2: int
    Output_3: float
def step() -> "Made":
    return Made(1, 2, 3)""",
    "a TypedDict": """
class Made(TypedDict):
    Output_1: int
    Output_2: int
    Output_3: float
def step() -> Made:
    return {"Output_1": 1, "Output_2": 2, "Output_3": 3}""",
    "a dict for a dataclass, asynchronously": """
@dataclass
class Made:
    Output_1: int
    Output_2: int
    Output_3: float
async def step() -> Made:
    return dict(Output_3=3, Output_1=1, Output_2=2)""",
}


@pytest.mark.parametrize("source", SEVERAL.values(), ids=SEVERAL)
def test_several_outputs_are_returned_in_any_form(any_step, source):
    source = "from dataclasses import dataclass\nfrom typing import *\n" + source
    names = ("Output_1", "Output_2", "Output_3")
    ended = any_step.run(source, outputs=dict.fromkeys(names, "parameter"))
    assert ended.parameters == {"Output_1": 1, "Output_2": 2, "Output_3": 3.0}
    assert [type(ended.parameters[name]) for name in names[:2]] == [int, int]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def step() -> Tuple[int, str]:\n    return 1", "must return ['Output_1', 'Output_2'], not int 1"),
        ("def step() -> Tuple[int, str]:\n    return 1, 'a', 2", "must return ['Output_1', 'Output_2'], not"),
        ("def step() -> Tuple[int, str]:\n    return 1, 2", "'Output_2' is declared as str"),
        (
            "def step() -> Tuple[int, Literal['a']]:\n    return 1, 'b'",
            "declared as typing.Literal['a'], but",
        ),
        ("def step():\n    return {'Output_1': 1}", "returned nothing for its output 'Output_2'"),
        ("def step():\n    return {'Output_1': 1, 'no': 1}", "returned 'no', which is no output"),
    ],
)
def test_several_outputs_that_do_not_fit_are_told(step, source, message):
    ended = step.run(
        "from typing import *\n" + source, outputs=dict.fromkeys(["Output_1", "Output_2"], "parameter")
    )
    assert message in ended.error["message"]


def test_tuples_hold_artifacts_beside_parameters(any_step):
    source = KFP_HEADER + (
        "def step() -> Tuple[Model, int, Dataset]:\n"
        "    data = Dataset(uri=get_uri(suffix='data'))\n"
        "    return Model(uri='s3://a/b'), 5, data\n"
    ).replace("get_uri(", "dsl.get_uri(")
    outputs = {"Output_1": "system.Model", "Output_2": "parameter", "Output_3": "system.Dataset"}
    ended = any_step.run(source, outputs=outputs)
    assert ended.parameters == {"Output_2": 5}
    assert ended.artifacts["Output_1"][0]["uri"] == "s3://a/b"
    assert ended.artifacts["Output_3"][0]["type"] == {"schemaTitle": "system.Dataset"}


def test_a_literal_is_checked_in_the_step(any_step):
    source = (
        "from typing import *\n"
        "def step(a: Literal['x', 'y'], b: Literal[1, 2], c: Optional[Literal['x']]) -> str:\n"
        "    return '%r %r %r' % (a, b, c)\n"
    )
    outputs = {"Output": "parameter"}
    ended = any_step.run(source, parameters={"a": "y", "b": 2.0}, outputs=outputs)
    assert ended.parameters == {"Output": "'y' 2 None"}
    ended = any_step.run(source, parameters={"a": "z", "b": 2}, outputs=outputs)
    assert ended.error["type"] == "BadArgument"
    assert ended.error["message"] == "the argument 'a' is 'z', not one of ('x', 'y')"
    ended = any_step.run(source, parameters={"a": "x", "b": True}, outputs=outputs)
    assert ended.error["message"] == "the argument 'b' is True, not one of (1, 2)"
