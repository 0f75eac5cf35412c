"""The ways that execution takes through statements, as far as they decide which names are bound.

A visitor that keeps, for the module or class it is in, what is surely bound where it stands. A branch that
leaves (by `raise`, `return`, `break` or `continue`) has no say in what is bound after it.
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from kfp_jupyter.cells.scopes import Scope
from kfp_jupyter.cells.syntax import children, walked
from kfp_jupyter.cells.uses import Place, place_of

_VISITS: dict[type, dict[type, Callable[..., Any]]] = {}


class ControlFlow(ast.NodeVisitor, ABC):
    """Visits statements; the visit of one returns True if nothing after it is reached.

    Attributes:
        scope: The scope that the reader is in.
        guards: How many `try` and `if TYPE_CHECKING` it is in.
        awaits: Where something is awaited outside of functions.
    """

    scope: Scope
    guards: int
    awaits: list[Place]

    def visit(self, node: ast.AST) -> Any:
        """Visit a node as any visitor does; how is found once for each kind of node."""
        own = _VISITS.setdefault(type(self), {})
        if type(node) not in own:
            own[type(node)] = getattr(type(self), f"visit_{type(node).__name__}", ControlFlow.generic_visit)
        return own[type(node)](self, node)

    def generic_visit(self, node: ast.AST) -> None:
        """Visit the nodes under a node."""
        for inner in children(node):
            self.visit(inner)

    @abstractmethod
    def bind(self, name: str, kind: str, node: ast.AST) -> None:
        """Note that a name is bound here."""

    @abstractmethod
    def unbind(self, name: str) -> None:
        """Note that a name is not bound from here on."""

    def block(self, statements: Iterable[ast.AST]) -> bool:
        """Visit nodes in order and return whether they leave."""
        leaves = False
        for statement in statements:
            leaves = bool(self.visit(statement)) or leaves
        return leaves

    def branches(self, ways: Sequence[Sequence[ast.AST]], *, complete: bool) -> bool:
        """Visit the ways on from here, of which one is taken.

        Args:
            ways: The nodes of each.
            complete: False if it may also be that none of them is.
        """
        before = set(self.scope.certain)
        return self.ways([(before, way) for way in ways], [] if complete else [before])

    def ways(self, ways: Sequence[tuple[set[str], Sequence[ast.AST]]], ends: list[set[str]]) -> bool:
        """Visit the ways on from here, each with what is surely bound when it is taken."""
        before = set(self.scope.certain)
        for bound, way in ways:
            self.scope.certain = set(bound)
            if not self.block(way):
                ends.append(self.scope.certain)
        self.scope.certain = set.intersection(*ends) if ends else before
        return not ends

    # --- Expressions ---

    def condition(self, node: ast.expr) -> tuple[set[str], set[str]]:
        """Visit a condition and return what is surely bound if it holds, and if it does not."""
        flow = self.scope.flow
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            holds, fails = self.condition(node.operand)
            return fails, holds
        if not isinstance(node, ast.BoolOp):
            self.visit(node)
            return set(flow.certain), set(flow.certain)
        first, *rest = node.values
        holds, fails = self.condition(first)
        for value in rest:
            # What stands after `and` is come to if all before it holds, after `or` if nothing does.
            if isinstance(node.op, ast.And):
                flow.certain = set(holds)
                holds, failing = self.condition(value)
                fails &= failing
            else:
                flow.certain = set(fails)
                holding, fails = self.condition(value)
                holds &= holding
        flow.certain = holds & fails
        return holds, fails

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self.condition(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        flow = self.scope.flow
        holds, fails = self.condition(node.test)
        flow.certain = holds
        self.visit(node.body)
        holds = flow.certain
        flow.certain = fails
        self.visit(node.orelse)
        flow.certain = holds & flow.certain

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        first, *rest = node.generators
        self.visit(first.iter)
        self.asynchronous(node, any(generator.is_async for generator in node.generators))
        outer = self.scope
        self.scope = Scope("comprehension", outer)
        self.scope.names = {
            held.id
            for generator in node.generators
            for held in walked(generator.target)
            if isinstance(held, ast.Name)
        }
        # There may be nothing to go through.
        certain = set(outer.flow.certain)
        for generator in node.generators:
            if generator in rest:
                self.visit(generator.iter)
            self.visit(generator.target)
            for condition in generator.ifs:
                self.scope.flow.certain = self.condition(condition)[0]
        for part in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
            self.visit(part)
        self.scope = outer
        outer.flow.certain = certain

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = comprehension

    # --- Statements ---

    def visit_Return(self, node: ast.Return) -> bool:
        self.generic_visit(node)
        return True

    def visit_Raise(self, node: ast.Raise) -> bool:
        self.generic_visit(node)
        return True

    def visit_Break(self, _node: ast.Break) -> bool:
        return True

    def visit_Continue(self, _node: ast.Continue) -> bool:
        return True

    def visit_If(self, node: ast.If) -> bool:
        holds, fails = self.condition(node.test)
        test = node.test.attr if isinstance(node.test, ast.Attribute) else getattr(node.test, "id", "")
        self.guards += test == "TYPE_CHECKING"
        leaves = self.ways([(holds, node.body), (fails, node.orelse)], [])
        self.guards -= test == "TYPE_CHECKING"
        return leaves

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        self.asynchronous(node, isinstance(node, ast.AsyncFor))
        self.branches([[node.target, *node.body]], complete=False)
        self.after_loop(node)

    visit_AsyncFor = visit_For

    def visit_While(self, node: ast.While) -> None:
        holds, fails = self.condition(node.test)
        self.ways([(holds, node.body)], [fails])
        self.after_loop(node)

    def after_loop(self, node: ast.For | ast.AsyncFor | ast.While) -> None:
        breaks = any(isinstance(inner, ast.Break) for held in node.body for inner in walked(held))
        self.branches([node.orelse], complete=not breaks)

    def visit_With(self, node: ast.With | ast.AsyncWith) -> bool:
        self.asynchronous(node, isinstance(node, ast.AsyncWith))
        for item in node.items:
            self.visit(item)
        return self.block(node.body)

    visit_AsyncWith = visit_With

    def visit_Try(self, node: ast.Try) -> bool:
        self.guards += bool(node.handlers)
        before = set(self.scope.certain)
        kept = before - {name for held in node.body for name in _unbound_in(held)}
        ends: list[set[str]] = []
        leaves = self.ways([(before, [*node.body, *node.orelse])], ends)
        self.scope.possible |= before
        leaves = self.ways([(kept, [held]) for held in node.handlers], ends) and leaves
        self.guards -= bool(node.handlers)
        return self.block(node.finalbody) or leaves

    visit_TryStar = visit_Try

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> bool:
        if node.type is not None:
            self.visit(node.type)
        if node.name:
            self.bind(node.name, "variable", node)
        leaves = self.block(node.body)
        if node.name:
            self.unbind(node.name)
        return leaves

    def visit_Match(self, node: ast.Match) -> bool:
        self.visit(node.subject)
        ways = [[case.pattern, *([case.guard] if case.guard else []), *case.body] for case in node.cases]
        last = node.cases[-1]
        takes_all = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None
        return self.branches(ways, complete=takes_all and last.guard is None)

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        self.generic_visit(node)
        if node.name:
            self.bind(node.name, "variable", node)

    visit_MatchStar = visit_MatchAs

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self.generic_visit(node)
        if node.rest:
            self.bind(node.rest, "variable", node)

    def visit_Await(self, node: ast.Await) -> None:
        self.asynchronous(node, True)
        self.generic_visit(node)

    def asynchronous(self, node: ast.AST, awaits: bool) -> None:
        """Note a place that awaits, unless it is in a function."""
        scope: Scope | None = self.scope
        while awaits and scope is not None:
            awaits = scope.kind != "function"
            scope = scope.parent
        if awaits:
            self.awaits.append(place_of(node))


def _unbound_in(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement may delete."""
    for node in walked(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del):
            yield node.id
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
