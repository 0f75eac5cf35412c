"""A function found in source text: its syntax tree, and the place of each of its arguments.

What can be said without running anything is said here: the text is Python, there is such a function, and it
is of a kind that can become a component.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from kfp_jupyter.cells.errors import (
    ComponentSyntaxError,
    MissingHintError,
    NoFunctionError,
    SignatureError,
)
from kfp_jupyter.cells.magic_lines import plain_python
from kfp_jupyter.cells.syntax import children, nodes, parsed
from kfp_jupyter.model.component import Source
from kfp_jupyter.model.lines import lines_of


@dataclass(frozen=True, slots=True)
class Definition:
    """A function in a component's source.

    Attributes:
        module: The syntax tree of the whole source.
        node: The function's.
        source: The text, which knows where its lines come from.
    """

    module: ast.Module
    node: ast.FunctionDef | ast.AsyncFunctionDef
    source: Source

    def place(self, argument: str = "") -> str:
        """Return the place (`Cell In[3], line 2`) of an argument's hint, or of the function itself."""
        named = next((arg for arg in self._arguments() if arg.arg == argument), None)
        return line_place(self.source, named.lineno if named else self.node.lineno)

    def _arguments(self) -> list[ast.arg]:
        arguments = self.node.args
        return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


def check_returned(definition: Definition) -> None:
    """Refuse a function that returns a value of no declared type, which would be lost.

    Raises:
        MissingHintError: It does.
    """
    node = definition.node
    if node.returns is None and any(_gives_a_value(held) for held in _own_nodes(node)):
        raise MissingHintError(
            f"The function {node.name!r} returns a value, but has no return type hint.",
            where=definition.place(),
            remedy=f"Write the type, as in `def {node.name}(…) -> int:`.",
        )


def line_place(source: Source, line: int) -> str:
    """Return the place of a line (from 1) of the source's text, as `Cell In[3], line 2`."""
    file, number = source.locate(max(1, min(line, source.text.count("\n"))))
    return f"{file}, line {number}"


def find_function(source: Source, name: str | None = None) -> Definition:
    """Find a function in a source: the one named so, else the last one.

    Raises:
        ComponentSyntaxError: The text is not Python.
        NoFunctionError: There is no function, or none of that name.
        SignatureError: It is a generator.
    """
    try:
        module = parsed(source.text)
    except SyntaxError as error:
        raise syntax_error(source, error) from None
    functions = [
        node for node in _top_level(module) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    named = [node for node in functions if name is None or node.name == name]
    if not named:
        raise _no_function(source, name, [node.name for node in functions])
    node = named[-1]
    definition = Definition(module, node, source)
    _check_kind(definition)
    return definition


def _top_level(module: ast.Module) -> list[ast.stmt]:
    """Return the module's statements, and those under an `if`: a function that had to stay indented."""
    inner = [held for node in module.body if isinstance(node, ast.If) for held in node.body]
    return [*inner, *module.body]


def syntax_error(source: Source, error: SyntaxError) -> ComponentSyntaxError:
    """Return what Python says about a source's text, at the place where it was written."""
    line = error.lineno or 1
    lines = lines_of(source.text)
    text = (error.text or (lines[line - 1] if line <= len(lines) else "")).strip()
    remedy = "Correct this line and run the cell again."
    if any(line == held.line for held in plain_python(source.text)[1]):
        remedy = "Take lines with `!` or `%` out of the cell; `--packages` installs packages."
    return ComponentSyntaxError(
        f"This is not valid Python ({error.msg}): `{text}`.", where=line_place(source, line), remedy=remedy
    )


def _no_function(source: Source, name: str | None, there: list[str]) -> NoFunctionError:
    what = "The code has no function" if name is None else f"The code has no function {name!r}"
    remedy = (
        "A component is a function, written by `def` with type hints; "
        "or a cell whose line says what it gives out: `%%component NAME(inputs) -> outputs`."
    )
    if there:
        remedy = f"Its functions are: {', '.join(there)}."
    own = source.fragments[-1]
    return NoFunctionError(what + ".", where=f"{own.file}, line {own.first_line}", remedy=remedy)


def _check_kind(definition: Definition) -> None:
    node = definition.node
    if _yields(node):
        raise SignatureError(
            f"The function {node.name!r} is a generator (it uses `yield`), so a step would run none of it.",
            where=definition.place(),
            remedy="Return the values instead, for example as a list.",
        )


def _yields(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    # Most functions have none, nor has a function inside them.
    if not any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in nodes(function)):
        return False
    return any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in _own_nodes(function))


def _gives_a_value(node: ast.AST) -> bool:
    """Say whether a statement surely returns a value; a call may as well return None."""
    if not isinstance(node, ast.Return) or isinstance(node.value, (ast.Call, ast.Await)):
        return False
    return node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None)


def _own_nodes(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    """Yield the nodes of the function itself, without those of functions and classes inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            waiting.extend(children(node))
