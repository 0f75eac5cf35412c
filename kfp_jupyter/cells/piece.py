"""Pieces of source that are brought along with a component, and the order they are put in.

A piece stands before the component's own text. Pieces keep the order in which they were written, except that
what a piece needs while it runs (a base class, a decorator, a default) comes before it. Where that was bound
anew since, the earlier text comes right before it, and the later one after it.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

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
        earlier: What bound names that it needs while it runs, where that is not what they mean now: its
            own in `class Net(Net)`, or others that were bound anew since.
    """

    kind: int
    binds: tuple[str, ...]
    fragment: Fragment
    order: tuple[int, int]
    names: Names
    earlier: dict[str, Piece] = field(default_factory=dict)

    @property
    def key(self) -> tuple[int, str, tuple[int, int], str]:
        """What it shares with a piece of the same text at the same place."""
        return self.kind, self.fragment.file, self.order, self.fragment.text


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


def in_order(pieces: Collection[Piece]) -> list[Piece]:
    """Return the pieces so that each runs after what it needs while it runs."""
    anew = {name for held in pieces for name in held.earlier}
    waiting = sorted(
        pieces, key=lambda held: (held.kind != IMPORTED or not anew.isdisjoint(held.binds), held.order)
    )
    binder = _present(waiting)
    done: dict[int, Piece] = {}
    entered: set[int] = set()

    def take(held: Piece) -> None:
        if id(held) in entered:
            return
        entered.add(id(held))
        known = {**binder, **held.earlier}
        for name in _needed_while_it_runs(held, known):
            if name in known:
                take(known[name])
        done[id(held)] = held

    for held in waiting:
        take(held)
    return list(done.values())


def misread(ordered: Collection[Piece]) -> list[tuple[Piece, str]]:
    """Return the pieces, with a name each, that keep a name from meaning what it meant, or what it means now.

    So do two pieces that were made of one another: in whatever order they run, the first lacks the second.

    Args:
        ordered: Pieces in the order in which they run.
    """
    wrong: list[tuple[Piece, str]] = []
    bound: dict[str, Piece] = {}
    brought = {name for held in ordered for name in held.binds if not hasattr(builtins, name)}
    for held in ordered:
        wrong += [(held, name) for name, before in held.earlier.items() if bound.get(name) is not before]
        lacking = brought - bound.keys() - set(held.binds) - held.earlier.keys()
        reads = held.names.reads.values() if held.kind == WRITTEN else ()
        wrong += [(held, use.name) for use in reads if use.at_once and use.name in lacking]
        bound.update(dict.fromkeys(held.binds, held))
    present = _present(ordered)
    for held in ordered:
        for before in held.earlier.values():
            names = [name for name in before.binds if name in present]
            wrong += [(held, name) for name in names if bound[name] is not present[name]]
    return wrong


def called_back(pieces: Collection[Piece], later: Collection[str]) -> list[tuple[Piece, str]]:
    """Return the pieces, with a name each, that call functions which read what is bound only then or later.

    Args:
        pieces: Pieces.
        later: The names that the component's own text binds.
    """
    binder = _present(pieces)
    found: list[tuple[Piece, str]] = []
    for held in pieces:
        called = [use.name for use in held.names.reads.values() if use.called]
        reached = dict.fromkeys(called)
        for name in called:
            function = held.earlier.get(name) or binder.get(name)
            binding = function.names.binds.get(name) if function is not None else None
            if function is None or function is held or binding is None or binding.kind != "function":
                continue
            for use in function.names.reads.values():
                if use.name not in reached and not use.postponed:
                    reached[use.name] = None
                    called.append(use.name)
        found += [
            (held, name)
            for name in reached
            if name not in held.earlier
            and (_needs(binder[name], held, binder) if name in binder else name in later)
        ]
    return found


def _needs(piece: Piece, other: Piece, binder: Mapping[str, Piece]) -> bool:
    """Say whether a piece is another one, or needs it while it runs, over whatever pieces between."""
    waiting, seen = [piece], {id(piece)}
    for held in waiting:
        if held is other:
            return True
        known = {**binder, **held.earlier}
        for name in _needed_while_it_runs(held, known):
            if name in known and id(known[name]) not in seen:
                seen.add(id(known[name]))
                waiting.append(known[name])
    return False


def _present(pieces: Collection[Piece]) -> dict[str, Piece]:
    """Return what binds each name now."""
    former = {(id(before), name) for held in pieces for name, before in held.earlier.items()}
    return {name: held for held in pieces for name in held.binds if (id(held), name) not in former}


def _needed_while_it_runs(held: Piece, binder: Mapping[str, Piece]) -> list[str]:
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
