"""The types of a pipeline's values: parameters (JSON values) and artifacts (files with metadata).

Names follow KFP's PipelineSpec:
https://github.com/kubeflow/pipelines/blob/master/api/v2alpha1/pipeline_spec.proto
(`ParameterType.ParameterTypeEnum`, `ArtifactTypeSchema`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

Json: TypeAlias = Any
"""A value that `json.dumps` takes: None, bool, int, float, str, list or dict of them."""


class ParameterType(str, Enum):
    """The type of a parameter; the values are KFP's `ParameterTypeEnum` names."""

    STRING = "STRING"
    INTEGER = "NUMBER_INTEGER"
    DOUBLE = "NUMBER_DOUBLE"
    BOOLEAN = "BOOLEAN"
    LIST = "LIST"
    STRUCT = "STRUCT"
    TASK_FINAL_STATUS = "TASK_FINAL_STATUS"
    TASK_CONFIG = "TASK_CONFIG"

    @property
    def filled_in(self) -> bool:
        """True if the engine gives the value, and no one else can."""
        return self in (ParameterType.TASK_FINAL_STATUS, ParameterType.TASK_CONFIG)

    @property
    def python_name(self) -> str:
        """The Python type a user writes for it, such as `float`."""
        return _PYTHON_NAMES[self]


_PYTHON_NAMES = {
    ParameterType.STRING: "str",
    ParameterType.INTEGER: "int",
    ParameterType.DOUBLE: "float",
    ParameterType.BOOLEAN: "bool",
    ParameterType.LIST: "list",
    ParameterType.STRUCT: "dict",
    ParameterType.TASK_FINAL_STATUS: "PipelineTaskFinalStatus",
    ParameterType.TASK_CONFIG: "TaskConfig",
}

_ACCEPTED: dict[ParameterType, tuple[type, ...]] = {
    ParameterType.STRING: (str,),
    ParameterType.INTEGER: (int,),
    ParameterType.DOUBLE: (float, int),
    ParameterType.BOOLEAN: (bool,),
    ParameterType.LIST: (list, tuple),
    ParameterType.STRUCT: (dict,),
    ParameterType.TASK_FINAL_STATUS: (dict,),
    ParameterType.TASK_CONFIG: (dict,),
}


@dataclass(frozen=True, slots=True)
class ArtifactType:
    """The type of an artifact.

    Attributes:
        schema_title: KFP's schema title, such as `system.Dataset` or `google.VertexModel`.
        schema_version: The schema's version.
        is_list: True for a list of such artifacts.
    """

    schema_title: str
    schema_version: str = "0.0.1"
    is_list: bool = False

    @property
    def python_name(self) -> str:
        """The class a user writes for it, such as `Dataset` or `List[Model]`."""
        name = self.schema_title.rsplit(".", 1)[-1]
        return f"List[{name}]" if self.is_list else name


ValueType: TypeAlias = ParameterType | ArtifactType


def accepts(type_: ParameterType, value: Json) -> bool:
    """Say whether a Python value may be passed as a parameter of the type.

    An int is accepted where a float is wanted (never the other way), and a bool is not a number.
    """
    if isinstance(value, bool) and type_ is not ParameterType.BOOLEAN:
        return False
    return isinstance(value, _ACCEPTED[type_])


_ALSO = {
    (ParameterType.INTEGER, ParameterType.DOUBLE),
    (ParameterType.TASK_FINAL_STATUS, ParameterType.STRUCT),
    (ParameterType.TASK_CONFIG, ParameterType.STRUCT),
}


def connects(source: ValueType, target: ValueType) -> bool:
    """Say whether an output of type `source` may feed an input of type `target`, by KFP's rules.

    Artifacts fit when their schema titles are equal or either is the general `system.Artifact`; parameters
    fit when equal; an integer may feed a float, and a status or the settings of a task a dict.
    """
    if isinstance(source, ParameterType) or isinstance(target, ParameterType):
        return source == target or (source, target) in _ALSO
    if source.is_list != target.is_list:
        return False
    general = "system.Artifact"
    return source.schema_title == target.schema_title or general in (source.schema_title, target.schema_title)
