"""What must hold for a pipeline to be run, however it came about: traced from a function or read from a file.

Every message names the task, the argument and the remedy.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kfp_jupyter.model.calculation import CalculationError, formula, result_type, type_of
from kfp_jupyter.model.component import Component, InputSpec, OutputSpec
from kfp_jupyter.model.graph import Graph, PipelineError, Task
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.types import ArtifactType, Json, ParameterType, ValueType, accepts, connects
from kfp_jupyter.model.value import (
    CHANNEL,
    PLACEHOLDER,
    Calculation,
    Constant,
    FinalStatus,
    OneOf,
    PipelineInput,
    RuntimeParameter,
    TaskOutput,
    Value,
)


class ArgumentError(PipelineError, TypeError):
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


def input_value(spec: InputSpec, value: Any) -> Json:
    """Return a Python value as that of a parameter, which also may be one of its literals only.

    Raises:
        ValueError: It is no value of the parameter's type, or none of its literals.
    """
    assert isinstance(spec.type, ParameterType)
    held = parameter_value(spec.type, value)
    if spec.literals and held not in spec.literals:
        raise ValueError(f"got {_short(held)}, which is none of {_listed(spec.literals)}")
    return held


def wanted(spec: InputSpec) -> str:
    """Return what an input takes, for a message: `a value of type int`, `one of 'a', 'b'`."""
    if spec.literals:
        return f"one of {_listed(spec.literals)}"
    return f"a value of type {spec.type.python_name}"


def _listed(values: Iterable[Json]) -> str:
    return ", ".join(repr(value) for value in values)


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
            is_none = spec.nullable and not spec.optional and name in arguments
            bound[name] = None if is_none else _default(spec, where)
            continue
        if isinstance(spec.type, ArtifactType):
            raise ArgumentError(
                f"The input {name!r} is an artifact, and a run takes parameters only.",
                where=where,
                remedy="Make it a parameter, or import the artifact inside the pipeline.",
            )
        try:
            bound[name] = input_value(spec, arguments[name])
        except ValueError as error:
            remedy = f"Give {wanted(spec)}."
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
    root = _Scope(pipeline, pipeline.graph, {spec.name: spec.type for spec in pipeline.inputs})
    _check_graph(root, pipeline.outputs, f"pipeline {pipeline.name}")
    reached: set[str] = set()
    waiting = [pipeline.graph]
    while waiting:
        for task in waiting.pop().tasks.values():
            component, step = pipeline.components[task.component], pipeline.component_of(task).implementation
            if isinstance(step, Graph) and task.component not in reached:
                scope = _Scope(pipeline, step, {spec.name: spec.type for spec in component.inputs})
                _check_graph(scope, component.outputs, f"component {component.name}")
                reached.add(task.component)
                waiting.append(step)


@dataclass(frozen=True, slots=True)
class _Scope:
    """One graph of a pipeline, and the types of the inputs that its tasks see."""

    pipeline: Pipeline
    graph: Graph
    inputs: Mapping[str, ValueType]


def _check_graph(scope: _Scope, outputs: Iterable[OutputSpec], where: str) -> None:
    if not scope.graph.tasks:
        noun = "pipeline" if scope.graph is scope.pipeline.graph else "group"
        raise PipelineError(
            f"The {noun} has no task.", where=where, remedy="Call at least one component in it."
        )
    for task in scope.graph.tasks.values():
        component = scope.pipeline.components.get(task.component)
        if component is None:
            raise PipelineError(
                f"The task's component {task.component!r} is not in the pipeline.", where=f"task {task.name}"
            )
        _check_task(task, component, scope)
    for spec in outputs:
        value = scope.graph.outputs.get(spec.name)
        # What is led out of a group has KFP's type for it: a list also inside of the loop that makes it.
        if value is None or spec.name.startswith(CHANNEL):
            continue
        for given in _types_of(value, scope, where):
            if not connects(given, spec.type):
                raise PipelineError(
                    f"The output {spec.name!r} is of type {spec.type.python_name}, "
                    f"but gets {describe(value)} of type {given.python_name}.",
                    where=where,
                    remedy="Change the return type of the pipeline, or what it returns.",
                )
    for _ in scope.graph.in_order():
        pass


def _check_task(task: Task, component: Component, scope: _Scope) -> None:
    where = f"task {task.name}"
    specs = {spec.name: spec for spec in component.inputs}
    for name in task.arguments:
        # What a placeholder refers to is brought to the task under such a name.
        if name not in specs and not name.startswith(CHANNEL):
            remedy = unknown_name("arguments", name, specs)
            raise ArgumentError(
                f"Component {component.name!r} has no argument {name!r}.", where=where, remedy=remedy
            )
    item = task.loop.item_input if task.loop else ""
    for name, spec in specs.items():
        if name in task.arguments:
            _check_argument(task, spec, scope)
        elif not (spec.optional or name == item or spec.filled_in):
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


def _check_argument(task: Task, spec: InputSpec, scope: _Scope) -> None:
    value, where = task.arguments[spec.name], f"task {task.name}"
    if isinstance(value, Constant):
        if isinstance(spec.type, ArtifactType):
            raise constant_for_artifact(spec, value.value, where)
        if isinstance(value.value, str) and PLACEHOLDER in value.value:
            return  # A placeholder, which may stand for a value of any type.
        try:
            input_value(spec, value.value)
        except ValueError as error:
            raise wrong_constant(spec, error, where) from None
        return
    for given in _types_of(value, scope, where):
        if not connects(given, spec.type):
            raise wrong_connection(spec, describe(value), given, task.name, where)


def _types_of(value: Value, scope: _Scope, where: str) -> Iterator[ValueType]:
    """Yield the types that a value may have; none where only a run can show it."""
    if isinstance(value, OneOf):
        for source in value.sources:
            yield from _types_of(source, scope, where)
    elif isinstance(value, FinalStatus):
        _producer(value.task, scope, where)
        yield ParameterType.TASK_FINAL_STATUS
    elif isinstance(value, Calculation):
        made = _calculated_type(value, scope, where)
        if made is not None:
            yield made
    elif isinstance(value, PipelineInput):
        if value.name not in scope.inputs:
            remedy = unknown_name("parameters", value.name, scope.inputs)
            raise PipelineError(f"The pipeline has no parameter {value.name!r}.", where=where, remedy=remedy)
        if not value.selector and not _is_item(value.name, scope.inputs[value.name]):
            yield scope.inputs[value.name]
    elif isinstance(value, TaskOutput):
        producer = _producer(value.task, scope, where)
        spec = producer.output(value.output)
        if spec is None:
            remedy = unknown_name("outputs", value.output, [held.name for held in producer.outputs])
            raise PipelineError(
                f"Task {value.task!r} has no output {value.output!r}.", where=where, remedy=remedy
            )
        if not value.selector:
            yield spec.type


def _calculated_type(value: Calculation, scope: _Scope, where: str) -> ParameterType | None:
    types: list[ParameterType | None] = []
    for operand in value.operands:
        if isinstance(operand, Constant):
            types.append(type_of(operand.value))
            continue
        given = next(iter(_types_of(operand, scope, where)), None)
        if isinstance(given, ArtifactType):
            raise artifact_in_calculation(describe(operand), given, where)
        types.append(given)
    try:
        return result_type(value.operator, tuple(types))
    except CalculationError as error:
        error.what = f"{error.what[:-1]}: {describe(value)}."
        error.where = where
        raise


def artifact_in_calculation(name: str, type_: ArtifactType, where: str) -> ArgumentError:
    """Return the error for an artifact that is calculated with."""
    return ArgumentError(
        f"{name[0].upper()}{name[1:]} is an artifact ({type_.python_name}), which cannot be calculated with.",
        where=where,
        remedy="Read it inside a component.",
    )


def _is_item(name: str, type_: ValueType) -> bool:
    """Say whether it is an item, or a part of one, of which KFP does not know the type."""
    made = name.startswith(CHANNEL) and (
        "-loop-item" in name or "-subvar-" in name or "loop-item-param" in name
    )
    return made and type_ is ParameterType.STRING


def _producer(name: str, scope: _Scope, where: str) -> Component:
    task = scope.graph.tasks.get(name)
    if task is None or task.component not in scope.pipeline.components:
        remedy = unknown_name("tasks", name, scope.graph.tasks)
        raise PipelineError(
            f"It uses task {name!r}, which is not in the pipeline.", where=where, remedy=remedy
        )
    return scope.pipeline.components[task.component]


def describe(value: Value) -> str:
    """Return what people call a value that flows: `output 'model' of task 'train'`."""
    if isinstance(value, TaskOutput):
        return f"output {value.output!r} of task {value.task!r}"
    if isinstance(value, PipelineInput):
        return f"the pipeline's parameter {value.name!r}"
    if isinstance(value, FinalStatus):
        return f"the final status of task {value.task!r}"
    if isinstance(value, RuntimeParameter):
        return f"the run's parameter {value.name!r}"
    if isinstance(value, OneOf):
        return " or ".join(describe(source) for source in value.sources)
    if isinstance(value, Calculation):
        return f"`{_formula(value)}`"
    return _short(value.value)


def _formula(value: Calculation) -> str:
    parts = []
    for operand in value.operands:
        if isinstance(operand, Calculation):
            parts.append(f"({_formula(operand)})")
        else:
            parts.append(describe(operand))
    return formula(value.operator, tuple(parts))


def wrong_constant(spec: InputSpec, error: ValueError, where: str) -> ArgumentError:
    """Return the error for a constant that is not of its parameter's type."""
    remedy = f"Give {wanted(spec)}."
    if "got None" in str(error):
        remedy = f"Leave it out, or let it be None: `{spec.name}: {spec.type.python_name} | None = None`."
    return ArgumentError(
        f"The argument {spec.name!r} {error}.",
        where=where,
        remedy=remedy,
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
