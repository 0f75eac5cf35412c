"""Which names a piece of Python reads from outside, and which it binds, by Python's rules of scope.

The text is taken as one that runs from top to bottom in a module, as a cell does. What runs at once (the
statements, class bodies, decorators, defaults) reads a name from outside if nothing above has bound it;
what runs later (the bodies of functions) does if no statement of the text binds it at all. A name that is
bound on some of the ways to its use only (`if`, `for`, one branch of `try`) is read *maybe*; so is one that
is bound only below the first line that may call the function which reads it.

Rules: https://docs.python.org/3/reference/executionmodel.html#naming-and-binding
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from kfp_jupyter.cells.annotations import CODE, POSTPONED, Annotations
from kfp_jupyter.cells.scopes import Body, Scope, arguments_of, bound_by_global, bound_in, mangled
from kfp_jupyter.cells.syntax import parsed
from kfp_jupyter.cells.uses import Binding, Import, Names, Place, Use, place_of

__all__ = ["Binding", "Import", "Names", "Place", "Use", "analyse"]

# What of Python's own calls the functions that it is handed.
_CALLING = frozenset({"filter", "map", "max", "min", "reduce", "sorted"})

# IPython puts names of its own among Python's while a cell runs.
_PYTHONS = (frozenset(dir(builtins)) | {"__file__", "__annotations__", "__builtins__", "__path__"}) - {
    "display",
    "get_ipython",
    "__IPYTHON__",
}


def analyse(source: str | ast.AST, *, postponed: bool = False) -> Names:
    """Return the names of a piece of Python.

    Args:
        source: Its text without IPython's magics (see `kfp_jupyter.cells.magic_lines`), or a syntax tree: a
            module, or one statement or expression.
        postponed: Whether its hints are not evaluated, by an import from `__future__` above it.

    Raises:
        SyntaxError: The text is not Python.
    """
    if isinstance(source, str):
        return _of_text(source, postponed)
    if isinstance(source, ast.Module):
        tree = source
    else:
        statement = source if isinstance(source, ast.stmt) else ast.Expr(source)  # type: ignore[arg-type]
        tree = ast.Module([ast.copy_location(statement, source)], type_ignores=[])
    return _Reader(tree, postponed).names()


# A component's text is asked for by whoever captures, checks or links it.
@lru_cache(maxsize=1024)
def _of_text(text: str, postponed: bool) -> Names:
    return _Reader(parsed(text), postponed).names()


@dataclass(slots=True)
class _Found:
    """The uses of one name as they are found, each with what `Use` says of all."""

    uses: list[tuple[Place, bool, bool, int]] = field(default_factory=list)
    changed: bool = False
    called: bool = False

    def use(self, name: str) -> Use:
        self.uses.sort(key=lambda held: held[0])
        return Use(
            name,
            tuple(dict.fromkeys(place for place, *_ in self.uses)),
            any(eager for _, eager, _, _ in self.uses),
            not all(eager for _, eager, _, _ in self.uses),
            all(maybe for _, _, maybe, _ in self.uses),
            all(annotation > 0 for *_, annotation in self.uses),
            all(annotation > 1 for *_, annotation in self.uses),
            self.changed,
            self.called,
        )


class _Reader(Annotations):
    """Walks a module in the order in which it runs."""

    def __init__(self, tree: ast.Module, postponed: bool) -> None:
        self.tree = tree
        self.module = self.scope = Scope("module")
        self.found: dict[str, _Found] = {}
        self.bound: dict[str, list[tuple[str, Place, ast.stmt]]] = {}
        self.imports: list[Import] = []
        self.awaits: list[Place] = []
        self.later: list[Body] = []
        self.statement: ast.stmt = ast.Pass()
        self.annotation = CODE
        self.eager = True
        self.early = self.called = False
        self.guards = 0
        self.calls = 0
        self.global_names = bound_by_global(tree)
        self.text_hints = postponed or any(
            isinstance(node, ast.ImportFrom)
            and node.module == "__future__"
            and any(alias.name == "annotations" for alias in node.names)
            for node in tree.body
        )

    def names(self) -> Names:
        for statement in self.tree.body:
            self.statement = statement
            self.visit(statement)
        self.eager = False
        while self.later:
            self.scope, body = self.later.pop(0)
            self.run_body(body)
        uses = sorted((found.use(name) for name, found in self.found.items()), key=lambda use: use.places[0])
        return Names(
            self.tree,
            {use.name: use for use in uses if use.name not in _PYTHONS},
            {use.name: use for use in uses if use.name in _PYTHONS},
            {name: self.binding(name) for name in self.bound},
            tuple(sorted(self.imports, key=lambda held: held.place)),
            self.global_names,
            tuple(self.awaits),
        )

    @cached_property
    def own_names(self) -> set[str]:
        """The names that the module binds, sooner or later."""
        return bound_in(self.tree.body, ())[0]

    def run_body(self, body: list[ast.stmt] | ast.expr) -> None:
        if isinstance(body, list):
            self.block(body)
        else:
            self.visit(body)

    def run_early(self, bodies: list[Body]) -> None:
        """Note what bodies of functions read if they are run here, where not all is bound that will be."""
        kept = self.scope, self.later, self.eager, self.early, self.imports, self.annotation, self.calls
        self.eager, self.early, self.annotation, self.calls = False, True, CODE, 0
        # What they import and define is noted when all bodies are read.
        self.later, self.imports = list(bodies), []
        while self.later:
            self.scope, body = self.later.pop(0)
            self.run_body(body)
        self.scope, self.later, self.eager, self.early, self.imports, self.annotation, self.calls = kept

    def binding(self, name: str) -> Binding:
        held = self.bound[name]
        return Binding(
            name,
            held[-1][0],
            tuple(place for _, place, _ in held),
            tuple(dict.fromkeys(statement for *_, statement in held)),
            name in self.module.certain,
            tuple(given for given in self.imports if given.name == name and given.top_level),
        )

    # --- Reading and binding a name ---

    def read(self, name: str, node: ast.AST) -> None:
        name = mangled(name, self.scope)
        place = place_of(node)
        maybe = self.scope.search(name)
        holder = self.module if maybe is not None else self.scope
        if (self.eager or self.early) and name in holder.dormant:
            self.run_early(holder.dormant.pop(name))
        if maybe is None:
            return
        module = self.module
        if name in module.certain:
            return
        if self.early:
            maybe = maybe or name in self.own_names or name in self.global_names
        elif self.eager:
            maybe = maybe or name in module.possible or name in self.global_names
        else:
            maybe = maybe or name in self.bound or name in self.global_names
        eager = self.eager or self.early
        found = self.found.setdefault(name, _Found())
        found.uses.append((place, eager, maybe, self.annotation))
        found.called = found.called or self.called

    def bind(self, name: str, kind: str, node: ast.AST) -> None:
        name = mangled(name, self.scope)
        scope = self.scope.binding_scope(name)
        if scope is self.module and not self.eager:
            return  # by `global`, once somebody calls the function
        scope.bind(name)
        if scope is self.module:
            self.bound.setdefault(name, []).append((kind, place_of(node), self.statement))

    def unbind(self, name: str) -> None:
        name = mangled(name, self.scope)
        self.scope.binding_scope(name).unbind(name)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self.bind(node.id, "variable", node)
            return
        self.read(node.id, node)
        if isinstance(node.ctx, ast.Del):
            self.unbind(node.id)

    def stored_into(self, node: ast.expr) -> None:
        inner = node
        while isinstance(inner, (ast.Attribute, ast.Subscript)):
            inner = inner.value
        if isinstance(inner, ast.Name) and inner.id in self.found:
            self.found[inner.id].changed = True

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            self.stored_into(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if self.annotation:
            self.visit(node.value)
            self.visit_subscripted(node)
            return
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            self.stored_into(node)

    # --- Statements that bind ---

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
        if node.value is not None or not isinstance(node.target, ast.Name):
            self.visit(node.target)
        self.hint(node.annotation, postponed=self.scope.kind == "function")

    def visit_Assign(self, node: ast.Assign) -> None:
        before = len(self.later)
        if isinstance(node.value, ast.Lambda):
            self.define_lambda(node.value)
        else:
            self.visit(node.value)
        for target in node.targets:
            self.visit(target)
            if isinstance(target, ast.Name) and isinstance(node.value, ast.Lambda):
                self.sleep(target.id, before)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.read(node.target.id, node.target)
        self.visit(node.value)
        self.visit(node.target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self.visit(node.target)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.imported(alias.asname or alias.name.partition(".")[0], alias.name, "", alias)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.module == "__future__":
            return
        for alias in node.names:
            module = "." * node.level + (node.module or "")
            self.imported(alias.asname or alias.name, module, alias.name, alias)

    def imported(self, name: str, module: str, attribute: str, node: ast.AST) -> None:
        top_level = self.eager and self.scope.kind == "module"
        self.imports.append(Import(name, module, attribute, place_of(node), top_level, self.guards > 0))
        if name != "*":
            self.bind(name, "import", node)

    # --- Scopes ---

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.decorated(node.decorator_list)
        self.defaults(node.args)
        before = len(self.later)
        outer = self.enter_type_parameters(node)
        for argument in arguments_of(node.args):
            self.hint(argument.annotation)
        self.hint(node.returns)
        inner = Scope("function", self.scope)
        inner.names, inner.global_names = bound_in(node.body, arguments_of(node.args))
        self.later.append((inner, node.body))
        self.scope = outer
        self.bind(node.name, "function", node)
        self.sleep(node.name, before)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        before = len(self.later)
        self.define_lambda(node)
        if self.eager:
            # It is handed to something, which may call it at once.
            self.run_early(self.later[before:])

    def visit_Call(self, node: ast.Call) -> None:
        if not self.eager or not isinstance(node.func, (ast.Lambda, ast.Name)):
            super().visit_Call(node)
            return
        arguments = [*node.args, *node.keywords]
        if isinstance(node.func, ast.Lambda):
            self.call_lambda(node.func, arguments)
            return
        self.calls += 1
        self.visit_called([node.func])
        if node.func.id in _CALLING:
            self.visit_called(arguments)
        else:
            self.block(arguments)
        self.calls -= 1

    def visit_called(self, nodes: Sequence[ast.AST]) -> None:
        """Visit what is called where it stands."""
        before, self.called = self.called, True
        self.block(nodes)
        self.called = before

    def decorated(self, decorators: list[ast.expr]) -> None:
        for decorator in decorators:
            if self.eager and isinstance(decorator, ast.Lambda):
                self.call_lambda(decorator, [])
            elif self.eager and isinstance(decorator, ast.Name):
                self.visit_called([decorator])
            else:
                self.visit(decorator)

    def call_lambda(self, node: ast.Lambda, arguments: Sequence[ast.AST]) -> None:
        """Read what a lambda reads that is called where it stands, and never again."""
        self.calls += 1
        before = len(self.later)
        self.define_lambda(node)
        bodies = self.later[before:]
        del self.later[before:]
        for argument in arguments:
            self.visit(argument)
        outer = self.scope
        for self.scope, body in bodies:
            self.run_body(body)
        self.scope = outer
        self.calls -= 1

    def define_lambda(self, node: ast.Lambda) -> None:
        self.defaults(node.args)
        if self.annotation == POSTPONED:
            return
        inner = Scope("function", self.scope)
        inner.names, inner.global_names = bound_in([ast.Expr(node.body)], arguments_of(node.args))
        self.later.append((inner, node.body))

    def sleep(self, name: str, before: int) -> None:
        """Note that whoever reads a name here may run the bodies that were put off since."""
        if self.eager and self.scope.kind in ("module", "class"):
            self.scope.dormant[name] = self.later[before:]

    def defaults(self, arguments: ast.arguments) -> None:
        for default in [*arguments.defaults, *arguments.kw_defaults]:
            if default is not None:
                self.visit(default)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.decorated(node.decorator_list)
        before = len(self.later)
        outer = self.enter_type_parameters(node)
        for base in [*node.bases, *(keyword.value for keyword in node.keywords)]:
            self.visit(base)
        self.scope = Scope("class", self.scope, class_name=node.name)
        self.scope.names, self.scope.global_names = bound_in(node.body, ())
        self.block(node.body)
        self.scope = outer
        self.bind(node.name, "class", node)
        self.sleep(node.name, before)

    def enter_type_parameters(self, node: ast.AST) -> Scope:
        """Enter the scope of `def f[T]`, if it has one, and return the scope around it."""
        outer = self.scope
        parameters = getattr(node, "type_params", None) or ()
        if parameters:
            self.scope = Scope("type parameters", outer)
            self.scope.names = {parameter.name for parameter in parameters}
            for parameter in parameters:
                self.hint(getattr(parameter, "bound", None))
                self.hint(getattr(parameter, "default_value", None))
        return outer

    def visit_TypeAlias(self, node: ast.AST) -> None:
        outer = self.enter_type_parameters(node)
        self.hint(node.value)  # type: ignore[attr-defined]
        self.scope = outer
        self.visit(node.name)  # type: ignore[attr-defined]
