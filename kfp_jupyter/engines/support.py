"""What an engine for flat graphs cannot run yet, refused before a run starts; and what is left, narrower.

It is Argo's; this machine runs all that a pipeline can say, and has its own `preflight`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from kfp_jupyter.engines.base import EngineError
from kfp_jupyter.model.check import describe
from kfp_jupyter.model.component import Component, ContainerStep, ForeignStep, Importer, PythonStep
from kfp_jupyter.model.pipeline import (
    Calculation,
    Constant,
    FinalStatus,
    Graph,
    Pipeline,
    PipelineInput,
    Task,
    TaskOutput,
    Value,
)
from kfp_jupyter.model.types import ParameterType

_STEPS = {
    Graph: "runs a pipeline inside the pipeline, or the body of a group (If, ParallelFor, ExitHandler)",
    Importer: "imports an artifact",
    ForeignStep: "is of a kind that only KFP's own servers run",
}


class UnsupportedError(EngineError):
    """A task needs what the engine cannot do yet."""


def check_supported(pipeline: Pipeline, engine: str) -> None:
    """Refuse a pipeline with more than a flat graph of steps.

    Args:
        pipeline: The pipeline.
        engine: What the engine is called in a sentence: `Argo`.

    Raises:
        UnsupportedError: Naming the task, what it needs, and the remedy.
    """
    for task in pipeline.graph.tasks.values():
        _refuse_calculations(task, engine)
        for need in _needs(task, pipeline.component_of(task)):
            raise UnsupportedError(
                f"It {need}, which cannot be run on {engine} yet.",
                where=f"task {task.name}",
                remedy="Compile the pipeline to KFP's YAML and run it on a KFP server.",
            )
    for name, value in pipeline.graph.outputs.items():
        if not isinstance(value, TaskOutput):
            raise UnsupportedError(
                f"Its output {name!r} comes from whichever of several tasks ran, "
                f"which cannot be told on {engine} yet.",
                where=f"pipeline {pipeline.name}",
                remedy="Compile the pipeline to KFP's YAML and run it on a KFP server.",
            )


def _refuse_calculations(task: Task, engine: str) -> None:
    for name, value in task.arguments.items():
        if isinstance(value, Calculation):
            raise UnsupportedError(
                f"It gets in {name!r} what is calculated from values of the run: {describe(value)}, "
                f"which {engine} cannot do between tasks.",
                where=f"task {task.name}",
                remedy="Calculate inside a component, or run the pipeline on this machine.",
            )


def _needs(task: Task, component: Component) -> Iterator[str]:
    step = component.implementation
    if not isinstance(step, (PythonStep, ContainerStep)):
        yield _STEPS[type(step)]
    if task.loop is not None:
        yield "runs once for each item of a list"
    if task.trigger.condition:
        yield "runs on a condition"
    if task.trigger.strategy.value.endswith("COMPLETED"):
        yield "also runs after tasks that failed"
    if any(spec.type is ParameterType.TASK_CONFIG for spec in component.inputs):
        yield "asks for its own settings (`TaskConfig`)"
    for name, value in task.arguments.items():
        if isinstance(value, FinalStatus):
            yield f"gets in {name!r} how another task ended"
        elif not isinstance(value, (Constant, PipelineInput, TaskOutput)):
            yield f"gets {name!r} in KFP's older way, from the run's parameters"
        elif not isinstance(value, Constant) and value.selector:
            yield f"gets in {name!r} a part of a value"
        elif component.input(name) is None:
            yield f"puts the value of {name.removeprefix('pipelinechannel--')!r} into a text or a setting"
        elif isinstance(value, Constant) and "{{$." in json.dumps(value.value, default=str):
            yield f"has a placeholder in {name!r}"
    settings = task.settings
    if "{{$." in f"{settings.resources} {settings.image} {settings.env}":
        yield "has a placeholder in its settings"
    if task.settings.kubernetes:
        yield f"has settings of KFP's Kubernetes extension ({', '.join(task.settings.kubernetes)})"


def task_output(value: Value) -> TaskOutput:
    """Return a value that is neither a constant nor an input as what it is after `check_supported`.

    Raises:
        TypeError: The pipeline was not checked.
    """
    if not isinstance(value, TaskOutput):
        raise TypeError(f"{value!r} is no output of a task")
    return value


def step_of(component: Component) -> PythonStep | ContainerStep:
    """Return what a component runs, which after `check_supported` is one of the two.

    Raises:
        TypeError: The pipeline was not checked.
    """
    step = component.implementation
    if not isinstance(step, (PythonStep, ContainerStep)):
        raise TypeError(f"component {component.name!r} runs a {type(step).__name__}")
    return step
