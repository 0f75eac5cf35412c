"""A pipeline while it is being written: a component that is called adds its task to it.

Which one is being written is kept in a context variable, so that several threads may trace pipelines. Every
argument is checked by the call that gives it; `build` checks what only the whole can show, such as a circle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextvars import ContextVar, Token
from itertools import pairwise
from types import TracebackType
from typing import Any

from kfp_jupyter.cells.component import kebab_case
from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.dsl.component_call import ComponentCall, foreign
from kfp_jupyter.dsl.pipeline_channel import PipelineChannel
from kfp_jupyter.dsl.pipeline_task import PipelineTask
from kfp_jupyter.model import check
from kfp_jupyter.model.component import Component, InputSpec, OutputSpec
from kfp_jupyter.model.pipeline import (
    CircleError,
    Graph,
    Pipeline,
    PipelineError,
    PipelineInput,
    TaskOutput,
    TaskSettings,
    Value,
)

_current: ContextVar[PipelineBuilder | None] = ContextVar("kfp_jupyter_pipeline", default=None)


def current_builder() -> PipelineBuilder | None:
    """Return the pipeline that is being written, or None."""
    return _current.get()


class PipelineBuilder:
    """Collects the tasks of one pipeline.

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
        self._inputs = tuple(inputs)
        self._outputs = tuple(outputs)
        self.inputs = {
            spec.name: PipelineChannel(PipelineInput(spec.name), spec.type, self) for spec in self._inputs
        }
        self.tasks: dict[str, PipelineTask] = {}
        # Each `.after`: who waits, for whom, and the file and line; only one of these can close a circle.
        self.waits: list[tuple[str, str, tuple[str, int]]] = []
        self._components: dict[str, Component] = {}
        self._keys: dict[int, str] = {}
        self._counts: dict[str, int] = {}
        self._token: Token[PipelineBuilder | None] | None = None

    def __enter__(self) -> PipelineBuilder:
        if _current.get() is not None:
            raise PipelineError(
                f"The pipeline {self.name!r} is written inside {_current.get()!r}.",
                where=place_line(*caller()),
                remedy="Write it outside; pipelines inside pipelines are not supported yet.",
            )
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
    ) -> PipelineTask:
        """Add a task of a component, as calling it does.

        Args:
            component: What the task runs.
            positional: Arguments in the order of the component's inputs.
            named: Arguments by name.
            settings: What the task's settings start with.

        Raises:
            ArgumentError: An argument is unknown, missing, given twice, or of the wrong type.
        """
        origin = caller()
        name, count = self._free_name(component.name)
        arguments = ComponentCall(component, name, origin, self).arguments(positional, named or {})
        # Only now, so that a call that was refused leaves nothing behind.
        self._counts[component.name] = count
        key = self._key(component, name)
        task = PipelineTask(name, key, component, arguments, settings or TaskSettings(), self, origin)
        self.tasks[name] = task
        return task

    def build(self, returned: Any = None) -> Pipeline:
        """Return the finished pipeline.

        Args:
            returned: What the pipeline's function returned: None, an output, or a NamedTuple or dict of such.

        Raises:
            PipelineError: It has no task, waits in a circle, or gives out something else than it declares.
        """
        tasks = {name: task.model() for name, task in self.tasks.items()}
        pipeline = Pipeline(
            name=self.name,
            inputs=self._inputs,
            outputs=self._outputs,
            components=self._components,
            graph=Graph(tasks, self._given_out(returned)),
            description=self.description,
            display_name=self.display_name,
            pipeline_root=self.pipeline_root,
        )
        try:
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

    def _free_name(self, base: str) -> tuple[str, int]:
        """Return the next name of a component's tasks, as KFP counts them, and its number."""
        count = self._counts.get(base, 0) + 1
        name = base if count == 1 else f"{base}-{count}"
        while name in self.tasks:
            count += 1
            name = f"{base}-{count}"
        return name, count

    def _key(self, component: Component, task: str) -> str:
        """Return the component's key, which is KFP's for its first task."""
        key = self._keys.get(id(component))
        if key is None:
            key = self._keys[id(component)] = f"comp-{task}"
            self._components[key] = component
        return key

    def _given_out(self, returned: Any) -> dict[str, Value]:
        values = _by_name(returned, self.name)
        declared = {spec.name: spec for spec in self._outputs}
        where = f"pipeline {self.name}"
        for name in values:
            if name not in declared:
                hint = "Declare its type, as in `-> float`, or a NamedTuple with this field."
                raise PipelineError(
                    f"The pipeline returns {name!r} without a type hint.", where=where, remedy=hint
                )
        for name in declared:
            if name not in values:
                raise PipelineError(
                    f"The pipeline declares the output {name!r}, but does not return it.",
                    where=where,
                    remedy="Return an output of one of its tasks, or take the return type away.",
                )
        return {name: self._task_output(name, value) for name, value in values.items()}

    def _task_output(self, name: str, value: Any) -> TaskOutput:
        if not isinstance(value, PipelineChannel) or not isinstance(value.value, TaskOutput):
            raise PipelineError(
                f"The output {name!r} is {value!r}, which is no output of a task.",
                where=f"pipeline {self.name}",
                remedy="Return `task.output` or `task.outputs['…']`.",
            )
        if value.builder is not self:
            raise foreign(value, self, f"pipeline {self.name}")
        return value.value


def _by_name(returned: Any, pipeline: str) -> dict[str, Any]:
    if returned is None:
        return {}
    if isinstance(returned, dict):
        return returned
    if hasattr(returned, "_asdict"):
        return dict(returned._asdict())
    if isinstance(returned, tuple):
        raise PipelineError(
            "The pipeline returns a plain tuple, whose values have no names.",
            where=f"pipeline {pipeline}",
            remedy="Return a NamedTuple.",
        )
    return {"Output": returned}
