"""A value that will flow when the pipeline runs: a pipeline's parameter, a task's output, or a part of one.

While a pipeline is being traced there is no value yet. A channel can be given to components, also inside
texts, lists and dicts; compared, for `dsl.If`; calculated with; and parts of a dict or list can be taken with
`[...]`. Any other use of one as a Python value is an error. In a text it stands as a mark that its pipeline
knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.dsl.item_type import item_type, member_type
from kfp_jupyter.model.pipeline import PipelineError
from kfp_jupyter.model.selection import selector_of
from kfp_jupyter.model.types import ArtifactType, ParameterType, ValueType
from kfp_jupyter.model.value import CHANNEL

if TYPE_CHECKING:
    from kfp_jupyter.dsl.condition_operation import ConditionOperation
    from kfp_jupyter.dsl.pipeline_builder import PipelineBuilder

_MARK = re.compile(r"\{\{channel:[^{}]*\}\}")


class ChannelUseError(PipelineError):
    """A value that will flow later was used as if it were there now."""


class ChannelAttributeError(ChannelUseError, AttributeError):
    """Something of a value was asked for that will be there only later."""


_SLOTS = {
    *("builder", "hint", "is_type_known", "name", "task_name", "type", "base", "key", "depth", "operands"),
    *("operator", "output", "group", "items", "branches", "channels"),
}
"""Attributes of channels of all kinds, which one that is only half made does not have yet."""

_INSIDE = "Give it to a component as an argument, and do this inside the component."


class PipelineChannel:
    """Stands for a value of a run, to be given to components as an argument.

    Attributes:
        name: The parameter's or output's name.
        type: Its parameter or artifact type.
        builder: The pipeline that it belongs to.
        task_name: The name of the task that gives it out; None for a parameter of the pipeline.
        hint: The Python type in full, if that says what is in a list or dict.
        is_type_known: False if `type` is only what KFP writes where nothing is known.
    """

    __slots__ = ("builder", "hint", "is_type_known", "name", "task_name", "type")
    __array_ufunc__ = None
    """Tells numpy's numbers to leave `2 * channel` to the channel."""

    def __init__(
        self,
        name: str,
        type_: ValueType,
        builder: PipelineBuilder,
        task_name: str | None = None,
        hint: str = "",
        is_type_known: bool = True,
    ) -> None:
        self.name = name
        self.type = type_
        self.builder = builder
        self.task_name = task_name
        self.hint = hint
        self.is_type_known = is_type_known

    @property
    def full_name(self) -> str:
        """Its name in the whole pipeline, as KFP makes it: `train-model`, or `rate` for a parameter."""
        return f"{self.task_name}-{self.name}" if self.task_name else self.name

    @property
    def pattern(self) -> str:
        """The mark that stands for it in a text."""
        return f"{{{{channel:task={self.task_name or ''};name={self.name};type={self._type_name()};}}}}"

    @property
    def placeholder(self) -> str:
        """What stands for it in a text that a task gets as an argument."""
        return f"{{{{$.inputs.parameters['{CHANNEL}{self.full_name}']}}}}"

    @property
    def producers(self) -> Iterator[str]:
        """The names of the tasks that it needs."""
        if self.task_name:
            yield self.task_name

    def describe(self) -> str:
        """Return what people call it: `output 'model' of task 'train'`."""
        if self.task_name:
            return f"output {self.name!r} of task {self.task_name!r}"
        return f"the pipeline's parameter {self.name!r}"

    def __repr__(self) -> str:
        return f"<{self.describe()}: {self.type.python_name}>"

    def __str__(self) -> str:
        if isinstance(self.type, ArtifactType):
            remedy = f"It is an artifact: give it to an argument `Input[{self.type.python_name}]`."
            self._refuse("be put into a text", remedy)
        pattern = self.pattern
        self.builder.mentioned[pattern] = self
        return pattern

    def __getattr__(self, name: str) -> PipelineChannel:
        """Refuse what only the value itself has."""
        if name.startswith("_") or name in _SLOTS:
            raise AttributeError(name)
        value = self.describe()
        remedy = _INSIDE
        if isinstance(self.type, ArtifactType):
            remedy = f"Give it to an argument `Input[{self.type.python_name}]` of a component, which has it."
        elif self.type is ParameterType.STRUCT or not self.is_type_known:
            remedy = f"A part of a dict is taken with `[{name!r}]`."
        raise ChannelAttributeError(
            f"{value[0].upper()}{value[1:]} has no attribute {name!r} before the pipeline runs.",
            where=place_line(*caller()),
            remedy=remedy,
        )

    def __format__(self, spec: str) -> str:
        if spec:
            self._refuse(f"be formatted with {spec!r}")
        return str(self)

    def __getitem__(self, key: Any) -> PipelineChannel:
        fits = {ParameterType.STRUCT: isinstance(key, str), ParameterType.LIST: type(key) is int}
        known = isinstance(self.type, ParameterType) and fits.get(self.type, False)
        unknown = not self.is_type_known and (isinstance(key, str) or type(key) is int)
        if not (known or unknown) or not re.fullmatch(r"[\w .-]+", str(key)):
            self._refuse(
                f"be indexed with [{key!r}]",
                f"A dict has parts by text and a list by number; this is of type {self.type.python_name}.",
            )
        return Selected(self, key)

    def __eq__(self, other: object) -> ConditionOperation:  # type: ignore[override]
        return self._compared("==", other)

    def __ne__(self, other: object) -> ConditionOperation:  # type: ignore[override]
        return self._compared("!=", other)

    def __lt__(self, other: object) -> ConditionOperation:
        return self._compared("<", other)

    def __le__(self, other: object) -> ConditionOperation:
        return self._compared("<=", other)

    def __gt__(self, other: object) -> ConditionOperation:
        return self._compared(">", other)

    def __ge__(self, other: object) -> ConditionOperation:
        return self._compared(">=", other)

    __hash__ = object.__hash__

    def is_in(self, values: Iterable[Any]) -> ConditionOperation:
        """Return the condition that it equals one of some values, which Python's `in` cannot say."""
        from kfp_jupyter.dsl.condition_operation import any_of

        return any_of([self == value for value in values])

    def __and__(self, other: object) -> ConditionOperation:
        return self._as_condition("&") & other

    def __rand__(self, other: object) -> ConditionOperation:
        return self._as_condition("&") & other

    def __or__(self, other: object) -> ConditionOperation:
        return self._as_condition("|") | other

    def __ror__(self, other: object) -> ConditionOperation:
        return self._as_condition("|") | other

    def __invert__(self) -> ConditionOperation:
        return ~self._as_condition("~")

    def __add__(self, other: object) -> PipelineChannel:
        return self._calculated("+", self, other)

    def __radd__(self, other: object) -> PipelineChannel:
        return self._calculated("+", other, self)

    def __sub__(self, other: object) -> PipelineChannel:
        return self._calculated("-", self, other)

    def __rsub__(self, other: object) -> PipelineChannel:
        return self._calculated("-", other, self)

    def __mul__(self, other: object) -> PipelineChannel:
        return self._calculated("*", self, other)

    def __rmul__(self, other: object) -> PipelineChannel:
        return self._calculated("*", other, self)

    def __truediv__(self, other: object) -> PipelineChannel:
        return self._calculated("/", self, other)

    def __rtruediv__(self, other: object) -> PipelineChannel:
        return self._calculated("/", other, self)

    def __floordiv__(self, other: object) -> PipelineChannel:
        return self._calculated("//", self, other)

    def __rfloordiv__(self, other: object) -> PipelineChannel:
        return self._calculated("//", other, self)

    def __mod__(self, other: object) -> PipelineChannel:
        return self._calculated("%", self, other)

    def __rmod__(self, other: object) -> PipelineChannel:
        return self._calculated("%", other, self)

    def __pow__(self, other: object) -> PipelineChannel:
        return self._calculated("**", self, other)

    def __rpow__(self, other: object) -> PipelineChannel:
        return self._calculated("**", other, self)

    def __neg__(self) -> PipelineChannel:
        return self._calculated("-", self)

    def _calculated(self, operator: str, *operands: object) -> PipelineChannel:
        from kfp_jupyter.dsl.calculated import Calculated

        return Calculated(operator, operands)

    def _as_condition(self, operator: str) -> ConditionOperation:
        """Return the condition that it is true, for what combines conditions."""
        if self.type is ParameterType.BOOLEAN:
            return self == True  # noqa: E712 - makes a condition
        return self._refuse(
            f"be combined with `{operator}`",
            "Combine comparisons, each in brackets: `(a == 1) & (b > 2)`.",
        )

    def _compared(self, operator: str, other: object) -> ConditionOperation:
        from kfp_jupyter.dsl.condition_operation import ConditionOperation, text_comparison

        found = text_comparison(operator, self, other)
        if found is not None and found not in self.builder.findings:
            self.builder.findings.append(found)
        return ConditionOperation(operator, (self, other))

    def _type_name(self) -> str:
        return self.type.schema_title if isinstance(self.type, ArtifactType) else self.type.value

    def _refuse(
        self,
        use: str,
        remedy: str = _INSIDE,
    ) -> NoReturn:
        value = self.describe()
        raise ChannelUseError(
            f"{value[0].upper()}{value[1:]} has no value before the pipeline runs, so it cannot {use} here.",
            where=place_line(*caller()),
            remedy=remedy,
        )


