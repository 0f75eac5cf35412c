"""The pipeline that a notebook's component cells make by their data: who reads what whom has written.

Each cell is a task. An input comes from the step that had written its name last (see `ledger`); what only the
notebook provides becomes a parameter of the pipeline if it is a small constant, and is an error otherwise,
since a step elsewhere cannot have it. Declared defaults become parameters too. Tasks that share no data wait
for nothing of each other, unless `--after` says so.

A type that was not declared follows the one on the other side of its link. Of a cell whose interface was
inferred only those outputs are kept that another task reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kfp_jupyter.cells.cell_line import ARTIFACT, CellLine, Port, parameter_type
from kfp_jupyter.cells.errors import DataFlowError
from kfp_jupyter.cells.ledger import UNKNOWN, Ledger, StepCell
from kfp_jupyter.model.check import parameter_value
from kfp_jupyter.model.component import Component, InputSpec
from kfp_jupyter.model.types import Json, ParameterType, ValueType, connects


@dataclass(frozen=True, slots=True)
class Link:
    """An output of another cell."""

    step: str
    output: str


@dataclass(slots=True)
class Task:
    """A task of the pipeline.

    Attributes:
        cell: Its cell.
        component: Its component, with the types and outputs that the links ask for.
        links: The inputs that other tasks give.
        parameters: The inputs that are the pipeline's parameters of the same name.
        after: The ids of cells that it waits for besides.
    """

    cell: StepCell
    component: Component
    links: dict[str, Link]
    parameters: list[str]
    after: list[str]


@dataclass(frozen=True, slots=True)
class DataFlow:
    """A pipeline of cells.

    Attributes:
        tasks: Its tasks by the ids of their cells, each after those that it waits for.
        parameters: The pipeline's parameters.
        notes: Sentences on what is worth knowing.
    """

    tasks: dict[str, Task]
    parameters: tuple[InputSpec, ...]
    notes: tuple[str, ...]


def data_flow(ledger: Ledger, values: Mapping[str, Any]) -> DataFlow:
    """Link a notebook's component cells.

    Args:
        ledger: The cells.
        values: The notebook's names, for the defaults of parameters.

    Raises:
        DataFlowError: There is no cell, an input comes from nowhere or fits no output, or cells wait for each
            other; the message names cell and line.
    """
    if not ledger.steps:
        raise DataFlowError(
            "There is no component cell to link.",
            remedy="Write `%%component NAME(inputs) -> outputs` on the first line of a cell and run it.",
        )
    return _Linking(ledger, values).flow()


@dataclass(slots=True)
class _End:
    """An input of a cell, while its origin is sought."""

    cell: StepCell
    port: Port
    link: Link | None = None


class _Linking:
    """Links one notebook; `ends` are the inputs by cell id and name."""

    def __init__(self, ledger: Ledger, values: Mapping[str, Any]) -> None:
        self.ledger = ledger
        self.values = values
        self.cells = ledger.steps
        self.lines = {cell.id: _line(cell) for cell in self.cells.values()}
        self.ends = {
            (cell.id, port.name): _End(cell, port)
            for cell in self.cells.values()
            for port in self.lines[cell.id].inputs
        }
        self.types: dict[Link, ValueType] = {}
        self.notes: list[str] = []

    def flow(self) -> DataFlow:
        for end in self.ends.values():
            end.link = self._origin(end)
        self._settle_types()
        parameters = self._parameters()
        tasks = {cell.id: self._task(cell, parameters) for cell in self.cells.values()}
        order = self._order(tasks)
        return DataFlow(
            {cell_id: tasks[cell_id] for cell_id in order}, tuple(parameters.values()), tuple(self.notes)
        )

    def _origin(self, end: _End) -> Link | None:
        name = end.port.name
        writer = end.cell.sources.get(name)
        if writer is None and not end.port.optional:
            # It was registered before whoever gives it.
            writer = self.ledger.writers.get(name)
        if writer is None or writer.step not in self.cells or writer.step == end.cell.id:
            return None
        if not any(port.name == name for port in self.lines[writer.step].outputs):
            giver = self.cells[writer.step]
            raise DataFlowError(
                f"{end.cell.name!r} reads {name!r}, which {giver.name!r} ({giver.place}) gives no longer.",
                where=_where(end.cell, name),
                remedy=f"Run the cell of {end.cell.name!r} again.",
            )
        return Link(writer.step, name)

    def _settle_types(self) -> None:
        """Give each linked output a type, and the types that were not declared on the other side the same."""
        linked: dict[Link, list[_End]] = {}
        for end in self.ends.values():
            if end.link is not None:
                linked.setdefault(end.link, []).append(end)
        for link, ends in linked.items():
            given = next(port for port in self.lines[link.step].outputs if port.name == link.output)
            wanted = [end.port.type for end in ends if end.port.declared and end.port.type is not None]
            type_ = given.type if given.declared or not wanted else wanted[0]
            type_ = type_ or ARTIFACT
            self.types[link] = type_
            for end in ends:
                if not end.port.declared or end.port.type is None:
                    end.port = replace(end.port, type=type_)
                elif not connects(type_, end.port.type):
                    giver = self.cells[link.step]
                    raise DataFlowError(
                        f"{end.cell.name!r} takes {link.output!r} as {end.port.type.python_name}, and "
                        f"{giver.name!r} ({giver.place}) gives it as {type_.python_name}.",
                        where=f"{end.cell.place}, line 1",
                        remedy="Declare the same type in both cells, or leave one of them out.",
                    )

    # --- What only the notebook provides ---

    def _parameters(self) -> dict[str, InputSpec]:
        """Return the pipeline's parameters by name."""
        wanted: dict[str, list[tuple[_End, InputSpec]]] = {}
        for end in self.ends.values():
            spec = None if end.link else self._parameter(end)
            if spec is not None:
                wanted.setdefault(spec.name, []).append((end, spec))
        made: dict[str, InputSpec] = {}
        for name, given in wanted.items():
            required = [spec for end, spec in given if not end.port.optional]
            first = required[0] if required else given[0][1]
            same = [(end, spec) for end, spec in given if _fits(first, spec)]
            if required or len(same) == len(given):
                made[name] = first
            apart = [end for end, spec in given if not _fits(first, spec)]
            if apart and not required:
                apart = [end for end, _ in given]
            for end in apart:
                self._keep_default(end, name)
        return made

    def _keep_default(self, end: _End, name: str) -> None:
        if not end.port.optional:
            raise DataFlowError(
                f"{end.cell.name!r} takes {name!r} as another type than other cells do.",
                where=_where(end.cell, name),
                remedy="Declare the same type in all of them, or rename it in one.",
            )
        self.notes.append(
            f"{end.cell.name!r} keeps its own default of {name!r}, since other cells have another one."
        )

    def _parameter(self, end: _End) -> InputSpec | None:
        """Return the parameter that an input becomes; None for an artifact that may be left out."""
        port = end.port
        if port.optional:
            if not isinstance(port.type, ParameterType):
                return None
            return InputSpec(port.name, port.type, optional=True, default=port.default)
        writer = self.ledger.writers.get(port.name)
        shown = writer.value if writer is not None else UNKNOWN
        known = port.name in self.values or shown is not UNKNOWN
        value = self.values.get(port.name, shown)
        type_ = port.type if port.declared else parameter_type(value) if known else None
        if not isinstance(type_, ParameterType):
            raise self._from_nowhere(end, known)
        if not known:
            return InputSpec(port.name, type_)
        try:
            default: Json = parameter_value(type_, value)
        except ValueError as error:
            raise DataFlowError(
                f"{end.cell.name!r} takes {port.name!r} as {type_.python_name}, but the notebook {error}.",
                where=_where(end.cell, port.name),
                remedy="Assign a value of this type, or change the type on the cell's line.",
            ) from None
        end.port = replace(port, type=type_)
        return InputSpec(port.name, type_, optional=True, default=default)

    def _from_nowhere(self, end: _End, known: bool) -> DataFlowError:
        name = end.port.name
        writer = end.cell.sources.get(name)
        if writer is None or writer.step:
            remedy = f"Run a component's cell that gives {name!r} out before this one."
            if known:
                remedy = f"Make the cell that assigns {name!r} a component: `%%component … -> {name}`."
        else:
            remedy = (
                f"Make it one: `%%component … -> {name}` on the first line of {writer.place.split(',')[0]}."
            )
        origin = (
            f"is made at {writer.place}, in a cell that is no component"
            if writer and not writer.step
            else ("is data of the notebook" if known else "is given out by no component")
        )
        return DataFlowError(
            f"{end.cell.name!r} takes {name!r}, which {origin}.",
            where=_where(end.cell, name),
            remedy=remedy,
        )

    # --- Tasks ---

    def _task(self, cell: StepCell, parameters: Mapping[str, InputSpec]) -> Task:
        links: dict[str, Link] = {}
        taken: list[str] = []
        for port in self.lines[cell.id].inputs:
            end = self.ends[cell.id, port.name]
            if end.link is not None:
                links[port.name] = end.link
            elif port.name in parameters and _fits(parameters[port.name], _spec(end.port)):
                taken.append(port.name)
        after = [held.id for held in self._awaited(cell)]
        return Task(cell, self._component(cell), links, taken, after)

    def _component(self, cell: StepCell) -> Component:
        if cell.step is None:
            return cell.component
        line = self.lines[cell.id]
        inputs = tuple(self.ends[cell.id, port.name].port for port in line.inputs)
        outputs = tuple(
            replace(port, type=self.types.get(Link(cell.id, port.name), port.type))
            for port in line.outputs
            if not cell.step.form.inferred or Link(cell.id, port.name) in self.types
        )
        return cell.step.component(CellLine(line.name, inputs, outputs))

    def _awaited(self, cell: StepCell) -> list[StepCell]:
        for name in cell.after:
            if not self.ledger.named([name]):
                known = ", ".join(held.name for held in self.cells.values())
                raise DataFlowError(
                    f"{cell.name!r} shall run after {name!r}, and no component is called so.",
                    where=f"{cell.place}, line 1",
                    remedy=f"The components are: {known}.",
                )
        return self.ledger.named(cell.after)

    def _order(self, tasks: Mapping[str, Task]) -> list[str]:
        """Return the cells' ids, each after those it waits for, else in the order in which they ran."""
        order: list[str] = []
        open_: list[str] = []

        def add(cell_id: str) -> None:
            if cell_id in order:
                return
            if cell_id in open_:
                circle = [self.cells[held] for held in [*open_[open_.index(cell_id) :], cell_id]]
                raise DataFlowError(
                    "The cells wait for each other: "
                    f"{' reads from '.join(repr(held.name) for held in circle)}.",
                    where=circle[0].place,
                    remedy="Run the notebook from top to bottom, or rename what one of them gives out.",
                )
            open_.append(cell_id)
            for link in tasks[cell_id].links.values():
                add(link.step)
            for awaited in tasks[cell_id].after:
                add(awaited)
            open_.remove(cell_id)
            order.append(cell_id)

        for cell_id in tasks:
            add(cell_id)
        return order


def _line(cell: StepCell) -> CellLine:
    """Return a cell's interface; a function's is declared in full."""
    if cell.step is not None:
        return cell.step.form.line
    inputs = tuple(
        Port(spec.name, spec.type, spec.optional, spec.default, True)
        for spec in cell.component.inputs
        if not spec.filled_in
    )
    outputs = tuple(Port(spec.name, spec.type, declared=True) for spec in cell.component.outputs)
    return CellLine(cell.name, inputs, outputs)


def _where(cell: StepCell, name: str) -> str:
    return cell.step.form.where(name) if cell.step else f"{cell.place}, line 1"


def _spec(port: Port) -> InputSpec:
    type_ = port.type if port.type is not None else ARTIFACT
    return InputSpec(port.name, type_, port.optional, port.default)


def _fits(parameter: InputSpec, spec: InputSpec) -> bool:
    """Say whether an input may be fed by a parameter without its own default getting lost."""
    same = not spec.optional or spec.default == parameter.default
    return connects(parameter.type, spec.type) and same
