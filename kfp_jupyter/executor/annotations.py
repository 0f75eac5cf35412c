"""What the annotations of a component's function mean: `Input[Dataset]`, `OutputPath("CSV")`, `int`.

`Input[X]` is X itself to a type checker, and `Annotated[X, Input]` to us. Artifact classes are known by their
attribute `schema_title`, so that classes which a user defines serve too. `meaning` reads an annotation; the
author's side and the executor both use it.
Annotations: https://www.kubeflow.org/docs/components/pipelines/user-guides/data-handling/artifacts/
"""
# ruff: noqa: A002 (argument names are KFP's)

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Any

from kfp_jupyter.executor.artifacts import ARTIFACT_CLASSES, Artifact

PARAMETER_NAMES = {
    "bool": bool,
    "boolean": bool,
    "dict": dict,
    "double": float,
    "float": float,
    "int": int,
    "integer": int,
    "jsonarray": list,
    "jsonobject": dict,
    "list": list,
    "str": str,
    "string": str,
    "text": str,
}
"""KFP's names of parameter types, in lower case: `kfp.dsl.types.type_utils.PARAMETER_TYPES_MAPPING`."""


class Direction:
    """The marker of artifacts that go in or out of a task, made with `Input[...]` and `Output[...]`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name

    def __getitem__(self, type_: Any) -> Any:
        annotated = getattr(typing, "Annotated", None)
        return annotated[type_, self] if annotated else _Annotated(type_, self)


class _Annotated:
    """`typing.Annotated` for Python 3.8; callable because `Optional[...]` there takes nothing else."""

    def __init__(self, origin: Any, marker: Direction) -> None:
        self.__origin__ = origin
        self.__metadata__ = (marker,)

    def __call__(self) -> None:
        pass


if TYPE_CHECKING:
    from typing import Annotated, TypeVar

    T = TypeVar("T")
    Input = Annotated[T, "input"]
    Output = Annotated[T, "output"]
else:
    Input = Direction("Input")
    Output = Direction("Output")


class InputPath:
    """Annotates an argument that gets the path of an input artifact, or of a parameter written to a file.

    Args:
        type: What the input is, as for `OutputPath`.
    """

    def __init__(self, type: Any = None) -> None:
        self.type = type


class OutputPath:
    """Annotates an argument that gets the path to write an output to.

    Args:
        type: An artifact class or its name, or a parameter type or its name (`int`, `"Integer"`), whose value
            stands in the file as text; None, or a name that is not KFP's, means any artifact.
    """

    def __init__(self, type: Any = None) -> None:
        self.type = type


class PipelineTaskFinalStatus:
    """How the tasks under an exit handler ended, as its exit task sees it.

    Args:
        state: `SUCCEEDED`, `FAILED` or `CANCELLED`.
        pipeline_job_resource_name: The run's name.
        pipeline_task_name: The name of the group of tasks.
        error_code: The error's code, or None.
        error_message: The error's message, or None.
    """

    def __init__(
        self,
        state: str,
        pipeline_job_resource_name: str = "",
        pipeline_task_name: str = "",
        error_code: int | None = None,
        error_message: str | None = None,
    ) -> None:
        self.state = state
        self.pipeline_job_resource_name = pipeline_job_resource_name
        self.pipeline_task_name = pipeline_task_name
        self.error_code = error_code
        self.error_message = error_message

    @staticmethod
    def from_json(status: dict[str, Any]) -> PipelineTaskFinalStatus:
        """Return the status that KFP's JSON form describes."""
        error = status.get("error") or {}
        names = ("state", "pipelineJobResourceName", "pipelineTaskName")
        state, job, task = (status.get(name, "") for name in names)
        return PipelineTaskFinalStatus(state, job, task, error.get("code"), error.get("message"))


class Meaning(typing.NamedTuple):
    """What an annotation says.

    Attributes:
        type: The artifact class, or the parameter's Python type as written (`int`, `List[str]`).
        is_artifact: True for artifacts, False for parameters.
        is_output: True if the argument is an output.
        is_list: True for a list of artifacts.
        is_path: True if the function gets a path instead of the value.
        optional: True if None may be given.
    """

    type: typing.Any
    is_artifact: bool = False
    is_output: bool = False
    is_list: bool = False
    is_path: bool = False
    optional: bool = False


def is_artifact_class(type_: Any) -> bool:
    """Say whether it is a class of artifacts."""
    return isinstance(type_, type) and hasattr(type_, "schema_title")


def meaning(annotation: Any, names: dict[str, Any] | None = None) -> Meaning:
    """Return what an annotation of an argument, or of a returned value, means.

    Args:
        annotation: The annotation; a string is evaluated.
        names: The names that a string may use: the function's `__globals__`.

    Raises:
        Exception: Whatever evaluating a string raises.
    """
    annotation, optional = without_none(annotation, names)
    if isinstance(annotation, (InputPath, OutputPath)) or annotation in (InputPath, OutputPath):
        held = path_type(getattr(annotation, "type", None))
        is_output = OutputPath in (annotation, type(annotation))
        return Meaning(held, is_artifact_class(held), is_output, is_path=True, optional=optional)
    marks = getattr(annotation, "__metadata__", ())
    if marks:
        annotation = evaluated(annotation.__origin__, names)
    members = typing.get_args(annotation)
    is_list = typing.get_origin(annotation) is list and bool(members) and is_artifact_class(members[0])
    held = members[0] if is_list else annotation
    return Meaning(held, is_artifact_class(held), Output in marks, is_list, optional=optional)


def without_none(annotation: Any, names: dict[str, Any] | None) -> tuple[Any, bool]:
    """Return `(X, True)` for `Optional[X]` and `X | None`, else the annotation, evaluated, and False."""
    annotation = evaluated(annotation, names)
    members = typing.get_args(annotation)
    others = [held for held in members if held is not type(None)]
    if len(members) == 2 and len(others) == 1 and not hasattr(annotation, "__metadata__"):
        return evaluated(others[0], names), True
    return annotation, False


def fields_of(type_: Any) -> dict[str, Any]:
    """Return the annotation of each output that a returned type holds, by name; none if it is one value.

    A tuple's are called `Output_1` and so on; a NamedTuple, a dataclass and a TypedDict have fields.
    """
    if typing.get_origin(type_) is tuple:
        members = typing.get_args(type_)
        return {} if ... in members else {f"Output_{n}": held for n, held in enumerate(members, 1)}
    hints = getattr(type_, "__annotations__", {})
    if hasattr(type_, "__dataclass_fields__"):
        return {name: held.type for name, held in type_.__dataclass_fields__.items()}
    return {
        name: hints.get(name) for name in getattr(type_, "_fields", hints if is_typed_dict(type_) else ())
    }


def is_typed_dict(type_: Any) -> bool:
    """Say whether it is a TypedDict."""
    return isinstance(type_, type) and issubclass(type_, dict) and hasattr(type_, "__total__")


def evaluated(annotation: Any, names: dict[str, Any] | None) -> Any:
    """Return an annotation that may be a string, or a string in one, evaluated with these names."""
    text = getattr(annotation, "__forward_arg__", annotation)
    return evaluated(eval(text, names or {}), names) if isinstance(text, str) else annotation


def path_type(type_: Any) -> Any:
    """Return the artifact class or parameter type that a path's annotation was given, by class or name."""
    if isinstance(type_, str):
        names = {known.__name__.lower(): known for known in ARTIFACT_CLASSES}
        return {**names, **PARAMETER_NAMES}.get(type_.lower(), Artifact)
    return Artifact if type_ is None else type_
