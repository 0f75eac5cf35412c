"""A value that will flow when the pipeline runs: a pipeline's parameter, or a task's output.

While a pipeline is being traced there is no value yet, so every use of one as a Python value is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.model.check import describe
from kfp_jupyter.model.pipeline import PipelineError, PipelineInput, TaskOutput
from kfp_jupyter.model.types import ValueType

if TYPE_CHECKING:
    from kfp_jupyter.dsl.pipeline_builder import PipelineBuilder


class ChannelUseError(PipelineError):
    """A value that will flow later was used as if it were there now."""


class PipelineChannel:
    """Stands for a value of a run, to be given to components as an argument.

    Attributes:
        value: The reference to it in the model.
        type: Its parameter or artifact type.
        builder: The pipeline that it belongs to.
    """

    __slots__ = ("builder", "type", "value")

    def __init__(self, value: PipelineInput | TaskOutput, type_: ValueType, builder: PipelineBuilder) -> None:
        self.value = value
        self.type = type_
        self.builder = builder

    @property
    def name(self) -> str:
        """The parameter's or output's name."""
        return self.value.output if isinstance(self.value, TaskOutput) else self.value.name

    @property
    def task_name(self) -> str | None:
        """The name of the task that gives it out; None for a parameter of the pipeline."""
        return self.value.task if isinstance(self.value, TaskOutput) else None

    def __repr__(self) -> str:
        return f"<{describe(self.value)}: {self.type.python_name}>"

    def __getitem__(self, key: Any) -> Any:
        self._refuse(f"be indexed with [{key!r}]")

    def _refuse(self, use: str) -> NoReturn:
        value = describe(self.value)
        raise ChannelUseError(
            f"{value[0].upper()}{value[1:]} has no value before the pipeline runs, so it cannot {use} here.",
            where=place_line(*caller()),
            remedy="Give it to a component as an argument, and do this inside the component.",
        )

    __hash__ = object.__hash__


def _refusal(use: str) -> Any:
    def refuse(self: PipelineChannel, *_: Any) -> NoReturn:
        self._refuse(use)

    return refuse


_USES = {
    "be calculated with": "add radd sub rsub mul rmul matmul truediv rtruediv floordiv rfloordiv mod rmod "
    "divmod pow rpow lshift rshift neg pos abs invert and rand or ror xor rxor",
    "be made a number": "int float complex index round",
    "be compared": "eq ne lt le gt ge contains",
    "be put into a text": "str format",
    "decide an `if`, `while`, `and`, `or` or `not`": "bool",
    "be iterated over": "iter",
    "have a length": "len",
    "be called": "call",
}

for _use, _names in _USES.items():
    for _name in _names.split():
        setattr(PipelineChannel, f"__{_name}__", _refusal(_use))
