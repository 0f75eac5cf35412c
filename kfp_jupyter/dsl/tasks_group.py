"""Control flow as KFP writes it: `with dsl.If(...)`, `Elif`, `Else`, `ParallelFor`, `ExitHandler`.

A group is a place in the tree that a pipeline is while it is being written; tasks that are called under its
`with` belong to it. `lowering` makes of each group a component with a graph, and a task of it. Groups are
numbered as KFP numbers them: in the order they are entered, and what holds the branches of an `If` takes the
number of the `If` when the first `Elif` or `Else` shows that there are several.
Reference: https://www.kubeflow.org/docs/components/pipelines/user-guides/core-functions/control-flow/
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any

from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.dsl.condition_operation import ConditionOperation, all_of
from kfp_jupyter.dsl.for_loop import LoopArgument, LoopError
from kfp_jupyter.dsl.pipeline_channel import PipelineChannel
from kfp_jupyter.dsl.task_itself import TaskItself
from kfp_jupyter.model.pipeline import GroupKind, PipelineError
from kfp_jupyter.model.types import ParameterType

if TYPE_CHECKING:
    from kfp_jupyter.dsl.pipeline_builder import PipelineBuilder
    from kfp_jupyter.dsl.pipeline_task import PipelineTask


class InvalidControlFlowException(PipelineError):  # noqa: N818 - KFP's name
    """A group that cannot stand where it was written."""


class TasksGroup:
    """A group of tasks, and of groups.

    Attributes:
        kind: What it is.
        name: Its name in the pipeline: `condition-1`.
        display_name: The name shown to people; empty means `name`.
        stem: What its name begins with.
        children: Its tasks and groups in the order they were written.
        parent: The group around it; None for the pipeline itself.
        origin: The file name and line that made it.
    """

    kind = GroupKind.PIPELINE
    stem = "pipeline"
    title = "pipeline"

    def __init__(self, name: str | None = None) -> None:
        self.name = ""
        self.display_name = name or ""
        self.children: list[PipelineTask | TasksGroup] = []
        self.parent: TasksGroup | None = None
        self.origin = caller()
        # What may be in a graph is asked for at once, where the line is known.
        self.builder = _builder(self.title)

    def __enter__(self) -> Any:
        self.builder.enter(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.builder.leave()

    def __repr__(self) -> str:
        return f"<{self.title} {self.name!r}>"


class ConditionGroup(TasksGroup):
    """What `If`, `Elif` and `Else` have in common.

    Attributes:
        condition: When its tasks run.
        conditions: All that is asked: that none of the conditions before held, and its own.
        refused: That neither it nor one before held, for the branch after it.
    """

    kind = GroupKind.CONDITION
    stem = "condition"
    title = "dsl.If"

    def __init__(self, conditions: list[ConditionOperation], name: str | None = None) -> None:
        super().__init__(name)
        self.conditions = conditions
        self.condition = all_of(conditions).cel()

    def channels(self) -> Iterator[PipelineChannel]:
        """Yield the values that it asks for."""
        for condition in self.conditions:
            yield from condition.channels()

    @property
    def refused(self) -> list[ConditionOperation]:
        """What holds if none of the branches so far was taken."""
        return [*self.conditions[:-1], ~self.conditions[-1]]


class If(ConditionGroup):
    """Runs its tasks only if a condition holds.

    Args:
        condition: A comparison of a parameter or output with another or a constant; `&`, `|`, `~` combine
            them.
        name: The name shown to people.

    Raises:
        ConditionError: The values cannot be compared.
    """

    def __init__(self, condition: Any, name: str | None = None) -> None:
        super().__init__([_condition(condition, "dsl.If")], name)


class Condition(If):
    """KFP's older name of `If`."""


class LaterBranch(ConditionGroup):
    """What `Elif` and `Else` have in common: they stand in the group of the branches."""

    def __enter__(self) -> Any:
        self.builder.open_branches()
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self.builder.leave()


class Elif(LaterBranch):
    """Runs its tasks only if no branch before it was taken and a condition holds.

    Args:
        condition: As for `If`.
        name: The name shown to people.

    Raises:
        InvalidControlFlowException: It follows no `If` or `Elif`.
    """

    title = "dsl.Elif"

    def __init__(self, condition: Any, name: str | None = None) -> None:
        before = _branch_before(self.title)
        super().__init__([*before.refused, _condition(condition, self.title)], name)


