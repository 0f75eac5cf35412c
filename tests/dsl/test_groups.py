"""Groups of control flow: what is refused, with the line; and what KFP's SDK does not offer."""
# ruff: noqa: PLW0108, PLW0177 - the lambda is the line that must be named

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kfp_jupyter import dsl
from kfp_jupyter.dsl.condition_operation import ConditionError
from kfp_jupyter.dsl.for_loop import LoopError
from kfp_jupyter.dsl.one_of import OneOfError
from kfp_jupyter.dsl.pipeline_channel import ChannelUseError
from kfp_jupyter.dsl.pipeline_task import SettingError
from kfp_jupyter.dsl.scope import InvalidTopologyException
from kfp_jupyter.dsl.task_itself import TaskUseError
from kfp_jupyter.dsl.tasks_group import InvalidControlFlowException
from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.model.pipeline import PipelineInput, TaskOutput


@dsl.component
def flip() -> str:
    return "heads"


@dsl.component
def number(n: int = 0) -> int:
    return n


@dsl.component
def table() -> dict:
    return {"a": {"b": 1}}


@dsl.component
def rows() -> list:
    return [1]


@dsl.component
def show(items: list = [], row: dict = {}):  # noqa: B006
    pass


@dsl.component
def say(text: str = "") -> str:
    return text


@dsl.component
def make(data: dsl.Output[dsl.Dataset]):
    pass


def inside_if() -> Any:
    with dsl.If(flip().output == "heads"):
        return number()


def inside_loop() -> Any:
    with dsl.ParallelFor([1, 2]) as n:
        return number(n=n)


def refused(use: Callable[[], Any]) -> KfpJupyterError:
    def wrong() -> None:
        use()

    with pytest.raises(KfpJupyterError) as error:
        dsl.pipeline(wrong)
    assert error.value.remedy
    return error.value


def elif_alone() -> None:
    with dsl.Elif(flip().output == "a"):
        say()


def else_after_a_loop() -> None:
    inside_if()
    inside_loop()
    with dsl.Else():
        say()


def else_twice() -> None:
    inside_if()
    with dsl.Else():
        say()
    with dsl.Else():
        say()


def one_of_without_else() -> None:
    first = inside_if()
    with dsl.Elif(flip().output == "b"):
        second = number()
    dsl.OneOf(first.output, second.output)


def one_of_types() -> None:
    first = inside_if()
    with dsl.Else():
        second = say()
    dsl.OneOf(first.output, second.output)


def handler_inside() -> None:
    with dsl.ParallelFor([1]), dsl.ExitHandler(say()):
        number()


def handler_of_what_waits() -> None:
    with dsl.ExitHandler(say(text=flip().output)):
        number()


def twice_entered() -> None:
    group = dsl.If(flip().output == "a")
    with group:
        say()
    with group:
        say()


def item_outside() -> None:
    with dsl.ParallelFor([1]) as n:
        number(n=n)
    number(n=n)


def status_of_two() -> None:
    clean(text="a").after(flip(), number()).ignore_upstream_failure()


@dsl.component
def clean(text: str, status: dsl.PipelineTaskFinalStatus):
    pass


