"""What is known of the names of a piece of Python: where they stand, how they are used, what binds them."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A stretch of source text, as `ast` counts it: lines from 1, columns from 0 in bytes of UTF-8."""

    line: int
    column: int
    end_line: int
    end_column: int


def place_of(node: ast.AST) -> Place:
    """Return the place of a node that has one."""
    line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
    return Place(
        line,
        column,
        getattr(node, "end_lineno", None) or line,
        getattr(node, "end_col_offset", None) or column,
    )


@dataclass(frozen=True, slots=True)
class Use:
    """How a name from outside is used.

    Attributes:
        name: The name.
        places: Where, in the order of the text.
        eager: Whether it is read while the text runs, rather than only when a function of it is called.
        later: Whether it is read when a function of it is called.
        maybe: Whether each use stands behind a binding that may or may not have happened.
        annotation: Whether every use stands in an annotation.
        postponed: Whether every use stands in an annotation that is never evaluated: one that is text, also
            by `from __future__ import annotations`, or of a function's variable.
        changed: Whether something is stored into it (`name[…] = …`, `name.x = …`, `del name[…]`).
        called: Whether it is called while the text runs, or is read by what is.
    """

    name: str
    places: tuple[Place, ...]
    eager: bool
    later: bool
    maybe: bool
    annotation: bool
    postponed: bool
    changed: bool
    called: bool = False

    @property
    def line(self) -> int:
        """The line (from 1) of the first use."""
        return self.places[0].line

    @property
    def at_once(self) -> bool:
        """True if the text reads it while it runs, whatever happens."""
        return self.eager and not self.maybe and not self.postponed


@dataclass(frozen=True, slots=True)
class Import:
    """One name of an import, or all of a module's (`name` is `*`).

    Attributes:
        name: The name that it binds.
        module: The module that is imported, in full; begins with dots if it is relative.
        attribute: What is taken from it; empty if the module itself is.
        place: Where it stands.
        top_level: Whether it is no part of a function or class.
        guarded: Whether it stands in a `try`, so that it may fail, or under `if TYPE_CHECKING`.
    """

    name: str
    module: str
    attribute: str
    place: Place
    top_level: bool = True
    guarded: bool = False

    @property
    def text(self) -> str:
        """The statement, alone on its line."""
        if self.attribute:
            alias = "" if self.name in (self.attribute, "*") else f" as {self.name}"
            return f"from {self.module} import {self.attribute}{alias}"
        alias = "" if self.name == self.module.partition(".")[0] else f" as {self.name}"
        return f"import {self.module}{alias}"


@dataclass(frozen=True, slots=True)
class Binding:
    """How a name is bound at the top level of the text.

    Attributes:
        name: The name.
        kind: What its last binding is: `function`, `class`, `import` or `variable`.
        places: Where it is bound, in the order of the text.
        statements: The top-level statements that bind it, in order.
        certain: Whether it is surely bound when the text has run.
        imports: The imports among its bindings.
    """

    name: str
    kind: str
    places: tuple[Place, ...]
    statements: tuple[ast.stmt, ...]
    certain: bool
    imports: tuple[Import, ...] = ()

    @property
    def line(self) -> int:
        """The line (from 1) of the first binding."""
        return self.places[0].line


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a piece of Python.

    Attributes:
        tree: Its syntax tree.
        reads: The names that it reads from outside, by name, in the order of their first use.
        builtins: The same of names that Python itself provides (`print`), which the outside may shadow.
        binds: The names that it binds at its top level, in the order of their first binding.
        imports: All imports, also those inside functions; `from m import *` is one of them.
        global_names: The names that functions of it bind by `global`.
        awaits: Where it awaits at the top level, which only IPython can do.
    """

    tree: ast.Module
    reads: Mapping[str, Use]
    builtins: Mapping[str, Use]
    binds: Mapping[str, Binding]
    imports: tuple[Import, ...]
    global_names: frozenset[str]
    awaits: tuple[Place, ...]

    @property
    def star_imports(self) -> tuple[Import, ...]:
        """The imports of everything that a module has."""
        return tuple(held for held in self.imports if held.name == "*")