class Else(LaterBranch):
    """Runs its tasks only if no branch before it was taken.

    Args:
        name: The name shown to people.

    Raises:
        InvalidControlFlowException: It follows no `If` or `Elif`.
    """

    title = "dsl.Else"

    def __init__(self, name: str | None = None) -> None:
        super().__init__(_branch_before(self.title).refused, name)


class ConditionBranches(TasksGroup):
    """Holds the branches of an `If` that has `Elif` or `Else`."""

    kind = GroupKind.BRANCHES
    stem = "condition-branches"
    title = "dsl.If with branches"

    def __init__(self) -> None:
        super().__init__()
        self._choices = 0

    def next_choice(self) -> int:
        """Return the number of the next `dsl.OneOf` of it."""
        self._choices += 1
        return self._choices


class ParallelFor(TasksGroup):
    """Runs its tasks once for each item of a list.

    Args:
        items: A list of plain values, a parameter or output that is a list, or a list of artifacts.
        name: The name shown to people.
        parallelism: How many rounds may run at a time; 0 or None means any number.

    Raises:
        LoopError: That is no list, or the number is negative.
    """

    kind = GroupKind.LOOP
    stem = "for-loop"
    title = "dsl.ParallelFor"

    def __init__(self, items: Any, name: str | None = None, parallelism: Any = None) -> None:
        super().__init__(name)
        if not isinstance(parallelism or 0, int) or (parallelism or 0) < 0:
            raise LoopError(
                f"`parallelism` is {parallelism!r}.",
                where=place_line(*caller()),
                remedy="Give how many rounds may run at a time; 0 means any number.",
            )
        self.parallelism = parallelism or 0
        self.loop_argument = LoopArgument(self, items, self.builder)

    def __enter__(self) -> Any:
        self.builder.enter(self)
        return self.loop_argument


class ExitHandler(TasksGroup):
    """Runs a task when all of its own tasks have ended, also if one failed.

    Args:
        exit_task: The task, which may use no output of another.
        name: The name shown to people.

    Raises:
        InvalidControlFlowException: The task waits for others, or this is not the outermost level.
    """

    kind = GroupKind.EXIT_HANDLER
    stem = "exit-handler"
    title = "dsl.ExitHandler"

    def __init__(self, exit_task: PipelineTask, name: str | None = None) -> None:
        super().__init__(name)
        self.exit_task = exit_task
        self.builder.take_out(exit_task)


def _builder(title: str) -> PipelineBuilder:
    from kfp_jupyter.dsl.pipeline_builder import current_builder

    builder = current_builder()
    if builder is None:
        raise InvalidControlFlowException(
            f"`{title}` stands outside of a pipeline.",
            where=place_line(*caller()),
            remedy="Write it in a `%%pipeline` cell or in a function under `@pipeline`.",
        )
    return builder


def _condition(condition: Any, title: str) -> ConditionOperation:
    if isinstance(condition, ConditionOperation) and next(condition.channels(), None) is not None:
        return condition
    why = "is known before the pipeline runs"
    remedy = "Compare a parameter or an output of a task, as in `task.output == 'heads'`."
    if isinstance(condition, PipelineChannel):
        if condition.type is ParameterType.BOOLEAN:
            made: ConditionOperation = condition == True  # noqa: E712 - makes a condition
            return made
        why = "is no comparison"
        remedy = "Compare it, as in `task.output == 'heads'`; only a bool can stand alone."
    elif isinstance(condition, TaskItself):
        why, remedy = "is a task", "Compare its output, as in `task.output == 'heads'`."
    raise InvalidControlFlowException(
        f"The condition of `{title}` is {condition!r}, which {why}.",
        where=place_line(*caller()),
        remedy=remedy,
    )


def _branch_before(title: str) -> ConditionGroup:
    """Return the branch that an `Elif` or `Else` follows."""
    last = _builder(title).last_branch()
    if last is None:
        raise InvalidControlFlowException(
            f"`{title}` follows no `dsl.If` or `dsl.Elif`.",
            where=place_line(*caller()),
            remedy="Write it directly after one, on the same level.",
        )
    return last
