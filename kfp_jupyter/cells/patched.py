"""Modules that a cell has changed: a step has them as they are installed, without a word.

`np.load = mine` at the level of a cell, or `setattr(np, "load", mine)`, changes the module for the whole
notebook, and no import brings that along. Where names have values, these say what is a module, or a class of
one; in a notebook that is only read, its imports do. What was put back (`np.load = before`, after
`before = np.load`), and what the component sets itself, is none of it.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from kfp_jupyter.cells.finding import WARNING, Finding, Where
from kfp_jupyter.cells.history import Text
from kfp_jupyter.cells.names import Import
from kfp_jupyter.cells.provenance import root
from kfp_jupyter.cells.scopes import own_nodes
from kfp_jupyter.cells.surroundings import MISSING, Surroundings
from kfp_jupyter.cells.syntax import dotted, nodes


@dataclass(frozen=True, slots=True)
class _Patch:
    """An attribute that a text sets: of what name, over which others, on what line, and to what."""

    name: str
    path: tuple[str, ...]
    line: int
    value: ast.expr | None

    @property
    def target(self) -> str:
        return ".".join((self.name, *self.path))


def check_patched(
    around: Surroundings, imports: Collection[Import], own: Iterable[ast.AST]
) -> Iterator[Finding]:
    """Yield which attributes of modules that a step imports are set by a cell, and not by the step.

    Args:
        around: Where the component was written.
        imports: What the step imports, with the full names of modules.
        own: The syntax trees of all that it runs.
    """
    names = dict.fromkeys(name for held in imports for name in (held.name, root(held.module)))
    last: dict[tuple[str, str], tuple[Text, _Patch]] = {}
    for name in names:
        for order in around.history.concerned(_patches, name):
            text = around.history.texts[order]
            for patch in _patches_in(text, name):
                module = _module(around, patch)
                if module and any(_uses(held, module, patch.path[-1]) for held in imports):
                    last[module, patch.path[-1]] = text, patch
    if not last:
        return
    set_by_step = {patch.path[-1] for tree in own for patch in _set_in(nodes(tree))}
    for (module, attribute), (text, patch) in last.items():
        if attribute not in set_by_step and not _puts_back(around, patch):
            yield Finding(
                WARNING,
                "patched-module",
                f"`{patch.target}` is set here, and in a step {module!r} is as it was installed.",
                Where(text.file, text.first_line + patch.line - 1),
                f"Set `{patch.target}` in the component too, or use what you set there by a name of its own.",
            )


def _patches(text: Text, name: str) -> bool:
    return any(True for _ in _patches_in(text, name))


def _patches_in(text: Text, name: str) -> list[_Patch]:
    """Return what a text sets of a name's attributes while it runs, in order."""
    names = text.names
    found = _set_in(own_nodes(names.tree.body)) if names is not None else ()
    return sorted((patch for patch in found if patch.name == name), key=lambda patch: patch.line)


def _set_in(statements: Iterable[ast.AST]) -> Iterator[_Patch]:
    """Yield the attributes that statements set."""
    for node in statements:
        targets: list[tuple[ast.expr, list[str]]] = []
        value: ast.expr | None = None
        if isinstance(node, ast.Assign):
            targets, value = [(target, []) for target in node.targets], node.value
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign)) and node.value is not None:
            targets = [(node.target, [])]
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "setattr" and len(node.args) == 3:
            said = node.args[1]
            if isinstance(said, ast.Constant) and isinstance(said.value, str):
                targets, value = [(node.args[0], [said.value])], node.args[2]
        for target, attribute in targets:
            held_by = dotted(target)
            if held_by and (path := (*held_by[1:], *attribute)):
                yield _Patch(held_by[0], path, target.lineno, value)


def _module(around: Surroundings, patch: _Patch) -> str:
    """Return the full name of the module, or class of one, whose attribute is set; empty if it is neither."""
    value = around.value(patch.name)
    if value is MISSING:
        held = around.importing(patch.name, MISSING)
        if held is None or held.attribute:
            return ""
        whole = ".".join((patch.name, *patch.path[:-1]))
        alone = held.name != root(held.module) or "." not in held.module
        if len(patch.path) == 1:
            return held.module if alone else root(held.module)
        return held.module if whole == held.module else ""
    for part in patch.path[:-1]:
        if not isinstance(value, types.ModuleType):
            return ""
        value = vars(value).get(part)
    if isinstance(value, types.ModuleType):
        return "" if value.__name__ == around.module else value.__name__
    if isinstance(value, type) and value.__module__ not in (around.module, "__main__"):
        return f"{value.__module__}.{value.__qualname__}"
    return ""


def _uses(held: Import, module: str, attribute: str) -> bool:
    """Say whether an import gives a module, what it is in, or what is set of it."""
    if not held.attribute:
        given = held.module if held.name != root(held.module) else root(held.module)
        return f"{module}.".startswith(f"{given}.")
    if held.module == module:
        return held.attribute in (attribute, "*")
    return f"{module}.".startswith(f"{held.module}.{held.attribute}.")


def _puts_back(around: Surroundings, patch: _Patch) -> bool:
    """Say whether an attribute is set to what a name has kept of it."""
    if not isinstance(patch.value, ast.Name):
        return False
    written = next(around.history.bindings(patch.value.id), None)
    statement = written.binding.statements[-1] if written is not None else None
    return isinstance(statement, ast.Assign) and ast.unparse(statement.value) == patch.target
