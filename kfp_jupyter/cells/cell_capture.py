"""What the body of a cell uses from other cells, brought along and checked.

The body is looked at as the module that it is in its step, where its inputs are names that are there already.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from kfp_jupyter.cells.capture import Captured, capture
from kfp_jupyter.cells.cell_form import FIRST_LINE, CellForm
from kfp_jupyter.cells.component import authoring_fragment
from kfp_jupyter.cells.finding import ERROR, WARNING, CheckError, Finding, Where, ordered
from kfp_jupyter.cells.inferred import changed_names
from kfp_jupyter.cells.loading import NOTHING, Loaded
from kfp_jupyter.cells.local_files import check_files
from kfp_jupyter.cells.names import analyse
from kfp_jupyter.cells.origin import whole_lines
from kfp_jupyter.cells.package_check import check_packages, resolved
from kfp_jupyter.cells.provenance import same_distribution
from kfp_jupyter.cells.python_version import check_version
from kfp_jupyter.cells.self_contained import with_captured
from kfp_jupyter.cells.surroundings import Surroundings
from kfp_jupyter.model.component import PREAMBLE, Component, Fragment, PythonStep, Source

# A step offers it, as a notebook does; see `kfp_jupyter.executor.cell`.
_GIVEN = "display"


@dataclass(frozen=True, slots=True)
class CapturedCell:
    """What a cell needs from around it.

    Attributes:
        captured: What is brought along.
        packages: The requirements of the line, with those that were asked for by `auto`.
        findings: The warnings so far.
    """

    captured: Captured
    packages: tuple[str, ...]
    findings: tuple[Finding, ...]

    def check(self, component: Component, needed: Collection[str] = ()) -> tuple[Finding, ...]:
        """Return the warnings, those about the packages of its component too.

        Args:
            component: The component.
            needed: The packages that its values take, with or without an import.
        """
        step = component.implementation
        if not isinstance(step, PythonStep):
            return self.findings
        where = Where(step.source.fragments[-1].file, 1)
        asked = tuple(
            text for text in self.packages if not any(same_distribution(text, held) for held in needed)
        )
        local = [module.name for module in self.captured.modules]
        found = [
            finding
            for packages, unused in ((step.packages, False), (asked, True))
            for finding in check_packages(packages, self.captured.imports, local, step.base_image, where)
            if (finding.code == "unused-package") == unused
        ]
        return ordered([*self.findings, *found])


def captured_cell(
    form: CellForm, around: Surroundings, image: str, packages: tuple[str, ...], loads: Loaded = NOTHING
) -> CapturedCell:
    """Return what a cell needs from around it.

    Args:
        form: The cell.
        around: Where it was written.
        image: The image of its steps.
        packages: Their requirements; `auto` stands for those that its imports need.
        loads: What its inputs need to be loaded.

    Raises:
        CheckError: Something in it would fail in a step.
    """
    given = dict.fromkeys([*(port.name for port in form.line.inputs), *form.logged, _GIVEN])
    names = Fragment(f"{' = '.join(given)} = None\n", PREAMBLE)
    source = Source((authoring_fragment(), names, Fragment(whole_lines(form.body), form.place, FIRST_LINE)))
    captured = capture(source, around, loaded=loads.names, guessed=loads.guessed, modules=loads.modules)
    findings = [*captured.findings, *check_version(source, analyse(source.text), image), *_inputs(form)]
    findings.extend(check_files(with_captured(source, captured)))
    # What `from m import *` in the body brings is known when it has run.
    hidden = "undefined-name" if form.names.star_imports else ""
    found = ordered(held for held in findings if held.code != hidden)
    if any(finding.severity == ERROR for finding in found):
        raise CheckError(found)
    local = [module.name for module in captured.modules]
    return CapturedCell(captured, resolved(packages, captured.imports, local), found)


def _inputs(form: CellForm) -> Iterator[Finding]:
    """Yield which inputs are not used, and which are changed where nobody else gets to see it."""
    outputs = [port.name for port in form.line.outputs]
    changed = changed_names(form.names) | form.names.binds.keys()
    for name in (port.name for port in form.line.inputs if port.name in changed):
        if name not in outputs:
            yield Finding(
                WARNING,
                "changed-input",
                f"The cell changes its input {name!r}, and other steps get {name!r} as it was.",
                Where(form.place, 1),
                f"Give it out too (`-> {', '.join([*outputs, name])}`), or change a copy of another name.",
            )
    used = {*form.names.reads, *form.names.builtins, *(port.name for port in form.line.outputs)}
    if used & {"locals", "globals", "vars", "eval", "exec"}:
        return
    for port in form.line.inputs:
        if port.name not in used:
            yield Finding(
                WARNING,
                "unused-input",
                f"The input {port.name!r} is never used.",
                Where(form.place, 1),
                "Use it, or take it off the line.",
            )
