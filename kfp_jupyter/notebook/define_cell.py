"""What a `%%component` cell without a function defines: its body is the step, and runs in the notebook too.

The body runs among the notebook's own names, as any cell's, and shows what its last line gives. Nothing is
registered if it fails. Afterwards the values in the notebook decide what the line has left open.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from kfp_jupyter.cells.cell_capture import captured_cell
from kfp_jupyter.cells.cell_form import (
    FIRST_LINE,
    CellForm,
    CellStep,
    body_names,
    check_names,
    decided,
    read_cell_form,
    stored_values,
)
from kfp_jupyter.cells.component import default_base_image
from kfp_jupyter.cells.errors import CellFormError
from kfp_jupyter.cells.finding import ERROR, WARNING, CheckError, Finding, Where, ordered
from kfp_jupyter.cells.history import History
from kfp_jupyter.cells.inferred import inferred_line, is_function_cell, step_name
from kfp_jupyter.cells.ledger import Ledger, StepCell
from kfp_jupyter.cells.loading import loaded
from kfp_jupyter.cells.origin import place_name
from kfp_jupyter.cells.package_check import AUTO
from kfp_jupyter.cells.serializers import Choice, missing_from
from kfp_jupyter.cells.signature import ComponentOptions, read_interface_part
from kfp_jupyter.cells.surroundings import notebook_surroundings
from kfp_jupyter.dsl.base_component import BaseComponent
from kfp_jupyter.dsl.cell_component import CellComponent, logged_objects


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as it came.

    Attributes:
        body: Its text without the magic line.
        file: The file name to compile it under.
        id: Its id; empty if it has none.
        text: Its whole text.
    """

    body: str
    file: str
    id: str
    text: str

    @property
    def place(self) -> str:
        """What it is called."""
        return place_name(self.file)


def is_step(body: str, name: str | None) -> bool:
    """Say whether a cell without an interface on its line is a step itself, rather than a function.

    Args:
        body: The cell without its magic line.
        name: The name on the line.
    """
    try:
        module = ast.parse(body)
    except SyntaxError:
        return False  # told where the function is looked for
    wanted = name.replace("-", "_") if name else ""
    if any(isinstance(node, ast.FunctionDef) and node.name == wanted for node in module.body):
        return False
    return not is_function_cell(module)


def define_cell(
    options: ComponentOptions,
    cell: Cell,
    namespace: dict[str, Any],
    ledger: Ledger,
    history: History | None = None,
) -> CellComponent:
    """Make the component of a cell whose body is the step, and bind it under its name.

    Args:
        options: What the line says.
        cell: The cell.
        namespace: The notebook's names.
        ledger: The notebook's component cells, which it joins.
        history: The notebook's cells, where they are only read; then the body does not run.

    Raises:
        KfpJupyterError: The line or the body is wrong; the message says where and why.
        Exception: What the body raised while it ran.
    """
    form = _form(options, cell, namespace, ledger)
    image = options.base_image or default_base_image()
    run = options.run and history is None
    step_id = _step_id(cell, form)
    before = {port.name: namespace[port.name] for port in form.line.inputs if port.name in namespace}
    loads = loaded(form, before, ledger, step_id)
    # Where no values tell what a step installs, its imports do.
    packages = options.packages or (() if history is None else (AUTO,))
    taken = captured_cell(form, notebook_surroundings(namespace, history), image, packages, loads)
    if run:
        before = _prepare(form, step_id, namespace, ledger)
        _run(cell, namespace)
    after = {port.name: namespace[port.name] for port in form.line.outputs if port.name in namespace}
    form = decided(form, before, after if run else {})
    stored = stored_values(form, loads.choices, after if run else {})
    installed = (*taken.packages, *missing_from(taken.packages, loads.packages))
    step = CellStep(form, taken.captured, image, installed, options.pip_index_urls, stored)
    needed = [*loads.packages, *(package for choice in stored.values() for package in choice.packages)]
    found = ordered([*taken.findings, *_pickled(form, stored)])
    if any(finding.severity == ERROR for finding in found):
        raise CheckError(found)
    taken = replace(taken, findings=found)
    check = partial(taken.check, needed=needed)
    made = CellComponent(step, cell.file, namespace, options.settings, check)
    namespace[form.name] = made
    ledger.add_step(StepCell(step_id, cell.place, made.model, cell.text, step, made.defaults, options.after))
    return made


