"""A value that will flow later is no value now."""
# ruff: noqa: PLW0108 - the lambda is the line that must be named

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kfp_jupyter import dsl
from kfp_jupyter.dsl import PipelineBuilder
from kfp_jupyter.dsl.pipeline_channel import ChannelUseError
from kfp_jupyter.model.component import InputSpec
from kfp_jupyter.model.types import ParameterType


@dsl.component
def number() -> int:
    return 1


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda value: bool(value), "decide an `if`"),
        (lambda value: not value, "decide an `if`"),
        (lambda value: 1 in value, "be searched"),
        (lambda value: abs(value), "be calculated with in this way"),
        (lambda value: divmod(value, 2), "be calculated with in this way"),
        (lambda value: value & 1, "be combined with `&`"),
        (lambda value: 1 | value, "be combined with `|`"),
        (lambda value: ~value, "be combined with `~`"),
        (lambda value: list(value), "be iterated over"),
        (lambda value: len(value), "have a length"),
        (lambda value: value["key"], "be indexed with ['key']"),
        (lambda value: f"{value:>3}", "be formatted with '>3'"),
        (lambda value: int(value), "be made a number"),
        (lambda value: [0, 1][value], "be made a number"),
        (lambda value: value(), "be called"),
    ],
)
def test_using_a_value_too_early_says_what_and_where(use: Callable[[Any], Any], message: str) -> None:
    with PipelineBuilder("p"):
        value = number().output
    with pytest.raises(ChannelUseError) as refused:
        use(value)
    assert f"cannot {message}" in str(refused.value)
    assert "Output 'Output' of task 'number'" in str(refused.value)
    assert refused.value.where.endswith(f"test_channel.py, line {use.__code__.co_firstlineno}")


def test_a_value_can_be_looked_at_and_kept_in_a_set() -> None:
    builder = PipelineBuilder("p", (InputSpec("rate", ParameterType.DOUBLE),))
    value = builder.inputs["rate"]
    assert repr(value) == "<the pipeline's parameter 'rate': float>"
    assert len({value, value}) == 1
    assert (value.name, value.task_name) == ("rate", None)
