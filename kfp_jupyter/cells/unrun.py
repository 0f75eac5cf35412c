"""What a name means in texts that have not been run: a notebook only read, a module's lines further down.

Imports and definitions mean what they say. An assignment does if it says its value itself: literals, what is
built of them and of other names, and calls of constructors that everybody knows (`re.compile`, `Path`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from kfp_jupyter.cells.constant import LIMIT
from kfp_jupyter.cells.finding import Finding, Where
from kfp_jupyter.cells.history import Written
from kfp_jupyter.cells.secrets import looks_secret
from kfp_jupyter.cells.surroundings import Surroundings
from kfp_jupyter.cells.unresolved import secret_finding, unknown_data

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

# What an assignment may call and still say its value itself, where nothing is run.
_CONSTRUCTORS = frozenset(
    (
        *("dict", "float", "frozenset", "int", "list", "object", "range", "set", "slice", "str", "tuple"),
        *("Counter", "OrderedDict", "defaultdict", "deque", "namedtuple", "SimpleNamespace"),
        *("Enum", "IntEnum", "NamedTuple", "NewType", "ParamSpec", "TypeVar", "TypedDict"),
        *("Decimal", "Fraction", "Path", "PurePath", "date", "datetime", "timedelta", "timezone"),
        *("Lock", "RLock", "compile", "getLogger", "itemgetter", "partial"),
    )
)

_PLAIN = (
    *(ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Starred, ast.keyword, ast.Lambda),
    *(ast.List, ast.Tuple, ast.Set, ast.Dict, ast.JoinedStr, ast.FormattedValue, ast.IfExp),
    *(ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.unaryop, ast.operator, ast.boolop, ast.cmpop),
    *(ast.expr_context, ast.arguments, ast.arg),
)
"""The syntax of a value that says itself."""


def unrun_binding(around: Surroundings, name: str) -> Written | None:
    """Return the text that will have bound a name, if such a text counts here."""
    for written in around.history.bindings(name):
        if not around.live or written.text.file == around.own_file:
            return written
    return None


def definition_in(written: Written) -> Definition | None:
    """Return the function or class that a text binds the name to."""
    name = written.binding.name
    if written.binding.kind not in ("function", "class"):
        return None
    for statement in reversed(written.binding.statements):
        for node in ast.walk(statement):
            if isinstance(node, _DEFINITIONS) and node.name == name:
                return node
    return None


def unrun_problem(around: Surroundings, written: Written, where: Where) -> Finding | None:
    """Return why a name's value is only known when the texts run; None if its assignment says it.

    Args:
        around: Where the component was written.
        written: The binding.
        where: The place that uses the name.
    """
    name, statement = written.binding.name, written.binding.statements[-1]
    place = f"{written.text.file}, line {written.text.first_line + statement.lineno - 1}"
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is None:
        return unknown_data(name, where, place, "which is bound by more than an assignment")
    if any(looks_secret(name, held) for held in _literals(statement.value)):
        return secret_finding(name, where)
    value = ast.unparse(statement.value)
    if not all(_is_plain(node) for node in ast.walk(statement.value)):
        return unknown_data(name, where, place, f"`{_short(value)}`")
    if len(value) > LIMIT:
        return unknown_data(name, where, place, f"{len(value):,} characters")
    changed = _changed(around, written)
    return unknown_data(name, where, place, f"which {changed} changes") if changed else None


def _is_plain(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return called in _CONSTRUCTORS
    return isinstance(node, _PLAIN)


def _changed(around: Surroundings, written: Written) -> str:
    """Return the text that stores something into the name's value, if one does."""
    name = written.binding.name
    for text in around.history.texts[written.order :]:
        names = text.names if name in text.text else None
        use = names.reads.get(name) if names is not None else None
        if use is not None and use.changed:
            return text.file
    return ""


def _literals(value: ast.expr) -> Iterator[str]:
    for node in ast.walk(value):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"
