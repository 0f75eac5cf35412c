"""The interface of a cell that declares none: what it takes from elsewhere, and what it may give to others.

Inputs are the names that the body reads from outside and that hold data: what other steps give out, and
variables of the notebook. Modules, functions and classes are none; they travel as source. Outputs are what
the body assigns and what it changes in its inputs; which of them are kept is known only when the later steps
are (see `data_flow`). Two ways to change an object are seen besides assignments into it: a method that is
called for nothing else (`rows.append(1)`, `frame.drop(…, inplace=True)`; but not `frame.head()`), and `fit`
in any call.
"""

from __future__ import annotations

import ast
import re
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kfp_jupyter.cells.cell_line import CellLine, Port
from kfp_jupyter.cells.names import Names

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_CONSTANT = (
    ast.Constant,
    ast.List,
    ast.Tuple,
    ast.Set,
    ast.Dict,
    ast.UnaryOp,
    ast.BinOp,
    ast.operator,
    ast.unaryop,
    ast.expr_context,
)
_FITS = re.compile("(partial_)?fit(_|$)")
# Methods that are called alone for what they show or write, not for what they change.
_LOOKS = re.compile(
    "(head|tail|sample|describe|info|summary|plot|hist|boxplot|show|display|print|log|debug|warning|error"
    "|save|savefig|write|dump|close)$|to_"
)
_CODE = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType, type)


def is_function_cell(module: ast.Module) -> bool:
    """Say whether a cell without an interface on its line is a function with its helpers, and no step itself.

    It is if it ends with a definition, or holds nothing but definitions, imports and constants.
    """
    if not module.body:
        return True
    last = module.body[-1]
    if isinstance(last, ast.If) and last.body:
        last = last.body[-1]
    return isinstance(last, _DEFINITIONS) or all(_only_defines(node) for node in module.body)


def _only_defines(node: ast.stmt) -> bool:
    if isinstance(node, (*_DEFINITIONS, ast.Import, ast.ImportFrom, ast.Pass)):
        return True
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.Expr)):
        return node.value is None or all(isinstance(held, _CONSTANT) for held in ast.walk(node.value))
    return False


def inferred_line(
    name: str, names: Names, values: Mapping[str, Any], provided: Callable[[str], bool | None]
) -> CellLine:
    """Return the interface of a body.

    Args:
        name: The component's name.
        names: The names of its body.
        values: The notebook's names before it ran.
        provided: Says of a name whether a step or a variable of the notebook provides it (True), or code does
            (False); None if it is not known.
    """
    inputs = [
        held.name
        for held in names.reads.values()
        if not held.postponed and _is_data(held.name, values, provided)
    ]
    assigned = {held for node in ast.walk(names.tree) for held in _assigned(node)}
    outputs = [
        held.name
        for held in names.binds.values()
        if held.kind == "variable" and held.name in assigned and not held.name.startswith("_")
    ]
    changed = changed_names(names)
    outputs += [held for held in inputs if held in changed and held not in outputs]
    return CellLine(name, tuple(map(Port, inputs)), tuple(map(Port, outputs)))


def changed_names(names: Names) -> set[str]:
    """Return the names from outside whose objects the body changes, as far as its text shows it."""
    changed = {held.name for held in names.reads.values() if held.changed}
    for node in ast.walk(names.tree):
        alone = isinstance(node, ast.Expr)
        call = node.value if isinstance(node, ast.Expr) else node
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            root, method = _root(call.func.value), call.func.attr
            shown = _LOOKS.match(method) and not any(held.arg == "inplace" for held in call.keywords)
            if root in names.reads and ((alone and not shown) or _FITS.match(method)):
                changed.add(root)
    return changed


def _is_data(name: str, values: Mapping[str, Any], provided: Callable[[str], bool | None]) -> bool:
    told = provided(name)
    if told is not None or name not in values:
        return bool(told)
    return not isinstance(values[name], _CODE)


def _assigned(node: ast.AST) -> Iterator[str]:
    """Yield the names that a statement assigns; what a loop or a `with` binds on its way is no result."""
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)):
        targets = [node.target]
    else:
        return
    for target in targets:
        yield from (held.id for held in ast.walk(target) if isinstance(held, ast.Name))


def _root(node: ast.expr) -> str:
    """Return the name that an expression such as `a.b[0].c` begins with; empty if it begins otherwise."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def step_name(body: str, otherwise: str) -> str:
    """Return a name for a cell that has none: from the comment or docstring that it begins with.

    Args:
        body: The cell without its magic line.
        otherwise: The name if it begins with neither.
    """
    first = next((line.strip() for line in body.splitlines() if line.strip()), "")
    words = re.findall(r"\w+", first.strip("#'\" ").lower()) if first[:1] in ("#", "'", '"') else []
    name = "_".join(words[:4])
    return name if name.isidentifier() and len(name) <= 40 else otherwise
