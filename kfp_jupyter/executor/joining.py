"""How the executor's files become the one text that is put into a step.

The text is made small, because it stands in every manifest: no docstrings, comments, annotations, blank lines
nor imports of ours, short names for what lives inside one function, and no space that Python can do without.
Functions, arguments and attributes keep their names, so a traceback still says where it was. In these files
names imported from `typing` may stand only in annotations, and an f-string holds no quotes inside its braces,
which Python before 3.12 could not read again. The text holds no `{{`, which Argo and KFP would take for a
placeholder.
"""

from __future__ import annotations

import ast
import builtins
import io
import itertools
import keyword
import string
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path


def joined(files: tuple[str, ...]) -> str:
    """Return the text that some files of this folder make; takes a fifth of a second for the executor's."""
    here = Path(__file__).parent
    whole = "".join(here.joinpath(f"{name}.py").read_text(encoding="utf-8") for name in files)
    tree = _Small().visit(ast.parse(whole.replace("from __future__ import annotations", "")))
    imports = {ast.unparse(held): held for held in tree.body if isinstance(held, ast.Import)}
    tree.body = [*imports.values(), *(held for held in tree.body if not isinstance(held, ast.Import))]
    return _without_spaces(ast.unparse(tree))


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
        self._with_body(node)
        return _Renamed(_short_names(node)).visit(node)  # type: ignore[no-any-return]

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


class _Renamed(ast.NodeTransformer):
    """Gives variables other names."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        node.name = self.names.get(node.name or "", node.name)
        return self.generic_visit(node)


def _short_names(function: ast.FunctionDef) -> dict[str, str]:
    """Return a short name for each variable of a function that is not an argument, the commonest first."""
    nodes = list(ast.walk(function))
    used = Counter(node.id for node in nodes if isinstance(node, ast.Name))
    arguments = {node.arg for node in nodes if isinstance(node, ast.arg)}
    variables = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    variables |= {node.name for node in nodes if isinstance(node, ast.ExceptHandler) and node.name}
    free = (name for name in _names() if name not in used and name not in arguments)
    renamed = (name for name, _ in used.most_common() if name in variables - arguments)
    return dict(zip(renamed, free, strict=False))


def _names() -> Iterator[str]:
    for length in itertools.count(1):
        for letters in itertools.product(string.ascii_lowercase, repeat=length):
            name = "".join(letters)
            if not keyword.iskeyword(name) and not hasattr(builtins, name):
                yield name


def _without_spaces(text: str) -> str:
    """Return what `ast.unparse` wrote with one space an indent, and none inside a line that is not needed."""
    small: list[str] = []
    for token in _tokens(text):
        if not small or small[-1] == "\n":
            small.append(" " * (token.start[1] // 4))
        elif _is_word(small[-1][-1]) and (_is_word(token.string[0]) or token.string[0] in "'\""):
            small.append(" ")
        small.append(token.string)
    return "".join(small)


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    """Yield the tokens of Python source; an f-string is one, also for Pythons that take it apart (3.12)."""
    opened: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = tokenize.tok_name[token.type]
        if kind == "FSTRING_START":
            opened.append(token)
        elif kind == "FSTRING_END":
            first = opened.pop()
            if not opened:
                yield first._replace(string=token.line[first.start[1] : token.end[1]])
        elif not opened and kind not in ("INDENT", "DEDENT", "NL", "ENDMARKER"):
            yield token


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"
