"""A task's arguments to KFP's ExecutorInput, and KFP's ExecutorOutput to what a run knows of the task.

Spec: https://github.com/kubeflow/pipelines/blob/master/api/v2alpha1/pipeline_spec.proto
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kfp_jupyter.engines.local.folder import folder_name
from kfp_jupyter.engines.support import task_output
from kfp_jupyter.model.calculation import evaluate
from kfp_jupyter.model.component import Component
from kfp_jupyter.model.pipeline import (
    Calculation,
    Constant,
    Pipeline,
    PipelineError,
    PipelineInput,
    Task,
    TaskOutput,
    Value,
)
from kfp_jupyter.model.run import ArtifactRecord, TaskRun
from kfp_jupyter.model.selection import selected
from kfp_jupyter.model.types import ArtifactType, Json


@dataclass(frozen=True, slots=True)
class Product:
    """What a task has put out.

    Attributes:
        parameters: Parameters by output name.
        artifacts: Lists of KFP's RuntimeArtifacts by output name.
        digests: A digest of each artifact's contents, if they were taken.
    """

    parameters: Mapping[str, Json] = field(default_factory=dict)
    artifacts: Mapping[str, list[Json]] = field(default_factory=dict)
    digests: Mapping[str, list[str]] = field(default_factory=dict)

    def records(self) -> dict[str, tuple[ArtifactRecord, ...]]:
        """Return the artifacts as a run knows them."""
        return {
            name: tuple(
                ArtifactRecord(
                    type=(held.get("type") or {}).get("schemaTitle", ""),
                    uri=held.get("uri", ""),
                    path=held.get("uri", "") if Path(held.get("uri", "")).is_absolute() else "",
                    metadata=held.get("metadata") or {},
                )
                for held in listed
            )
            for name, listed in self.artifacts.items()
        }


@dataclass(frozen=True, slots=True)
class Given:
    """What a task gets.

    Attributes:
        parameters: Parameters by input name.
        artifacts: Lists of KFP's RuntimeArtifacts by input name.
        digests: A digest of each artifact's contents, where it is known.
    """

    parameters: Mapping[str, Json]
    artifacts: Mapping[str, list[Json]]
    digests: Mapping[str, list[str]]


def given_to(
    task: Task, pipeline: Pipeline, arguments: Mapping[str, Json], products: Mapping[str, Product]
) -> Given:
    """Return what a task gets, once all that it depends on has succeeded.

    An input without an argument is left out; the function's own default then holds.

    Raises:
        PipelineError: A part of a value is not there, or it cannot be calculated; the input is named.
    """
    component = pipeline.component_of(task)
    parameters: dict[str, Json] = {}
    artifacts: dict[str, list[Json]] = {}
    digests: dict[str, list[str]] = {}
    for name, value in task.arguments.items():
        spec = component.input(name)
        if spec is None:
            continue
        if isinstance(spec.type, ArtifactType):
            listed = _artifacts(value, spec.type, arguments, products)
            if listed is not None:
                artifacts[name] = listed
                digests[name] = _digests(value, listed, products)
        else:
            try:
                found, held = _parameter(value, pipeline, arguments, products)
            except PipelineError as error:
                error.what = f"The argument {name!r} cannot be had: {error.what}"
                raise
            if found:
                parameters[name] = held
    return Given(parameters, artifacts, digests)


def executor_input(component: Component, given: Given, attempt: Path, artifacts: Path) -> Json:
    """Return the ExecutorInput of an attempt.

    Args:
        component: What is run.
        given: What it gets.
        attempt: The attempt's folder.
        artifacts: The folder for its artifacts.
    """
    outputs: dict[str, Json] = {}
    parameters: dict[str, Json] = {}
    for spec in component.outputs:
        place = folder_name(spec.name)
        if isinstance(spec.type, ArtifactType):
            outputs[spec.name] = {
                "artifacts": [
                    {
                        "name": spec.name,
                        "type": {
                            "schemaTitle": spec.type.schema_title,
                            "schemaVersion": spec.type.schema_version,
                        },
                        "uri": str(artifacts / place),
                        "metadata": {},
                    }
                ]
            }
        else:
            parameters[spec.name] = {"outputFile": str(attempt / "outputs" / place)}
    return {
        "inputs": {
            "parameterValues": dict(given.parameters),
            "artifacts": {name: {"artifacts": listed} for name, listed in given.artifacts.items()},
        },
        "outputs": {
            "parameters": parameters,
            "artifacts": outputs,
            "outputFile": str(attempt / "output.json"),
        },
    }


def product_in(path: Path) -> Product | None:
    """Read an attempt's ExecutorOutput; None if it is not there: the attempt has not succeeded."""
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    artifacts = {name: held["artifacts"] for name, held in written.get("artifacts", {}).items()}
    return Product(written.get("parameterValues", {}), artifacts)


def product_of(task: TaskRun) -> Product:
    """Return what a task has put out, as a run knows it."""
    artifacts: dict[str, list[Json]] = {
        name: [
            {
                "name": name,
                "type": {"schemaTitle": record.type},
                "uri": record.uri,
                "metadata": dict(record.metadata),
            }
            for record in records
        ]
        for name, records in task.artifacts.items()
    }
    return Product(dict(task.outputs), artifacts)


def _parameter(
    value: Value, pipeline: Pipeline, arguments: Mapping[str, Json], products: Mapping[str, Product]
) -> tuple[bool, Json]:
    if isinstance(value, Constant):
        return True, value.value
    if isinstance(value, Calculation):
        return True, evaluate(value, lambda operand: _parameter(operand, pipeline, arguments, products)[1])
    if isinstance(value, PipelineInput):
        spec = next((spec for spec in pipeline.inputs if spec.name == value.name), None)
        default = spec.default if spec is not None else None
        held = arguments.get(value.name, default)
        return held is not None, held if held is None else selected(held, value.selector)
    source = task_output(value)
    parameters = products[source.task].parameters
    if source.output not in parameters:
        return False, None
    return True, selected(parameters[source.output], source.selector)


def _artifacts(
    value: Value, type_: ArtifactType, arguments: Mapping[str, Json], products: Mapping[str, Product]
) -> list[Json] | None:
    if isinstance(value, Constant):
        place: Json = value.value
    elif isinstance(value, PipelineInput):
        place = arguments.get(value.name)
    else:
        source = task_output(value)
        return products[source.task].artifacts.get(source.output)
    if place is None:
        return None
    # An artifact handed to the pipeline is its URI.
    places = place if isinstance(place, list) else [place]
    return [
        {"type": {"schemaTitle": type_.schema_title}, "uri": str(held), "metadata": {}} for held in places
    ]


def _digests(value: Value, listed: list[Json], products: Mapping[str, Product]) -> list[str]:
    if isinstance(value, TaskOutput):
        return list(products[value.task].digests.get(value.output, ()))
    # What lies outside is known by its place; a file also by its size and time.
    places = [Path(held["uri"]) for held in listed]
    return [f"{place} {place.stat().st_mtime_ns}" if place.exists() else str(place) for place in places]
