"""What a command that knows nothing of this package has put out, made the commit record of its attempt.

It writes each output parameter to a file, as text that is read by the parameter's type, and artifacts to
their paths; it may write an ExecutorOutput too, whose word counts first.
Reference: `collectOutputParameters` of KFP's launcher,
https://github.com/kubeflow/pipelines/blob/master/backend/src/v2/component/launcher_v2.go
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from kfp_jupyter.engines.local.plan import write_whole
from kfp_jupyter.model.component import Component
from kfp_jupyter.model.types import ArtifactType, Json, ParameterType, ValueType

_TRUTHS = {
    **dict.fromkeys(("1", "t", "true"), True),
    **dict.fromkeys(("0", "f", "false"), False),
}


class CollectionError(Exception):
    """An output cannot be used.

    Attributes:
        type: The kind of error, `MissingOutput` or `BadOutput`, as steps in Python have it.
    """

    def __init__(self, type_: str, message: str) -> None:
        super().__init__(message)
        self.type = type_


def commit(component: Component, executor_input: Json, record: Path) -> None:
    """Collect what a command has put out, and write the commit record.

    Args:
        component: What was run.
        executor_input: What it was given.
        record: The record's file.

    Raises:
        CollectionError: An output is not there, or is not of its type.
        OSError: The record could not be written.
    """
    outputs = executor_input["outputs"]
    written = _written(Path(outputs["outputFile"]))
    parameters = dict(written.get("parameterValues") or {})
    artifacts = {}
    for spec in component.outputs:
        if isinstance(spec.type, ArtifactType):
            told = ((written.get("artifacts") or {}).get(spec.name) or {}).get("artifacts") or []
            (planned,) = outputs["artifacts"][spec.name]["artifacts"]
            merged = [_merged(planned, held) for held in told]
            artifacts[spec.name] = {"artifacts": merged if merged or spec.type.is_list else [planned]}
        elif spec.name not in parameters:
            file = Path(outputs["parameters"][spec.name]["outputFile"])
            parameters[spec.name] = _read(spec.name, spec.type, file)
    write_whole(record, json.dumps({"parameterValues": parameters, "artifacts": artifacts}))


def _written(file: Path) -> Json:
    try:
        written = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise CollectionError(
            "BadOutput", f"What it wrote to {file} is no ExecutorOutput: {error}."
        ) from None
    if not isinstance(written, dict):
        raise CollectionError("BadOutput", f"What it wrote to {file} is no ExecutorOutput.")
    return written


def _merged(planned: Json, told: Json) -> Json:
    metadata = {**planned["metadata"], **(told.get("metadata") or {})}
    kept = {key: told[key] for key in ("name", "uri", "customPath") if told.get(key)}
    return {**planned, **kept, "metadata": metadata}


def _read(name: str, type_: ValueType, file: Path) -> Json:
    try:
        text = file.read_text(encoding="utf-8")
    except (FileNotFoundError, IsADirectoryError):
        raise CollectionError(
            "MissingOutput", f"the command did not write its output {name!r} to {file}"
        ) from None
    except UnicodeDecodeError:
        raise CollectionError("BadOutput", f"the output {name!r} is not UTF-8") from None
    try:
        return _value(text, type_)
    except ValueError:
        shown = text.strip()[:80]
        raise CollectionError(
            "BadOutput", f"the output {name!r} is {shown!r}, not {type_.python_name}"
        ) from None


def _value(text: str, type_: ValueType) -> Json:
    if type_ is ParameterType.STRING:
        return text
    word = text.strip()
    if type_ is ParameterType.INTEGER:
        return int(word)
    if type_ is ParameterType.DOUBLE:
        number = float(word)
        if not math.isfinite(number):
            raise ValueError
        return number
    if type_ is ParameterType.BOOLEAN:
        if word.lower() not in _TRUTHS:
            raise ValueError
        return _TRUTHS[word.lower()]
    value = json.loads(word)
    if (type_ is ParameterType.LIST and not isinstance(value, list)) or (
        type_ is ParameterType.STRUCT and not isinstance(value, dict)
    ):
        raise ValueError
    return value
