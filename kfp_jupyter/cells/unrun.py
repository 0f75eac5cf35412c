"""What a name means in texts that have not been run: a notebook only read, a module's lines further down.

Imports and definitions mean what they say. An assignment does if it says its value itself: literals, what is
built of them and of other names, and calls of constructors that everybody knows (`re.compile`, `Path`).
"""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Iterator

from kfp_jupyter.cells.constant import LIMIT
from kfp_jupyter.cells.finding import Finding, Where
from kfp_jupyter.cells.history import Text, Written
from kfp_jupyter.cells.names import Names
from kfp_jupyter.cells.scopes import own_nodes
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

# Methods of lists, dicts and sets that change them.
_CHANGING = frozenset(
    (
        *("add", "append", "appendleft", "clear", "discard", "extend", "extendleft", "insert", "move_to_end"),
        *("pop", "popitem", "popleft", "remove", "reverse", "setdefault", "sort", "update"),
        *("difference_update", "intersection_update", "symmetric_difference_update"),
    )
)

# What makes a class one of plain data.
_RECORDS = frozenset(
    ("dataclass", "Enum", "Flag", "IntEnum", "IntFlag", "NamedTuple", "StrEnum", "TypedDict")
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
    if not all(_is_plain(node, around) for node in _evaluated(statement.value)):
        return unknown_data(name, where, place, f"`{_short(value)}`")
    if len(value) > LIMIT:
        return unknown_data(name, where, place, f"{len(value):,} characters")
    changed = _changed(around, written)
    return unknown_data(name, where, place, f"which {changed} changes") if changed else None


def says_itself(around: Surroundings, written: Written) -> bool:
    """Say whether a name's assignment says its value, and holds code: a table of functions, for example."""
    statement = written.binding.statements[-1]
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is None:
        return False
    if not any(isinstance(node, ast.Lambda) for node in ast.walk(statement.value)):
        return False
    return unrun_problem(around, written, Where(written.text.file, 1)) is None


def _evaluated(value: ast.expr) -> Iterator[ast.AST]:
    """Yield the nodes that are evaluated with a value: not what a `lambda` in it does when it is called."""
    waiting: list[ast.AST] = [value]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.Lambda):
            waiting += [*node.args.defaults, *(held for held in node.args.kw_defaults if held is not None)]
        else:
            waiting += ast.iter_child_nodes(node)


def _is_plain(node: ast.AST, around: Surroundings) -> bool:
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return called in _CONSTRUCTORS or (isinstance(node.func, ast.Name) and _is_record(called, around))
    return isinstance(node, _PLAIN)


def _is_record(name: str, around: Surroundings) -> bool:
    """Say whether a name is that of a class which only holds what it is given, as a dataclass does."""
    written = unrun_binding(around, name)
    node = definition_in(written) if written is not None else None
    if not isinstance(node, ast.ClassDef):
        return False
    marks = [held.func if isinstance(held, ast.Call) else held for held in node.decorator_list]
    return any(ast.unparse(held).rpartition(".")[2] in _RECORDS for held in [*marks, *node.bases])


def changes(names: Names, name: str) -> bool:
    """Say whether a text, while it runs, stores something into a name's value or has a method change it."""
    for node in own_nodes(names.tree.body):
        held: ast.AST | None = None
        if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            held = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            held = node.func.value if node.func.attr in _CHANGING else None
        while isinstance(held, (ast.Attribute, ast.Subscript)):
            held = held.value
        if isinstance(held, ast.Name) and held.id == name:
            return True
    return False


def _changed(around: Surroundings, written: Written) -> str:
    """Return the text that stores something into the name's value, if one does."""
    changing = around.history.concerned(_changes, written.binding.name)
    first = bisect_left(changing, written.order)
    return around.history.texts[changing[first]].file if first < len(changing) else ""


def _changes(text: Text, name: str) -> bool:
    names = text.names
    use = names.reads.get(name) if names is not None else None
    return use is not None and names is not None and (use.changed or changes(names, name))


def _literals(value: ast.expr) -> Iterator[str]:
    for node in ast.walk(value):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"