@pytest.mark.parametrize(
    ("use", "kind", "message"),
    [
        (elif_alone, InvalidControlFlowException, "`dsl.Elif` follows no `dsl.If`"),
        (else_after_a_loop, InvalidControlFlowException, "`dsl.Else` follows no `dsl.If`"),
        (else_twice, InvalidControlFlowException, "`dsl.Else` follows no `dsl.If`"),
        (twice_entered, InvalidControlFlowException, "entered twice"),
        (handler_inside, InvalidControlFlowException, "`dsl.ExitHandler` stands inside <dsl.ParallelFor"),
        (handler_of_what_waits, SettingError, "exit task and waits for other tasks"),
        (lambda: dsl.ExitHandler("x"), SettingError, "takes a task of the same pipeline"),
        (lambda: dsl.If(True), InvalidControlFlowException, "known before the pipeline runs"),
        (lambda: dsl.If(flip().output == table().output), ConditionError, "of type dict"),
        (lambda: dsl.If(number().output == "1"), ConditionError, "compare int with str"),
        (lambda: dsl.If(number().output == flip().output), ConditionError, "compare int with str"),
        (lambda: dsl.If(number().output == True), ConditionError, "compare int with bool"),  # noqa: E712
        (lambda: dsl.If(number().output > float("nan")), ConditionError, "no number in KFP's format"),
        (lambda: dsl.If(number().output == object()), ConditionError, "of type object"),
        (lambda: dsl.If((number().output > 1) & True), ConditionError, "cannot be combined with True"),
        (lambda: number().output > 1 and number().output < 3, ChannelUseError, "`(a > 1) & (a < 5)`"),
        (lambda: 1 < number().output < 3, ChannelUseError, "`(a > 1) & (a < 5)`"),
        (
            lambda: not (number().output > 1) & (number().output < 3),
            ChannelUseError,
            "`or`, `not` and `in` write `|`, `~`",
        ),
        (lambda: flip().output in ["heads"], ChannelUseError, "`a.is_in([…])`"),
        (lambda: flip().output.is_in([]), ConditionError, "nothing to compare with"),
        (lambda: dsl.If(flip().output), InvalidControlFlowException, "str>, which is no comparison"),
        (lambda: dsl.If(flip()), InvalidControlFlowException, "<task 'flip'>, which is a task"),
        (lambda: dsl.If(flip() == "heads"), TaskUseError, "was compared. Use its output: `.output`"),
        (lambda: (number().output == 1) & number().output, ConditionError, "cannot be combined with <output"),
        (lambda: number().output == 1 & number().output == 2, ChannelUseError, "each in brackets"),
        (lambda: show(items=rows()[0]), TaskUseError, "itself was indexed"),
        (lambda: say(text=f"a {flip()}"), TaskUseError, "itself was put into a text"),
        (lambda: list(flip()), TaskUseError, "itself was unpacked"),
        (lambda: dsl.ParallelFor(rows()), LoopError, "needs a list with items, not <task 'rows'>"),
        (one_of_without_else, OneOfError, "without a `dsl.Else`"),
        (one_of_types, OneOfError, "is of type int, but output 'Output' of task 'say' of type str"),
        (lambda: dsl.OneOf(), OneOfError, "it got none"),
        (lambda: dsl.OneOf(number().output), OneOfError, "is in no branch"),
        (lambda: dsl.ParallelFor([]), LoopError, "needs a list with items"),
        (lambda: dsl.ParallelFor(number().output), LoopError, "of type int"),
        (lambda: dsl.ParallelFor(make().outputs["data"]), LoopError, "of type Dataset"),
        (lambda: dsl.ParallelFor([number().output]), LoopError, "plain values"),
        (lambda: dsl.ParallelFor([1], parallelism=-1), LoopError, "`parallelism` is -1"),
        (lambda: dsl.Collected("x"), LoopError, "takes an output of a task"),
        (lambda: dsl.Collected(dsl.Collected(inside_loop().output)), LoopError, "cannot take"),
        (lambda: number(n=inside_if().output), InvalidTopologyException, "inside `dsl.If`"),
        (lambda: number(n=inside_loop().output), InvalidTopologyException, "`dsl.Collected`"),
        (lambda: show(items=dsl.Collected(number().output)), InvalidTopologyException, "is in no loop"),
        (lambda: show(items=dsl.Collected(inside_if().output)), InvalidTopologyException, "is in no loop"),
        (lambda: number().after(inside_if()), InvalidTopologyException, "task 'number-2' in `.after`"),
        (item_outside, InvalidTopologyException, "outside of the loop"),
        (lambda: clean(text="a"), InvalidTopologyException, "only exit tasks get it"),
        (status_of_two, InvalidTopologyException, "waits for 2"),
    ],
)
def test_what_cannot_be_is_refused(use: Callable[[], Any], kind: type, message: str) -> None:
    error = refused(use)
    assert isinstance(error, kind)
    assert message in f"{error} {error.remedy}"
    assert "test_groups.py, line " in error.where or error.where.startswith("pipeline ")


def test_a_group_stands_in_a_pipeline() -> None:
    with pytest.raises(InvalidControlFlowException, match="stands outside of a pipeline"):
        dsl.ParallelFor([1])


