"""Pieces of source that are brought along with a component, and the order they are put in.

A piece stands before the component's own text. Pieces keep the order in which they were written, except that
what a piece needs while it runs (a base class, a decorator, a default) comes before it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kfp_jupyter.cells.names import Names, analyse
from kfp_jupyter.model.component import Fragment

IMPORTED, WRITTEN, VALUE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of source.

    Attributes:
        kind: What it is: an import, a text of the user's, or a value written out.
        binds: The names that it binds.
        fragment: Its text, and the place that it comes from.
        order: Its place among all texts: the text it is of, and the line there.
        names: The names that it reads.
        earlier: What its own names meant before, where it is made of that: `class Net(Net)`.
    """

    kind: int
    binds: tuple[str, ...]
    fragment: Fragment
    order: tuple[int, int]
    names: Names
    earlier: tuple[Piece, ...] = ()


def piece(
    kind: int, binds: Iterable[str], fragment: Fragment, order: tuple[int, int], *, postponed: bool = False
) -> Piece:
    """Return a piece; the fragment's text is valid Python, whose hints may be `postponed`."""
    return Piece(kind, tuple(binds), fragment, order, analyse(fragment.text, postponed=postponed))


def statement_text(lines: Sequence[str], node: ast.stmt) -> tuple[str, int]:
    """Return a statement's own text, not indented, with its decorators, and the line it begins at.

    Args:
        lines: The lines of the text it is in, each with its newline.
        node: The statement.
    """
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    last = node.end_lineno or node.lineno
    taken = list(lines[first - 1 : last])
    indent = node.col_offset
    alone = not taken[0][: len(taken[0]) - len(taken[0].lstrip())].strip() and (
        taken[0].encode()[:indent].decode(errors="replace").strip() in ("", "@")
    )
    rest = taken[-1].encode()[node.end_col_offset or 0 :].decode(errors="replace").strip()
    if not alone or rest.startswith(";"):
        # Several statements stand on the line; what is written is the syntax tree's text.
        return ast.unparse(node) + "\n", first
    text = "".join(taken)
    if not text.endswith("\n"):
        text += "\n"
    if indent:
        # The wrapper keeps strings over several lines as they are.
        text, first = f"if True:\n{text}", first - 1
    return text, first


def in_order(pieces: Iterable[Piece]) -> list[Piece]:
    """Return the pieces so that each runs after what it needs while it runs."""
    waiting = sorted(pieces, key=lambda held: (held.kind != IMPORTED, held.order))
    binder = {name: held for held in waiting for name in held.binds}
    done: dict[int, Piece] = {}
    entered: set[int] = set()

    def take(held: Piece) -> None:
        if id(held) in entered:
            return
        entered.add(id(held))
        for before in held.earlier:
            take(before)
        for name in _needed_while_it_runs(held, binder):
            if name in binder:
                take(binder[name])
        done[id(held)] = held

    for held in waiting:
        take(held)
    return list(done.values())


def _needed_while_it_runs(held: Piece, binder: dict[str, Piece]) -> list[str]:
    """Return the names a piece needs, and those that what it may call needs in turn."""
    needed = [use.name for use in held.names.reads.values() if use.eager and not use.postponed]
    seen = set(needed)
    for name in needed:
        called = binder.get(name)
        if called is not None and called.kind == WRITTEN and called is not held:
            for use in called.names.reads.values():
                if use.name not in seen and not use.postponed:
                    seen.add(use.name)
                    needed.append(use.name)
    return needed
