"""A task where one of its outputs was meant: `step() + 1`, `step() == "a"`, `f"{step()}"`.

Python would answer some of these silently, such as a comparison with False; here each names the task and the
output to take. Only unpacking has a meaning: `train, test = split(…)` gives the outputs in order.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.model.pipeline import PipelineError

if TYPE_CHECKING:
    from kfp_jupyter.dsl.pipeline_channel import PipelineChannel
    from kfp_jupyter.dsl.task_outputs import TaskOutputs


class TaskUseError(PipelineError, TypeError):
    """A task was used as if it were a value."""


class TaskItself(ABC):
    """What a task refuses because it is no value.

    Attributes:
        name: The task's name.
    """

    name: str

    @property
    @abstractmethod
    def outputs(self) -> TaskOutputs:
        """Its outputs by name."""

    def __iter__(self) -> Iterator[PipelineChannel]:
        """Yield the outputs in the order in which the component declares them.

        Raises:
            TaskUseError: There are not several.
        """
        if len(self.outputs) < 2:
            self.refuse("unpacked or iterated over")
        return iter([self.outputs[name] for name in self.outputs])

    def __eq__(self, other: object) -> bool:
        from kfp_jupyter.dsl.pipeline_channel import PipelineChannel

        if isinstance(other, (str, int, float, PipelineChannel)):
            self.refuse("compared")
        return self is other

    __hash__ = object.__hash__

    def __format__(self, spec: str) -> str:
        return self.refuse("put into a text")

    def refuse(self, use: str) -> NoReturn:
        """Say what to use instead of the task.

        Raises:
            TaskUseError: Always.
        """
        names = list(self.outputs)
        listed = ", ".join(f"`.outputs[{name!r}]`" for name in names)
        remedy = f"Use one of its outputs: {listed}." if names else "It gives out nothing."
        if len(names) == 1:
            remedy = "Use its output: `.output`."
        line = place_line(*caller())
        raise TaskUseError(
            f"The task {self.name!r} itself was {use}.",
            where=f"{line}, task {self.name}" if line else f"task {self.name}",
            remedy=remedy,
        )


def _refusal(use: str) -> Any:
    def refuse(self: TaskItself, *_: Any) -> NoReturn:
        self.refuse(use)

    return refuse


_USES = {
    "calculated with": "add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow neg",
    "compared": "lt le gt ge",
    "taken for a condition": "and rand or ror invert",
    "indexed": "getitem",
    "searched": "contains",
    "made a number": "int float index",
    "asked for its length": "len",
    "called": "call",
}

for _use, _names in _USES.items():
    for _name in _names.split():
        setattr(TaskItself, f"__{_name}__", _refusal(_use))
