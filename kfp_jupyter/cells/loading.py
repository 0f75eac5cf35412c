"""What a cell needs to load its inputs: the classes of the values, whose code a stored value does not hold.

Where the notebook has a value, the value tells. Where it has none (a notebook that is only read, a cell that
was only registered), the text of the step that makes the value does: an instance can only be of a class that
this step uses, so all of these come along.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kfp_jupyter.cells.cell_form import CellForm, CellStep
from kfp_jupyter.cells.ledger import Ledger
from kfp_jupyter.cells.serializers import Choice, choice
from kfp_jupyter.model.component import PREAMBLE, PythonStep
from kfp_jupyter.model.types import ArtifactType

# Calls whose value is a class.
_MAKES_CLASS = frozenset({"Enum", "IntEnum", "NamedTuple", "make_dataclass", "namedtuple"})


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading takes.

    Attributes:
        choices: How the values are stored that the notebook has, by input; they tell what loading them takes.
        guessed: Names that others may take: classes, and functions that are handed on.
        modules: Modules of the user's own that define such.
        packages: What the steps install that give these others.
    """

    choices: Mapping[str, Choice] = field(default_factory=dict)
    guessed: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The notebook's classes and functions that its values refer to."""
        return tuple(dict.fromkeys(name for held in self.choices.values() for name in held.names))


NOTHING = Loaded()
"""What plain values take."""


def loaded(form: CellForm, values: Mapping[str, Any], ledger: Ledger, step_id: str) -> Loaded:
    """Return what loading a cell's inputs takes.

    Args:
        form: The cell.
        values: The values of its inputs, as far as the notebook has them.
        ledger: The notebook's component cells.
        step_id: The cell's id in the ledger.
    """
    choices: dict[str, Choice] = {}
    guessed: dict[str, None] = {}
    modules: dict[str, None] = {}
    packages: dict[str, None] = {}
    for port in form.line.inputs:
        if port.type is not None and not isinstance(port.type, ArtifactType):
            continue
        if port.name in values:
            choices[port.name] = choice(values[port.name])
            modules.update(dict.fromkeys(choices[port.name].modules))
            continue
        writer = ledger.source(step_id, port.name)
        maker = ledger.steps.get(writer.step) if writer is not None else None
        given = maker.component.output(port.name) if maker is not None else None
        if maker is not None and maker.step is not None and given and isinstance(given.type, ArtifactType):
            guessed.update(dict.fromkeys(classes_in(_texts(maker.step))))
            modules.update(dict.fromkeys(module.name for module in maker.step.captured.modules))
            step = maker.component.implementation
            packages.update(dict.fromkeys(step.packages if isinstance(step, PythonStep) else ()))
    return Loaded(choices, tuple(guessed), tuple(modules), tuple(packages))


def classes_in(texts: Iterable[str]) -> Iterator[str]:
    """Yield the classes that texts define, and the functions that they hand on as values."""
    tree = ast.parse("\n".join(texts))
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    handed = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in called
    }
    for held in tree.body:
        for statement in held.body if isinstance(held, ast.If) else [held]:
            if isinstance(statement, ast.ClassDef) or (
                isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) and statement.name in handed
            ):
                yield statement.name
            elif isinstance(statement, ast.Assign) and _makes_class(statement.value):
                yield from (target.id for target in statement.targets if isinstance(target, ast.Name))


def _makes_class(value: ast.expr) -> bool:
    if not isinstance(value, ast.Call):
        return False
    name = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
    return name in _MAKES_CLASS or (name == "type" and len(value.args) == 3)


def _texts(step: CellStep) -> Iterator[str]:
    """Yield the texts of a notebook that a step is made of."""
    yield from (held.text for held in step.captured.fragments if held.file != PREAMBLE)
    yield step.form.body
