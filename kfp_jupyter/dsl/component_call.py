"""The call of a component: each argument is checked, and becomes a value of the model.

Messages name the task that the call would have made, the argument, and the line of the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kfp_jupyter.cells.origin import place_line
from kfp_jupyter.dsl.pipeline_channel import PipelineChannel
from kfp_jupyter.dsl.pipeline_task import PipelineTask
from kfp_jupyter.model import check
from kfp_jupyter.model.check import ArgumentError
from kfp_jupyter.model.component import Component, InputSpec
from kfp_jupyter.model.pipeline import Constant, PipelineError, Value
from kfp_jupyter.model.types import ArtifactType, ParameterType, connects

if TYPE_CHECKING:
    from kfp_jupyter.dsl.pipeline_builder import PipelineBuilder


def foreign(channel: PipelineChannel, builder: PipelineBuilder, where: str) -> ArgumentError:
    """Return the error for a value of another pipeline."""
    return ArgumentError(
        f"{channel!r} belongs to the pipeline {channel.builder.name!r}, not to {builder.name!r}.",
        where=where,
        remedy="Use outputs of tasks that this pipeline itself has called, and its own parameters.",
    )


class ComponentCall:
    """The call of a component: its arguments, checked and as the model holds them."""

    def __init__(
        self, component: Component, task: str, origin: tuple[str, int], builder: PipelineBuilder
    ) -> None:
        self.component = component
        self.task = task
        self.origin = origin
        self.builder = builder

    @property
    def where(self) -> str:
        """The place for a message."""
        line = place_line(*self.origin)
        return f"{line}, task {self.task}" if line else f"task {self.task}"

    def arguments(self, positional: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Value]:
        """Return the values of the inputs that are given, in the order of the component's inputs."""
        given = {**self._in_order(positional, named), **named}
        specs = {spec.name: spec for spec in self.component.inputs}
        for name in given:
            if name not in specs or specs[name].type is ParameterType.TASK_FINAL_STATUS:
                raise ArgumentError(
                    f"Component {self.component.name!r} has no argument {name!r}.",
                    where=self.where,
                    remedy=check.unknown_name("arguments", name, specs),
                )
        missing = [name for name, spec in specs.items() if not spec.optional and name not in given]
        if missing:
            raise check.missing_argument(self.component, missing, self.where)
        values: dict[str, Value] = {}
        for name, spec in specs.items():
            if spec.type is ParameterType.TASK_FINAL_STATUS:
                raise PipelineError(
                    f"The argument {name!r} takes the final status of other tasks; only exit tasks get it.",
                    where=self.where,
                    remedy="Exit handlers are not supported yet.",
                )
            if name in given and not (given[name] is None and spec.optional and spec.default is None):
                values[name] = self._value(spec, given[name])
        return values

    def _in_order(self, positional: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
        names = [spec.name for spec in self.component.inputs]
        if len(positional) > len(names):
            takes = f"takes {len(names)}: {', '.join(names)}" if names else "takes none"
            raise ArgumentError(
                f"Component {self.component.name!r} got {len(positional)} arguments, but {takes}.",
                where=self.where,
                remedy="Take away what is too many.",
            )
        given = dict(zip(names, positional, strict=False))
        for name in given:
            if name in named:
                raise ArgumentError(
                    f"Component {self.component.name!r} got {name!r} twice, by position and by name.",
                    where=self.where,
                    remedy="Give it once.",
                )
        return given

    def _value(self, spec: InputSpec, given: Any) -> Value:
        if isinstance(given, PipelineTask):
            raise self._task_given(spec, given)
        if isinstance(given, PipelineChannel):
            if given.builder is not self.builder:
                raise foreign(given, self.builder, self.where)
            if not connects(given.type, spec.type):
                source = check.describe(given.value)
                raise check.wrong_connection(spec, source, given.type, self.task, self.where)
            return given.value
        if isinstance(spec.type, ArtifactType):
            raise check.constant_for_artifact(spec, given, self.where)
        self._refuse_nested(spec, given)
        try:
            return Constant(check.parameter_value(spec.type, given))
        except ValueError as error:
            raise check.wrong_constant(spec, error, self.where) from None

    def _task_given(self, spec: InputSpec, task: PipelineTask) -> ArgumentError:
        names = list(task.outputs)
        remedy = "It gives out nothing."
        if len(names) == 1:
            remedy = "Give `.output` of the task."
        elif names:
            remedy = f"Give one of its outputs: {', '.join(f'`.outputs[{name!r}]`' for name in names)}."
        return ArgumentError(
            f"The argument {spec.name!r} got the task {task.name!r} itself.", where=self.where, remedy=remedy
        )

    def _refuse_nested(self, spec: InputSpec, given: Any) -> None:
        inner = (
            given.values() if isinstance(given, dict) else given if isinstance(given, (list, tuple)) else ()
        )
        for held in inner:
            if isinstance(held, (PipelineChannel, PipelineTask)):
                raise ArgumentError(
                    f"The argument {spec.name!r} is a {type(given).__name__} with {held!r} inside.",
                    where=self.where,
                    remedy="Values inside lists and dicts are not supported yet: give it by itself.",
                )
            self._refuse_nested(spec, held)
