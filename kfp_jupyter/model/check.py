"""What must hold for a pipeline to be run, however it came about: traced from a function or read from a file.

Every message names the task, the argument and the remedy.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from kfp_jupyter.model.component import Component, InputSpec
from kfp_jupyter.model.pipeline import (
    Constant,
    Pipeline,
    PipelineError,
    PipelineInput,
    Task,
    TaskOutput,
    Value,
)
from kfp_jupyter.model.types import ArtifactType, Json, ParameterType, ValueType, accepts, connects


class ArgumentError(PipelineError):
    """An argument that a component or a pipeline does not take, lacks, or cannot take as it is."""


def parameter_value(type_: ParameterType, value: Any) -> Json:
    """Return a Python value as a parameter's plain JSON value: an int becomes a float where one is wanted.

    Raises:
        ValueError: It is no value of the type; the message says `got 3 of type int, not str`.
    """
    if not accepts(type_, value):
        raise ValueError(f"got {_short(value)} of type {type(value).__name__}, not {type_.python_name}")
    if type_ is ParameterType.DOUBLE:
        value = float(value)
        if not math.isfinite(value):
            raise ValueError(f"got {value}, which JSON has no number for")
        return value
    if type_ is ParameterType.BOOLEAN:
        return bool(value)
    if type_ is ParameterType.INTEGER:
        return int(value)
    if type_ is ParameterType.STRING:
        return str.__str__(value)
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(f"got {_short(value)}, which is not JSON ({error})") from None


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return ` Did you mean 'rate'?` if one of the known names is close to `name`, else an empty string."""
    import difflib

    close = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def unknown_name(what: str, name: str, known: Iterable[str]) -> str:
    """Return the remedy for an unknown name: the closest one, and those there are."""
    names = list(known)
    there = f"The {what} are: {', '.join(names)}." if names else f"There are no {what}."
    return (suggestion(name, names) + " " + there).strip()


def bind_arguments(pipeline: Pipeline, arguments: Mapping[str, Any]) -> dict[str, Json]:
    """Return a value for every input of a pipeline: those given, checked, and the defaults of the others.

    An int is taken where a float is wanted; texts are never converted.

    Raises:
        ArgumentError: A name is unknown, a value is missing or of the wrong type, or an input is an artifact.
    """
    where = f"pipeline {pipeline.name}"
    specs = {spec.name: spec for spec in pipeline.inputs}
    for name in arguments:
        if name not in specs:
            raise ArgumentError(
                f"The pipeline has no parameter {name!r}.",
                where=where,
                remedy=unknown_name("parameters", name, specs),
            )
    bound: dict[str, Json] = {}
    for name, spec in specs.items():
        if arguments.get(name) is None:
            bound[name] = _default(spec, where)
            continue
        if isinstance(spec.type, ArtifactType):
            raise ArgumentError(
                f"The input {name!r} is an artifact, and a run takes parameters only.",
                where=where,
                remedy="Make it a parameter, or import the artifact inside the pipeline.",
            )
        try:
            bound[name] = parameter_value(spec.type, arguments[name])
        except ValueError as error:
            remedy = f"Give a value of type {spec.type.python_name}."
            raise ArgumentError(f"The parameter {name!r} {error}.", where=where, remedy=remedy) from None
    return bound


def _default(spec: InputSpec, where: str) -> Json:
    if not spec.optional:
        remedy = f"Give `{spec.name}=…` ({spec.type.python_name})."
        raise ArgumentError(f"The parameter {spec.name!r} has no value.", where=where, remedy=remedy)
    return spec.default


def check(pipeline: Pipeline) -> None:
    """Check that a pipeline can be run: names, types, connections, no circle. Takes time linear in its size.

    Raises:
        PipelineError: It cannot; the first thing wrong is named.
    """
    if not pipeline.graph.tasks:
        raise PipelineError(
            "The pipeline has no task.",
            where=f"pipeline {pipeline.name}",
            remedy="Call at least one component in it.",
        )
    inputs = {spec.name: spec.type for spec in pipeline.inputs}
    for task in pipeline.graph.tasks.values():
        component = pipeline.components.get(task.component)
        if component is None:
            raise PipelineError(
                f"The task's component {task.component!r} is not in the pipeline.", where=f"task {task.name}"
            )
        _check_task(task, component, pipeline, inputs)
    for spec in pipeline.outputs:
        value = pipeline.graph.outputs.get(spec.name)
        if value is not None and not isinstance(value, Constant):
            given = _type_of(value, pipeline, inputs, f"output {spec.name!r} of pipeline {pipeline.name}")
            if not connects(given, spec.type):
                raise PipelineError(
                    f"The output {spec.name!r} is of type {spec.type.python_name}, "
                    f"but gets {describe(value)} of type {given.python_name}.",
                    where=f"pipeline {pipeline.name}",
                    remedy="Change the return type of the pipeline, or what it returns.",
                )
    for _ in pipeline.graph.in_order():
        pass


