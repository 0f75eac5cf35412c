"""What a loop's body works on, and what it gives out: the item, and the list of outputs of all rounds.

Names are KFP's: the item of a loop over `rows` is `rows-loop-item`, that of written items
`loop-item-param-1`.
Reference: https://www.kubeflow.org/docs/components/pipelines/user-guides/core-functions/control-flow/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.dsl.item_type import constant_type, item_type
from kfp_jupyter.dsl.pipeline_channel import PipelineChannel, Selected
from kfp_jupyter.dsl.task_itself import TaskItself
from kfp_jupyter.model.check import parameter_value
from kfp_jupyter.model.pipeline import PipelineError
from kfp_jupyter.model.types import ArtifactType, Json, ParameterType, accepts

if TYPE_CHECKING:
    from kfp_jupyter.dsl.pipeline_builder import PipelineBuilder
    from kfp_jupyter.dsl.tasks_group import ParallelFor


class LoopError(PipelineError):
    """Something that cannot be looped over, or collected from a loop."""


class LoopArgument(PipelineChannel):
    """The item of a loop, in its body; the members of a dict are its attributes: `item.rate`.

    Attributes:
        group: The loop.
        items: The written items, or the channel that holds them.
    """

    __slots__ = ("group", "items")

    def __init__(self, group: ParallelFor, items: Any, builder: PipelineBuilder) -> None:
        self.group = group
        if isinstance(items, PipelineChannel):
            self._of_channel(items)
        else:
            self._of_constants(list(items) if isinstance(items, range) else items, builder)
        builder.items.add(self.name)

    def _of_channel(self, items: PipelineChannel) -> None:
        self.items: PipelineChannel | tuple[Json, ...] = items
        name = f"{items.name}-loop-item"
        if isinstance(items.type, ArtifactType):
            if not items.type.is_list:
                raise _no_list(items)
            single = ArtifactType(items.type.schema_title, items.type.schema_version)
            super().__init__(name, single, items.builder, items.task_name)
            return
        if items.is_type_known and items.type is not ParameterType.LIST:
            raise _no_list(items)
        inner = item_type(items.hint)
        super().__init__(name, inner.type, items.builder, items.task_name, inner.hint, inner.is_known)

    def _of_constants(self, items: Any, builder: PipelineBuilder) -> None:
        if not isinstance(items, (list, tuple)) or not items:
            raise LoopError(
                f"A loop needs a list with items, not {items!r}.",
                where=place_line(*caller()),
                remedy="Give the task's output: `.output`."
                if isinstance(items, TaskItself)
                else "Give a list, a parameter or output that is one, or a list of artifacts.",
            )
        try:
            values = parameter_value(ParameterType.LIST, list(items))
        except ValueError as error:
            raise LoopError(
                f"The items of a loop must be plain values: {error}.",
                where=place_line(*caller()),
                remedy="Use str, int, float, bool, list and dict, without outputs of tasks in them.",
            ) from None
        self.items = tuple(values)
        inner = constant_type(items[0])
        name = f"loop-item-param-{builder.next_group_number()}"
        super().__init__(name, inner.type, builder, None, inner.hint, inner.is_known)

    def __getattr__(self, name: str) -> PipelineChannel:
        if name.startswith("_") or isinstance(self.type, ArtifactType):
            return super().__getattr__(name)
        part = Selected(self, name)
        if isinstance(self.items, tuple):
            held = [item[name] for item in self.items if isinstance(item, dict) and name in item]
            if not held:
                raise LoopError(
                    f"The items of the loop have no {name!r}.",
                    where=place_line(*caller()),
                    remedy=f"The first one is {self.items[0]!r}.",
                )
            # KFP takes all values of a dict to be of the type of the first.
            part.is_type_known &= all(accepts(part.type, value) for value in held)
        return part

    def describe(self) -> str:
        """Return what people call it."""
        return f"the item of the loop {self.group.name!r}"


class Collected(PipelineChannel):
    """The list of a task's outputs of all rounds of the loops that the task is in.

    Args:
        output: The output of a task inside `dsl.ParallelFor`.
    """

    __slots__ = ("output",)

    def __init__(self, output: Any) -> None:
        if not isinstance(output, PipelineChannel) or output.task_name is None:
            raise LoopError(
                f"`dsl.Collected` takes an output of a task in a loop, not {output!r}.",
                where=place_line(*caller()),
                remedy="Give `task.output` or `task.outputs['…']`.",
            )
        if isinstance(output, (Collected, Selected)) or output.task_name not in output.builder.tasks:
            raise LoopError(
                f"`dsl.Collected` cannot take {output!r}.",
                where=place_line(*caller()),
                remedy="Give it an output of a task itself.",
            )
        type_: ParameterType | ArtifactType = ParameterType.LIST
        if isinstance(output.type, ArtifactType):
            type_ = ArtifactType(output.type.schema_title, output.type.schema_version, is_list=True)
        super().__init__(output.name, type_, output.builder, output.task_name)
        self.output = output

    def describe(self) -> str:
        """Return what people call it."""
        return f"the collected {self.output.describe()}"


def _no_list(items: PipelineChannel) -> LoopError:
    return LoopError(
        f"A loop needs a list, but {items.describe()} is of type {items.type.python_name}.",
        where=place_line(*caller()),
        remedy="Let it be a list, or a list of artifacts.",
    )
