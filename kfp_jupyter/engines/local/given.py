"""What a task gets: its arguments, resolved in the graph that it stands in.

Where a value enters a component it is fitted to the type that is declared there, as KFP's driver does: a text
is read as JSON where another type is wanted, and another value is written as text where a text is wanted. So
an item of a list, of which KFP does not know the type, is a number again for the step that takes a number.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from kfp_jupyter.engines.local.exchange import Given, Product
from kfp_jupyter.engines.local.placeholder import PlaceholderError, has_placeholder, replaced
from kfp_jupyter.engines.local.scope import Scope
from kfp_jupyter.engines.support import task_output
from kfp_jupyter.model.calculation import evaluate
from kfp_jupyter.model.cel_values import shown_name, text_of
from kfp_jupyter.model.component import Component, InputSpec
from kfp_jupyter.model.pipeline import (
    Calculation,
    Constant,
    FinalStatus,
    Graph,
    OneOf,
    PipelineError,
    PipelineInput,
    RuntimeParameter,
    Task,
    TaskOutput,
    Value,
)
from kfp_jupyter.model.selection import selected
from kfp_jupyter.model.types import ArtifactType, Json, ParameterType, ValueType


class GivenError(Exception):
    """A task cannot get an argument; the message says which and why."""


def given_to(task: Task, path: str, component: Component, around: Scope) -> Given:
    """Return what a task gets, once all that it depends on has ended.

    An input without a value gets its default; without that it is left out, and the function's own holds.

    Raises:
        GivenError: A value is not there, or cannot be what is wanted.
    """
    specs = {spec.name: spec for spec in component.inputs}
    parameters: dict[str, Json] = {}
    others: dict[str, Json] = {}
    artifacts: dict[str, list[Json]] = {}
    digests: dict[str, list[str]] = {}
    for name, value in task.arguments.items():
        spec = specs.get(name)
        if spec is not None and isinstance(spec.type, ArtifactType):
            listed = _artifacts(value, spec.type, around)
            if listed is not None:
                artifacts[name], digests[name] = listed
            continue
        found, held = _named(name, value, around)
        if found:
            (others if spec is None else parameters)[name] = held
    names = {**around.facts.of_task(task.name, path), **input_names(parameters, others, artifacts)}
    left = False
    for name, value in task.arguments.items():
        if isinstance(value, Constant) and name in parameters and has_placeholder(value.value):
            try:
                parameters[name] = replaced(value.value, names)
                left = left or has_placeholder(parameters[name])
            except PlaceholderError as error:
                raise GivenError(f"The argument {name!r} cannot be had: {error}.") from None
    for name, spec in specs.items():
        if isinstance(spec.type, ArtifactType):
            continue
        if name in parameters:
            parameters[name] = _fitted(spec, parameters[name])
        elif spec.default is not None:
            parameters[name] = spec.default
    return Given(parameters, artifacts, digests, others, left)


def root_given(inputs: tuple[InputSpec, ...], arguments: Mapping[str, Json]) -> Given:
    """Return what a run gives to its pipeline; an artifact is handed over as its URI."""
    parameters: dict[str, Json] = {}
    artifacts: dict[str, list[Json]] = {}
    digests: dict[str, list[str]] = {}
    for spec in inputs:
        held = arguments.get(spec.name, spec.default)
        if held is not None and isinstance(spec.type, ArtifactType):
            artifacts[spec.name], digests[spec.name] = imported(held, spec.type)
        elif held is not None:
            parameters[spec.name] = held
    return Given(parameters, artifacts, digests)


def input_names(
    parameters: Mapping[str, Json], others: Mapping[str, Json], artifacts: Mapping[str, list[Json]]
) -> dict[str, Json]:
    """Return what placeholders say of a task's inputs."""
    held = {
        name: {**listed[0], "path": listed[0].get("customPath") or listed[0].get("uri", "")}
        for name, listed in artifacts.items()
        if listed
    }
    return {"inputs": {"parameters": {**others, **parameters}, "artifacts": held}}


