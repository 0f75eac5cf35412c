"""What is drawn for a program, as source text: hints, constants of a hint's type, and values of the run.

Everything random goes through `Chance`, which asks hypothesis; small answers give the plainest program.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import strategies as st

Held = TypeVar("Held")

PLAIN = ("str", "int", "float", "bool", "list", "dict")
PARAMETERS = (
    *PLAIN,
    "List[str]",
    "List[int]",
    "List[float]",
    "List[Dict[str, int]]",
    "List[Dict[str, str]]",
    "List[List[int]]",
    "Dict[str, int]",
    "Dict[str, List[str]]",
)
ARTIFACTS = ("Dataset", "Model", "Artifact", "Markdown", "Own")
ARTIFACT_LISTS = ("List[Dataset]", "List[Model]", "List[Artifact]")
TEXTS = (
    "a",
    "",
    'it\'s "so"',
    "two\nlines",
    "{{$.inputs}}",
    "{braces} 100% \\ $(x)",
    "é漢😀",
    "yes",
    "1",
    "1.0",
    "null",
    " padded ",
    "# no comment",
    "x" * 120,
)
NUMBERS = (0, 1, 2, -3, 10, 2**31, 2**53)
FLOATS = (0.5, 1.0, -2.25, 0.1, 1e-7, 1e22, 3.0)


def family(hint: str) -> str:
    """Return what KFP tells apart of a hint: `list` for `List[int]`, but `List[Dataset]` as it is."""
    return hint if hint in ARTIFACTS or hint in ARTIFACT_LISTS else hint.partition("[")[0].lower()


def is_artifact(hint: str) -> bool:
    """Say whether a hint is one of artifacts."""
    return hint in ARTIFACTS or hint in ARTIFACT_LISTS


@dataclass(eq=False)
class Frame:
    """A body: of a pipeline, or of one group of control flow in it."""

    kind: str
    parent: Frame | None = None
    values: list[Value] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)

    def outwards(self) -> list[Frame]:
        """Return it and the bodies around it."""
        return [self, *(self.parent.outwards() if self.parent else [])]


@dataclass(frozen=True)
class Value:
    """A value of the run.

    Attributes:
        text: The expression that is it.
        hint: Its type.
        frame: Where it is made.
        is_output: Whether a task gives it out.
    """

    text: str
    hint: str
    frame: Frame
    is_output: bool = False


class Chance:
    """Draws."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self._draw = draw

    def of(self, percent: int) -> bool:
        """Say yes that often."""
        return bool(self._draw(st.integers(0, 99)) >= 100 - percent)

    def number(self, low: int, high: int) -> int:
        """Return a whole number, both ends included."""
        return int(self._draw(st.integers(low, high)))

    def one(self, choices: Sequence[Held]) -> Held:
        """Return one of the choices."""
        return choices[self.number(0, len(choices) - 1)]

    def constant(self, hint: str) -> Any:
        """Return a value of a parameter's type."""
        if hint.startswith(("List[", "Dict[")):
            inner = hint[5:-1]
            count = self.number(1, 2)
            if hint.startswith("List["):
                return [self.constant(inner) for _ in range(count)]
            return {key: self.constant(inner.partition(", ")[2]) for key in ("a", "b c")[:count]}
        if hint == "list":
            return [self.constant(self.one(PLAIN[:5])) for _ in range(self.number(0, 2))]
        if hint == "dict":
            return {key: self.constant(self.one(PLAIN)) for key in ("a", "")[: self.number(0, 2)]}
        return self.one({"str": TEXTS, "int": NUMBERS, "float": FLOATS, "bool": (True, False)}[hint])
