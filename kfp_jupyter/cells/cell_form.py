"""A cell as a component: the line is its interface, the body its step.

    %%component split(raw: Dataset, frac: float = 0.2) -> train, test: Dataset

Names are values. What has a parameter's type is passed as a parameter; anything else is stored in the format
that is natural for it (`kfp_jupyter.serializers`) as an artifact, whose kind (`Dataset`, `Model`) only says
what it is. Where nothing is said, the value in the notebook decides: numbers and short texts are parameters.
A cell that was only registered has no values; there an undecided name is an artifact.

Nothing here runs the body. `read_cell_form` checks what can be said without that, `decided` settles types
by values, and a `CellStep` makes the component.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kfp_jupyter.cells.capture import Captured
from kfp_jupyter.cells.cell_line import ARTIFACT, CellLine, Port, parameter_type
from kfp_jupyter.cells.cell_source import cell_fragment, runtime_fragment
from kfp_jupyter.cells.component import authoring_fragment, default_base_image, kebab_case
from kfp_jupyter.cells.definition import line_place, syntax_error
from kfp_jupyter.cells.errors import CellFormError
from kfp_jupyter.cells.names import Names, analyse
from kfp_jupyter.cells.origin import whole_lines
from kfp_jupyter.cells.self_contained import with_captured
from kfp_jupyter.cells.serializers import Choice, artifact_kind, choice, missing_from, registered_fragments
from kfp_jupyter.executor.cell import LOGGED, TEXTS
from kfp_jupyter.model.component import Component, Fragment, InputSpec, OutputSpec, PythonStep, Source
from kfp_jupyter.model.types import ArtifactType, ValueType

FIRST_LINE = 2
"""The line of a cell that its body begins at."""


@dataclass(frozen=True, slots=True)
class CellForm:
    """A cell whose interface and body are known.

    Attributes:
        line: Its interface.
        body: The cell without its magic line.
        place: What the cell is called, such as `Cell In[3]`.
        names: The names that the body reads and binds.
        inferred: Whether the interface was read from the body.
    """

    line: CellLine
    body: str
    place: str
    names: Names
    inferred: bool = False

    @property
    def name(self) -> str:
        """The component's name as written."""
        return self.line.name

    def where(self, name: str) -> str:
        """Return where the body first uses a name from outside; if it does not, the magic's line."""
        use = self.names.reads.get(name)
        return f"{self.place}, line {use.line + FIRST_LINE - 1 if use else 1}"

    @property
    def logged(self) -> tuple[str, ...]:
        """The outputs that the body finds as objects to log to."""
        return tuple(
            port.name
            for port in self.line.outputs
            if isinstance(port.type, ArtifactType) and port.type.schema_title in LOGGED
        )


