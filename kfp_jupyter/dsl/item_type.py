"""What is in a list or dict, from its type hint as text: `List[Dict[str, int]]` holds dicts, and these ints.

Where a hint does not say, KFP takes a text, and lets such a value be given for any parameter; so do we.
"""

from __future__ import annotations

import ast
from typing import NamedTuple

from kfp_jupyter.model.types import Json, ParameterType

_TYPES = {
    "str": ParameterType.STRING,
    "int": ParameterType.INTEGER,
    "float": ParameterType.DOUBLE,
    "bool": ParameterType.BOOLEAN,
    "list": ParameterType.LIST,
    "dict": ParameterType.STRUCT,
}


class Inner(NamedTuple):
    """The type of what is in a list or dict.

    Attributes:
        type: The type; `STRING` where it is not known.
        hint: The hint that it has itself.
        is_known: Whether the outer hint said it.
    """

    type: ParameterType = ParameterType.STRING
    hint: str = ""
    is_known: bool = False


def item_type(hint: str) -> Inner:
    """Return the type of a list's items."""
    return _inner(hint, 0)


def member_type(hint: str) -> Inner:
    """Return the type of a dict's values."""
    return _inner(hint, 1)


def hint_of(value: Json) -> str:
    """Return the hint of a constant: of a dict by its first value, as KFP does, else by its type."""
    if isinstance(value, dict) and value:
        key, held = next(iter(value.items()))
        return f"Dict[{type(key).__name__}, {type(held).__name__}]"
    return type(value).__name__


def constant_type(value: Json) -> Inner:
    """Return the type of a constant."""
    hint = hint_of(value)
    return _named(hint)


def _inner(hint: str, position: int) -> Inner:
    try:
        tree = ast.parse(hint, mode="eval").body if hint else None
    except SyntaxError:
        return Inner()
    if not isinstance(tree, ast.Subscript):
        return Inner()
    members = tree.slice.elts if isinstance(tree.slice, ast.Tuple) else [tree.slice]
    return _named(ast.unparse(members[position])) if len(members) > position else Inner()


def _named(hint: str) -> Inner:
    outer = hint.partition("[")[0].rpartition(".")[2].lower()
    return Inner(_TYPES[outer], hint, is_known=True) if outer in _TYPES else Inner()
