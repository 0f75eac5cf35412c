"""Settings of a task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kfp_jupyter import dsl
from kfp_jupyter.dsl import PipelineBuilder, PipelineTask, PythonComponent
from kfp_jupyter.dsl.pipeline_task import SettingError, TaskAttributeError
from kfp_jupyter.model.pipeline import Resources, Retry, TaskSettings


@dsl.component
def work(n: int = 1) -> int:
    return n


def settings_after(use: Callable[[PipelineTask], Any]) -> TaskSettings:
    with PipelineBuilder("p") as builder:
        task = work()
        assert use(task) is task
    return builder.build().graph.tasks["work"].settings


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        (lambda task: task.set_caching_options(False), TaskSettings(caching=False)),
        (lambda task: task.set_caching_options(True, "key"), TaskSettings(cache_key="key")),
        (lambda task: task.set_retry(3), TaskSettings(retry=Retry(3, 0.0, 2.0, 3600.0))),
        (
            lambda task: task.set_retry(1, "2m", 1.5, backoff_max_duration="1h"),
            TaskSettings(retry=Retry(1, 120.0, 1.5, 3600.0)),
        ),
        (lambda task: task.set_timeout("30m"), TaskSettings(timeout_seconds=1800.0)),
        (
            lambda task: (
                task.set_env_variable("A", "1").set_env_variable("B", "2").set_env_variable("A", "3")
            ),
            TaskSettings(env=(("A", "3"), ("B", "2"))),
        ),
        (lambda task: task.set_display_name("Name"), TaskSettings(display_name="Name")),
        (lambda task: task.set_container_image("image:1"), TaskSettings(image="image:1")),
        (
            lambda task: task.set_cpu_request("1").set_cpu_limit("2").set_memory_request("1Gi"),
            TaskSettings(resources=Resources(cpu_request="1", cpu_limit="2", memory_request="1Gi")),
        ),
        (lambda task: task.set_memory_limit("2G"), TaskSettings(resources=Resources(memory_limit="2G"))),
        (
            lambda task: task.set_accelerator_type("nvidia.com/gpu"),
            TaskSettings(resources=Resources(accelerator_type="nvidia.com/gpu", accelerator_count="1")),
        ),
        (
            lambda task: task.set_accelerator_limit(2).set_accelerator_type("TPU"),
            TaskSettings(resources=Resources(accelerator_type="TPU", accelerator_count="2")),
        ),
        (lambda task: task.set_gpu_limit("4"), TaskSettings(resources=Resources(accelerator_count="4"))),
    ],
)
def test_a_setting_is_recorded_and_the_task_returned(
    use: Callable[[PipelineTask], Any], expected: TaskSettings
) -> None:
    assert settings_after(use) == expected


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda task: task.set_cpu_limit("2 cores"), "'2 cores' is no amount of CPU"),
        (lambda task: task.set_cpu_limit(2), "2 is of type int"),
        (lambda task: task.set_memory_limit("4 GB"), "'4 GB' is no amount of memory"),
        (lambda task: task.set_accelerator_limit(-1), "-1 is not a count"),
        (lambda task: task.set_retry("3 times"), "'3 times' is not a count"),
        (lambda task: task.set_retry(1, "soon"), "'soon' is no duration"),
        (lambda task: task.set_retry(1, backoff_factor=-1), "-1 is no factor"),
        (lambda task: task.set_env_variable("A B", "1"), "'A B' is no name"),
        (lambda task: task.set_env_variable("A", 1), "1 is of type int"),
        (
            lambda task: task.set_env_variable("A", f"is {task.output}"),
            "The environment variable A holds <output 'Output' of task 'work': int>, which is only known",
        ),
        (lambda task: task.set_display_name(f"{task.output}"), "The display name holds <output 'Output'"),
        (lambda task: task.set_display_name(task.output), "cannot come from"),
        (lambda task: task.set_retry(task.output), "cannot come from"),
    ],
)
def test_a_wrong_setting_is_refused_at_its_line(use: Callable[[PipelineTask], Any], message: str) -> None:
    with PipelineBuilder("p"):
        task = work()
        with pytest.raises(SettingError) as refused:
            use(task)
    assert message in str(refused.value)
    assert refused.value.where.endswith(f"test_task.py, line {use.__code__.co_firstlineno}, task work")
    assert task.settings == TaskSettings()


def test_every_task_of_a_component_starts_with_its_defaults() -> None:
    component = PythonComponent(work.model, work.python_func, TaskSettings(caching=False, timeout_seconds=9))
    with PipelineBuilder("p") as builder:
        component().set_display_name("first")
        component()
    tasks = builder.build().graph.tasks
    assert tasks["work"].settings == TaskSettings(caching=False, timeout_seconds=9, display_name="first")
    assert tasks["work-2"].settings == TaskSettings(caching=False, timeout_seconds=9)


def test_outputs_are_a_mapping_by_name() -> None:
    with PipelineBuilder("p"):
        task = work()
    assert list(task.outputs) == ["Output"]
    assert "Output" in task.outputs
    assert "other" not in task.outputs
    assert task.output.task_name == "work"


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda task: task.result, r"Task 'work' has no attribute 'result'. Its output is `.output`."),
        (lambda task: task.Output, r"no attribute 'Output'. Its output is `.outputs\['Output'\]`."),
        (lambda task: task.set_cpu_limt("1"), r"no attribute 'set_cpu_limt'. Did you mean 'set_cpu_limit'?"),
    ],
)
def test_what_a_task_does_not_have_is_refused_with_what_it_has(use, message) -> None:
    with PipelineBuilder("p"):
        task = work()
        with pytest.raises(TaskAttributeError, match=message) as caught:
            use(task)
    assert caught.value.where.endswith("task work")
    assert not hasattr(task, "result")
    assert not hasattr(task, "_repr_html_")