def body_names(body: str, place: str) -> Names:
    """Return the names of a cell's body.

    Raises:
        ComponentSyntaxError: It is not Python that can stand in a step.
    """
    source = Source((Fragment(whole_lines(body), place, FIRST_LINE),))
    try:
        names = analyse(ast.parse(body))
        compile(body, "<cell>", "exec", dont_inherit=True, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError as error:
        raise _told(source, error) from None
    if names.awaits:
        raise CellFormError(
            "The cell awaits, and a step has no event loop as a notebook has.",
            where=line_place(source, names.awaits[0].line),
            remedy="Await it in a cell that is no component, and take the value as an input.",
        )
    return names


def _told(source: Source, error: SyntaxError) -> CellFormError:
    told = syntax_error(source, error)
    if "'return' outside" in str(error.msg):
        told.remedy = "A cell gives out what it assigns: name its outputs after `->` on the magic's line."
    if "outside function" in str(error.msg) and "yield" in str(error.msg):
        told.remedy = "Only a function yields; assign a list."
    return CellFormError(told.what, where=told.where, remedy=told.remedy)


def read_cell_form(line: CellLine, body: str, place: str, components: Collection[str]) -> CellForm:
    """Return a cell in cell form, checked as far as that goes without running it.

    Args:
        line: The interface on its line.
        body: The cell without its magic line.
        place: What the cell is called.
        components: The names of other components.

    Raises:
        CellFormError: The body cannot be the step of this interface; the message names cell and line.
    """
    form = CellForm(line, body, place, body_names(body, place))
    check_names(form, components)
    inputs = {port.name for port in line.inputs}
    assigned = {*form.names.binds, *form.names.global_names, *form.logged, *inputs}
    for port in line.outputs:
        if port.name not in assigned and not form.names.star_imports:
            raise CellFormError(
                f"The output {port.name!r} is never assigned in the cell.",
                where=f"{place}, line 1",
                remedy=_closest(port.name, form.names.binds),
            )
    return form


def check_names(form: CellForm, components: Collection[str]) -> None:
    """Refuse names that would mean two things: in the notebook, or in the step, one of the two would be lost.

    Raises:
        CellFormError: An output is called like a component, or the body uses something else of its own name.
    """
    if form.name in form.names.reads:
        raise CellFormError(
            f"The component is called {form.name!r}, and its body uses something else of this name.",
            where=form.where(form.name),
            remedy="Give the component another name on the magic's line.",
        )
    for port in form.line.outputs:
        if port.name == form.name or port.name in components:
            raise CellFormError(
                f"The output {port.name!r} of component {form.name!r} is called like a component.",
                where=f"{form.place}, line 1",
                remedy="Rename one of the two: in the notebook a name can only be one thing.",
            )


def decided(form: CellForm, before: Mapping[str, Any], after: Mapping[str, Any]) -> CellForm:
    """Return the form with the types that values decide.

    Args:
        form: The form.
        before: The notebook's names before the body ran.
        after: The notebook's names after it; the same if it did not run.
    """
    line = replace(
        form.line,
        inputs=tuple(_decided(port, before) for port in form.line.inputs),
        outputs=tuple(_decided(port, after) for port in form.line.outputs),
    )
    return replace(form, line=line)


def stored_values(form: CellForm, given: Mapping[str, Choice], after: Mapping[str, Any]) -> dict[str, Choice]:
    """Return how the values of a form's artifacts will be stored, by name.

    Args:
        form: The form, with its types.
        given: How the values of its inputs are stored, as far as the notebook has them.
        after: The notebook's names after the body ran.
    """
    inputs = {
        port.name: given[port.name] for port in form.line.inputs if port.name in given and _stores(port)
    }
    outputs = {
        port.name: choice(after[port.name])
        for port in form.line.outputs
        if port.name in after and _stores(port)
    }
    return {**inputs, **outputs}


def _stores(port: Port) -> bool:
    """Say whether a port's values are stored in a format of their own."""
    return isinstance(port.type, ArtifactType) and port.type.schema_title not in (*LOGGED, *TEXTS)


def value_kind(value: Any) -> ValueType:
    """Return the type that a value has where nothing is said."""
    return parameter_type(value) or ArtifactType(artifact_kind(value))


def _decided(port: Port, values: Mapping[str, Any]) -> Port:
    if port.type is not None or port.name not in values:
        return port
    return replace(port, type=value_kind(values[port.name]))


@dataclass(frozen=True, slots=True)
class CellStep:
    """All that the component of a cell is made of; with another interface it can be made again.

    Attributes:
        form: The cell.
        captured: What the body uses from other cells.
        base_image: The image of its steps; None takes the official Python image of this kernel's version.
        packages: Requirements that the user has named.
        pip_index_urls: Package indexes for them; empty means pip's own settings.
        stored: How the values of inputs and outputs were seen to be stored, by name.
    """

    form: CellForm
    captured: Captured = field(default_factory=Captured)
    base_image: str | None = None
    packages: tuple[str, ...] = ()
    pip_index_urls: tuple[str, ...] = ()
    stored: Mapping[str, Choice] = field(default_factory=dict)

    def component(self, line: CellLine | None = None) -> Component:
        """Return the component. Ports that nothing decides are artifacts.

        Args:
            line: Its interface; None takes the form's.
        """
        form, line = self.form, line or self.form.line
        inputs = tuple(
            InputSpec(port.name, port.type or ARTIFACT, optional=port.optional, default=port.default)
            for port in line.inputs
        )
        outputs = tuple(OutputSpec(port.name, port.type or ARTIFACT) for port in line.outputs)
        own = cell_fragment(form.name, inputs, outputs, form.body, form.place, FIRST_LINE)
        source = Source((authoring_fragment(), runtime_fragment(), *registered_fragments(), own))
        step = PythonStep(
            with_captured(source, self.captured),
            form.name,
            self.base_image or default_base_image(),
            self._requirements([*line.inputs, *line.outputs]),
            self.pip_index_urls,
        )
        description = ast.get_docstring(form.names.tree) or ""
        return Component(kebab_case(form.name) or "task", inputs, outputs, step, description)

    def _requirements(self, ports: list[Port]) -> tuple[str, ...]:
        choices = [self.stored[port.name] for port in ports if port.name in self.stored]
        own = dict.fromkeys(package for choice in choices for package in choice.packages)
        return (*self.packages, *missing_from(self.packages, own))


def _closest(name: str, bound: Iterable[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, list(bound), 1)
    if close:
        return f"It assigns {close[0]!r}: did you mean that?"
    return f"Assign it in the body, or take it off the line: `{name} = …`."