def _form(options: ComponentOptions, cell: Cell, namespace: Mapping[str, Any], ledger: Ledger) -> CellForm:
    components = {name for name, held in namespace.items() if isinstance(held, BaseComponent)}
    if options.interface:
        line = read_interface_part(options.interface, namespace)
        form = read_cell_form(line, cell.body, cell.place, components - {line.name})
    else:
        names = body_names(cell.body, cell.place)
        name = options.name or _name(cell, ledger)
        line = inferred_line(name.replace("-", "_"), names, namespace, ledger.provided)
        form = CellForm(line, cell.body, cell.place, names, inferred=True)
        check_names(form, components - {line.name})
    taken = ledger.writers.get(form.name)
    if taken is not None and taken.step in ledger.steps and not _is_own(taken.step, cell, form):
        raise CellFormError(
            f"The component {form.name!r} is called like an output of {ledger.steps[taken.step].name!r}.",
            where=f"{cell.place}, line 1",
            remedy="Rename one of the two: in the notebook a name can only be one thing.",
        )
    return form


def _pickled(form: CellForm, stored: Mapping[str, Choice]) -> Iterator[Finding]:
    """Yield which outputs no format but pickle holds, and which not even that."""
    for port in form.line.outputs:
        if port.name in stored and stored[port.name].problem:
            held = stored[port.name]
            what = f"The output {port.name!r} ({held.type}) cannot be stored: {held.problem}."
            remedy = "Give out plain data that it can be made of again, such as a list of what it yields."
            yield Finding(ERROR, "unstorable-output", what, Where(form.place, 1), remedy)
        elif port.name in stored and stored[port.name].announced:
            what = f"The output {port.name!r} ({stored[port.name].type}) is stored as a pickle."
            remedy = (
                "Steps that load it need the same packages in the same versions; "
                "`kfp_jupyter.serializers.register` stores a class in another way."
            )
            yield Finding(WARNING, "stored-as-pickle", what, Where(form.place, 1), remedy)


def _step_id(cell: Cell, form: CellForm) -> str:
    return cell.id or f"component {form.name}"


def _is_own(step_id: str, cell: Cell, form: CellForm) -> bool:
    return step_id in (cell.id, f"component {form.name}")


def _name(cell: Cell, ledger: Ledger) -> str:
    """Return the name of a cell that has none: the one that it had, its first comment's, or its number."""
    if cell.id in ledger.steps:
        return ledger.steps[cell.id].name
    number = "".join(filter(str.isdecimal, cell.place.rpartition(" ")[2])) or str(len(ledger.steps) + 1)
    name = step_name(cell.body, f"step_{number}")
    return f"step_{number}" if name in ledger.writers or ledger.has_step(name) else name


def _prepare(form: CellForm, step_id: str, namespace: dict[str, Any], ledger: Ledger) -> dict[str, Any]:
    """Give the body what its line promises, and return its inputs' values.

    A default holds as if the body began with it, unless another step has given the name out.
    """
    for port in form.line.inputs:
        writer = ledger.source(step_id, port.name)
        given = writer is not None and writer.step in ledger.steps and port.name in namespace
        if port.optional and not given:
            namespace[port.name] = port.default
        elif port.name not in namespace:
            raise CellFormError(
                f"The input {port.name!r} of {form.name!r} is not in the notebook.",
                where=form.where(port.name),
                remedy="Run the cell that makes it first, or add `--no-run` to only register this one.",
            )
    namespace.update(logged_objects(CellStep(form)))
    return {port.name: namespace[port.name] for port in form.line.inputs}


def _run(cell: Cell, namespace: dict[str, Any]) -> None:
    """Run the body as a cell: what its last line gives is shown, unless it ends with a semicolon."""
    module = ast.parse("\n" * (FIRST_LINE - 1) + cell.body)
    shown: list[ast.stmt] = []
    if module.body and isinstance(module.body[-1], ast.Expr) and not cell.body.rstrip().endswith(";"):
        shown = [module.body.pop()]
    exec(compile(module, cell.file, "exec", dont_inherit=True), namespace)
    if shown:
        exec(compile(ast.Interactive(shown), cell.file, "single", dont_inherit=True), namespace)
