"""The outputs of a task while its pipeline is being written: each stands for a value of the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from kfp_jupyter.dsl.pipeline_channel import PipelineChannel
from kfp_jupyter.model.check import unknown_name
from kfp_jupyter.model.pipeline import PipelineError

if TYPE_CHECKING:
    from kfp_jupyter.dsl.pipeline_task import PipelineTask


class OutputError(PipelineError, KeyError):
    """An output was asked for that a task does not have; KFP raises a `KeyError`."""


class TaskOutputs(Mapping[str, PipelineChannel]):
    """The outputs of a task by name."""

    def __init__(self, task: PipelineTask) -> None:
        self._task = task

    def __getitem__(self, name: str) -> PipelineChannel:
        task = self._task
        spec = task.component.output(name)
        if spec is None:
            raise OutputError(
                f"Task {task.name!r} has no output {name!r}.",
                where=task.place(),
                remedy=unknown_name("outputs", str(name), self),
            )
        return PipelineChannel(spec.name, spec.type, task.builder, task.name, spec.hint)

    def __repr__(self) -> str:
        return f"<the outputs of task {self._task.name!r}: {', '.join(self)}>"

    def __iter__(self) -> Iterator[str]:
        return (spec.name for spec in self._task.component.outputs)

    def __len__(self) -> int:
        return len(self._task.component.outputs)

    def __contains__(self, name: object) -> bool:
        return any(spec.name == name for spec in self._task.component.outputs)
