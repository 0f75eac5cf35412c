"""What the function returned and wrote, to KFP's ExecutorOutput.

Spec: `ExecutorOutput` in https://github.com/kubeflow/pipelines/blob/master/api/v2alpha1/pipeline_spec.proto
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Sequence

from kfp_jupyter.executor.annotations import Meaning, fields_of
from kfp_jupyter.executor.arguments import Arguments, converted, make_parent, or_none
from kfp_jupyter.executor.artifacts import Artifact, artifact_class, plain
from kfp_jupyter.executor.failure import StepError

WRITTEN = ("Dataset", "Model", "HTML", "Markdown")
"""Kinds of artifacts that are files; metrics may live in the metadata alone."""


class Results:
    """Gathers the outputs of one call.

    Args:
        arguments: What the function was called with.
        outputs: The `outputs` of the ExecutorInput.

    Attributes:
        values: What was returned for each output.
    """

    def __init__(self, arguments: Arguments, outputs: dict[str, Any]) -> None:
        self._arguments = arguments
        self._files = outputs.get("parameters") or {}
        self._declared = outputs.get("artifacts") or {}
        self.values: dict[str, Any] = {}
        self._parameters: dict[str, Any] = {}
        self._artifacts: dict[str, Any] = {}

    def executor_output(self, returned: Any) -> dict[str, Any]:
        """Return the ExecutorOutput.

        Raises:
            StepError: An output is missing, undeclared, of another type, or not to be held by JSON.
        """
        for name, (path, means) in self._arguments.paths.items():
            self._add_written(name, path, means)
        for name, artifacts in self._arguments.artifacts.items():
            self._add_artifacts(name, artifacts)
        expected = [name for name in [*self._files, *self._declared] if not self._has(name)]
        for name, value, type_ in self._named(returned, expected) if expected else ():
            self.values[name] = value
            if name in self._declared:
                self._add_artifacts(name, value if isinstance(value, (list, tuple)) else [value])
            elif name in self._files:
                self._add_parameter(name, value, type_)
            else:
                raise self._error(f"the function returned {name!r}, which is no output")
        for name in expected:
            if not self._has(name):
                raise self._error(f"the function returned nothing for its output {name!r}", "MissingOutput")
        if returned is not None and not expected:
            print(f"warning: what the function returned is no output: {_short(returned)}", file=sys.stderr)
        return {"parameterValues": self._parameters, "artifacts": self._artifacts}

    def _has(self, name: str) -> bool:
        return name in self._parameters or name in self._artifacts

    def _named(self, returned: Any, expected: list[str]) -> list[tuple[str, Any, Any]]:
        annotation = self._arguments.annotated
        types, own = fields_of(annotation), fields_of(type(returned))
        is_tuple, is_dict = isinstance(returned, tuple), isinstance(returned, dict)
        if is_tuple and not (types or own) and "Output_1" in expected:
            types = {f"Output_{n}": None for n in range(1, len(returned) + 1)}
        fields = list(types or own)
        if not fields and not (is_dict and len(expected) > 1):
            return [(expected[0] if len(expected) == 1 else "Output", returned, annotation)]
        if is_dict:
            values = returned
        elif is_tuple and len(returned) == len(fields):
            values = dict(zip(own if set(own) == set(fields) else fields, returned))
        elif own and not is_tuple:
            known = {**self._files, **self._declared}
            values = {name: getattr(returned, name) for name in own if name in known}
        else:
            raise self._error(f"the function must return {fields}, not {_short(returned)}")
        names = self._arguments.names
        return [(name, held, or_none(types.get(name), names)) for name, held in values.items()]

    def _add_parameter(self, name: str, value: Any, type_: Any) -> None:
        if value is None:
            raise self._error(f"the function returned None for its output {name!r}", "MissingOutput")
        try:
            value = plain(converted(self._plain(name, value), type_))
        except TypeError:
            wanted = type_.__name__ if isinstance(type_, type) else type_
            raise self._error(
                f"the output {name!r} is declared as {wanted}, but the function returned {_short(value)}"
            ) from None
        text = self._json(name, value)
        file = self._files[name].get("outputFile")
        if file:
            write(file, value if isinstance(value, str) else text)
        self._parameters[name] = value

    def _add_written(self, name: str, path: str, means: Meaning) -> None:
        if not os.path.exists(path):
            raise self._error(f"the function did not write its output {name!r} to {path}", "MissingOutput")
        if name in self._declared:
            return
        try:
            with open(path, encoding="utf-8") as file:
                value = file.read()
        except ValueError:
            raise self._error(f"the file of the output {name!r} is not UTF-8 text") from None
        if means.type not in (str, None):
            try:
                value = json.loads(value.strip().lower() if means.type is bool else value)
            except ValueError:
                raise self._error(
                    f"the file of the output {name!r} should hold {means.type}, not {_short(value)}"
                ) from None
        self._add_parameter(name, value, means.type)

    def _add_artifacts(self, name: str, artifacts: Sequence[Artifact]) -> None:
        records = []
        for index, artifact in enumerate(artifacts):
            given = [*(self._declared[name].get("artifacts") or []), *({} for _ in artifacts)][index]
            if isinstance(artifact, str) and given:
                # As KFP does: it is what the artifact's file holds.
                text, title = artifact, given["type"]["schemaTitle"]
                artifact = artifact_class(title)(uri=given["uri"])  # noqa: PLW2901 (it is that from here on)
                write(artifact.path, text)
            if not hasattr(artifact, "schema_title"):
                raise self._error(
                    f"the output {name!r} is an artifact, but the function returned {_short(artifact)}"
                )
            record = {
                "name": artifact.name or given.get("name", ""),
                "type": {"schemaTitle": artifact.schema_title},
                "uri": artifact.uri or given.get("uri", ""),
                "metadata": self._plain(name, artifact.metadata),
            }
            self._json(f"{name}.metadata", record)
            if artifact.schema_title.split(".")[-1] in WRITTEN and not os.path.exists(artifact.path):
                said = f"warning: nothing was written to the output {name!r}: {artifact.path}"
                print(said + _beside(artifact.path), file=sys.stderr)
            records.append(record)
        self._artifacts[name] = {"artifacts": records}

    def _plain(self, name: str, value: Any) -> Any:
        try:
            return plain(value)
        except RecursionError:
            raise self._error(
                f"the output {name!r} holds itself, or is nested too deeply; give out a plain copy"
            ) from None

    def _json(self, name: str, value: Any) -> str:
        try:
            if isinstance(value, str):
                value.encode()  # half a surrogate pair is a str, but no text
            return json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise self._error(f"the output {name!r} must be a value that JSON can hold: {error}") from None

    def _error(self, message: str, reason: str = "BadOutput") -> StepError:
        return StepError(reason, message, self._arguments.line)


def write(path: str, text: str, *, durable: bool = False) -> None:
    """Write a text file so that it is there whole or not at all; if durable, it outlasts the machine."""
    make_parent(path)
    part = f"{path}.{os.getpid()}"
    with open(part, "w", encoding="utf-8") as file:
        file.write(text)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    os.replace(part, path)


def _beside(path: str) -> str:
    """Return what to say if something was written beside a path, as `numpy.savez` does."""
    folder, name = os.path.split(path)
    there = os.listdir(folder) if os.path.isdir(folder) else []
    others = [other for other in there if other.startswith(name + ".")]
    return f", but to {others}; open {name!r} and write to the open file" if others else ""


def _short(value: Any) -> str:
    return f"{type(value).__name__} {repr(value)[:80]}"
