"""Slips that Python or KFP would let pass, or answer with a message about something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest

from kfp_jupyter import dsl
from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.model.pipeline import Constant, Loop, TaskOutput


@dsl.component
def number(n: int = 0) -> int:
    return n


@dsl.component
def maybe(n: int | None, mode: Literal["fast", "exact"] = "fast") -> tuple[int, str]:
    return n or 0, mode


@dsl.component
def say(text: str = "") -> str:
    return text


@dsl.component
def facts() -> dict:
    return {}


@dsl.component
def make(model: dsl.Output[dsl.Model], scores: dsl.Output[dsl.Metrics]) -> int:
    return 1


@dsl.container_component
def shell(word: str, count: int = 1, note: dsl.OutputPath(str) = None):  # type: ignore[valid-type]
    return dsl.ContainerSpec(image="alpine", command=["echo", word, count], args=[note])


def traced(use: Callable[[], Any]) -> Any:
    def traced() -> None:
        use()

    return dsl.pipeline(traced).model


def in_loop(items: Any, use: Callable[[Any], Any]) -> Callable[[], Any]:
    def looped() -> None:
        with dsl.ParallelFor(items) as item:
            use(item)

    return looped


def empty_group() -> None:
    word = say().output
    with dsl.If(word == "a"):
        pass


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: number(make().outputs), "got all outputs of a task, <the outputs of task 'make': model,"),
        (lambda: number(make().outputs["nope"]), "Task 'make' has no output 'nope'."),
        (lambda: number(make().modle), "no attribute 'modle'. Its output is `.outputs['model']`."),
        (
            lambda: number(make().run),
            "no attribute 'run'. Its outputs are `.outputs['model']`, `.outputs['scor",
        ),
        (lambda: number(number), "got the component 'number' itself, not int. Call it, and give its output"),
        (
            lambda: say(text=number.output),
            "'number' was not called, so it has no `.output`. Call it: `number(",
        ),
        (
            lambda: say(text=make().outputs["model"].uri),
            "has no attribute 'uri' before the pipeline runs. Give it to an",
        ),
        (
            lambda: say(text=say().output.upper()),
            "'Output' of task 'say' has no attribute 'upper' before the",
        ),
        (lambda: say(text=facts().output.rate), "A part of a dict is taken with `['rate']`."),
        (
            lambda: say(text=f"{make().outputs['model']}"),
            "It is an artifact: give it to an argument `Input[Model]`.",
        ),
        (lambda: number(None), "Leave it out, or let it be None: `n: int | None = None`."),
        (
            lambda: maybe(1, "exakt"),
            "got 'exakt', which is none of 'fast', 'exact'. Give one of 'fast', 'exact'.",
        ),
        (lambda: maybe(1, None), "got None of type NoneType, not str"),
        (lambda: shell("a", note="x"), "'note' is an output, whose place each run chooses: leave it out."),
        (lambda: shell(3), "The argument 'word' got 3 of type int, not str."),
        (in_loop([{"name": "x"}], lambda item: say(text=item.name)), "is taken in brackets: `item['name']`"),
        (in_loop([{"type": "x"}], lambda item: say(text=item.type)), "only says how the item of a loop"),
        (
            in_loop([1, "a"], lambda item: number(n=item)),
            "got 'a' of type str, not int, in round 2 of the loop",
        ),
        (in_loop([1], lambda item: number(n=item["a"])), "a list by number; this is of type int."),
        (empty_group, "There is no task under `dsl.If`. Call at least one component there, or take it away."),
    ],
)
def test_a_slip_is_answered_with_its_line_and_a_remedy(use: Callable[[], Any], message: str) -> None:
    with pytest.raises(KfpJupyterError) as refused:
        traced(use)
    assert message in f"{refused.value.what} {refused.value.remedy}"
    assert "test_misuse.py, line " in refused.value.where
    assert refused.value.remedy


def test_what_is_not_there_can_still_be_asked_for() -> None:
    """As IPython and other libraries do of any object."""

    def asked() -> None:
        task = number()
        assert not hasattr(task.output, "_repr_html_")
        assert not hasattr(task.output, "tolist")
        assert not hasattr(task, "nope")
        assert not hasattr(number, "outputs")

    traced(asked)


def test_arguments_go_by_position_to_components_of_every_kind() -> None:
    @dsl.pipeline
    def inner(n: int, text: str = "a") -> None:
        number(n)
        say(text)

    def outer() -> None:
        shell("a", 2)
        shell("b", count=number(1).output)
        inner(3, "x")

    tasks = traced(outer).graph.tasks
    assert tasks["shell"].arguments == {"word": Constant("a"), "count": Constant(2)}
    assert list(tasks["shell-2"].arguments) == ["word", "count"]
    assert tasks["inner"].arguments == {"n": Constant(3), "text": Constant("x")}


def test_several_outputs_are_unpacked_in_order() -> None:
    def unpacked() -> None:
        n, mode = maybe(1)
        number(n)
        say(mode)

    tasks = traced(unpacked).graph.tasks
    assert [tasks[name].arguments for name in ("number", "say")] == [
        {"n": dsl_output("Output_1")},
        {"text": dsl_output("Output_2")},
    ]


def dsl_output(name: str) -> TaskOutput:
    return TaskOutput("maybe", name)


def test_none_leaves_an_input_out_that_may_be_none() -> None:
    def left_out() -> None:
        maybe(None)
        maybe(None, "exact")
        maybe(1)

    model = traced(left_out)
    assert model.graph.tasks["maybe"].arguments == {}
    optional = {name: model.component_of(task).inputs[0].optional for name, task in model.graph.tasks.items()}
    assert optional == {"maybe": True, "maybe-2": True, "maybe-3": False}
    assert len(model.components) == 2


def test_a_range_is_a_list() -> None:
    (loop,) = traced(in_loop(range(3), lambda item: number(n=item))).graph.tasks.values()
    assert loop.loop == Loop("pipelinechannel--loop-item-param-1", (0, 1, 2))