def imported(place: Json, type_: ArtifactType) -> tuple[list[Json], list[str]]:
    """Return the artifacts at a URI or several, and what tells them from others.

    What lies outside of runs is known by its place; a file also by its time.
    """
    places = [str(held) for held in (place if isinstance(place, list) else [place])]
    type_of = {"schemaTitle": type_.schema_title}
    listed: list[Json] = [{"type": type_of, "uri": uri, "metadata": {}} for uri in places]
    return listed, [place_digest(uri) for uri in places]


def place_digest(uri: str) -> str:
    """Return what tells an artifact that lies outside of runs from another."""
    path = Path(uri)
    return f"{path} {path.stat().st_mtime_ns}" if path.exists() else uri


def outputs_of(component: Component, graph: Graph, around: Scope) -> Product:
    """Return what a graph gives out, once its tasks have ended; what comes from a skipped task is left out.

    Raises:
        GivenError: An output cannot be told.
    """
    types = {spec.name: spec.type for spec in component.outputs}
    parameters: dict[str, Json] = {}
    artifacts: dict[str, list[Json]] = {}
    digests: dict[str, list[str]] = {}
    for name, value in graph.outputs.items():
        type_ = types.get(name)
        # Of the branches of a choice, those that did not run have put out nothing.
        for source in value.sources if isinstance(value, OneOf) else (value,):
            if isinstance(type_, ArtifactType):
                listed = _artifacts(source, type_, around)
                if listed is not None:
                    artifacts[name], digests[name] = listed
                    break
            elif type_ is not None:
                found, held = _named(name, source, around)
                if found:
                    parameters[name] = held
                    break
    return Product(parameters, artifacts, digests)


def value_of(name: str, value: Value, around: Scope) -> Json:
    """Return a value that flows; None if it is not there.

    Args:
        name: What it is for, in messages.
        value: The value.
        around: The scope that it flows in.

    Raises:
        GivenError: It cannot be had.
    """
    return _named(name, value, around)[1]


def _named(name: str, value: Value, around: Scope) -> tuple[bool, Json]:
    try:
        return _parameter(value, around)
    except PipelineError as error:
        what = f"The argument {shown_name(name)!r} cannot be had: {error.what} {error.remedy}"
        raise GivenError(what.strip()) from None


def _parameter(value: Value, around: Scope) -> tuple[bool, Json]:
    if isinstance(value, Constant):
        return True, value.value
    if isinstance(value, Calculation):
        return True, evaluate(value, lambda operand: _parameter(operand, around)[1])
    if isinstance(value, FinalStatus):
        return True, around.final_status(value.task)
    if isinstance(value, RuntimeParameter):
        return value.name in around.arguments, around.arguments.get(value.name)
    if isinstance(value, PipelineInput):
        held, key, selector = around.given.parameters, value.name, value.selector
    else:
        source = task_output(value)
        product = around.products.get(source.task)
        held, key, selector = product.parameters if product else {}, source.output, source.selector
    if key not in held:
        return False, None
    return True, selected(held[key], selector)


def _artifacts(value: Value, type_: ArtifactType, around: Scope) -> tuple[list[Json], list[str]] | None:
    if isinstance(value, Constant):
        return None if value.value is None else imported(value.value, type_)
    if isinstance(value, PipelineInput):
        given, name = around.given, value.name
        listed = given.artifacts.get(name)
        return None if listed is None else (listed, list(given.digests.get(name, ())))
    if isinstance(value, TaskOutput):
        product = around.products.get(value.task, Product())
        listed = product.artifacts.get(value.output)
        return None if listed is None else (listed, list(product.digests.get(value.output, ())))
    raise GivenError(f"{value!r} is no artifact.")


def _fitted(spec: InputSpec, value: Json) -> Json:
    try:
        return fitted(value, spec.type)
    except ValueError:
        raise GivenError(
            f"The argument {shown_name(spec.name)!r} is {value!r}, not {spec.type.python_name}."
        ) from None


def fitted(value: Json, type_: ValueType) -> Json:
    """Return a value as one of a parameter's type.

    Raises:
        ValueError: A text does not write a value.
    """
    is_text = isinstance(value, str)
    if value is None or is_text is (type_ is ParameterType.STRING):
        return value
    if not is_text:
        return text_of(value)
    return json.loads(value)
