"""Type hints among what is read: which of them Python evaluates, and the names in those that are text.

Reference: https://docs.python.org/3/reference/simple_stmts.html#annotated-assignment-statements
"""

from __future__ import annotations

import ast

from kfp_jupyter.cells.control_flow import ControlFlow

CODE, EVALUATED, POSTPONED = 0, 1, 2
"""What an expression is: code, a hint that is evaluated, or one that never is."""


class Annotations(ControlFlow):
    """Visits hints.

    Attributes:
        annotation: What the expression that the reader is in is.
        calls: How many calls it is in.
        text_hints: Whether no hint is evaluated, by an import from `__future__`.
    """

    annotation: int
    calls: int
    text_hints: bool

    def visit_subscripted(self, node: ast.Subscript) -> None:
        """Visit what stands in a hint's brackets; not all text there is a hint."""
        head = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
        if head == "Literal":
            return
        if head == "Annotated" and isinstance(node.slice, ast.Tuple):
            self.visit(node.slice.elts[0])
            before, self.annotation = self.annotation, CODE
            for extra in node.slice.elts[1:]:
                self.visit(extra)
            self.annotation = before
            return
        self.visit(node.slice)

    def hint(self, node: ast.expr | None, *, postponed: bool = False) -> None:
        if node is None:
            return
        before = self.annotation
        self.annotation = POSTPONED if postponed or self.text_hints else EVALUATED
        self.visit(node)
        self.annotation = before

    def visit_Call(self, node: ast.Call) -> None:
        # Texts that a hint hands to a function are no hints: `NamedTuple("Sizes", …)`.
        self.calls += 1
        self.generic_visit(node)
        self.calls -= 1

    def visit_Constant(self, node: ast.Constant) -> None:
        if not self.annotation or self.calls or not isinstance(node.value, str):
            return
        try:
            inner = ast.parse(node.value.strip(), mode="eval").body
        except (SyntaxError, ValueError):
            return
        for child in ast.walk(inner):
            ast.copy_location(child, node)
        before, self.annotation = self.annotation, POSTPONED
        self.visit(inner)
        self.annotation = before
