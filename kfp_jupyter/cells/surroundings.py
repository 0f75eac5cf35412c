"""What a component's code can see around it: the names of its notebook or module, and their texts."""

from __future__ import annotations

import ast
import builtins
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from kfp_jupyter.cells.history import History, file_history, kernel_history
from kfp_jupyter.cells.names import Import
from kfp_jupyter.cells.provenance import AUTHORING, root
from kfp_jupyter.cells.star_import import star_gives
from kfp_jupyter.cells.uses import Place
from kfp_jupyter.executor.stubs import offered
from kfp_jupyter.model.component import Fragment
from kfp_jupyter.model.lines import with_ends

MISSING = object()
"""What stands for the value of a name that has none."""

NOWHERE = Place(0, 0, 0, 0)
"""The place of an import that stands in no text."""

_unrun: ContextVar[tuple[Mapping[str, Any], History] | None] = ContextVar("unrun", default=None)

_PREAMBLE = frozenset({*offered(), *typing.__all__, "kfp", "kfp_jupyter", "dsl", "EmbeddedInput"})
"""The names that every component's source begins with."""

_NOTEBOOK_ONLY = (
    *("display", "get_ipython"),
    *("_", "__", "___", "_i", "_ii", "_iii", "_ih", "_oh", "_dh"),
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a component's code can see.

    Attributes:
        namespace: The names and their values.
        history: The texts that bound them.
        module: The name of the module that they are in: `__main__` for a notebook.
        live: False if the texts have not been run, so that names have no values.
        own_file: The name of the text that the component stands in; what this binds further down counts.
        closure: The names of functions around it.
    """

    namespace: Mapping[str, Any]
    history: History
    module: str = "__main__"
    live: bool = True
    own_file: str = ""
    closure: Mapping[str, Any] = field(default_factory=dict)

    def value(self, name: str) -> Any:
        """Return a name's value, or `MISSING`."""
        if name in self.closure:
            return self.closure[name]
        return self.namespace.get(name, MISSING)

    def is_given(self, name: str) -> bool:
        """Say whether every step has the name as it is meant here."""
        value = self.value(name)
        if name in _PREAMBLE:
            return value is MISSING or _is_authoring(name, value)
        return value is not MISSING and value is getattr(builtins, name, MISSING)

    def star_import(self, name: str) -> Import | None:
        """Return the import of everything that gives a name, where nothing has been run to know its value."""
        for module in self.history.star_imports() if not self.live else ():
            if star_gives(module, name):
                return Import(name, module, name, NOWHERE)
        return None

    def importing(self, name: str, value: Any) -> Import | None:
        """Return the import in a text that gave a name its value."""
        for written in self.history.bindings(name):
            for held in reversed(written.binding.imports):
                full = Import(name, self.history.absolute(held.module), held.attribute, held.place)
                if value is MISSING or imports_value(full, value):
                    return full
            if value is MISSING:
                return None
        for module in self.history.star_imports():
            if value is not MISSING and _is_now(getattr(sys.modules.get(module), name, MISSING), value):
                return Import(name, module, name, NOWHERE)
        return None


def notebook_surroundings(namespace: Mapping[str, Any], history: History | None = None) -> Surroundings:
    """Return what a cell can see: of the running kernel, or of the given texts, which have not been run."""
    if history is not None:
        return Surroundings(namespace, history, live=False)
    return Surroundings(namespace, kernel_history() or History(()))


@contextmanager
def reading(namespace: Mapping[str, Any], history: History) -> Iterator[None]:
    """Let functions of a namespace see the texts of a notebook that is only read."""
    token = _unrun.set((namespace, history))
    try:
        yield
    finally:
        _unrun.reset(token)


def function_surroundings(function: Callable[..., Any]) -> Surroundings:
    """Return what a function can see: the notebook that it is written in, or its module."""
    namespace = function.__globals__
    unrun = _unrun.get()
    if unrun is not None and unrun[0] is namespace:
        return Surroundings(namespace, unrun[1], live=False)
    module = str(namespace.get("__name__", "__main__"))
    history = kernel_history() if _in_notebook(namespace) else None
    own = file_history(function.__code__.co_filename, str(namespace.get("__package__") or ""))
    closure: dict[str, Any] = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        # A name that is bound further down has no value yet.
        with suppress(ValueError):
            closure[name] = cell.cell_contents
    return Surroundings(
        namespace,
        history or own,
        module,
        own_file=own.texts[0].file if own.texts else "",
        closure=closure,
    )


def function_in_cells(function: Callable[..., Any]) -> Fragment | None:
    """Return a function's text out of the cell that this kernel ran last with a definition of that name."""
    history = kernel_history() if _in_notebook(function.__globals__) else None
    for written in history.bindings(function.__name__) if history is not None else ():
        for node in written.binding.statements:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = with_ends(written.text.text)
                own = lines[node.lineno - 1 : node.end_lineno]
                return Fragment("".join(own), written.text.file, written.text.first_line + node.lineno - 1)
    return None


def imports_value(held: Import, value: Any) -> bool:
    """Say whether an import, if it is run again, gives a value; nothing is imported to know it."""
    module = sys.modules.get(held.module)
    if module is None:
        return False
    if held.attribute:
        found = getattr(module, held.attribute, MISSING)
        return _is_now(found, value) or sys.modules.get(f"{held.module}.{held.attribute}") is value
    return module is value or sys.modules.get(root(held.module)) is value


def _is_now(found: Any, value: Any) -> bool:
    """Say whether what a module has is a value, or what `%autoreload` has made the value equal to.

    Autoreload makes the module's functions and classes anew, and gives those that a notebook has their code.
    """
    if found is value:
        return True
    if "IPython.extensions.autoreload" not in sys.modules:
        return False
    named = ("__module__", "__qualname__")
    if any(getattr(found, name, MISSING) != getattr(value, name, None) for name in named):
        return False
    if isinstance(value, type):
        return isinstance(found, type)
    return isinstance(value, types.FunctionType) and getattr(found, "__code__", None) is value.__code__


def public_import(name: str, value: Any) -> Import | None:
    """Return an import that gives a function or class, from the shortest module that offers it."""
    home, attribute = getattr(value, "__module__", None), getattr(value, "__qualname__", "")
    if not isinstance(home, str) or "." in attribute or home == "__main__":
        return None
    parts = home.split(".")
    for count in range(1, len(parts) + 1):
        module = ".".join(parts[:count])
        if _is_now(getattr(sys.modules.get(module), attribute, MISSING), value):
            return Import(name, module, attribute, NOWHERE)
    return None


def notebook_only_names(namespace: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of a notebook that are IPython's own."""
    yield from _NOTEBOOK_ONLY
    for name, kept in (("In", "_ih"), ("Out", "_oh")):
        # Somebody may well call a class of one's own `Out`.
        if namespace.get(name) is namespace.get(kept):
            yield name
    for name in ("exit", "quit"):
        if root(getattr(type(namespace.get(name)), "__module__", "")) == "IPython":
            yield name


def _is_authoring(name: str, value: Any) -> bool:
    if isinstance(value, types.ModuleType):
        return root(value.__name__) in AUTHORING and value.__name__.rpartition(".")[2] == name
    if getattr(typing, name, MISSING) is value:
        return True
    home = getattr(value, "__module__", None)
    called = getattr(value, "__name__", name)
    return isinstance(home, str) and root(home) in AUTHORING and called == name


def _in_notebook(namespace: Mapping[str, Any]) -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and namespace is getattr(shell, "user_ns", None)
