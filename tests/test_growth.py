"""The work of compiling grows with the number of tasks, whatever their shape; counted in executed lines."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from kfp_jupyter import dsl
from kfp_jupyter.engines.argo import manifest
from kfp_jupyter.engines.base import RunOptions
from kfp_jupyter.interchange.read import read_pipeline
from kfp_jupyter.interchange.write import to_yaml
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import Target
from tests.growth import executed_lines

FEW, MANY = 50, 200


@dsl.component(base_image="python:3.11")
def add(a: int, b: int = 1) -> int:
    return a + b


@dsl.component(base_image="python:3.11")
def say(text: str):
    return


@dsl.pipeline
def twice(a: int) -> int:
    return add(add(a).output).output


def chain(count: int) -> None:
    last = add(1)
    for _ in range(count - 1):
        last = add(last.output)


def fan_out(count: int) -> None:
    first = add(1)
    for _ in range(count - 1):
        add(first.output)


def fan_in(count: int) -> None:
    add(1).after(*[add(1) for _ in range(count - 1)])


def each_waits_for_the_next(count: int) -> None:
    tasks = [add(1) for _ in range(count)]
    for task, following in pairwise(tasks):
        task.after(following)


def distinct_settings(count: int) -> None:
    for number in range(count):
        add(1).set_cpu_limit(str(number + 1))


def distinct_components_of_one_name(count: int) -> None:
    for number in range(count):
        dsl.component(add.python_func, base_image=f"python:{number}")(1)


def texts(count: int) -> None:
    first = add(1)
    for _ in range(count - 1):
        say(f"It is {first.output}.")


def conditions(count: int) -> None:
    first = add(1)
    for _ in range(count - 1):
        with dsl.If(first.output == 2):
            add(first.output)


def loops(count: int) -> None:
    first = add(1)
    for _ in range(count - 1):
        with dsl.ParallelFor([1, 2]) as item:
            add(item, first.output)


def a_large_group(count: int) -> None:
    first = add(1)
    with dsl.If(first.output == 2):
        last = add(1)
        for _ in range(count - 2):
            last = add(last.output, first.output)


def pipelines_in_it(count: int) -> None:
    for _ in range(count):
        twice(1)


PLAIN = [
    chain,
    fan_out,
    fan_in,
    each_waits_for_the_next,
    distinct_settings,
    distinct_components_of_one_name,
]
GROUPED = [texts, conditions, loops, a_large_group, pipelines_in_it]


def traced(shape: Callable[[int], None], count: int) -> Pipeline:
    def flow() -> None:
        shape(count)

    return dsl.pipeline(flow).model


def assert_linear(work: Callable[[int], object]) -> None:
    work(1 + FEW // 10)  # What is done once for all.
    few, many = (executed_lines(lambda count=count: work(count)) for count in (FEW, MANY))
    # Four times the tasks; with anything quadratic it would come to sixteen times the work.
    assert many < 4.2 * few


@pytest.mark.parametrize("shape", PLAIN + GROUPED, ids=lambda shape: shape.__name__)
def test_the_work_of_tracing_is_linear(shape: Callable[[int], None]) -> None:
    assert_linear(lambda count: traced(shape, count))


@pytest.mark.parametrize("shape", PLAIN + GROUPED, ids=lambda shape: shape.__name__)
def test_the_work_of_writing_kfp_s_yaml_is_linear(shape: Callable[[int], None]) -> None:
    pipelines = {count: traced(shape, count) for count in (1 + FEW // 10, FEW, MANY)}
    assert_linear(lambda count: to_yaml(pipelines[count]))


@pytest.mark.parametrize("shape", PLAIN, ids=lambda shape: shape.__name__)
def test_the_work_of_writing_argo_s_manifest_is_linear(shape: Callable[[int], None]) -> None:
    pipelines = {count: traced(shape, count) for count in (1 + FEW // 10, FEW, MANY)}
    options = RunOptions("run-1", Target("argo"))
    assert_linear(lambda count: manifest.to_yaml(manifest.workflow(pipelines[count], {}, options)))


@pytest.mark.parametrize("shape", PLAIN + GROUPED, ids=lambda shape: shape.__name__)
def test_the_work_of_writing_what_was_read_is_linear(shape: Callable[[int], None]) -> None:
    pipelines = {
        count: read_pipeline(to_yaml(traced(shape, count))).pipeline for count in (1 + FEW // 10, FEW, MANY)
    }
    assert_linear(lambda count: to_yaml(pipelines[count]))
