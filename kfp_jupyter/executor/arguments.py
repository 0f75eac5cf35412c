"""KFP's ExecutorInput to the arguments that the function is called with.

ExecutorInput says what is a parameter and what an artifact; annotations say in which form they are wanted.
Spec: `ExecutorInput` in https://github.com/kubeflow/pipelines/blob/master/api/v2alpha1/pipeline_spec.proto
"""

from __future__ import annotations

import json
import os
import typing
from typing import Any, Callable

from kfp_jupyter.executor.annotations import (
    Meaning,
    PipelineTaskFinalStatus,
    meaning,
    without_none,
)
from kfp_jupyter.executor.artifacts import Artifact, artifact_class
from kfp_jupyter.executor.failure import StepError


class Arguments:
    """The arguments of one call.

    Args:
        function: The function.
        executor_input: The decoded ExecutorInput.

    Attributes:
        line: The line of the function in its source, for errors; 0 if unknown.
        values: The arguments by name.
        artifacts: The output artifacts handed in, by output name.
        paths: Path and meaning of each output handed in as a path, by output name.
        annotated: The return annotation, evaluated; None if there is none to be had.
        names: What annotations may use.

    Raises:
        StepError: A required argument was not given.
    """

    def __init__(self, function: Callable[..., Any], executor_input: dict[str, Any]) -> None:
        self.values: dict[str, Any] = {}
        self.artifacts: dict[str, list[Artifact]] = {}
        self.paths: dict[str, tuple[str, Meaning]] = {}
        # Read without `inspect`, whose import takes as long as all the rest here.
        inner: Any = function
        while hasattr(inner, "__wrapped__"):
            inner = inner.__wrapped__
        code = inner.__code__
        self.line = code.co_firstlineno
        names, hints = inner.__globals__, inner.__annotations__
        self.names = names
        self.annotated = or_none(hints.get("return"), names)
        free = code.co_argcount - len(inner.__defaults__ or ())
        inputs, outputs = executor_input.get("inputs") or {}, executor_input["outputs"]
        artifacts, parameters = inputs.get("artifacts") or {}, inputs.get("parameterValues") or {}
        made, files = outputs.get("artifacts") or {}, outputs.get("parameters") or {}
        for index, name in enumerate(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]):
            means = _meaning(hints.get(name), names)
            required = index < free or (
                index >= code.co_argcount and name not in (inner.__kwdefaults__ or ())
            )
            given = name in artifacts or name in parameters
            if name in made and (means.is_output or not given):
                self._output_artifact(name, means, artifacts_of(made[name], means))
            elif means.is_output and name in files:
                self._output_path(name, means, files[name]["outputFile"])
            elif name in artifacts:
                self._input_artifact(name, means, artifacts_of(artifacts[name], means))
            elif name in parameters:
                value = self._parameter(name, parameters[name], means)
                if means.is_path:
                    value = _written(os.path.dirname(outputs["outputFile"]), name, value)
                self.values[name] = value
            elif required and not means.optional:
                raise StepError("MissingArgument", f"the argument {name!r} was not given", self.line)
            elif required:
                self.values[name] = None
        for name, listed in made.items():
            if name not in self.artifacts:
                # It is returned, and may be written before that.
                for artifact in artifacts_of(listed, _meaning(None, names)):
                    make_parent(artifact.path)

    def _parameter(self, name: str, value: Any, means: Meaning) -> Any:
        if means.type is PipelineTaskFinalStatus:
            return PipelineTaskFinalStatus.from_json(value or {})
        try:
            return converted(value, means.type)
        except TypeError:
            if is_literal(means.type) and not (value is None and means.optional):
                reason = f"the argument {name!r} is {value!r}, not one of {typing.get_args(means.type)}"
                raise StepError("BadArgument", reason, self.line) from None
            return value

    def _input_artifact(self, name: str, means: Meaning, artifacts: list[Artifact]) -> None:
        first = artifacts[0] if artifacts else None
        self.values[name] = artifacts if means.is_list else first.path if first and means.is_path else first

    def _output_artifact(self, name: str, means: Meaning, artifacts: list[Artifact]) -> None:
        self.artifacts[name] = artifacts
        for artifact in artifacts:
            make_parent(artifact.path)
        self.values[name] = artifacts if means.is_list else artifacts[0]
        if means.is_path:
            self._output_path(name, means, artifacts[0].path)

    def _output_path(self, name: str, means: Meaning, path: str) -> None:
        make_parent(path)
        self.paths[name] = (path, means)
        self.values[name] = path


def artifacts_of(listed: dict[str, Any], means: Meaning) -> list[Artifact]:
    """Return the artifacts that RuntimeArtifacts describe, of the annotated class or else their schema's."""
    artifacts = []
    for record in listed.get("artifacts") or []:
        title = (record.get("type") or {}).get("schemaTitle", "")
        annotated = means.is_artifact and means.type is not Artifact
        given = means.type if annotated else artifact_class(title)
        artifact = given(name=record.get("name"), uri=record.get("uri"), metadata=record.get("metadata"))
        artifact.custom_path = record.get("customPath") or ""
        artifacts.append(artifact)
    return artifacts


def converted(value: Any, type_: Any) -> Any:
    """Return a parameter as its Python type: an int where a float is wanted, JSON's `5.0` where an int is.

    Raises:
        TypeError: The value is of another type.
    """
    if is_literal(type_):
        for held in typing.get_args(type_):
            if held == value and isinstance(held, bool) is isinstance(value, bool):
                return held
        raise TypeError
    wanted = typing.get_origin(type_) or type_
    is_bool = isinstance(value, bool)
    if wanted is float and (type(value) is int or value in ("NaN", "Infinity", "-Infinity")):
        return float(value)
    if wanted is int and isinstance(value, float) and value.is_integer():
        return int(value)
    known = wanted in (str, int, float, bool, list, dict)
    if known and (not isinstance(value, wanted) or (is_bool and wanted is not bool)):
        raise TypeError(f"{type(value).__name__} is not {wanted.__name__}")
    return value


def is_literal(type_: Any) -> bool:
    """Say whether it is a `Literal[...]`."""
    return typing.get_origin(type_) is typing.Literal


def make_parent(path: str) -> None:
    """Make the folder that a file is to be written in."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)


def _written(folder: str, name: str, value: Any) -> str:
    """Write a parameter to a file, a string as it is and the rest as JSON, and return the file's path."""
    path = os.path.join(folder, "inputs", name)
    make_parent(path)
    with open(path, "w", encoding="utf-8") as file:
        file.write(value if isinstance(value, str) else json.dumps(value))
    return path


def _meaning(annotation: Any, names: dict[str, Any]) -> Meaning:
    try:
        return meaning(annotation, names)
    except Exception:  # noqa: BLE001 (whatever the user's annotation raises)
        # Written for a newer Python than the step's, such as `int | None`: ExecutorInput says what it is.
        text = str(annotation)
        return Meaning(None, False, "Output" in text, "ist[" in text, "Path" in text, "None" in text)


def or_none(annotation: Any, names: dict[str, Any]) -> Any:
    """Return an annotation without its `None`, evaluated; None if that fails."""
    try:
        return without_none(annotation, names)[0]
    except Exception:  # noqa: BLE001 (whatever the user's annotation raises)
        return None
