"""The call of a component: each argument is checked, and kept as a channel or a constant.

A constant may hold channels, in a text, a list or a dict; there the placeholder takes their place that the
step's launcher replaces, and the call says which channels are mentioned. Messages name the task that the call
would have made, the argument, and the line of the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kfp_jupyter.cells.origin import place_line
from kfp_jupyter.dsl.calculated import Calculated
from kfp_jupyter.dsl.for_loop import LoopArgument
from kfp_jupyter.dsl.pipeline_channel import PipelineChannel, marks
from kfp_jupyter.dsl.pipeline_task import PipelineTask
from kfp_jupyter.dsl.task_outputs import TaskOutputs
from kfp_jupyter.model import check
from kfp_jupyter.model.check import ArgumentError
from kfp_jupyter.model.component import Component, InputSpec
from kfp_jupyter.model.pipeline import Constant
from kfp_jupyter.model.types import ArtifactType, ParameterType, connects
from kfp_jupyter.model.value import PLACEHOLDER

if TYPE_CHECKING:
    from kfp_jupyter.dsl.pipeline_builder import PipelineBuilder


def foreign(channel: PipelineChannel, builder: PipelineBuilder, where: str) -> ArgumentError:
    """Return the error for a value of another pipeline."""
    return ArgumentError(
        f"{channel!r} belongs to the pipeline {channel.builder.name!r}, not to {builder.name!r}.",
        where=where,
        remedy="Use outputs of tasks that this pipeline itself called, and its own parameters.",
    )


class ComponentCall:
    """The call of a component.

    Attributes:
        component: The component; after `arguments` was called, with inputs optional for which it got None.
        mentioned: The channels inside constants, after `arguments` was called.
    """

    def __init__(
        self, component: Component, task: str, origin: tuple[str, int], builder: PipelineBuilder
    ) -> None:
        self.component = component
        self.task = task
        self.origin = origin
        self.builder = builder
        self.mentioned: list[PipelineChannel] = []

    @property
    def where(self) -> str:
        """The place for a message."""
        line = place_line(*self.origin)
        return f"{line}, task {self.task}" if line else f"task {self.task}"

    def arguments(
        self, positional: tuple[Any, ...], named: Mapping[str, Any]
    ) -> dict[str, PipelineChannel | Constant]:
        """Return the values of the inputs that are given, in the order of the component's inputs."""
        given = {**self._in_order(positional, named), **named}
        specs = {spec.name: spec for spec in self.component.inputs if not spec.filled_in}
        for name in given:
            if name not in specs:
                is_output = self.component.output(name) is not None
                remedy = f"{name!r} is an output, whose place each run chooses: leave it out."
                raise ArgumentError(
                    f"Component {self.component.name!r} has no argument {name!r}.",
                    where=self.where,
                    remedy=remedy if is_output else check.unknown_name("arguments", name, specs),
                )
        missing = [name for name, spec in specs.items() if not spec.optional and name not in given]
        if missing:
            raise check.missing_argument(self.component, missing, self.where)
        left_out = {name for name, value in given.items() if value is None and _takes_none(specs[name])}
        self._leave_out({name for name in left_out if not specs[name].optional})
        return {
            name: self._value(spec, given[name])
            for name, spec in specs.items()
            if name in given and name not in left_out
        }

    def _leave_out(self, names: set[str]) -> None:
        """Let inputs be left out that have no default, but may be None."""
        if names:
            self.component = self.builder.variant(self.component, frozenset(names))

    def _in_order(self, positional: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
        names = [spec.name for spec in self.component.inputs if not spec.filled_in]
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

    def _value(self, spec: InputSpec, given: Any) -> PipelineChannel | Constant:
        if isinstance(given, PipelineTask):
            raise self._task_given(spec, given)
        self._refuse_what_is_no_value(spec, given)
        if isinstance(given, PipelineChannel):
            channel = self._channel(spec, given)
            is_text = isinstance(channel, Calculated) and channel.is_text
            return Constant(self._text(str(channel))) if is_text else channel
        if isinstance(spec.type, ArtifactType):
            raise check.constant_for_artifact(spec, given, self.where)
        try:
            value = self._with_placeholders(spec, given)
            if isinstance(value, str) and PLACEHOLDER in value:
                return Constant(check.parameter_value(spec.type, value))
            return Constant(check.input_value(spec, value))
        except ValueError as error:
            raise check.wrong_constant(spec, error, self.where) from None

    def _channel(self, spec: InputSpec, given: PipelineChannel) -> PipelineChannel:
        if given.builder is not self.builder:
            raise foreign(given, self.builder, self.where)
        unknown = not given.is_type_known and isinstance(spec.type, ParameterType)
        if not unknown and not connects(given.type, spec.type):
            raise check.wrong_connection(spec, given.describe(), given.type, self.task, self.where)
        if isinstance(given, LoopArgument) and isinstance(given.items, tuple):
            self._check_items(spec, given.items)
        return given

    def _check_items(self, spec: InputSpec, items: tuple[Any, ...]) -> None:
        """Check every item that is written; KFP's types tell of the first one only."""
        for number, item in enumerate(items, 1):
            if isinstance(spec.type, ParameterType) and not isinstance(item, (dict, list)):
                try:
                    check.input_value(spec, item)
                except ValueError as error:
                    raise check.wrong_constant(
                        spec, ValueError(f"{error}, in round {number} of the loop"), self.where
                    ) from None

    def _refuse_what_is_no_value(self, spec: InputSpec, given: Any) -> None:
        """Refuse what stands for something of the pipeline, but for no value in it."""
        what = ""
        if isinstance(given, TaskOutputs):
            what, remedy = f"all outputs of a task, {given!r}", "Give one of them: `.outputs['…']`."
        elif not isinstance(given, PipelineChannel) and callable(getattr(given, "add_task", None)):
            what = f"the component {given.name!r} itself"
            remedy = f"Call it, and give its output: `{given.__name__}(…).output`."
        elif isinstance(given, ParameterType) or (isinstance(given, str) and given in self.builder.items):
            what = f"{str(given)!r}, which only says how the item of a loop is called or typed"
            remedy = "A part that is called like this is taken in brackets: `item['name']`, `item['type']`."
        if what:
            raise ArgumentError(
                f"The argument {spec.name!r} got {what}, not {spec.type.python_name}.",
                where=self.where,
                remedy=remedy,
            )

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

    def _with_placeholders(self, spec: InputSpec, given: Any) -> Any:
        """Return a constant with placeholders for the channels in it, which are noted."""
        if isinstance(given, str):
            return self._text(given)
        if isinstance(given, PipelineTask):
            raise self._task_given(spec, given)
        if isinstance(given, PipelineChannel):
            if isinstance(given.type, ArtifactType):
                raise ArgumentError(
                    f"The argument {spec.name!r} has {given.describe()} inside, which is an artifact.",
                    where=self.where,
                    remedy="Give an artifact by itself, to an argument of its own.",
                )
            return self._text(str(given))
        if isinstance(given, (list, tuple)):
            return [self._with_placeholders(spec, held) for held in given]
        if isinstance(given, dict):
            return {self._key(spec, key): self._with_placeholders(spec, held) for key, held in given.items()}
        return given

    def _key(self, spec: InputSpec, key: Any) -> Any:
        if isinstance(key, PipelineChannel) or (isinstance(key, str) and any(marks(key))):
            raise ArgumentError(
                f"The argument {spec.name!r} is a dict with a key that is known only when the pipeline runs.",
                where=self.where,
                remedy="Make the dict inside a component.",
            )
        return key

    def _text(self, text: str) -> str:
        for mark in marks(text):
            channel = self.builder.mentioned.get(mark)
            if channel is None:
                raise ArgumentError(
                    f"A text holds a value of another pipeline: {mark}.",
                    where=self.where,
                    remedy="Use outputs of tasks that this pipeline has called, and its own parameters.",
                )
            text = text.replace(mark, self._mention(channel))
        return text

    def _mention(self, channel: PipelineChannel) -> str:
        if channel.builder is not self.builder:
            raise foreign(channel, self.builder, self.where)
        self.mentioned.append(channel)
        return channel.placeholder


def _takes_none(spec: InputSpec) -> bool:
    return spec.default is None and (spec.optional or spec.nullable)
