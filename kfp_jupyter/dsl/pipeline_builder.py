"""A pipeline while it is being written: a component that is called adds its task to the group that is open.

Which one is being written is kept in a context variable, so that several threads may trace pipelines, and
pipelines may be written while another is. Every argument is checked by the call that gives it; `build` makes
the model of the tree of groups (see `lowering`) and checks what only the whole can show, such as a circle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextvars import ContextVar, Token
from dataclasses import replace
from itertools import pairwise
from types import TracebackType
from typing import Any

from kfp_jupyter.cells.component import kebab_case
from kfp_jupyter.cells.finding import Finding
from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.dsl.component_call import ComponentCall
from kfp_jupyter.dsl.lowering import Lowering
from kfp_jupyter.dsl.pipeline_channel import PipelineChannel
from kfp_jupyter.dsl.pipeline_task import PipelineTask, SettingError
from kfp_jupyter.dsl.tasks_group import (
    ConditionBranches,
    ConditionGroup,
    Elif,
    ExitHandler,
    If,
    InvalidControlFlowException,
    TasksGroup,
)
from kfp_jupyter.model import check
from kfp_jupyter.model.component import Component, InputSpec, OutputSpec
from kfp_jupyter.model.pipeline import CircleError, Pipeline, PipelineConfig, PipelineError, TaskSettings

_current: ContextVar[PipelineBuilder | None] = ContextVar("kfp_jupyter_pipeline", default=None)


def current_builder() -> PipelineBuilder | None:
    """Return the pipeline that is being written, or None."""
    return _current.get()


class PipelineBuilder:
    """Collects the tasks and groups of one pipeline.

    Usage::

        with PipelineBuilder("train", inputs) as builder:
            exec(cell, {**names, **builder.inputs})
        pipeline = builder.build()

    Args:
        name: The pipeline's name; it is put into KFP's spelling.
        inputs: Its parameters.
        outputs: What it gives out.
        description: For people.
        display_name: The name shown to people.
        pipeline_root: Where artifacts are stored.
        config: What is set for a run as a whole.

    Attributes:
        inputs: Its parameters as channels, by name.
        tasks: All its tasks by name.
        mentioned: The channels that stand in texts, by the mark that stands for them.
        items: What the items of its loops are called.
        findings: What it is warned of.
    """

    def __init__(
        self,
        name: str,
        inputs: Iterable[InputSpec] = (),
        *,
        outputs: Iterable[OutputSpec] = (),
        description: str = "",
        display_name: str = "",
        pipeline_root: str = "",
        config: PipelineConfig | None = None,
    ) -> None:
        self.name = kebab_case(name) or "pipeline"
        # KFP's spelling is ASCII and would garble any other name.
        self.display_name = display_name or ("" if name.isascii() and kebab_case(name) else name)
        if len(self.name) > 128:
            raise PipelineError(
                f"The pipeline's name '{self.name[:20]}…' has {len(self.name)} characters.",
                where=place_line(*caller()),
                remedy="Choose one of at most 128.",
            )
        self.description = description
        self.pipeline_root = pipeline_root
        self.config = config or PipelineConfig()
        self.input_specs = tuple(inputs)
        self.output_specs = tuple(outputs)
        self.inputs = {
            spec.name: PipelineChannel(spec.name, spec.type, self, hint=spec.hint)
            for spec in self.input_specs
        }
        self.tasks: dict[str, PipelineTask] = {}
        self.mentioned: dict[str, PipelineChannel] = {}
        self.findings: list[Finding] = []
        self.items: set[str] = set()
        # Each `.after`: who waits, for whom, and the file and line; only one of these can close a circle.
        self.waits: list[tuple[str, str, tuple[str, int]]] = []
        self._counts: dict[str, int] = {}
        self._groups = 0
        self._calculations = 0
        self._variants: dict[tuple[int, frozenset[str]], tuple[Component, Component]] = {}
        self._token: Token[PipelineBuilder | None] | None = None
        token = _current.set(self)
        try:
            self.root = TasksGroup()
        finally:
            _current.reset(token)
        self._open = [self.root]

    def __enter__(self) -> PipelineBuilder:
        self._token = _current.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            _current.reset(self._token)

    def __repr__(self) -> str:
        return f"<pipeline {self.name!r}>"

    def add_task(
        self,
        component: Component,
        positional: tuple[Any, ...] = (),
        named: Mapping[str, Any] | None = None,
        settings: TaskSettings | None = None,
        pipeline: Pipeline | None = None,
    ) -> PipelineTask:
        """Add a task of a component, as calling it does.

        Args:
            component: What the task runs.
            positional: Arguments in the order of the component's inputs.
            named: Arguments by name.
            settings: What the task's settings start with.
            pipeline: The pipeline that the component is, if it is one.

        Raises:
            ArgumentError: An argument is unknown, missing, given twice, or of the wrong type.
        """
        origin = caller()
        name, count = self._free_name(component.name)
        call = ComponentCall(component, name, origin, self)
        arguments = call.arguments(positional, named or {})
        # Only now, so that a call that was refused leaves nothing behind.
        self._counts[component.name] = count
        task = PipelineTask(
            name, call.component, arguments, settings or TaskSettings(), self, origin, pipeline
        )
        task.mentioned.extend(call.mentioned)
        task.group = self._open[-1]
        task.group.children.append(task)
        self.tasks[name] = task
        return task

    def variant(self, component: Component, optional: frozenset[str]) -> Component:
        """Return a component some of whose inputs may be left out; the same one each time."""
        key = (id(component), optional)
        if key not in self._variants:
            inputs = (
                replace(spec, optional=True) if spec.name in optional else spec for spec in component.inputs
            )
            # What is known by its identity must not be freed.
            self._variants[key] = (component, replace(component, inputs=tuple(inputs)))
        return self._variants[key][1]

    def enter(self, group: TasksGroup) -> None:
        """Open a group: what is written now belongs to it."""
        if isinstance(group, ExitHandler) and len(self._open) > 1:
            raise InvalidControlFlowException(
                f"`dsl.ExitHandler` stands inside {self._open[-1]!r}.",
                where=place_line(*group.origin),
                remedy="Write it on the outermost level of the pipeline.",
            )
        if group.name:
            raise InvalidControlFlowException(
                f"{group!r} is entered twice.", where=place_line(*caller()), remedy="Make another one."
            )
        group.name = f"{group.stem}-{self.next_group_number()}"
        self._append(group)

    def leave(self) -> None:
        """Close the group that was opened last."""
        self._open.pop()

    def next_group_number(self) -> int:
        """Return the next number of a group, or of what is named like one."""
        self._groups += 1
        return self._groups

    def next_calculation_number(self) -> int:
        """Return the next number of what is calculated with values of the run."""
        self._calculations += 1
        return self._calculations

    def last_branch(self) -> ConditionGroup | None:
        """Return the branch that an `Elif` or `Else` written now would follow."""
        last = self._last_group()
        if isinstance(last, ConditionBranches):
            last = last.children[-1]  # type: ignore[assignment]
        return last if isinstance(last, (If, Elif)) else None

    def open_branches(self) -> None:
        """Open the group of branches that an `Elif` or `Else` written now belongs to."""
        last = self._last_group()
        if isinstance(last, ConditionBranches):
            self._open.append(last)
            return
        if last is None:
            raise InvalidControlFlowException("There is no `dsl.If` to follow.", where=place_line(*caller()))
        siblings = self._open[-1].children
        siblings.remove(last)
        branches = ConditionBranches()
        # The group around has the number of its first branch, as if it had been written first.
        number = last.name.removeprefix(f"{last.stem}-")
        branches.name, last.name = f"{branches.stem}-{number}", f"{last.stem}-{self.next_group_number()}"
        self._append(branches)
        self._append(last)
        self.leave()

    def take_out(self, task: Any) -> None:
        """Take an exit task out of its group, to run after a handler.

        Raises:
            SettingError: It waits for other tasks, or is no task of this pipeline.
        """
        if not isinstance(task, PipelineTask) or task.builder is not self:
            raise SettingError(
                f"`dsl.ExitHandler` takes a task of the same pipeline, not {task!r}.",
                where=place_line(*caller()),
                remedy="Call a component, and give what it returned.",
            )
        if task.waits:
            raise SettingError(
                "It is an exit task and waits for other tasks.",
                where=task.place(),
                remedy="Give it constants and parameters of the pipeline only, and no `.after`.",
            )
        if task.group is not None:
            task.group.children.remove(task)
            task.group = None

    def build(self, returned: Any = None) -> Pipeline:
        """Return the finished pipeline.

        Args:
            returned: What the pipeline's function returned: None, an output, or a NamedTuple or dict of such.

        Raises:
            PipelineError: It has no task, waits in a circle, or gives out something else than it declares.
        """
        lowering = Lowering(self)
        try:
            graph = lowering.graph(returned)
            pipeline = Pipeline(
                name=self.name,
                inputs=self.input_specs,
                outputs=self.output_specs,
                components=lowering.components,
                graph=graph,
                description=self.description,
                display_name=self.display_name,
                pipeline_root=self.pipeline_root,
                config=self.config,
            )
            check.check(pipeline)
        except PipelineError as error:
            self._add_line(error)
            raise
        return pipeline

    def _add_line(self, error: PipelineError) -> None:
        """Add to an error of a task the line that made the task; to a circle that of its last `.after`."""
        if isinstance(error, CircleError):
            links = set(pairwise(error.tasks))
            for waiting, awaited, origin in self.waits:
                if (waiting, awaited) in links:
                    error.where = self.tasks[waiting].place(origin)
                    error.remedy = "Take this `.after` away, or another dependency of the circle."
            return
        task = self.tasks.get(error.where.removeprefix("task "))
        if task is not None:
            error.where = task.place(task.origin)

    def _append(self, group: TasksGroup) -> None:
        group.parent = self._open[-1]
        group.parent.children.append(group)
        self._open.append(group)

    def _last_group(self) -> TasksGroup | None:
        children = reversed(self._open[-1].children)
        return next((child for child in children if isinstance(child, TasksGroup)), None)

    def _free_name(self, base: str) -> tuple[str, int]:
        """Return the next name of a component's tasks, as KFP counts them, and its number."""
        count = self._counts.get(base, 0) + 1
        name = base if count == 1 else f"{base}-{count}"
        while name in self.tasks:
            count += 1
            name = f"{base}-{count}"
        return name, count
