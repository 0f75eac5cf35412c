"""From the tree of groups to KFP's graphs: each group becomes a component, and a task that runs it.

First every value is led to where it is used (`channel_values`), because a use anywhere may add an input or an
output to any group; then the graphs are put together, inner ones first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kfp_jupyter.cells.origin import place_line
from kfp_jupyter.dsl.channel_values import ChannelValues
from kfp_jupyter.dsl.component_map import ComponentMap
from kfp_jupyter.dsl.pipeline_channel import PipelineChannel
from kfp_jupyter.dsl.pipeline_outputs import returned_channels
from kfp_jupyter.dsl.scope import InvalidTopologyException, Scope, invisible
from kfp_jupyter.dsl.task_config import unheard
from kfp_jupyter.dsl.tasks_group import ConditionGroup, ExitHandler, ParallelFor, TasksGroup
from kfp_jupyter.model.component import Component
from kfp_jupyter.model.pipeline import (
    Calculation,
    FinalStatus,
    Graph,
    Loop,
    PipelineError,
    PipelineInput,
    Task,
    TaskOutput,
    TaskSettings,
    Trigger,
    TriggerStrategy,
    Value,
)
from kfp_jupyter.model.types import Json, ParameterType
from kfp_jupyter.model.value import CHANNEL, sources

if TYPE_CHECKING:
    from kfp_jupyter.dsl.pipeline_builder import PipelineBuilder
    from kfp_jupyter.dsl.pipeline_task import PipelineTask

_COMPLETED = Trigger(strategy=TriggerStrategy.COMPLETED)


class Lowering:
    """Makes the graphs of one pipeline.

    Attributes:
        components: The components that its tasks run, after `graph` was called.
    """

    def __init__(self, builder: PipelineBuilder) -> None:
        self._builder = builder
        self._map = ComponentMap()
        self._values = ChannelValues(builder.root, builder.tasks)
        self._arguments: dict[str, dict[str, Value]] = {}
        self._kubernetes: dict[str, Json] = {}

    @property
    def components(self) -> dict[str, Component]:
        """The components by key."""
        return self._map.components

    def graph(self, returned: Any) -> Graph:
        """Return the root graph.

        Args:
            returned: What the pipeline's function returned.

        Raises:
            PipelineError: Something cannot be connected, or is returned in a wrong way.
        """
        self._values.lead_groups()
        for task in self._builder.tasks.values():
            self._connect(task)
        root = self._values.root
        user = f"pipeline {self._builder.name}"
        for name, channel in returned_channels(returned, self._builder).items():
            root.give(name, channel.type, self._values.value(channel, root, user))
        return self._assembled(root)

    # --- What tasks use and wait for
    # --------------------------------------------------------------------------

    def _connect(self, task: PipelineTask) -> None:
        scope, user = self._values.scope_of(task), f"task {task.name}"
        arguments: dict[str, Value] = {}
        for name, given in task.arguments.items():
            if isinstance(given, PipelineChannel):
                arguments[name] = self._values.value(given, scope, user)
            else:
                arguments[name] = given
        for channel in task.mentioned:
            arguments[CHANNEL + channel.full_name] = self._values.inside(channel, scope, user)
        self._arguments[task.name] = arguments
        for channel in task.followed:
            for name in sources(arguments[CHANNEL + channel.full_name]):
                scope.wait(task.name, name)
        for other in task.awaited:
            self._wait(task, scope, other)
        if task.settings.kubernetes:
            self._kubernetes[task.name] = self._references(task.settings.kubernetes, task, scope)

    def _wait(self, task: PipelineTask, scope: Scope, other: PipelineTask | ExitHandler) -> None:
        """Note that a task waits for another, at the groups of both that stand beside each other."""
        around = self._values.root
        levels: list[Scope] = []
        if not isinstance(other, ExitHandler):
            around = self._values.scope_of(other)
            levels = around.below(around.common(scope))
        if levels and not isinstance(levels[-1].group, ParallelFor):
            raise invisible(f"task {task.name}", f"task {other.name!r} in `.after`", levels[-1])
        common = around.common(scope)
        inner = scope.below(common)
        waiting = inner[-1].group.name if inner else task.name
        common.wait(waiting, levels[-1].group.name if levels else other.name)

    def _references(self, settings: Json, task: PipelineTask, scope: Scope) -> Json:
        """Return settings of Kubernetes with references in the places of channels."""
        if isinstance(settings, PipelineChannel):
            value = self._values.value(settings, scope, f"task {task.name}")
            if isinstance(value, Calculation):
                raise PipelineError(
                    f"A setting of Kubernetes is calculated: {settings.describe()}.",
                    where=f"task {task.name}",
                    remedy="Give the output of a task itself.",
                )
            for name in sources(value):
                scope.wait(task.name, name)
            return value_reference(value)
        if isinstance(settings, dict):
            held = {key: self._references(inner, task, scope) for key, inner in settings.items()}
            # What stands under no key of its own stands beside the others.
            return {**held.pop("", {}), **held}
        if isinstance(settings, (list, tuple)):
            return [self._references(held, task, scope) for held in settings]
        return settings

    # --- Graphs
    # -----------------------------------------------------------------------------------------------

    def _assembled(self, scope: Scope) -> Graph:
        for child in scope.group.children:
            made = self._group(child, scope) if isinstance(child, TasksGroup) else self._task(child, scope)
            scope.add(made)
        for child in scope.group.children:
            if isinstance(child, ExitHandler):
                scope.add(self._exit_task(child))
        return scope.graph()

    def _task(self, task: PipelineTask, scope: Scope) -> Task:
        made = self._plain_task(task, tuple(scope.after.get(task.name, ())), task.trigger)
        statuses = _statuses(task)
        if statuses:
            self._check_status(task, made.dependencies)
            made.arguments.update(dict.fromkeys(statuses, FinalStatus(made.dependencies[0])))  # type: ignore[attr-defined]
        return made

    def _exit_task(self, handler: ExitHandler) -> Task:
        task = handler.exit_task
        made = self._plain_task(task, (handler.name,), _COMPLETED)
        made.arguments.update(dict.fromkeys(_statuses(task), FinalStatus(handler.name)))  # type: ignore[attr-defined]
        return made

    def _plain_task(self, task: PipelineTask, after: tuple[str, ...], trigger: Trigger) -> Task:
        key = self._map.key(task.component, task.name, task.pipeline)
        settings = task.finished_settings(self._kubernetes.get(task.name, {}))
        group = unheard(settings, task.component.passthroughs)
        if group:
            raise PipelineError(
                f"Its component asks for some of its settings, not for {group}, so these would do nothing.",
                where=f"task {task.name}",
                remedy=f"Add `dsl.TaskConfigField.{group}` to the component's `task_config_passthroughs`.",
            )
        return Task(task.name, key, self._arguments[task.name], after, settings, trigger)

    def _check_status(self, task: PipelineTask, awaited: tuple[str, ...]) -> None:
        what = "takes the final status of other tasks; only exit tasks get it"
        remedy = "Give it to `dsl.ExitHandler`, or call `.ignore_upstream_failure()` on it."
        if task.trigger.strategy is TriggerStrategy.COMPLETED:
            if len(awaited) == 1:
                return
            what = f"takes the final status of one task, but waits for {len(awaited)}"
            remedy = "Let it wait for exactly one task of the same group, as with `.after(task)`."
        name = _statuses(task)[0]
        raise InvalidTopologyException(
            f"The argument {name!r} {what}.", where=task.place(task.origin), remedy=remedy
        )

    def _group(self, group: TasksGroup, around: Scope) -> Task:
        scope = self._values.scopes[group]
        if not group.children:
            raise PipelineError(
                f"There is no task under `{group.title}`.",
                where=place_line(*group.origin),
                remedy="Call at least one component there, or take it away.",
            )
        graph = self._assembled(scope)
        outputs = tuple(spec for spec, _ in scope.outputs.values())
        component = Component(group.name, tuple(scope.inputs.values()), outputs, graph)
        trigger = Trigger(group.condition) if isinstance(group, ConditionGroup) else Trigger()
        return Task(
            group.name,
            self._map.key(component, group.name),
            scope.arguments,
            tuple(around.after.get(group.name, ())),
            TaskSettings(caching=None, display_name=group.display_name),
            trigger,
            _loop(group) if isinstance(group, ParallelFor) else None,
        )


def value_reference(value: PipelineInput | TaskOutput) -> Json:
    """Return a value as the settings of Kubernetes refer to one."""
    part = {"parameterExpressionSelector": value.selector} if value.selector else {}
    if isinstance(value, TaskOutput):
        source = {"producerTask": value.task, "outputParameterKey": value.output}
        return {"taskOutputParameter": source, **part}
    return {"componentInputParameter": value.name, **part}


def _statuses(task: PipelineTask) -> list[str]:
    return [spec.name for spec in task.component.inputs if spec.type is ParameterType.TASK_FINAL_STATUS]


def _loop(group: ParallelFor) -> Loop:
    argument = group.loop_argument
    item = CHANNEL + argument.full_name
    if not isinstance(argument.items, PipelineChannel):
        return Loop(item, argument.items, parallelism=group.parallelism)
    is_artifact = not isinstance(argument.type, ParameterType)
    return Loop(item, None, CHANNEL + argument.items.full_name, is_artifact, group.parallelism)
