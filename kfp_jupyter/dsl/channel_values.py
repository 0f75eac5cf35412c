"""How each scope knows a channel: as an output of a task beside, or as an input that was led in.

Names of what is led into a group or out of it are KFP's (`pipelinechannel--train-model`), and so is what is
led where: a condition's values go into every group below it that has tasks, and the item of an outer loop
goes into an inner loop over a part of that item. What is calculated is calculated where it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from kfp_jupyter.dsl.calculated import Calculated
from kfp_jupyter.dsl.for_loop import Collected, LoopArgument
from kfp_jupyter.dsl.one_of import OneOf
from kfp_jupyter.dsl.pipeline_channel import PipelineChannel, Selected
from kfp_jupyter.dsl.scope import InvalidTopologyException, Scope, invisible
from kfp_jupyter.dsl.tasks_group import ConditionGroup, ParallelFor, TasksGroup
from kfp_jupyter.model.component import InputSpec
from kfp_jupyter.model.pipeline import Calculation, Constant, PipelineInput, TaskOutput
from kfp_jupyter.model.pipeline import OneOf as OneOfValue
from kfp_jupyter.model.value import CHANNEL

if TYPE_CHECKING:
    from kfp_jupyter.dsl.pipeline_task import PipelineTask


class ChannelValues:
    """Leads the values of one pipeline to where they are used.

    Args:
        root: The pipeline's own group.
        tasks: All tasks by name.

    Attributes:
        scopes: The scope of each group, in the order the groups were written, outer ones first.
    """

    def __init__(self, root: TasksGroup, tasks: Mapping[str, PipelineTask]) -> None:
        self.scopes: dict[TasksGroup, Scope] = {}
        self.root = self._opened(root, None)
        self._tasks = tasks

    def _opened(self, group: TasksGroup, parent: Scope | None) -> Scope:
        scope = self.scopes[group] = Scope(group, parent)
        for child in group.children:
            if isinstance(child, TasksGroup):
                self._opened(child, scope)
        return scope

    def scope_of(self, task: PipelineTask) -> Scope:
        """Return the scope that a task is in; an exit task's is the pipeline."""
        return self.root if task.group is None else self.scopes[task.group]

    def lead_groups(self) -> None:
        """Lead into every group what it loops over or decides on.

        Raises:
            InvalidTopologyException: Something of it is not known there.
        """
        for group, scope in self.scopes.items():
            if isinstance(group, ConditionGroup):
                for channel in group.channels():
                    self._lead(channel, scope)
            elif isinstance(group, ParallelFor):
                item = CHANNEL + group.loop_argument.full_name
                if isinstance(group.loop_argument.items, PipelineChannel):
                    self._lead(group.loop_argument.items, scope)
                # It has no argument: the loop itself gives the item.
                scope.inputs[item] = InputSpec(item, group.loop_argument.type)
            if any(not isinstance(child, TasksGroup) for child in group.children):
                self._lead_conditions(scope)

    def _lead(self, channel: PipelineChannel, scope: Scope) -> None:
        if scope.parent is not None:
            outside = self.value(channel, scope.parent, f"group {scope.group.name}")
            scope.take(channel.full_name, channel.type, outside)

    def _lead_conditions(self, scope: Scope) -> None:
        for outer in scope.outwards():
            if not isinstance(outer.group, ConditionGroup):
                continue
            for channel in outer.group.channels():
                if isinstance(channel, Calculated):
                    continue
                whole = channel.root if isinstance(channel, Selected) else channel
                is_constant = isinstance(whole, LoopArgument) and isinstance(whole.items, tuple)
                if whole is channel or not is_constant:
                    self.value(whole, scope, f"group {outer.group.name}")

    def value(
        self, channel: PipelineChannel, scope: Scope, user: str
    ) -> PipelineInput | TaskOutput | Calculation:
        """Return how a scope knows a value, or how it is calculated there.

        Args:
            channel: The value.
            scope: Where it is used.
            user: What uses it, for a message: `task train`.

        Raises:
            InvalidTopologyException: It is inside a group that the scope is not in.
        """
        if not isinstance(channel, Calculated):
            return self._reference(channel, scope, user)
        operands = (
            self.value(operand, scope, user) if isinstance(operand, PipelineChannel) else Constant(operand)
            for operand in channel.operands
        )
        return Calculation(channel.operator, tuple(operands))

    def _reference(self, channel: PipelineChannel, scope: Scope, user: str) -> PipelineInput | TaskOutput:
        if isinstance(channel, Selected):
            return replace(self._reference(channel.root, scope, user), selector=channel.selector)
        if isinstance(channel, LoopArgument):
            return self._item(channel, scope, user)
        if isinstance(channel, Collected):
            home, source = self._collected(channel, scope, user)
            return scope.bring(f"{source.task}-{source.output}", channel.type, home, source)
        if channel.task_name is None:
            return scope.bring(channel.full_name, channel.type, self.root, PipelineInput(channel.name))
        home = self._one_of(channel, user) if isinstance(channel, OneOf) else self._home(channel, user)
        if not scope.is_inside(home):
            raise invisible(user, channel.describe(), home.below(home.common(scope))[-1])
        return scope.bring(channel.full_name, channel.type, home, TaskOutput(channel.task_name, channel.name))

    def inside(
        self, channel: PipelineChannel, scope: Scope, user: str
    ) -> PipelineInput | TaskOutput | Calculation:
        """Return how a scope knows a value inside of another: a part may have been led in itself."""
        value = self.value(channel, scope, user)
        name = CHANNEL + channel.full_name
        return PipelineInput(name) if isinstance(channel, Selected) and name in scope.inputs else value

    def _item(self, channel: LoopArgument, scope: Scope, user: str) -> PipelineInput | TaskOutput:
        home = self.scopes.get(channel.group)
        if home is None or not scope.is_inside(home):
            raise InvalidTopologyException(
                f"It uses {channel.describe()} outside of the loop.",
                where=user,
                remedy="Call it under the `with dsl.ParallelFor(...)` whose item it uses.",
            )
        items = channel.items
        if isinstance(items, Selected) and isinstance(items.root, LoopArgument):
            self._item(items.root, home, user)
        return scope.bring(channel.full_name, channel.type, home, PipelineInput(CHANNEL + channel.full_name))

    def _home(self, channel: PipelineChannel, user: str) -> Scope:
        """Return the scope of the task that gives a value out."""
        task = self._tasks[channel.task_name or ""]
        if task.group is None:
            raise InvalidTopologyException(
                f"It uses {channel.describe()}, which is an exit task and runs last.",
                where=user,
                remedy="Use outputs of other tasks.",
            )
        return self.scopes[task.group]

    def _collected(self, channel: Collected, scope: Scope, user: str) -> tuple[Scope, TaskOutput]:
        """Lead an output out of its loops; return the scope that knows the list, and how."""
        inner = self._home(channel, user)
        home = inner.common(scope)
        levels = inner.below(home)
        # What a pipeline returns may also be in a condition only, as in KFP: then it is what that gave out.
        is_returned = user.startswith("pipeline ")
        if not is_returned and not any(isinstance(level.group, ParallelFor) for level in levels):
            raise InvalidTopologyException(
                f"It uses {channel.describe()}, but that task is in no loop that this one is not in.",
                where=user,
                remedy="Use the output itself, without `dsl.Collected`.",
            )
        if not is_returned and not isinstance(levels[-1].group, ParallelFor):
            raise invisible(user, channel.describe(), levels[-1])
        name = CHANNEL + channel.output.full_name
        source = TaskOutput(channel.output.task_name or "", channel.output.name)
        for level in levels:
            level.give(name, channel.type, source)
            source = TaskOutput(level.group.name, name)
        return home, source

    def _one_of(self, channel: OneOf, user: str) -> Scope:
        """Let the branches give out what is chosen from; return the scope around them."""
        branches = self.scopes[channel.branches]
        if channel.name not in branches.outputs:
            chosen = []
            for output in channel.channels:
                source = TaskOutput(output.task_name or "", output.name)
                for level in self._home(output, user).below(branches):
                    if isinstance(level.group, ParallelFor):
                        raise invisible(user, output.describe(), level)
                    level.give(CHANNEL + output.full_name, output.type, source)
                    source = TaskOutput(level.group.name, CHANNEL + output.full_name)
                chosen.append(source)
            branches.give(channel.name, channel.type, OneOfValue(tuple(chosen)))
        return branches.parent or branches
