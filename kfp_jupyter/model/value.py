"""What an argument of a task, or an output of a graph, may be.

The kinds are those of KFP's PipelineSpec (`TaskInputsSpec`, `DagOutputsSpec`), with our names. A text
constant may hold KFP's placeholders, such as `{{$.inputs.parameters['pipelinechannel--train-Output']}}`; what
they refer to is then among the arguments of the same task, under that name, though its component declares no
such input.

One kind is ours: a `Calculation` with values that flow, such as `rows * 2`. KFP's format has no place for it,
so only our own engines can honour it (see `calculation`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from kfp_jupyter.model.types import Json

CHANNEL = "pipelinechannel--"
"""What begins the names of inputs that KFP makes itself, to bring values into a group or a placeholder."""

PLACEHOLDER = "{{$"
"""What begins a placeholder in a text, which is replaced when the task runs."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A value written in the pipeline."""

    value: Json


@dataclass(frozen=True, slots=True)
class PipelineInput:
    """The value of an input of the enclosing graph (the pipeline, or a group in it).

    Attributes:
        name: The input's name.
        selector: A CEL expression on it, such as `parseJson(string_value)["a"]`; empty takes it whole.
    """

    name: str
    selector: str = ""


@dataclass(frozen=True, slots=True)
class TaskOutput:
    """The value of the output of another task in the same graph.

    Attributes:
        task: The task's name.
        output: The output's name.
        selector: See `PipelineInput`.
    """

    task: str
    output: str
    selector: str = ""


@dataclass(frozen=True, slots=True)
class FinalStatus:
    """How another task of the same graph ended, also when it failed (KFP's `PipelineTaskFinalStatus`)."""

    task: str


@dataclass(frozen=True, slots=True)
class RuntimeParameter:
    """A parameter of the run by name, in KFP's older way (`runtimeValue.runtimeParameter`)."""

    name: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """The output of whichever of these tasks ran; only as the output of a graph."""

    sources: tuple[TaskOutput, ...]


@dataclass(frozen=True, slots=True)
class Calculation:
    """What an operator makes of other values.

    Attributes:
        operator: One of Python's: `+`, `-`, `*`, `/`, `//`, `%`, `**`; `-` of one operand is its negative.
        operands: One or two values, of which at least one flows.
    """

    operator: str
    operands: tuple[Constant | PipelineInput | TaskOutput | Calculation, ...]


Operand = Constant | PipelineInput | TaskOutput | Calculation
Value = Constant | PipelineInput | TaskOutput | FinalStatus | RuntimeParameter | OneOf | Calculation


def renamed(value: Value, old: str, new: str) -> Value:
    """Return a value that comes from the task of another name."""
    if isinstance(value, (TaskOutput, FinalStatus)) and value.task == old:
        return replace(value, task=new)
    if isinstance(value, OneOf):
        held = tuple(replace(source, task=new) if source.task == old else source for source in value.sources)
        return OneOf(held)
    if isinstance(value, Calculation):
        operands = tuple(cast("Operand", renamed(operand, old, new)) for operand in value.operands)
        return replace(value, operands=operands)
    return value


def sources(value: Value) -> tuple[str, ...]:
    """Return the names of the tasks that a value comes from."""
    if isinstance(value, (TaskOutput, FinalStatus)):
        return (value.task,)
    if isinstance(value, OneOf):
        return tuple(source.task for source in value.sources)
    if isinstance(value, Calculation):
        return tuple(name for operand in value.operands for name in sources(operand))
    return ()
