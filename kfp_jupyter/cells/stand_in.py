"""A function of the same signature and docstring as one in a cell, made without running the cell.

Hints and defaults are values, so something has to be run to know them: the statements of the cell that bind
the names they use, and those that these need in turn, and nothing else. A cell that imports a package which
only its step has can therefore become a component.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kfp_jupyter.cells.definition import Definition, line_place
from kfp_jupyter.cells.errors import UnsupportedAnnotationError
from kfp_jupyter.cells.hints import authoring_names
from kfp_jupyter.model.component import PREAMBLE


def stand_in(definition: Definition, namespace: Mapping[str, Any]) -> Callable[..., Any]:
    """Return a function with the definition's signature and docstring, and an empty body.

    Args:
        definition: The function in its source.
        namespace: Names known besides the source's own, such as the notebook's. It is not changed.

    Raises:
        UnsupportedAnnotationError: A hint or default uses a name that is not there, or fails to be evaluated.
    """
    node = definition.node
    shell = ast.FunctionDef(
        name=node.name, args=node.args, body=_docstring(node), decorator_list=[], returns=node.returns
    )
    ast.copy_location(shell, node)
    names = {**authoring_names(), **namespace}
    try:
        for statement in [*_needed(_own_statements(definition), shell), shell]:
            module = ast.fix_missing_locations(ast.Module([statement], type_ignores=[]))
            exec(
                compile(module, "<interface>", "exec", dont_inherit=True, flags=_flags(definition.module)),
                names,
            )
    except Exception as error:
        raise UnsupportedAnnotationError(
            f"The type hints and defaults of {node.name!r} cannot be read: {type(error).__name__}: {error}.",
            where=line_place(definition.source, _line_of(error, node.lineno)),
            remedy="Use names that this cell, an earlier cell or `kfp_jupyter.dsl` defines.",
        ) from error
    made: Callable[..., Any] = names[node.name]
    return made


def _docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.stmt]:
    return [node.body[0]] if ast.get_docstring(node) is not None else [ast.Pass()]


def _flags(module: ast.Module) -> int:
    import __future__

    return __future__.annotations.compiler_flag if _hints_are_text(module) else 0


def _hints_are_text(module: ast.Module) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(alias.name == "annotations" for alias in node.names)
        for node in module.body
    )


def _line_of(error: BaseException, otherwise: int) -> int:
    """Return the line of the source that failed."""
    line, trace = otherwise, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<interface>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _own_statements(definition: Definition) -> list[ast.stmt]:
    """Return the statements that the user wrote."""
    place = definition.source.locate
    return [statement for statement in definition.module.body if place(statement.lineno)[0] != PREAMBLE]


def _needed(statements: list[ast.stmt], function: ast.FunctionDef) -> list[ast.stmt]:
    """Return those of the statements, in order, that bind what the function's hints and defaults use."""
    binders: dict[str, list[ast.stmt]] = {}
    for statement in statements:
        for name in _bound(statement):
            binders.setdefault(name, []).append(statement)
    wanted = list(_used(function))
    chosen: set[int] = set()
    while wanted:
        for statement in [*binders.get(wanted.pop(), []), *binders.get("*", [])]:
            if id(statement) not in chosen:
                chosen.add(id(statement))
                wanted.extend(_used(statement))
    return [statement for statement in statements if id(statement) in chosen]


def _bound(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement of the module binds; `*` if it may bind any."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield statement.name
        return
    for node in ast.walk(statement):
        if isinstance(node, (ast.Import, ast.ImportFrom)) and getattr(node, "module", "") != "__future__":
            yield from ((alias.asname or alias.name).split(".")[0] for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _used(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            yield inner.id
        elif isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            # A hint may be written as text, whole (`"Dataset"`) or in part (`Input["Table"]`).
            yield from _names_in_text(inner.value)


def _names_in_text(text: str) -> Iterator[str]:
    try:
        expression = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError):
        return
    yield from (inner.id for inner in ast.walk(expression) if isinstance(inner, ast.Name))