class Selected(PipelineChannel):
    """A part of a value: `item.a` in a loop over dicts, or `task.output["a"]`.

    Attributes:
        base: What it is a part of.
        key: The key, or the position in a list.
    """

    __slots__ = ("base", "key")
    type: ParameterType

    def __init__(self, base: PipelineChannel, key: str | int) -> None:
        hint = item_type(base.hint) if isinstance(key, int) else member_type(base.hint)
        super().__init__(
            f"{base.name}-subvar-{key}", hint.type, base.builder, base.task_name, hint.hint, hint.is_known
        )
        self.base = base
        self.key = key

    @property
    def keys(self) -> tuple[str | int, ...]:
        """The keys that lead to it from the root."""
        return (*(self.base.keys if isinstance(self.base, Selected) else ()), self.key)

    @property
    def selector(self) -> str:
        """The CEL expression that takes it out of the root."""
        return selector_of(self.keys)

    @property
    def root(self) -> PipelineChannel:
        """The value that it is at last a part of."""
        return self.base.root if isinstance(self.base, Selected) else self.base

    def describe(self) -> str:
        """Return what people call it."""
        return f"[{self.key!r}] of {self.base.describe()}"


def marks(text: str) -> Iterator[str]:
    """Yield the marks of channels in a text."""
    if "{{channel:" in text:
        yield from _MARK.findall(text)


def _refusal(use: str, remedy: str) -> Any:
    def refuse(self: PipelineChannel, *_: Any) -> NoReturn:
        self._refuse(use, remedy)

    return refuse


_COMPARE = "Compare it under `dsl.If(…)`, and combine comparisons with `&`, `|` and `~`."
_USES = (
    (
        "be calculated with in this way",
        _INSIDE,
        "matmul rmatmul divmod rdivmod lshift rlshift rshift rrshift",
    ),
    ("be calculated with in this way", _INSIDE, "pos abs xor rxor"),
    ("be made a number", _INSIDE, "int float complex index round"),
    ("be searched", "Compare it under `dsl.If(…)`; `value.is_in([…])` compares it with several.", "contains"),
    ("decide an `if`, `while`, `and`, `or` or `not`", _COMPARE, "bool"),
    ("be iterated over", "Loop over it with `dsl.ParallelFor(…)`, or inside a component.", "iter"),
    ("have a length", _INSIDE, "len"),
    ("be called", _INSIDE, "call"),
)

for _use, _remedy, _names in _USES:
    for _name in _names.split():
        setattr(PipelineChannel, f"__{_name}__", _refusal(_use, _remedy))
