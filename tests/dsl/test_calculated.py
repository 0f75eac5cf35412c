"""Calculating with values that will flow, and taking parts of them; KFP's SDK offers neither."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from kfp_jupyter import dsl
from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.interchange.write import InterchangeError, pipeline_spec, to_yaml
from kfp_jupyter.model.pipeline import Calculation, Constant, Graph, Pipeline, PipelineInput, TaskOutput


@dsl.component
def number(n: int = 0) -> int:
    return n


@dsl.component
def share(part: float = 0.5) -> float:
    return part


@dsl.component
def say(text: str = "") -> str:
    return text


@dsl.component
def facts() -> dict:
    return {}


@dsl.component
def rows(items: list = []) -> list:  # noqa: B006
    return items


@dsl.component
def make(data: dsl.Output[dsl.Dataset]) -> bool:
    return True


N, WORD = TaskOutput("number", "Output"), TaskOutput("say", "Output")


def traced(use: Callable[[], Any]) -> Pipeline:
    """Return the pipeline whose body `use` is."""

    def traced() -> None:
        use()

    return dsl.pipeline(traced).model


@pytest.mark.parametrize(
    ("use", "operator", "operands"),
    [
        (lambda n: n + 1, "+", (N, Constant(1))),
        (lambda n: 1 + n, "+", (Constant(1), N)),
        (lambda n: n - 1, "-", (N, Constant(1))),
        (lambda n: 1 - n, "-", (Constant(1), N)),
        (lambda n: n * 2, "*", (N, Constant(2))),
        (lambda n: 2 * n, "*", (Constant(2), N)),
        (lambda n: n // 2, "//", (N, Constant(2))),
        (lambda n: 2 // n, "//", (Constant(2), N)),
        (lambda n: n % 2, "%", (N, Constant(2))),
        (lambda n: 2 % n, "%", (Constant(2), N)),
        (lambda n: n**2, "**", (N, Constant(2))),
        (lambda n: 2**n, "**", (Constant(2), N)),
        (lambda n: -n, "-", (N,)),
        (lambda n: n + n, "+", (N, N)),
        (lambda n: (n + 1) * n, "*", (Calculation("+", (N, Constant(1))), N)),
    ],
)
def test_python_operators_make_a_calculation(
    use: Callable[[Any], Any], operator: str, operands: tuple[Any, ...]
) -> None:
    tasks = traced(lambda: number(n=use(number().output))).graph.tasks
    assert tasks["number-2"].arguments == {"n": Calculation(operator, operands)}
    assert tasks["number-2"].dependencies == ("number",)


def test_a_quotient_is_a_float_and_fits_no_int() -> None:
    made = traced(lambda: share(part=number().output / 2)).graph.tasks["share"]
    assert made.arguments == {"part": Calculation("/", (N, Constant(2)))}
    made = traced(lambda: share(part=1 / number().output)).graph.tasks["share"]
    assert made.arguments == {"part": Calculation("/", (Constant(1), N))}
    with pytest.raises(KfpJupyterError) as refused:
        traced(lambda: number(n=number().output / 2))
    assert (
        "'n' of task 'number-2' is of type int, but `output 'Output' of task 'number' / 2` is of type float"
        in (refused.value.what)
    )


def test_joined_texts_are_a_text_that_every_format_can_say() -> None:
    def joined() -> None:
        word = say().output
        say(text="a-" + word + "-" + word)
        say(text=f"<{word + '!'}>")
        rows(items=["x" + word])

    model = traced(joined)
    mark = "{{$.inputs.parameters['pipelinechannel--say-Output']}}"
    tasks = model.graph.tasks
    assert tasks["say-2"].arguments == {
        "text": Constant(f"a-{mark}-{mark}"),
        "pipelinechannel--say-Output": WORD,
    }
    assert tasks["say-3"].arguments["text"] == Constant(f"<{mark}!>")
    assert tasks["rows"].arguments["items"] == Constant([f"x{mark}"])
    assert f"a-{mark}-{mark}" in json.dumps(pipeline_spec(model))


def test_a_calculation_is_made_where_it_is_used_of_values_led_there() -> None:
    def inner() -> None:
        outside = number().output
        with dsl.ParallelFor([1, 2]) as item, dsl.If(outside + item > 2):
            number(n=outside * item)

    model = traced(inner)
    loop = model.components["comp-for-loop-2"].implementation
    assert isinstance(loop, Graph)
    item = PipelineInput("pipelinechannel--loop-item-param-1")
    led = PipelineInput("pipelinechannel--number-Output")
    assert loop.tasks["condition-3"].arguments["pipelinechannel--calculation-1"] == Calculation(
        "+", (led, item)
    )
    branch = model.components["comp-condition-3"].implementation
    assert isinstance(branch, Graph)
    assert branch.tasks["number-2"].arguments == {"n": Calculation("*", (led, item))}


def test_a_pipeline_in_a_pipeline_takes_calculations() -> None:
    @dsl.pipeline
    def inner(n: int) -> None:
        number(n=n + 1)

    model = traced(lambda: inner(number().output * 2))
    assert model.graph.tasks["inner"].arguments == {"n": Calculation("*", (N, Constant(2)))}


def test_lists_are_joined_and_looped_over() -> None:
    kept = [3]

    def joined() -> None:
        with dsl.ParallelFor(rows().output + kept) as item:
            say(text=item)

    loop = traced(joined).graph.tasks["for-loop-1"]
    assert loop.arguments == {
        "pipelinechannel--calculation-1": Calculation("+", (TaskOutput("rows", "Output"), Constant([3])))
    }


def foreign() -> None:
    kept: list[Any] = []

    @dsl.pipeline
    def other() -> None:
        kept.append(number().output)

    assert other.name == "other"
    number(n=kept[0] + number().output)


def too_deep() -> None:
    value = number().output
    for _ in range(101):
        value = value + 1


class Several(NamedTuple):
    a: int
    b: str


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: say().output + 1, "Put both into a text"),
        (
            lambda: "a" + number().output,
            "`str + int` cannot be calculated: `'a' + output 'Output' of task 'number'`",
        ),
        (lambda: number().output + None, "None of type NoneType cannot be calculated with"),
        (lambda: number().output * float("nan"), "nan of type float cannot be calculated with"),
        (lambda: make().outputs["Output"] + 1, "compare a bool"),
        (lambda: make().outputs["data"] + 1, "'data' of task 'make' is an artifact (Dataset)"),
        (lambda: say().output * 2, "`str * int`"),
        (lambda: facts().output + 1, "`dict + int`"),
        (lambda: (number().output + 1)["a"], "cannot be indexed with ['a']"),
        (foreign, "Values of two pipelines"),
        (too_deep, "More than 100 calculations"),
        (lambda: number() + 1, "The task 'number' itself was calculated with. Use its output: `.output`"),
        (lambda: 2 * number(), "The task 'number' itself was calculated with."),
        (lambda: dsl.Collected(number().output + 1), "`dsl.Collected` takes an output of a task in a loop"),
    ],
)
def test_what_cannot_be_calculated_names_the_values_and_the_line(
    use: Callable[[], Any], message: str
) -> None:
    with pytest.raises(KfpJupyterError) as refused:
        traced(use)
    assert message in f"{refused.value.what} {refused.value.remedy}"
    assert "test_calculated.py, line " in refused.value.where
    assert refused.value.remedy


def test_kfps_format_cannot_say_it_and_the_task_is_named() -> None:
    model = traced(lambda: number(n=number().output + 1))
    with pytest.raises(InterchangeError) as refused:
        to_yaml(model)
    assert refused.value.where == "task number-2"
    assert refused.value.what == (
        "Its argument 'n' is what is calculated from values of the run: "
        "`output 'Output' of task 'number' + 1`. KFP's format cannot say that."
    )
    assert "inside a component" in refused.value.remedy


def test_a_pipeline_gives_out_no_calculation() -> None:
    def returned() -> int:
        return number().output + 1  # type: ignore[return-value]

    with pytest.raises(KfpJupyterError, match="is calculated, and a pipeline gives out outputs of its tasks"):
        dsl.pipeline(returned)
