"""Tracing a pipeline: its graph, and what is refused with the line that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import pytest

from kfp_jupyter import dsl
from kfp_jupyter.cells.errors import ComponentError, MissingHintError, SignatureError
from kfp_jupyter.dsl import (
    Artifact,
    Dataset,
    Input,
    Metrics,
    Model,
    Output,
    PipelineBuilder,
)
from kfp_jupyter.dsl.python_component import NotSupportedError
from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.model.check import ArgumentError
from kfp_jupyter.model.component import InputSpec, PythonStep
from kfp_jupyter.model.pipeline import Constant, PipelineError, PipelineInput, TaskOutput
from kfp_jupyter.model.types import ParameterType
from tests.growth import executed_lines

LINES = Path(__file__).read_text(encoding="utf-8").splitlines()


@dsl.component
def load(data: Output[Dataset], rows: int = 3) -> int:
    """Load."""
    return rows


@dsl.component
def train(data: Input[Dataset], rate: float, model: Output[Model], metrics: Output[Metrics]):
    pass


@dsl.component
def add(a: int, b: int = 1) -> int:
    return a + b


@dsl.component
def say(text: str = "", items: list = [], table: dict = {}):  # noqa: B006
    pass


@dsl.component
def keep(thing: Input[Artifact] = None):  # type: ignore[assignment]
    pass


class Given(NamedTuple):
    model: Model
    rows: int


def refused(function: Callable[..., Any]) -> KfpJupyterError:
    with pytest.raises(KfpJupyterError) as error:
        dsl.pipeline(function)
    return error.value


def test_calls_become_tasks_and_values_become_arguments() -> None:
    @dsl.pipeline(name="Two Models", description="Said here", display_name="Two", pipeline_root="s3://b")
    def two_models(rate: float = 0.5, rows: int = 9) -> Given:
        loaded = load(rows=rows)
        first = train(loaded.outputs["data"], rate)
        second = train(rate=1, data=loaded.outputs["data"]).after(first)
        return Given(second.outputs["model"], loaded.outputs["Output"])  # type: ignore[arg-type]

    model = two_models.model
    assert (model.name, model.description, model.display_name, model.pipeline_root) == (
        "two-models",
        "Said here",
        "Two",
        "s3://b",
    )
    assert model.inputs == (
        InputSpec("rate", ParameterType.DOUBLE, optional=True, default=0.5),
        InputSpec("rows", ParameterType.INTEGER, optional=True, default=9),
    )
    assert list(model.components) == ["comp-load", "comp-train"]
    tasks = model.graph.tasks
    assert list(tasks) == ["load", "train", "train-2"]
    assert tasks["load"].arguments == {"rows": PipelineInput("rows")}
    assert tasks["train-2"].arguments == {"data": TaskOutput("load", "data"), "rate": Constant(1.0)}
    assert tasks["train-2"].after == ("train",)
    assert model.graph.outputs == {
        "model": TaskOutput("train-2", "model"),
        "rows": TaskOutput("load", "Output"),
    }


def test_names_that_meet_stay_different() -> None:
    @dsl.component
    def add_2(a: int) -> int:
        return a

    @dsl.pipeline
    def meeting() -> None:
        for call in (add, add, add_2, add, add_2):
            call(a=1)

    assert list(meeting.model.graph.tasks) == ["add", "add-2", "add-2-2", "add-3", "add-2-3"]


def test_an_optional_input_given_none_is_left_out() -> None:
    @dsl.pipeline
    def optional() -> None:
        keep(thing=None)

    assert optional.model.graph.tasks["keep"].arguments == {}


def test_keyword_only_parameters_are_given() -> None:
    @dsl.pipeline
    def keyword(a: int, *, b: int = 2) -> int:
        return add(a=a, b=b).output  # type: ignore[no-any-return]

    assert keyword.model.graph.tasks["add"].arguments == {"a": PipelineInput("a"), "b": PipelineInput("b")}


@pytest.mark.parametrize(
    ("call", "task", "message"),
    [
        (lambda: add(1, c=2), "add", "has no argument 'c'"),
        (lambda: train(load().outputs["data"], rat=1), "train", "Did you mean 'rate'?"),
        (lambda: add(*()), "add", "lacks its argument 'a'. Give `a=…` (int)"),
        (lambda: train(rate=0.1), "train", "lacks its argument 'data'"),
        (lambda: add(1, 2, 3), "add", "got 3 arguments, but takes 2: a, b"),
        (lambda: add(1, a=2), "add", "got 'a' twice"),
        (lambda: add("1"), "add", "'a' got '1' of type str, not int"),
        (lambda: add(1.0), "add", "'a' got 1.0 of type float, not int"),
        (lambda: add(True), "add", "'a' got True of type bool, not int"),
        (lambda: add(None), "add", "'a' got None of type NoneType, not int"),
        (lambda: add(Path()), "add", "not int"),
        (lambda: train(data="x.csv", rate=1), "train", "'data' is an artifact (Dataset), but got 'x.csv'"),
        (lambda: train(load().outputs["data"], float("inf")), "train", "JSON has no number"),
        (lambda: say(table={"a": object()}), "say", "not JSON"),
        (lambda: say(items=[load().outputs["data"]]), "say", "inside, which is an artifact"),
        (lambda: say(table={add(1).output: 1}), "say", "a key that is known only when the pipeline runs"),
        (lambda: add(load().outputs["data"]), "add", "output 'data' of task 'load' is of type Dataset"),
        (lambda: train(load().outputs["Output"], 1), "train", "'data' of task 'train' is of type Dataset"),
        (lambda: train(load().outputs["data"], say), "train", "not float"),
        (lambda: add(load()), "add", "got the task 'load' itself. Give one of its outputs"),
        (lambda: add(add(1)), "add-2", "Give `.output`"),
        (lambda: load().outputs["dta"], "load", "no output 'dta'. Did you mean 'data'?"),
        (lambda: load().output, "load", "2 outputs"),
        (lambda: say().output, "say", "Task 'say' has no output"),
        (lambda: add(1).after(2), "add", "`.after` takes tasks of the same pipeline"),
    ],
)
def test_a_wrong_call_names_the_line_and_the_task(call: Callable[[], Any], task: str, message: str) -> None:
    def wrong() -> None:
        call()

    error = refused(wrong)
    line = call.__code__.co_firstlineno
    assert error.where.endswith(f"test_pipeline.py, line {line}, task {task}")
    assert message in str(error)
    assert error.remedy


def test_a_circle_is_refused_with_its_tasks_and_a_line() -> None:
    def circle() -> None:
        first = add(1)
        second = add(first.output)
        first.after(second)

    error = refused(circle)
    assert "add → add-2 → add" in str(error)
    assert LINES[int(error.where.split("line ")[1].split(",")[0]) - 1].strip() == "first.after(second)"


def test_a_value_of_another_pipeline_is_refused() -> None:
    kept: list[Any] = []

    @dsl.pipeline
    def first() -> None:
        kept.append(add(1))

    def second() -> None:
        add(kept[0].output)

    def third() -> None:
        add(1).after(kept[0])

    assert "belongs to the pipeline 'first', not to 'second'" in str(refused(second))
    assert "tasks of the same pipeline" in str(refused(third))


def test_a_failed_call_leaves_no_component_or_name_behind() -> None:
    with PipelineBuilder("p") as builder:
        with pytest.raises(ArgumentError):
            add()
        add(1)
    assert list(builder.build().graph.tasks) == ["add"]


def test_functions_that_are_no_pipeline_are_refused() -> None:
    def empty() -> None:
        pass

    def unhinted(a) -> None:
        add(a)

    async def waits() -> None:
        pass

    def several(*numbers: int) -> None:
        pass

    assert "has no task" in str(refused(empty))
    assert isinstance(refused(unhinted), MissingHintError)
    assert isinstance(refused(waits), SignatureError)
    assert isinstance(refused(several), SignatureError)
    assert isinstance(refused(add), ComponentError)


def test_what_is_returned_must_be_declared_and_the_other_way_round() -> None:
    def undeclared():
        return add(1).output

    def not_returned() -> int:
        add(1)

    def no_output(a: int = 1) -> int:
        add(a)
        return a

    def wrong_type() -> str:
        return add(1).output

    def tuple_of() -> Given:
        return (add(1).output, add(1).output)

    assert "without a type hint" in str(refused(undeclared))
    assert "does not return it" in str(refused(not_returned))
    assert "no output of a task" in str(refused(no_output))
    assert "'Output' is of type str, but gets output 'Output' of task 'add' of type int" in str(
        refused(wrong_type)
    )
    assert "plain tuple" in str(refused(tuple_of))


def test_a_pipeline_is_run_and_not_called() -> None:
    @dsl.pipeline
    def inner() -> None:
        add(1)

    with pytest.raises(PipelineError, match=r"Run it with `inner\.run"):
        inner()


def test_a_pipeline_may_be_written_while_another_is() -> None:
    @dsl.pipeline
    def outer() -> None:
        @dsl.pipeline
        def inner() -> None:
            add(1)

        inner()
        add(2)

    assert list(outer.model.graph.tasks) == ["inner", "add"]


def test_a_failed_trace_leaves_no_pipeline_open() -> None:
    def fails() -> None:
        add(1)
        raise RuntimeError("the user's own")

    with pytest.raises(RuntimeError, match="own"):
        dsl.pipeline(fails)
    assert add(1, 2) == 3


def test_a_config_that_is_none_is_refused() -> None:
    with pytest.raises(NotSupportedError, match="`pipeline_config` is <object"):
        dsl.pipeline(say.python_func, pipeline_config=object())  # type: ignore[call-overload]


def test_additional_functions_go_with_the_source() -> None:
    def helper(n: int) -> int:
        return n + 1

    @dsl.component(additional_funcs=[helper], install_kfp_package=False, packages_to_install=["x"])
    def uses(n: int) -> int:
        return helper(n)

    step = uses.model.implementation
    assert isinstance(step, PythonStep)
    assert step.packages == ("x",)
    line = step.source.text.splitlines().index("def helper(n: int) -> int:") + 1
    assert LINES[step.source.locate(line)[1] - 1].strip() == "def helper(n: int) -> int:"


def test_outside_of_a_pipeline_a_component_of_plain_values_runs() -> None:
    assert add(1, b=4) == 5


def test_a_cell_of_calls_is_built_with_its_parameters() -> None:
    inputs = (InputSpec("n", ParameterType.INTEGER, optional=True, default=2),)
    with PipelineBuilder("my cell", inputs, description="d") as builder:
        exec("first = add(n)\nadd(first.output)", {"add": add, **builder.inputs})
    pipeline = builder.build()
    assert (pipeline.name, pipeline.description, pipeline.inputs) == ("my-cell", "d", inputs)
    assert pipeline.graph.tasks["add"].arguments == {"a": PipelineInput("n")}


def test_a_name_without_latin_letters_is_shown_as_written() -> None:
    pipeline = PipelineBuilder("학습")
    assert (pipeline.name, pipeline.display_name) == ("pipeline", "학습")


def test_several_threads_trace_at_once() -> None:
    made: dict[int, list[str]] = {}

    def trace(number: int) -> None:
        @dsl.pipeline(name=f"p{number}")
        def p() -> None:
            for _ in range(number):
                add(1)

        made[number] = list(p.model.graph.tasks)

    threads = [Thread(target=trace, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {number: len(tasks) for number, tasks in made.items()} == {
        number: number for number in range(1, 9)
    }


def test_the_work_of_tracing_grows_with_the_number_of_tasks() -> None:
    def work(tasks: int) -> int:
        def chain() -> None:
            last = add(1)
            for _ in range(tasks - 1):
                last = add(last.output)

        return executed_lines(lambda: dsl.pipeline(chain))

    # Four times the tasks; with anything quadratic it would be sixteen times the work.
    assert work(400) < 5 * work(100)