def test_conditions_are_combined() -> None:
    @dsl.pipeline
    def combined(word: str = "a", n: int = 1) -> None:
        coin = flip()
        with dsl.If((word == "a") & ~(coin.output == "it's") | (n > 2)):
            say()
        with dsl.Else():
            say()

    inner = combined.model.components["comp-condition-branches-1"].implementation
    first, second = (task.trigger.condition for task in inner.tasks.values())  # type: ignore[union-attr]
    word, coin = (f"inputs.parameter_values['pipelinechannel--{name}']" for name in ("word", "flip-Output"))
    condition = (
        f"({word} == 'a' && !({coin} == 'it\\'s')) || int(inputs.parameter_values['pipelinechannel--n']) > 2"
    )
    assert first == condition
    assert second == f"!({condition})"


def test_a_bool_is_a_condition_and_a_value_is_compared_with_several() -> None:
    @dsl.pipeline
    def several(sure: bool, word: str) -> None:
        with dsl.If(sure):
            say()
        with dsl.If(~sure & word.is_in(["a", "b"])):
            say()
        with dsl.If((word == "a") | sure):
            say()

    sure, word = (f"inputs.parameter_values['pipelinechannel--{name}']" for name in ("sure", "word"))
    conditions = [task.trigger.condition for task in several.model.graph.tasks.values()]
    assert conditions == [
        f"{sure} == true",
        f"!({sure} == true) && ({word} == 'a' || {word} == 'b')",
        f"{word} == 'a' || {sure} == true",
    ]


def test_parts_of_values_are_taken() -> None:
    @dsl.pipeline
    def parts(facts: dict, several: list) -> None:
        say(text=facts["a"])
        say(text=table().output["a"]["b"])
        say(text=f"it is {facts['a']}")
        number(n=several[0])
        with dsl.If(facts["a"] == "x"):
            say(text=facts["a"])

    tasks = parts.model.graph.tasks
    key = 'parseJson(string_value)["a"]'
    assert tasks["say"].arguments == {"text": PipelineInput("facts", key)}
    assert tasks["say-2"].arguments == {"text": TaskOutput("table", "Output", f'{key}["b"]')}
    assert tasks["say-3"].arguments["pipelinechannel--facts-subvar-a"] == PipelineInput("facts", key)
    assert tasks["number"].arguments == {"n": PipelineInput("several", "parseJson(string_value)[0]")}
    assert tasks["condition-1"].arguments == {
        "pipelinechannel--facts-subvar-a": PipelineInput("facts", key),
        "pipelinechannel--facts": PipelineInput("facts"),
    }


def test_items_of_written_dicts_reach_inner_groups() -> None:
    """KFP's compiler fails on these with an AssertionError."""

    @dsl.pipeline
    def deep(word: str = "a") -> None:
        with dsl.ParallelFor([{"a": 1, "b": "x"}]) as row:
            with dsl.If(word == "a"):
                number(n=row.a)
            with dsl.ParallelFor([1, 2]) as n:
                say(text=row.b)
                number(n=n)
        with dsl.ParallelFor(rows().output) as row, dsl.ParallelFor(row.inner) as item, dsl.If(item == "a"):
            say(text=item)

    inner = deep.model.components["comp-condition-3"]
    assert [spec.name for spec in inner.inputs] == [
        "pipelinechannel--word",
        "pipelinechannel--loop-item-param-1",
    ]


def test_a_part_that_no_item_has_is_refused() -> None:
    def wrong() -> None:
        with dsl.ParallelFor([{"a": 1}]) as row:
            number(n=row.b)

    assert "have no 'b'" in str(refused(wrong))


def test_an_if_without_else_does_not_swallow_what_follows() -> None:
    @dsl.pipeline
    def followed() -> None:
        coin = flip()
        with dsl.If(coin.output == "a"):
            say()
        with dsl.Elif(coin.output == "b"):
            say()
        say()

    assert list(followed.model.graph.tasks) == ["flip", "condition-branches-1", "say-3"]


def test_a_task_and_a_group_of_one_name_are_refused() -> None:
    @dsl.component
    def condition_1() -> int:
        return 1

    def both() -> None:
        condition_1()
        inside_if()

    assert "so is a task beside it" in str(refused(both))
