"""Python's syntax trees, made and walked once for all who ask: capture, checks, flow of data.

A component's text is asked about a dozen times while it is defined. Trees are shared, so nobody changes one.
"""

from __future__ import annotations

import ast
from functools import cache, lru_cache
from typing import Any


@lru_cache(maxsize=512)
def parsed(text: str) -> ast.Module:
    """Return the tree of a text, to be looked at only.

    Raises:
        SyntaxError: It is not Python.
    """
    return ast.parse(text)


# Fields that hold no nodes, but texts and numbers; contexts and operators are nodes that say nothing more.
_PLAIN = frozenset(
    ("arg", "asname", "attr", "conversion", "ctx", "id", "is_async", "kind", "level", "module", "op", "ops")
) | {"simple", "type_comment"}


@cache
def _fields(kind: Any) -> tuple[str, ...]:
    """Return the fields in which a kind of node may hold others."""
    names: tuple[str, ...] = getattr(kind, "_fields", ())
    return () if kind is ast.Constant else tuple(name for name in names if name not in _PLAIN)


def children(node: ast.AST) -> list[ast.AST]:
    """Return the nodes right under a node as `ast.iter_child_nodes` does, but contexts and operators."""
    found: list[ast.AST] = []
    kind: Any = type(node)
    for name in _fields(kind):
        held = getattr(node, name, None)
        if held.__class__ is list:
            found += [inner for inner in held if isinstance(inner, ast.AST)]
        elif isinstance(held, ast.AST):
            found.append(held)
    return found


def walked(tree: ast.AST) -> list[ast.AST]:
    """Return a tree's nodes as `ast.walk` does, but contexts and operators."""
    waiting = [tree]
    for node in waiting:
        kind: Any = type(node)
        # Half of all nodes are names and constants.
        if _fields(kind):
            waiting += children(node)
    return waiting


@lru_cache(maxsize=512)
def nodes(tree: ast.AST) -> tuple[ast.AST, ...]:
    """Return the nodes of a tree that will be asked for again."""
    return tuple(walked(tree))


def dotted(node: ast.AST) -> list[str]:
    """Return `["a", "b", "c"]` for `a.b.c`; nothing for what is neither a name nor an attribute of one."""
    chain: list[str] = []
    while isinstance(node, ast.Attribute):
        chain.insert(0, node.attr)
        node = node.value
    return [node.id, *chain] if isinstance(node, ast.Name) else []
