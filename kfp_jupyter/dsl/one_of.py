"""`dsl.OneOf`: the output of whichever branch of `If`, `Elif`, `Else` was taken.

Reference: https://www.kubeflow.org/docs/components/pipelines/user-guides/core-functions/control-flow/#dsloneof
"""

from __future__ import annotations

from typing import Any

from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.dsl.for_loop import Collected
from kfp_jupyter.dsl.pipeline_channel import PipelineChannel, Selected
from kfp_jupyter.dsl.tasks_group import ConditionBranches, Else, TasksGroup
from kfp_jupyter.model.pipeline import PipelineError
from kfp_jupyter.model.value import CHANNEL


class OneOfError(PipelineError):
    """Outputs that `dsl.OneOf` cannot choose from."""


class OneOf(PipelineChannel):
    """The output of the branch that was taken.

    Args:
        *channels: An output of a task in each of the branches, all of one type.

    Attributes:
        channels: The outputs.
        branches: The group of the branches.

    Raises:
        OneOfError: They are no outputs of one type from branches of which the last is `Else`.
    """

    __slots__ = ("branches", "channels")

    def __init__(self, *channels: Any) -> None:
        if not channels:
            raise _wrong("it got none")
        first = channels[0]
        given: tuple[object, ...] = channels
        for channel in given:
            if not isinstance(channel, PipelineChannel) or isinstance(channel, (OneOf, Collected, Selected)):
                raise _wrong(f"{channel!r} is no output of a task itself")
            if channel.task_name is None or channel.task_name not in channel.builder.tasks:
                raise _wrong(f"{channel!r} is no output of a task")
            if channel.type != first.type:
                raise _wrong(
                    f"{first.describe()} is of type {first.type.python_name}, but "
                    f"{channel.describe()} of type {channel.type.python_name}"
                )
        self.branches = _branches_of(first)
        for channel in channels[1:]:
            if _branches_of(channel) is not self.branches:
                raise _wrong(f"{channel.describe()} is not in the same branches as {first.describe()}")
        if not isinstance(self.branches.children[-1], Else):
            raise _wrong("without a `dsl.Else` it may be that no branch is taken")
        self.channels = channels
        name = f"{CHANNEL}{self.branches.name}-oneof-{self.branches.next_choice()}"
        super().__init__(name, first.type, first.builder, self.branches.name, first.hint, first.is_type_known)

    def describe(self) -> str:
        """Return what people call it."""
        return " or ".join(channel.describe() for channel in self.channels)


def _branches_of(channel: PipelineChannel) -> ConditionBranches:
    group: TasksGroup | None = channel.builder.tasks[channel.task_name or ""].group
    while group is not None and not isinstance(group, ConditionBranches):
        group = group.parent
    if group is None:
        raise _wrong(f"{channel.describe()} is in no branch that has a `dsl.Else`")
    return group


def _wrong(why: str) -> OneOfError:
    return OneOfError(
        f"`dsl.OneOf` cannot choose: {why}.",
        where=place_line(*caller()),
        remedy="Give it an output from each branch of `dsl.If`, `dsl.Elif` and `dsl.Else`, all of one type.",
    )
