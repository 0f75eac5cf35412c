"""Checks of a component's code before anything runs: what would only fail, or be lost, in the step.

`check_code` reads the source alone; `check_interface` knows the component's inputs and outputs too. What the
code uses of its notebook is `kfp_jupyter.cells.capture`'s to say, and packages are
`kfp_jupyter.cells.package_check`'s.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from kfp_jupyter.cells.definition import Definition
from kfp_jupyter.cells.finding import ERROR, WARNING, Finding, stretch
from kfp_jupyter.cells.names import analyse
from kfp_jupyter.cells.scopes import arguments_of
from kfp_jupyter.cells.syntax import nodes
from kfp_jupyter.cells.uses import Place, place_of
from kfp_jupyter.model.component import PREAMBLE, Component, Source

_BUILTINS = frozenset(name for name in dir(builtins) if name.islower() and not name.startswith("_")) - {
    *("copyright", "credits", "display", "exit", "license", "quit"),
}


def check_code(definition: Definition) -> Iterator[Finding]:
    """Yield what is wrong with a source, whatever its component's interface."""
    source = definition.source
    names = analyse(definition.source.text)
    for place in names.awaits:
        yield Finding(
            ERROR,
            "top-level-await",
            "A step cannot `await` outside of a function, as a notebook can.",
            stretch(source, place),
            "Call `asyncio.run(...)` inside the component's function.",
        )
    yield from _shadowed(definition)


def check_interface(definition: Definition, component: Component) -> Iterator[Finding]:
    """Yield which of a component's inputs and outputs its function does nothing with."""
    node, source = definition.node, definition.source
    if _is_stub(node):
        return
    read = {inner.id for inner in nodes(node) if isinstance(inner, ast.Name)}
    if read & {"locals", "vars", "eval", "exec"}:
        return
    for argument in arguments_of(node.args):
        if argument.arg in read or argument.arg.startswith("_"):
            continue
        where = stretch(source, _name_of(argument))
        if component.output(argument.arg) is not None:
            what = f"The output {argument.arg!r} is never written."
            remedy = f"Write to `{argument.arg}.path`, or take it out of the signature."
            if not hasattr(component.output(argument.arg).type, "schema_title"):  # type: ignore[union-attr]
                remedy = f"Write to the file that `{argument.arg}` names, or take it out of the signature."
            yield Finding(WARNING, "output-never-written", what, where, remedy)
        elif component.input(argument.arg) is not None:
            what = f"The input {argument.arg!r} is never used."
            remedy = "Use it, take it out of the signature, or begin its name with an underscore."
            yield Finding(WARNING, "unused-input", what, where, remedy)
    yield from _never_returned(definition, component)


def _never_returned(definition: Definition, component: Component) -> Iterator[Finding]:
    node = definition.node
    written = {argument.arg for argument in arguments_of(node.args)}
    returned = [spec.name for spec in component.outputs if spec.name not in written]
    gives = any(isinstance(inner, ast.Return) and inner.value is not None for inner in nodes(node))
    if returned and not gives and not isinstance(node.body[-1], ast.Raise):
        yield Finding(
            WARNING,
            "output-never-written",
            f"The function {node.name!r} declares what it returns, and returns nothing.",
            stretch(definition.source, _name_of(node)),
            "Return the value, or take `->` and the type away.",
        )


def _shadowed(definition: Definition) -> Iterator[Finding]:
    source = definition.source
    if not any(_names_builtin(node) for node in nodes(definition.module)):
        return
    for statement in definition.module.body:
        if source.locate(statement.lineno)[0] != PREAMBLE:
            for name, place in _bound(statement, in_class=False):
                if name in _BUILTINS:
                    yield _shadow(source, name, place)


def _names_builtin(node: ast.AST) -> bool:
    """Say whether a node may be where a name of Python's own is bound."""
    if isinstance(node, ast.Name):
        return isinstance(node.ctx, ast.Store) and node.id in _BUILTINS
    return (getattr(node, "arg", None) or getattr(node, "name", None)) in _BUILTINS


def _bound(node: ast.AST, *, in_class: bool) -> Iterator[tuple[str, Place]]:
    """Yield the arguments and variables of a statement; attributes and methods of classes are none."""
    if isinstance(node, ast.arg):
        yield node.arg, _name_of(node)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and not in_class:
        yield node.id, place_of(node)
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not in_class:
        yield node.name, _name_of(node)
    for child in ast.iter_child_nodes(node):
        inside = isinstance(node, ast.ClassDef) or (
            in_class and not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        )
        yield from _bound(child, in_class=inside)


def _shadow(source: Source, name: str, place: Place) -> Finding:
    what = f"The name {name!r} hides Python's own."
    return Finding(WARNING, "shadowed-builtin", what, stretch(source, place), "Choose another name.")


def _name_of(node: ast.arg | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Place:
    """Return the place of a name that is written in front of what belongs to it."""
    if isinstance(node, ast.arg):
        return Place(node.lineno, node.col_offset, node.lineno, node.col_offset + len(node.arg.encode()))
    words = {ast.ClassDef: "class ", ast.AsyncFunctionDef: "async def "}.get(type(node), "def ")
    column = node.col_offset + len(words)
    return Place(node.lineno, column, node.lineno, column + len(node.name.encode()))


def _is_stub(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Say whether a function has no body yet: nothing but a docstring, `pass`, `...` or `raise`."""
    return all(
        isinstance(held, (ast.Pass, ast.Raise))
        or (isinstance(held, ast.Expr) and isinstance(held.value, ast.Constant))
        for held in node.body
    )
