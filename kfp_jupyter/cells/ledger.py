"""Which component cells a notebook has, and who has written each name last: the ground for `data_flow`.

A cell is known by its cell id and keeps its place in the order when it runs again. What it reads is linked to
whoever had written the name last *when it ran*: a step, or a cell that is no component. So what is linked is
what happened, also if cells were run out of order; running them from top to bottom gives the notebook's own.
A notebook that is only read is told cell by cell as if it ran.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

from kfp_jupyter.cells.cell_form import CellStep
from kfp_jupyter.cells.component import kebab_case
from kfp_jupyter.cells.inferred import changed_names
from kfp_jupyter.cells.names import Names
from kfp_jupyter.model.component import Component
from kfp_jupyter.model.pipeline import TaskSettings
from kfp_jupyter.model.types import Json

UNKNOWN = object()
"""What stands for a value that a text does not show."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Who has written a name last.

    Attributes:
        step: The id of a component's cell; empty for a cell that is none.
        place: Where, for people: `Cell In[3], line 2`.
        is_code: Whether it is an import, a function or a class.
        value: The value, as far as the text shows it: that of `rate = 0.1`; `UNKNOWN` if it does not.
    """

    step: str
    place: str
    is_code: bool = False
    value: Json = UNKNOWN


@dataclass(frozen=True, slots=True)
class StepCell:
    """A component's cell that ran, or was registered.

    Attributes:
        id: The cell's id, or what stands for it.
        place: What the cell is called.
        component: Its component.
        text: The cell's text, to see whether it was edited since.
        step: What the component was made of; None if the cell defines a function.
        settings: The settings that its tasks start with.
        after: The names of components whose tasks it shall wait for.
        sources: For each input, who had written the name last.
    """

    id: str
    place: str
    component: Component
    text: str = ""
    step: CellStep | None = None
    settings: TaskSettings = field(default_factory=TaskSettings)
    after: tuple[str, ...] = ()
    sources: dict[str, Writer] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The component's name as written."""
        return self.step.form.name if self.step else self.component.name.replace("-", "_")


class Ledger:
    """The component cells of one notebook, and the last writer of each name.

    Attributes:
        steps: The component cells by id, in the order in which they first ran.
        writers: The last writer of each name.
    """

    def __init__(self) -> None:
        self.steps: dict[str, StepCell] = {}
        self.writers: dict[str, Writer] = {}
        self._seen: set[str] = set()
        # The id of each component's step, and all ids that there ever were.
        self._ids: dict[str, str] = {}
        self._known: set[str] = set()

    def has_seen(self, place: str) -> bool:
        """Say whether a cell was told of already."""
        return place in self._seen

    def has_step(self, name: str) -> bool:
        """Say whether a component has a name as it is written."""
        step_id = self._ids.get(kebab_case(name) or "task", "")
        return step_id in self.steps and self.steps[step_id].name == name

    def add_cell(self, names: Names, place: str, first_line: int = 1) -> None:
        """Take note of a cell that is no component.

        Args:
            names: The names of its text.
            place: What it is called.
            first_line: The line of the cell that the text begins at.
        """
        self._seen.add(place)
        for name, binding in names.binds.items():
            line = binding.places[-1].line + first_line - 1
            value = _shown_value(name, binding.statements[-1])
            self.writers[name] = Writer("", f"{place}, line {line}", binding.kind != "variable", value)
        for name in changed_names(names):
            line = names.reads[name].line + first_line - 1
            before = self.writers.get(name)
            if before is None or not before.is_code:
                self.writers[name] = Writer("", f"{place}, line {line}")

    def add_step(self, step: StepCell) -> None:
        """Take note of a component's cell; one with the same id, or of the same component, is replaced."""
        self._seen.add(step.place)
        other = self._ids.get(step.component.name, step.id)
        if other != step.id:
            self.forget(other)
        for spec in step.component.inputs:
            writer = self.source(step.id, spec.name)
            if writer is not None:
                step.sources[spec.name] = writer
        self._drop_name(step.id)
        self.steps[step.id] = step
        self._ids[step.component.name] = step.id
        self._known.add(step.id)
        names = [spec.name for spec in step.component.outputs]
        self.writers.update(dict.fromkeys(names, Writer(step.id, step.place)))

    def source(self, step_id: str, name: str) -> Writer | None:
        """Return where a cell that runs now gets a name from; None if nobody is known to have written it.

        A cell that runs again, after itself or others have made something of what it gave out, does not read
        that: it gets the name from where it came the time before.
        """
        writer = self.writers.get(name)
        if writer is None or step_id not in self._known or not self._follows(writer.step, step_id):
            return writer
        before = self.steps.get(step_id)
        return before.sources.get(name) if before is not None else None

    def _follows(self, step_id: str, first: str) -> bool:
        """Say whether a step is another one, or reads from it over whatever steps between."""
        waiting, seen = [step_id], set()
        while waiting:
            held = waiting.pop()
            if held == first:
                return True
            if held in self.steps and held not in seen:
                seen.add(held)
                waiting.extend(writer.step for writer in self.steps[held].sources.values())
        return False

    def forget(self, step_id: str) -> None:
        """Forget a cell that was deleted."""
        self._drop_name(step_id)
        self.steps.pop(step_id, None)
        self.writers = {name: held for name, held in self.writers.items() if held.step != step_id}

    def _drop_name(self, step_id: str) -> None:
        if step_id in self.steps:
            del self._ids[self.steps[step_id].component.name]

    def provided(self, name: str) -> bool | None:
        """Say whether a name holds data (True) or code (False), as far as its last writer tells."""
        writer = self.writers.get(name)
        return None if writer is None else not writer.is_code

    def stale(self, texts: dict[str, str]) -> list[StepCell]:
        """Return the steps whose cells have other texts than those that ran.

        Args:
            texts: The texts of the notebook's cells by id, as they are now.
        """
        return [step for step in self.steps.values() if texts.get(step.id, step.text) != step.text]

    def named(self, names: Iterable[str]) -> list[StepCell]:
        """Return the steps of components, by their names in Python's or KFP's spelling."""
        wanted = {name.replace("_", "-").lower() for name in names}
        return [step for step in self.steps.values() if step.component.name in wanted]


def _shown_value(name: str, statement: ast.stmt) -> Json:
    """Return the value that `name = 0.1` assigns."""
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is None:
        return UNKNOWN
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    if not any(isinstance(held, ast.Name) and held.id == name for held in targets):
        return UNKNOWN
    try:
        return ast.literal_eval(statement.value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return UNKNOWN
