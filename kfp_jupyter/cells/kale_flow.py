"""What flows between the steps of a notebook with Kale's tags, told from the names in their cells.

A step reads a name from the last step before it that has written the name: among those that its `prev:` tags
lead to if any of them has, else among all that stand above it. What no step has written is a parameter, or
code of the shared cells, which travels with the step: as much of it as the step uses, and statements that
define nothing (`warnings.simplefilter(…)`), which every step runs. A name that nothing of this gives is an
error. Steps that share nothing wait for each other only where a `prev:` says so.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from kfp_jupyter.cells.inferred import changed_names
from kfp_jupyter.cells.kale import KaleError, KaleNotebook, KaleStep
from kfp_jupyter.cells.loading import classes_in
from kfp_jupyter.cells.magic_lines import MagicLine, plain_python
from kfp_jupyter.cells.names import Names, analyse
from kfp_jupyter.cells.notebook import CodeCell
from kfp_jupyter.model.component import Fragment, InputSpec
from kfp_jupyter.model.lines import with_ends


@dataclass(frozen=True, slots=True)
class Piece:
    """Statements of a cell that travel together.

    Attributes:
        fragment: Their text.
        binds: The names that they bind.
        reads: The names that they read from outside.
        order: The cell's number and the first line, to keep pieces in the notebook's order.
    """

    fragment: Fragment
    binds: frozenset[str]
    reads: frozenset[str]
    order: tuple[int, int]


@dataclass(slots=True)
class KaleTask:
    """A step, and what it takes from others.

    Attributes:
        step: The step.
        body: Its cells as plain Python, one after the other.
        parts: For each cell the number of its lines in the body, and what it is called.
        names: The names of the body.
        commands: The lines that only IPython understands, each with its place.
        code: The pieces of other cells that travel with it.
        links: The step that gives each input.
        parameters: The inputs that are the pipeline's parameters.
        outputs: What other steps take from it.
    """

    step: KaleStep
    body: str
    parts: list[tuple[int, str]]
    names: Names
    commands: list[tuple[MagicLine, str]]
    code: list[Piece] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    parameters: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)

    def place(self, line: int) -> str:
        """Return the place of a line (from 1) of the body."""
        for count, place in self.parts:
            if line <= count:
                return f"{place}, line {line}"
            line -= count
        return self.parts[-1][1]


def kale_tasks(notebook: KaleNotebook, parameters: Iterable[InputSpec]) -> dict[str, KaleTask]:
    """Return the steps of a notebook by name, linked by what they read.

    Args:
        notebook: The notebook.
        parameters: The pipeline's parameters.

    Raises:
        KaleError: A cell is not Python, or reads a name that nothing gives; the message names cell and line.
    """
    return _Linking(notebook, {spec.name for spec in parameters}).tasks


class _Linking:
    def __init__(self, notebook: KaleNotebook, parameters: set[str]) -> None:
        self.notebook = notebook
        self.parameters = parameters
        self.shared = [piece for cell in notebook.shared for piece in self.pieces(cell)]
        self.tasks: dict[str, KaleTask] = {}
        self.writers: dict[str, list[str]] = {}
        for step in notebook.steps.values():
            self.add(step)

    def add(self, step: KaleStep) -> None:
        """Link a step to those above it."""
        task = self.read(step)
        self.tasks[step.name] = task
        used = {held.name: held.line for held in task.names.reads.values() if not held.postponed}
        waiting = list(used)
        for piece in self.shared:
            if not piece.binds:
                task.code.append(piece)
                waiting += piece.reads
        done: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name in done or (name not in used and name in task.names.binds):
                continue
            done.add(name)
            waiting += self.bring(task, name, used.get(name, 1))
        task.code = sorted({piece.order: piece for piece in task.code}.values(), key=lambda held: held.order)
        for name in [*task.names.binds, *changed_names(task.names)]:
            self.writers.setdefault(name, []).append(step.name)

    def bring(self, task: KaleTask, name: str, line: int) -> Iterable[str]:
        """Get a name for a step, from wherever it is given; return the names that this takes in turn."""
        giver = self.giver(task.step, name)
        if giver is not None:
            given = self.tasks[giver]
            binding = given.names.binds.get(name)
            if binding is None or binding.kind == "variable":
                task.links[name] = giver
                if name not in given.outputs:
                    given.outputs.append(name)
                # To load the value takes its class, which the step that gives it has.
                return classes_in([*(piece.fragment.text for piece in given.code), given.body])
            pieces = [piece for cell in self.notebook.steps[giver].cells for piece in self.pieces(cell)]
            return self.take(task, [piece for piece in pieces if name in piece.binds])
        pieces = [piece for piece in self.shared if name in piece.binds]
        if pieces:
            return self.take(task, pieces)
        if name not in self.parameters:
            raise self.unknown(task, name, line)
        task.parameters.append(name)
        return ()

    def take(self, task: KaleTask, pieces: list[Piece]) -> Iterable[str]:
        task.code += pieces
        return [name for piece in pieces for name in piece.reads]

    def giver(self, step: KaleStep, name: str) -> str | None:
        writers = self.writers.get(name, [])
        if len(writers) > 1:
            above = self.ancestors(step)
            writers = [writer for writer in writers if writer in above] or writers
        return writers[-1] if writers else None

    def ancestors(self, step: KaleStep) -> set[str]:
        """Return the steps that a step's tags make it wait for, directly or not."""
        found: set[str] = set()
        waiting = list(step.before)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self.notebook.steps[name].before
        return found

    def unknown(self, task: KaleTask, name: str, line: int) -> KaleError:
        what = f"The step {task.step.name!r} uses {name!r}, which no cell of the pipeline defines."
        remedy = "Define it in this step, in one above it, or in a cell with the tag `functions`."
        for cell in self.notebook.skipped:
            if any(name in piece.binds for piece in self.pieces(cell)):
                what = (
                    f"The step {task.step.name!r} uses {name!r}, which is defined in cell {cell.number} only."
                )
                said = "has the tag `skip`" if "skip" in cell.tags else "has no tag"
                remedy = f"That cell {said}, so it is no part of the pipeline: give it the tag `functions`."
        return KaleError(what, where=task.place(line), remedy=remedy)

    def read(self, step: KaleStep) -> KaleTask:
        """Return a step's body and its names."""
        texts: list[str] = []
        parts: list[tuple[int, str]] = []
        commands: list[tuple[MagicLine, str]] = []
        for cell in step.cells:
            place = cell.place(self.notebook.path)
            text, lines = plain_python(_text(cell))
            self.parse(text, place)
            text = text.rstrip("\n") + "\n"
            texts.append(text)
            parts.append((text.count("\n"), place))
            commands += [(line, f"{place}, line {line.line}") for line in lines]
        task = KaleTask(step, "".join(texts), parts, analyse("".join(texts)), commands)
        if task.names.awaits:
            raise KaleError(
                f"The step {step.name!r} awaits, and a step has no event loop as a notebook has.",
                where=task.place(task.names.awaits[0].line),
                remedy="Call `asyncio.run(…)` instead.",
            )
        return task

    def pieces(self, cell: CodeCell) -> list[Piece]:
        """Return the statements of a cell; those that share a line go together."""
        place = cell.place(self.notebook.path)
        text, _ = plain_python(_text(cell))
        lines = with_ends(text)
        found: list[Piece] = []
        for first, last, statements in _stretches(self.parse(text, place)):
            names = [analyse(statement) for statement in statements]
            fragment = Fragment("".join(lines[first - 1 : last]).rstrip("\n") + "\n", place, first)
            binds = frozenset(name for held in names for name in held.binds)
            reads = frozenset(name for held in names for name in held.reads)
            found.append(Piece(fragment, binds, reads - binds, (cell.number, first)))
        return found

    def parse(self, text: str, place: str) -> ast.Module:
        try:
            return ast.parse(text)
        except SyntaxError as error:
            raise KaleError(
                f"This is not valid Python ({error.msg}): `{(error.text or '').strip()}`.",
                where=f"{place}, line {error.lineno}",
                remedy="Correct it, or give the cell the tag `skip`.",
            ) from None


def _text(cell: CodeCell) -> str:
    """Return a cell's whole text; one under a magic of its own is not Python."""
    return f"%%{cell.magic} {cell.line}\n{cell.body}" if cell.magic else cell.body


def _stretches(module: ast.Module) -> Iterator[tuple[int, int, list[ast.stmt]]]:
    """Yield first line, last line and statements of what stands on lines of its own.

    Texts and `pass` do nothing and are left out.
    """
    open_: list[ast.stmt] = []
    first = last = 0
    for statement in module.body:
        if isinstance(statement, ast.Pass) or _is_text(statement):
            continue
        decorated = [held.lineno for held in getattr(statement, "decorator_list", [])]
        begins = min([statement.lineno, *decorated])
        if open_ and begins > last:
            yield first, last, open_
            open_ = []
        first = first if open_ else begins
        open_.append(statement)
        last = max(last, statement.end_lineno or begins)
    if open_:
        yield first, last, open_


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def last_writer(tasks: Mapping[str, KaleTask], name: str) -> str | None:
    """Return the last step that writes a name."""
    return next((held.step.name for held in reversed([*tasks.values()]) if name in held.names.binds), None)
