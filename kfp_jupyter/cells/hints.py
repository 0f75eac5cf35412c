"""A type hint as the type of a component's input or output.

The executor reads the same hints when the step runs, so both sides share its `meaning`; here its answer
becomes a type of the model. Rules:
https://www.kubeflow.org/docs/components/pipelines/user-guides/data-handling/data-types/
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from kfp_jupyter.cells.special_inputs import EmbeddedInput, TaskConfig
from kfp_jupyter.executor.annotations import (
    Input,
    InputPath,
    Meaning,
    Output,
    OutputPath,
    PipelineTaskFinalStatus,
)
from kfp_jupyter.executor.artifacts import ARTIFACT_CLASSES
from kfp_jupyter.model.types import ArtifactType, ParameterType, ValueType

_PARAMETERS: dict[Any, ParameterType] = {
    str: ParameterType.STRING,
    int: ParameterType.INTEGER,
    float: ParameterType.DOUBLE,
    bool: ParameterType.BOOLEAN,
    list: ParameterType.LIST,
    dict: ParameterType.STRUCT,
    PipelineTaskFinalStatus: ParameterType.TASK_FINAL_STATUS,
    TaskConfig: ParameterType.TASK_CONFIG,
}

SUPPORTED = (
    "str, int, float, bool, list, dict (also List[...], Dict[...], Optional[...], Literal[...] of one type), "
    "Input[...] or Output[...] of an artifact class, InputPath(...) and OutputPath(...)"
)
"""The hints that a message offers."""


def value_type(meaning: Meaning) -> ValueType | None:
    """Return the type that a hint means, or None if a pipeline has none for it."""
    if meaning.is_artifact:
        version = getattr(meaning.type, "schema_version", "0.0.1")
        return ArtifactType(meaning.type.schema_title, version, meaning.is_list)
    plain = typing.get_origin(meaning.type) or meaning.type
    if plain is typing.Literal:
        kinds = {type(held) for held in typing.get_args(meaning.type)}
        plain = kinds.pop() if len(kinds) == 1 else None
    try:
        return _PARAMETERS.get(plain)
    except TypeError:  # a hint that cannot be hashed is no type
        return None


def literals(meaning: Meaning) -> tuple[Any, ...]:
    """Return the only values that a `Literal[...]` allows; none for other hints."""
    is_literal = typing.get_origin(meaning.type) is typing.Literal
    return typing.get_args(meaning.type) if is_literal else ()


@cache
def authoring_names() -> Mapping[str, Any]:
    """Return the names that a hint may use without an import: those of `typing`, and our annotations."""
    names = {
        **{name: getattr(typing, name) for name in typing.__all__},
        **{known.__name__: known for known in ARTIFACT_CLASSES},
        "Input": Input,
        "Output": Output,
        "InputPath": InputPath,
        "OutputPath": OutputPath,
        "PipelineTaskFinalStatus": PipelineTaskFinalStatus,
        "EmbeddedInput": EmbeddedInput,
        "TaskConfig": TaskConfig,
    }
    return MappingProxyType(names)
