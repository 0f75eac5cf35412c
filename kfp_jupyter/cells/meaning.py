"""What a name means where a component was written: a piece of source that makes it, or why there is none.

Two ways to know. In a kernel, and in a module that is being imported, a name has a value: that decides, and
the texts that ran say how it was made. In a notebook that is only read there are no values, and the texts
alone have to do: imports, definitions, and assignments that say their value themselves.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import itertools
import logging
import threading
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from kfp_jupyter.cells.constant import NotConstantError, TooLongError, expression, makes_again
from kfp_jupyter.cells.finding import Finding, Where
from kfp_jupyter.cells.history import Text, Written, file_history
from kfp_jupyter.cells.names import Import, analyse
from kfp_jupyter.cells.origin import function_fragment, place_name
from kfp_jupyter.cells.piece import IMPORTED, VALUE, WRITTEN, Piece, piece, statement_text
from kfp_jupyter.cells.secrets import looks_secret
from kfp_jupyter.cells.surroundings import MISSING, NOWHERE, Surroundings, notebook_only_names, public_import
from kfp_jupyter.cells.unresolved import (
    data_finding,
    no_text,
    notebook_only,
    secret_finding,
    undefined,
)
from kfp_jupyter.cells.unrun import definition_in, says_itself, unrun_binding, unrun_problem
from kfp_jupyter.model.component import PREAMBLE, Fragment
from kfp_jupyter.model.lines import with_ends

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_ASSIGNMENTS = (ast.Assign, ast.AnnAssign, getattr(ast, "TypeAlias", ast.AnnAssign))

# Values that are made again by running the statement that made them: none holds data.
_MADE_AGAIN: tuple[Any, ...] = (
    functools.partial,
    itertools.count,
    logging.Logger,
    staticmethod,
    threading.Event,
    types.GenericAlias,
    types.UnionType,
    type(threading.Lock()),
    type(threading.RLock()),
    type(list[Any]),
    type(typing.Optional[int]),  # noqa: UP045 - its class is meant, not the type
    type(typing.List[int]),  # noqa: UP006
    type(typing.Callable[[int], int]),
    type(typing.Literal[1]),
    typing.NewType,
    typing.ParamSpec,
    typing.TypeVar,
    type(getattr(typing, "TypeAliasType", typing.TypeVar)),
)


class Meanings:
    """Finds what names mean.

    Args:
        around: Where the component was written.
        known: The names that the component has itself.
        bring: Brings another name along, by which an embedded value refers to a class or function.
    """

    def __init__(self, around: Surroundings, known: Mapping[str, Any], bring: Callable[[str], None]) -> None:
        self.around = around
        self.known = known
        self.bring = bring

    def of(self, name: str, value: Any, where: Where, line: str) -> Piece | Finding:
        """Return the piece that makes a name, or what is wrong with it.

        Args:
            name: The name.
            value: Its value, or `MISSING`.
            where: The place that uses it.
            line: The text of that line.
        """
        if value is MISSING:
            return self._of_text(name, where, line)
        if name in notebook_only_names(self.around.namespace):
            return notebook_only(name, where, line)
        imported = self.around.importing(name, value)
        if imported is not None:
            return self.imported(imported)
        if isinstance(value, types.ModuleType) and value.__name__ != "__main__":
            alias = value.__name__ if "." not in value.__name__ and value.__name__ == name else ""
            return self.imported(Import(alias or name, value.__name__, "", NOWHERE))
        if inspect.isfunction(getattr(value, "python_func", None)):
            return self._function_of_component(name, value.python_func)
        if callable(value) and self._is_made_of_itself(name):
            return self._statement(name) or no_text(name, value, where)
        if isinstance(value, type):
            return self._class(name, value, where)
        if isinstance(value, types.FunctionType) or hasattr(value, "__wrapped__"):
            return self._function(name, value, where)
        if isinstance(value, types.BuiltinFunctionType) and not isinstance(value.__self__, types.ModuleType):
            return data_finding(name, value.__self__, where)
        if isinstance(value, types.BuiltinFunctionType):
            return self._elsewhere(name, value) or data_finding(name, value, where)
        if type(value) is object or isinstance(value, _MADE_AGAIN):
            return self._statement(name) or data_finding(name, value, where)
        return self._constant(name, value, where)

    def before(self, name: str, held: Piece, where: Where, *, again: bool = True) -> Piece | Finding:
        """Return the piece that made a name before another one did, as texts tell it.

        Args:
            name: The name.
            held: The later piece.
            where: The place in it that uses the name.
            again: Whether the same text as the later one counts, run earlier.
        """
        for written, statement in self._bindings_before(name, held):
            imports = [given for given in written.binding.imports if given.place.line >= statement.lineno]
            if imports and isinstance(statement, (ast.Import, ast.ImportFrom)):
                return self.imported(imports[0])
            own = replace(written.binding, statements=(statement,))
            single = Written(written.text, written.order, own)
            definition = definition_in(single) or definition_in(
                replace(single, binding=replace(own, kind="function"))
            )
            made = self._written(written.text, definition or statement, name)
            if not again and made.fragment.text == held.fragment.text:
                continue
            if definition is not None:
                return made
            reads_itself = isinstance(statement, ast.Assign) and name in analyse(statement).reads
            return (None if reads_itself else unrun_problem(self.around, single, where)) or made
        return undefined(name, where, self.around, self.known)

    def bound_anew_since(self, name: str, held: Piece) -> bool:
        """Say whether a name was bound by another text after a piece ran than before, as texts tell it."""
        latest = next(self.around.history.bindings(name), None)
        before = next(self._bindings_before(name, held), None)
        if latest is None or before is None:
            return False
        return ast.dump(latest.binding.statements[-1]) != ast.dump(before[1])

    def _bindings_before(self, name: str, held: Piece) -> Iterator[tuple[Written, ast.stmt]]:
        """Yield the statements that bound a name before a piece ran, the latest first."""
        for written in self.around.history.bindings(name):
            order = self.around.history.order(written.text.file)
            for statement in reversed(written.binding.statements):
                if (order, statement.lineno) < held.order:
                    yield written, statement

    def _is_made_of_itself(self, name: str) -> bool:
        """Say whether the text that bound a name last makes it of what it was before: `f = cached(f)`."""
        written = next(self.around.history.bindings(name), None)
        statement = written.binding.statements[-1] if written is not None else None
        return isinstance(statement, ast.Assign) and name in analyse(statement).reads

    def _of_text(self, name: str, where: Where, line: str) -> Piece | Finding:
        """Return what a name without a value means: the texts alone have to say it."""
        written = unrun_binding(self.around, name)
        if written is None:
            starred = self.around.star_import(name)
            if starred is not None:
                return self.imported(starred)
            if name in notebook_only_names(self.around.namespace):
                return notebook_only(name, where, line)
            return undefined(name, where, self.around, self.known)
        imported = self.around.importing(name, MISSING)
        if imported is not None:
            return self.imported(imported)
        definition = definition_in(written)
        if definition is not None:
            return self._written(written.text, definition, name)
        problem = unrun_problem(self.around, written, where)
        return problem or self._written(written.text, written.binding.statements[-1], name)

    # --- Imports ---

    def imported(self, held: Import) -> Piece:
        """Return the piece of an import."""
        fragment, order = Fragment(f"{held.text}\n", PREAMBLE), 0
        for written in self.around.history.bindings(held.name):
            if held in written.binding.imports:
                file, line = written.text.file, written.text.first_line + held.place.line - 1
                fragment, order = Fragment(fragment.text, file, line), self.around.history.order(file)
                break
        return piece(IMPORTED, [held.name], fragment, (order, held.place.line))

    def _elsewhere(self, name: str, value: Any) -> Piece | None:
        """Return the import of what another module defines."""
        if getattr(value, "__module__", None) in (self.around.module, "__main__", None):
            return None
        held = public_import(name, value)
        return self.imported(held) if held is not None else None

    # --- Functions and classes ---

    def _function(self, name: str, value: Any, where: Where) -> Piece | Finding:
        inner = inspect.unwrap(value)
        if not isinstance(inner, types.FunctionType):
            return self._elsewhere(name, value) or self._statement(name) or data_finding(name, value, where)
        if inner.__globals__ is not self.around.namespace and inner.__module__ != self.around.module:
            return self._elsewhere(name, value) or self._statement(name) or no_text(name, value, where)
        nested = "<locals>" in inner.__qualname__
        own = None if inner.__name__ == "<lambda>" else self._by_line(name, inner)
        if own is not None and not nested:
            return own
        return self._definition(name, None) or self._statement(name) or own or no_text(name, value, where)

    def _by_line(self, name: str, function: types.FunctionType) -> Piece | None:
        """Return a function's text, found by the line that its code begins at."""
        code = function.__code__
        history = file_history(code.co_filename)
        names = history.texts[0].names if history.texts else None
        if names is None:
            return None
        for node in ast.walk(names.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == code.co_name:
                lines = [node.lineno, *(decorator.lineno for decorator in node.decorator_list)]
                if min(lines) == code.co_firstlineno:
                    return self._written(history.texts[0], node, name)
        return None

    def _function_of_component(self, name: str, function: Callable[..., Any]) -> Piece:
        fragment = function_fragment(function)
        if function.__name__ != name:
            fragment = Fragment(
                f"{fragment.text}{name} = {function.__name__}\n", fragment.file, fragment.first_line
            )
        return piece(
            WRITTEN, [name], fragment, (self.around.history.order(fragment.file), fragment.first_line)
        )

    def _class(self, name: str, value: type, where: Where) -> Piece | Finding:
        if value.__module__ not in (self.around.module, "__main__"):
            return self._elsewhere(name, value) or self._statement(name) or no_text(name, value, where)
        return self._definition(name, value) or self._statement(name) or no_text(name, value, where)

    def _definition(self, name: str, value: type | None) -> Piece | None:
        """Return the latest text that defines a function or class, or the class that the value is."""
        made_in = _file_of(value) if value is not None else ""
        if not self.around.history.order(made_in):
            made_in = ""
        for written in self.around.history.bindings(name):
            if made_in and made_in != written.text.file:
                continue
            node = definition_in(written)
            if node is not None and isinstance(node, ast.ClassDef) == (value is not None):
                return self._written(written.text, node, name)
        return None

    def registered(self, name: str) -> Iterator[Piece]:
        """Yield the functions that were registered with a function of `functools.singledispatch`."""
        for order in self.around.history.concerned(_registers, name):
            text = self.around.history.texts[order]
            names = text.names
            for node in names.tree.body if names is not None else ():
                if isinstance(node, ast.FunctionDef) and any(
                    ast.unparse(decorator).startswith(f"{name}.register") for decorator in node.decorator_list
                ):
                    yield self._written(text, node, node.name)

    # --- Statements ---

    def _statement(self, name: str) -> Piece | None:
        """Return the statement that bound a name last, if it is an assignment."""
        written = next(self.around.history.bindings(name), None)
        if written is None or not isinstance(written.binding.statements[-1], _ASSIGNMENTS):
            return None
        return self._written(written.text, written.binding.statements[-1], name)

    def _written(self, text: Text, node: ast.stmt, name: str) -> Piece:
        own, line = statement_text(with_ends(text.text), node)
        if isinstance(node, _DEFINITIONS):
            own += f"{name} = {node.name}\n" if node.name != name else ""
            own += "\n"
        fragment = Fragment(own, text.file, text.first_line + line - 1)
        order = (self.around.history.order(text.file), line)
        made = piece(WRITTEN, [name], fragment, order, postponed=text.has_text_hints)
        return Piece(made.kind, (name, *made.names.binds), fragment, made.order, made.names)

    # --- Values ---

    def _constant(self, name: str, value: Any, where: Where) -> Piece | Finding:
        if looks_secret(name, value):
            return secret_finding(name, where)
        names: dict[str, Any] = {}
        imports: dict[str, str] = {}
        try:
            text = expression(value, lambda held: self._reference(held, names, imports))
        except TooLongError as error:
            return data_finding(name, value, where, str(error))
        except NotConstantError as error:
            written = next(self.around.history.bindings(name), None)
            if written is not None and says_itself(self.around, written):
                return self._written(written.text, written.binding.statements[-1], name)
            return data_finding(name, value, where, str(error))
        if not makes_again(text, value, names):
            return data_finding(name, value, where)
        for held in names:
            if held not in imports:
                self.bring(held)
        written = next(self.around.history.bindings(name), None)
        file, line, order = PREAMBLE, 1, (0, 0)
        if written is not None:
            line = written.text.first_line + written.binding.places[-1].line - 1
            file, order = (
                written.text.file,
                (self.around.history.order(written.text.file), written.binding.places[-1].line),
            )
        fragment = Fragment("".join(imports.values()) + f"{name} = {text}\n", file, line)
        return piece(VALUE, [name], fragment, order)

    def _reference(self, value: Any, names: dict[str, Any], imports: dict[str, str]) -> str:
        """Return how an embedded value refers to a class, function or module."""
        called = getattr(value, "__name__", "")
        if self.around.is_given(called) and self.around.value(called) in (value, MISSING):
            names[called] = value
            return called
        if getattr(builtins, called, MISSING) is value:
            return called
        for held, other in self.around.namespace.items():
            if other is value and not held.startswith("_"):
                names[held] = value
                return held
        alias = f"_{called.replace('.', '_')}"
        if isinstance(value, types.ModuleType):
            names[alias], imports[alias] = value, f"import {value.__name__} as {alias}\n"
            return alias
        held_import = public_import(alias, value)
        if held_import is None:
            raise NotConstantError(f"it holds {called!r}")
        names[alias], imports[alias] = value, f"{held_import.text}\n"
        return alias


def _registers(text: Text, name: str) -> bool:
    return f"@{name}.register" in text.text


def _file_of(value: type) -> str:
    """Return the text that a class was made in, as its methods tell; empty if it has none."""
    for held in vars(value).values():
        function = inspect.unwrap(held) if callable(held) else getattr(held, "fget", None)
        if not isinstance(function, types.FunctionType):
            continue
        own = function.__qualname__.startswith(f"{value.__qualname__}.")
        # What a decorator such as `dataclass` has written is in no text.
        if own and not function.__code__.co_filename.startswith("<"):
            return place_name(function.__code__.co_filename)
    return ""
