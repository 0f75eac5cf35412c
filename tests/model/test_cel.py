"""Conditions in CEL, as KFP's compiler writes them."""

from __future__ import annotations

import pytest

from kfp_jupyter.model.cel import CelError, holds, parse, told

FLIP = "inputs.parameter_values['pipelinechannel--flip-Output']"
N = "inputs.parameter_values['pipelinechannel--n']"


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        (f"{FLIP} == 'heads'", {"flip-Output": "heads"}, True),
        (f"{FLIP} != 'heads'", {"flip-Output": "heads"}, False),
        (f"int({N}) > 2", {"n": 3}, True),
        (f"int({N}) <= 2", {"n": 2.0}, True),
        (f"int({N}) == 3", {"n": "3"}, True),
        (f"double(int({N})) > 1.5", {"n": 1}, False),
        (f"{N} >= double(1)", {"n": 1}, True),
        (f"{N} == -1.5e0", {"n": -1.5}, True),
        (f"{N} == true", {"n": True}, True),
        (f"{N} == false", {"n": True}, False),
        (f"{N} == 1", {"n": True}, False),
        (f"{N} == '1'", {"n": 1}, False),
        (f"{N} != '1'", {"n": 1}, True),
        (f"{N} == null", {"n": None}, True),
        (f"!({FLIP} == 'a') && {FLIP} == 'b'", {"flip-Output": "b"}, True),
        (f"!({FLIP} == 'a') && !({FLIP} == 'b')", {"flip-Output": "b"}, False),
        (f"{FLIP} == 'a' || int({N}) == 1 && int({N}) == 2", {"flip-Output": "a", "n": 1}, True),
        (f"({FLIP} == 'a' || int({N}) == 1) && int({N}) == 2", {"flip-Output": "a", "n": 1}, False),
        (f"{FLIP} == 'it\\'s\\n\\\\ \\u00e9'", {"flip-Output": "it's\n\\ é"}, True),
        (f"{FLIP} == \"double 'quotes'\"", {"flip-Output": "double 'quotes'"}, True),
        (f"{FLIP} == '&& || ]'", {"flip-Output": "&& || ]"}, True),
        (f"{FLIP} < 'b'", {"flip-Output": "a"}, True),
        # As KFP wrote it before version 2.0.
        ("inputs.parameters['pipelinechannel--n'].int_value == 3", {"n": 3}, True),
        ("inputs.parameters['pipelinechannel--n'].string_value == '3'", {"n": 3}, True),
        # What decides alone is not held up by what has no value.
        (f"int({FLIP}) == 1 || {FLIP} == 'x'", {"flip-Output": "x"}, True),
        (f"int({FLIP}) == 1 && {FLIP} == 'y'", {"flip-Output": "x"}, False),
    ],
)
def test_a_condition_holds_or_not(text, values, expected):
    values = {f"pipelinechannel--{name}": value for name, value in values.items()}
    assert holds(parse(text), values) is expected


@pytest.mark.parametrize(
    ("text", "values", "what"),
    [
        (f"{N} == 1", {}, "there is no 'n' in it"),
        (f"int({N}) == 1", {"n": "one"}, "'one' cannot be converted"),
        (f"int({N}) == 1", {"n": True}, "True cannot be converted"),
        (f"{N} > 1", {"n": "2"}, "'2' and 1 have no order"),
        (f"{N} && true", {"n": 1}, "1 is neither true nor false"),
        (f"{N}", {"n": 1}, "neither true nor false, but 1"),
        (f"int({N}) == 1 || false", {"n": "x"}, "'x' cannot be converted"),
    ],
)
def test_a_condition_without_a_value_says_why(text, values, what):
    values = {f"pipelinechannel--{name}": value for name, value in values.items()}
    with pytest.raises(CelError) as caught:
        holds(parse(text), values)
    assert what in caught.value.what


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "it ends too early"),
        ("n == 1", "'n' is unknown"),
        ("1 == 1 2", "'2' is not expected"),
        (f"{N} + 1 == 2", "' + 1 == 2' is not understood"),
        (f"({N} == 1", "')' is missing"),
        (f"{N} == 'a", "is not understood"),
        ("inputs.artifacts['x'] == 1", "there is no 'artifacts' here"),
        ("inputs.parameter_values[n] == 1", "a text or a number is expected"),
        ("size('a') == 1", "'size' is unknown"),
        (f"{N}.matches('a')", "there is no 'matches' here"),
        ("(" * 200 + "true" + ")" * 200, "it is too deep"),
        ("!" * 200 + "true", "it is too deep"),
    ],
)
def test_what_is_not_understood_is_refused_with_the_expression(text, what):
    with pytest.raises(CelError) as caught:
        parse(text)
    assert what in caught.value.what
    assert repr(text) in caught.value.what
    assert "comparisons" in caught.value.remedy


def test_a_condition_is_told_with_its_values():
    condition = parse(f"!({FLIP} == 'heads') && double(int({N})) > 2.5")
    assert condition.inputs == ("pipelinechannel--flip-Output", "pipelinechannel--n")
    values = {"pipelinechannel--flip-Output": "tails", "pipelinechannel--n": 2, "other": 1}
    assert told(condition, values) == "!(flip-Output == 'heads') && n > 2.5 (flip-Output = 'tails', n = 2)"
