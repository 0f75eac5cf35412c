"""A component's source made complete: what it uses from around it is put before it, and all of it is checked.

Errors are raised together; warnings are handed to whoever asked for them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kfp_jupyter.cells.capture import Captured, capture
from kfp_jupyter.cells.check import check_code, check_interface
from kfp_jupyter.cells.definition import Definition, find_function
from kfp_jupyter.cells.finding import ERROR, CheckError, Finding, Where, ordered
from kfp_jupyter.cells.local_files import check_files
from kfp_jupyter.cells.names import analyse
from kfp_jupyter.cells.package_check import check_packages, resolved
from kfp_jupyter.cells.python_version import check_version
from kfp_jupyter.cells.surroundings import Surroundings
from kfp_jupyter.model.component import Component, Fragment, PythonStep, Source

Tell = Callable[[Finding], None]
"""Takes a warning."""

_FUTURE = "from __future__ import annotations\n"


@dataclass(frozen=True, slots=True)
class SelfContained:
    """A component's function in a source that has everything it needs.

    Attributes:
        definition: The function, and the source.
        captured: What was brought along.
        packages: The step's requirements, with those that were asked for by `auto`.
        findings: The warnings so far.
    """

    definition: Definition
    captured: Captured
    packages: tuple[str, ...]
    findings: tuple[Finding, ...]

    def check(self, component: Component) -> Iterator[Finding]:
        """Yield the warnings, those about the component's interface and packages too."""
        yield from self.findings
        yield from check_interface(self.definition, component)
        step = component.implementation
        if isinstance(step, PythonStep):
            node = self.definition.node
            file, line = self.definition.source.locate(node.lineno)
            local = [module.name for module in self.captured.modules]
            where = Where(file, line)
            yield from check_packages(step.packages, self.captured.imports, local, step.base_image, where)


def self_contained(
    source: Source, name: str | None, around: Surroundings, image: str, packages: tuple[str, ...]
) -> SelfContained:
    """Return a source with what its function uses from around it.

    Args:
        source: The source: our first fragment, and the user's own.
        name: The function's name; None takes the last function.
        around: Where it was written.
        image: The image of its steps.
        packages: Their requirements; `auto` stands for those that its imports need.

    Raises:
        ComponentError: There is no such function, or it cannot be a component's.
        CheckError: Something in it would fail in a step.
    """
    definition = find_function(source, name)
    # Which names the hints use matters only where Python does not evaluate some of them.
    postponed = any(use.postponed for use in analyse(source.text).reads.values())
    captured = capture(source, around, _names_in_hints(definition.node) if postponed else frozenset())
    findings = [*captured.findings, *check_code(definition)]
    complete = with_captured(source, captured)
    if complete is not source:
        definition = find_function(complete, definition.node.name)
    findings.extend(check_version(complete, analyse(definition.source.text), image))
    findings.extend(check_files(complete))
    found = ordered(findings)
    if any(finding.severity == ERROR for finding in found):
        raise CheckError(found)
    local = [module.name for module in captured.modules]
    return SelfContained(definition, captured, resolved(packages, captured.imports, local), found)


def with_captured(source: Source, captured: Captured) -> Source:
    """Return a source with what was brought along after its first fragment, which is ours."""
    if not captured.fragments:
        return source
    first, *own = source.fragments
    if captured.postponed and not first.text.startswith(_FUTURE):
        first = Fragment(_FUTURE + first.text, first.file, first.first_line)
    return Source((first, *captured.fragments, *own))


def _names_in_hints(node: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[str]:
    """Return the names that a function's hints use, which the executor reads whatever Python does."""
    shell = ast.FunctionDef(node.name, node.args, [ast.Pass()], [], node.returns)
    names = analyse(ast.copy_location(shell, node))
    return frozenset(use.name for use in names.reads.values() if use.annotation)
