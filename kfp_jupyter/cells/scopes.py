"""Scopes of Python code: what each holds, and where a name is looked up from it.

Rules: https://docs.python.org/3/reference/executionmodel.html#resolution-of-names
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kfp_jupyter.cells.syntax import children, walked
from kfp_jupyter.cells.syntax import nodes as nodes_of

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


Body = tuple["Scope", "list[ast.stmt] | ast.expr"]
"""The body of a function, and the scope that it is."""


@dataclass(slots=True)
class Scope:
    """A module, class, function, comprehension, or the type parameters of one definition.

    A function's names are its own from its first line on, as the compiler decides. A module and a class look
    a name up when they come to it, so theirs depend on what has run.

    Attributes:
        kind: What it is: `module`, `class`, `function`, `comprehension` or `type parameters`.
        parent: The scope around it.
        class_name: The name of a class, for its private names.
        names: What a function, a comprehension or type parameters hold, and what a class binds.
        global_names: The names that it declares `global`.
        certain: What is surely bound in a module or class where the reader stands.
        possible: What may be bound there.
        dormant: For names of functions and classes in a module or class: the bodies that reading one may run.
    """

    kind: str
    parent: Scope | None = None
    class_name: str = ""
    names: set[str] = field(default_factory=set)
    global_names: set[str] = field(default_factory=set)
    certain: set[str] = field(default_factory=set)
    possible: set[str] = field(default_factory=set)
    dormant: dict[str, list[Body]] = field(default_factory=dict)

    @property
    def flow(self) -> Scope:
        """The scope that a comprehension stands in, whose names depend on what has run."""
        scope = self
        while scope.kind in ("comprehension", "type parameters") and scope.parent is not None:
            scope = scope.parent
        return scope

    def search(self, name: str) -> bool | None:
        """Look a name up from here to the module, and leave the module to the caller.

        Returns:
            None if a scope on the way surely holds it; else whether one may hold it.
        """
        scope: Scope | None = self
        # A class is seen by its own body only, not by the functions and classes in it.
        visible, maybe = True, False
        while scope is not None and scope.kind != "module":
            if name in scope.global_names:
                return maybe
            if scope.kind == "class":
                if name == "__class__":
                    return None
                if visible and name in scope.certain:
                    return None
                maybe = maybe or (visible and name in scope.possible)
                if visible and name in scope.names:
                    return maybe  # what a class binds itself it never takes from a function around it
            elif name in scope.names:
                return None
            visible = visible and scope.kind == "type parameters"
            scope = scope.parent
        return maybe

    def binding_scope(self, name: str) -> Scope:
        """Return the scope that an assignment here binds the name in."""
        scope = self
        while scope.kind in ("comprehension", "type parameters") and name not in scope.names:
            assert scope.parent is not None
            scope = scope.parent
        if name in scope.global_names:
            while scope.parent is not None:
                scope = scope.parent
        return scope

    def bind(self, name: str) -> None:
        """Note that a module or class has bound the name."""
        self.certain.add(name)
        self.possible.add(name)

    def unbind(self, name: str) -> None:
        """Note that a module or class has deleted the name."""
        self.certain.discard(name)
        self.possible.discard(name)


def mangled(name: str, scope: Scope | None) -> str:
    """Return the name that `__name` inside a class stands for."""
    if not name.startswith("__") or name.endswith("__"):
        return name
    while scope is not None:
        if scope.class_name.strip("_"):
            return f"_{scope.class_name.lstrip('_')}{name}"
        scope = scope.parent
    return name


def arguments_of(arguments: ast.arguments) -> list[ast.arg]:
    """Return all arguments of a function."""
    rest = [held for held in (arguments.vararg, arguments.kwarg) if held is not None]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *rest]


def bound_in(body: Iterable[ast.AST], arguments: Iterable[ast.arg]) -> tuple[set[str], set[str]]:
    """Return the names that are local to a function, and those that it declares `global`.

    Args:
        body: Its statements.
        arguments: Its arguments.
    """
    local = {argument.arg for argument in arguments}
    elsewhere: set[str] = set()
    of_module: set[str] = set()
    for node in own_nodes(body):
        if isinstance(node, ast.Global):
            of_module.update(node.names)
        elif isinstance(node, ast.Nonlocal):
            elsewhere.update(node.names)
        else:
            local.update(_bound_by(node))
    return local - of_module - elsewhere, of_module


def bound_by_global(tree: ast.AST) -> frozenset[str]:
    """Return the names that functions bind in the module; `name += 1` needs the name to be there."""
    found: set[str] = set()
    if not any(isinstance(node, ast.Global) for node in nodes_of(tree)):
        return frozenset()
    for function in nodes_of(tree):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        nodes = list(own_nodes(function.body))
        declared = {name for node in nodes if isinstance(node, ast.Global) for name in node.names}
        changed = {id(node.target) for node in nodes if isinstance(node, ast.AugAssign)}
        bound = {name for node in nodes if id(node) not in changed for name in _bound_by(node)}
        found |= declared & bound
    return frozenset(found)


def own_nodes(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield the nodes of a scope's statements without those of the scopes inside them.

    What an inner scope evaluates outside of itself (decorators, defaults) and binds outside of itself (`:=`
    in a comprehension) is yielded too.
    """
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, _FUNCTIONS):
            waiting += [*getattr(node, "decorator_list", ()), *node.args.defaults]
            waiting += [default for default in node.args.kw_defaults if default is not None]
        elif isinstance(node, ast.ClassDef):
            waiting += [*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, _COMPREHENSIONS):
            waiting += [held for held in walked(node) if isinstance(held, ast.NamedExpr)]
            waiting.append(node.generators[0].iter)
        else:
            waiting.extend(children(node))


def _bound_by(node: ast.AST) -> Iterator[str]:
    """Yield the names that one node binds by itself."""
    if isinstance(node, ast.Name):
        if not isinstance(node.ctx, ast.Load):
            yield node.id
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.alias):
        if node.name != "*":
            yield node.asname or node.name.partition(".")[0]
    elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        if node.name:
            yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest
