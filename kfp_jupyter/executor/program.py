"""The executor's files joined to one text, as it is put into a step.

The text is made small, because it stands in every manifest: no docstrings, comments, annotations, blank lines
nor imports of ours, and one space an indent. So in these files names imported from `typing` may stand only in
annotations, and an f-string holds no quotes inside its braces, which Python before 3.12 could not read again.
The text holds no `{{`, which Argo and KFP would take for a placeholder.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

FILES = ("artifacts", "annotations", "report", "stubs", "failure", "arguments", "results", "main")
"""The files in the order in which they use each other."""


@cache
def program() -> str:
    """Return the executor as the text of one Python file of less than 24 kB."""
    here = Path(__file__).parent
    whole = "".join(here.joinpath(f"{name}.py").read_text(encoding="utf-8") for name in FILES)
    whole = whole.replace("from __future__ import annotations", "")
    lines = [line for line in ast.unparse(_Small().visit(ast.parse(whole))).splitlines() if line]
    small = [re.sub("^ +", lambda indent: " " * (len(indent.group()) // 4), line) for line in lines]
    imports = dict.fromkeys(line for line in small if line.startswith("import "))
    return "\n".join([*imports, *(line for line in small if line not in imports), ""])


class _Small(ast.NodeTransformer):
    """Drops what a step does not need."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if text else self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        package = (node.module or "").partition(".")[0]
        return None if package in ("__future__", "typing", "kfp_jupyter") else node

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return node.orelse
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        fields = any(isinstance(base, ast.Attribute) and base.attr == "NamedTuple" for base in node.bases)
        if fields:
            node.body = [held for held in node.body if not isinstance(held, ast.Expr)]
            return node
        return self._with_body(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self._with_body(node)

    def _with_body(self, node: ast.ClassDef | ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.body = node.body or [ast.Pass()]
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        assigned = ast.Assign([node.target], node.value)
        return ast.fix_missing_locations(ast.copy_location(self.generic_visit(assigned), node))