def _check_task(
    task: Task, component: Component, pipeline: Pipeline, inputs: Mapping[str, ValueType]
) -> None:
    where = f"task {task.name}"
    specs = {spec.name: spec for spec in component.inputs}
    for name in task.arguments:
        if name not in specs:
            remedy = unknown_name("arguments", name, specs)
            raise ArgumentError(
                f"Component {component.name!r} has no argument {name!r}.", where=where, remedy=remedy
            )
    for name, spec in specs.items():
        if name in task.arguments:
            _check_argument(task, spec, pipeline, inputs)
        elif not spec.optional:
            raise missing_argument(component, [name], where)


def missing_argument(component: Component, names: list[str], where: str) -> ArgumentError:
    """Return the error for arguments that were not given to a component."""
    listed = ", ".join(repr(name) for name in names)
    examples = []
    for name in names:
        spec = component.input(name)
        examples.append(f"`{name}=…` ({spec.type.python_name})" if spec else f"`{name}=…`")
    noun = "argument" if len(names) == 1 else "arguments"
    return ArgumentError(
        f"Component {component.name!r} lacks its {noun} {listed}.",
        where=where,
        remedy=f"Give {', '.join(examples)}.",
    )


def _check_argument(task: Task, spec: InputSpec, pipeline: Pipeline, inputs: Mapping[str, ValueType]) -> None:
    value, where = task.arguments[spec.name], f"task {task.name}"
    if isinstance(value, Constant):
        if isinstance(spec.type, ArtifactType):
            raise constant_for_artifact(spec, value.value, where)
        try:
            parameter_value(spec.type, value.value)
        except ValueError as error:
            raise wrong_constant(spec, error, where) from None
        return
    given = _type_of(value, pipeline, inputs, where)
    if not connects(given, spec.type):
        raise wrong_connection(spec, describe(value), given, task.name, where)


def _type_of(
    value: PipelineInput | TaskOutput, pipeline: Pipeline, inputs: Mapping[str, ValueType], where: str
) -> ValueType:
    if isinstance(value, PipelineInput):
        if value.name not in inputs:
            remedy = unknown_name("parameters", value.name, inputs)
            raise PipelineError(f"The pipeline has no parameter {value.name!r}.", where=where, remedy=remedy)
        return inputs[value.name]
    producer = pipeline.graph.tasks.get(value.task)
    if producer is None:
        remedy = unknown_name("tasks", value.task, pipeline.graph.tasks)
        raise PipelineError(
            f"The task uses task {value.task!r}, which is not in the pipeline.", where=where, remedy=remedy
        )
    spec = pipeline.components[producer.component].output(value.output)
    if spec is None:
        known = [held.name for held in pipeline.components[producer.component].outputs]
        remedy = unknown_name("outputs", value.output, known)
        raise PipelineError(
            f"Task {value.task!r} has no output {value.output!r}.", where=where, remedy=remedy
        )
    return spec.type


def describe(value: Value) -> str:
    """Return what people call a value that flows: `output 'model' of task 'train'`."""
    if isinstance(value, TaskOutput):
        return f"output {value.output!r} of task {value.task!r}"
    if isinstance(value, PipelineInput):
        return f"the pipeline's parameter {value.name!r}"
    return _short(value.value)


def wrong_constant(spec: InputSpec, error: ValueError, where: str) -> ArgumentError:
    """Return the error for a constant that is not of its parameter's type."""
    return ArgumentError(
        f"The argument {spec.name!r} {error}.",
        where=where,
        remedy=f"Give a value of type {spec.type.python_name}.",
    )


def constant_for_artifact(spec: InputSpec, value: Any, where: str) -> ArgumentError:
    """Return the error for a plain value given where an artifact is wanted."""
    return ArgumentError(
        f"The argument {spec.name!r} is an artifact ({spec.type.python_name}), but got {_short(value)}.",
        where=where,
        remedy="Give it an artifact that another task gives out, as in `task.outputs['…']`.",
    )


def wrong_connection(spec: InputSpec, source: str, given: ValueType, task: str, where: str) -> ArgumentError:
    """Return the error for two ports whose types do not fit."""
    return ArgumentError(
        f"The argument {spec.name!r} of task {task!r} is of type {spec.type.python_name}, "
        f"but {source} is of type {given.python_name}.",
        where=where,
        remedy="Connect an output of that type, or change one of the two type hints.",
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
