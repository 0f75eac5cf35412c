"""Capture: what a component's source uses of its notebook or module is found and brought along.

The source's free names are looked up where it was written, and what they mean there is written before it,
then what this uses in turn, until nothing is missing. A name can mean

    an import              the import, again; the text of a module of the user's own travels along
    a function, a class    its text, as it was when its cell ran
    another component      its function's text
    plain data, small      the value that it has now, written out
    anything else          notebook data: an error that says so, where it is used

Text travels and never a pickle, so a step may have another Python. Nothing is brought that the source has.
"""

from __future__ import annotations

import builtins
import sys
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from kfp_jupyter.cells.errors import LocalModuleError
from kfp_jupyter.cells.finding import ERROR, WARNING, Finding, Where, columns, stretch
from kfp_jupyter.cells.local_modules import LocalModule, importer, local_modules, outside_imports
from kfp_jupyter.cells.meaning import Meanings
from kfp_jupyter.cells.names import Import, Names, Place, Use, analyse
from kfp_jupyter.cells.patched import check_patched
from kfp_jupyter.cells.piece import IMPORTED, WRITTEN, Piece, called_back, in_order, misread
from kfp_jupyter.cells.provenance import is_standard, local_file, root
from kfp_jupyter.cells.surroundings import MISSING, NOWHERE, Surroundings
from kfp_jupyter.cells.syntax import dotted, nodes
from kfp_jupyter.cells.unresolved import bound_anew
from kfp_jupyter.cells.unrun import unrun_binding
from kfp_jupyter.model.component import PREAMBLE, Fragment, Source
from kfp_jupyter.model.lines import lines_of

# What IPython puts among Python's own names.
_OF_IPYTHON = frozenset({"display", "get_ipython"})


@dataclass(frozen=True, slots=True)
class Needed:
    """An import that the step runs, its own or one brought along.

    Attributes:
        imported: The import, with the full name of its module.
        where: Where it stands.
    """

    imported: Import
    where: Where


@dataclass(frozen=True, slots=True)
class Captured:
    """What is brought along with a component.

    Attributes:
        fragments: The source to put before the component's own.
        names: The names that it binds.
        imports: The imports that the step runs.
        modules: The modules of the user's own that travel along.
        findings: What cannot be brought along, and what else was noticed.
        postponed: Whether hints in it may not be evaluated (`from __future__ import annotations`).
    """

    fragments: tuple[Fragment, ...] = ()
    names: tuple[str, ...] = ()
    imports: tuple[Needed, ...] = ()
    modules: tuple[LocalModule, ...] = ()
    findings: tuple[Finding, ...] = ()
    postponed: bool = False


def capture(
    source: Source,
    surroundings: Surroundings,
    hints: frozenset[str] = frozenset(),
    loaded: Iterable[str] = (),
    guessed: Iterable[str] = (),
    modules: Iterable[str] = (),
) -> Captured:
    """Return what a source needs from its surroundings.

    Args:
        source: The source as far as it is known.
        surroundings: Where it was written.
        hints: Names that are needed even if only hints use them that Python does not evaluate, since the
            executor reads the hints of the component's own function.
        loaded: Names that are needed though the source does not say them, to load values that it is given.
        guessed: Names that may be needed so; what cannot be brought of them is left out.
        modules: Modules of the user's own that are needed so.

    Raises:
        SyntaxError: The source is not Python.
    """
    made = _Capture(source, surroundings, hints)
    made.read_own()
    made.read_loaded(loaded, guessed, modules)
    return made.captured()


class _Capture:
    """Brings one source's names along.

    Attributes:
        pieces: What is brought, by each name that it binds.
        extra: What else is brought: what names meant before, and functions that others know.
        complete: The pieces with what names meant before, by their keys.
        asked: The names that were looked up, so that each is told once.
    """

    def __init__(self, source: Source, surroundings: Surroundings, hints: frozenset[str]) -> None:
        self.source = source
        self.around = surroundings
        self.hints = hints
        self.names = analyse(source.text)
        self.lines = lines_of(source.text)
        self.meanings = Meanings(surroundings, self.names.binds, self.bring)
        self.pieces: dict[str, Piece] = {}
        self.extra: list[Piece] = []
        self.complete: dict[tuple[Any, ...], Piece] = {}
        self.asked: set[str] = set()
        self.findings: list[Finding] = []
        self.imports: list[Needed] = []
        self.postponed = False

    def captured(self) -> Captured:
        ordered = in_order(self.all_pieces())
        modules = self.local_modules()
        for held, name in misread(ordered):
            self.findings.append(bound_anew(held.binds[0], name, _line_of(held, name)))
        trees = [self.names.tree, *(held.names.tree for held in ordered)]
        self.findings += check_patched(self.around, [held.imported for held in self.imports], trees)
        brought = importer(modules.values())
        return Captured(
            (*([brought] if brought is not None else ()), *(held.fragment for held in ordered)),
            tuple(self.pieces),
            tuple(self.imports),
            tuple(modules.values()),
            tuple(self.findings),
            self.postponed,
        )

    def read_own(self) -> None:
        """Bring what the source itself reads."""
        for use in [*self.names.reads.values(), *self.names.builtins.values()]:
            sure = not use.maybe and (use.name in self.hints or not use.postponed)
            if self.is_there(use, sure=sure):
                continue
            place = use.places[0]
            where = stretch(self.source, place)
            if where.cell != PREAMBLE:
                self.need(use, where, self.lines[place.line - 1], sure=sure)
        for held in self.names.imports:
            where = stretch(self.source, held.place)
            if where.cell != PREAMBLE:
                self.imports.append(Needed(self.absolute(held), where))
        self.bring_submodules(self.names)

    def read_loaded(self, names: Iterable[str], guessed: Iterable[str], modules: Iterable[str]) -> None:
        """Bring what values need that the source is given."""
        own = self.source.fragments[-1]
        where = Where(own.file, max(own.first_line - 1, 1))
        for name in names:
            self.need(_sure(name), where, "", sure=True)
        for name in guessed:
            self.attempt(partial(self.need, _sure(name), where, "", sure=True))
        for module in modules:
            self.imports.append(Needed(Import(module, module, "", NOWHERE), where))

    def read_piece(self, held: Piece) -> None:
        """Bring what a piece reads."""
        fragment = held.fragment
        lines = lines_of(fragment.text)
        for use in [*held.names.reads.values(), *held.names.builtins.values()]:
            if use.name in held.earlier and not use.later:
                continue
            place = use.places[0]
            line = lines[place.line - 1]
            where = Where(fragment.file, fragment.first_line + place.line - 1, *columns(line, place))
            self.need(use, where, line, sure=not use.maybe and not use.postponed)
        for imported in held.names.imports:
            number = fragment.first_line + imported.place.line - 1
            self.imports.append(Needed(self.absolute(imported), Where(fragment.file, number)))
        self.bring_submodules(held.names)

    def absolute(self, held: Import) -> Import:
        return replace(held, module=self.around.history.absolute(held.module))

    # --- Names ---

    def is_there(self, use: Use, *, sure: bool) -> bool:
        """Say whether a name needs nothing brought: the source or every step has it, or it was asked for."""
        name = use.name
        own = self.names.binds.get(name)
        bound = own is not None and own.certain and not use.eager
        if bound or name in self.asked or name in self.pieces:
            return True
        value = self.around.value(name)
        if self.around.is_given(name) or (name.startswith("__") and name.endswith("__")):
            return True
        if hasattr(builtins, name) and name not in _OF_IPYTHON:
            if value is MISSING:
                # Where the texts have been run, a name of Python's own without a value hides nothing.
                return self.around.live or not (
                    unrun_binding(self.around, name) or self.around.star_import(name)
                )
            if _is_ipythons(value):
                return True
        return value is MISSING and (not sure or self.around.history.makes_global(name))

    def need(self, use: Use, where: Where, line: str, *, sure: bool) -> None:
        """Bring what a name means; if it is not sure that it is read, only what needs no package."""
        if self.is_there(use, sure=sure):
            return
        name = use.name
        value = self.around.value(name)
        self.asked.add(name)
        found = self.meanings.of(name, value, where, line)
        if isinstance(found, Finding):
            if sure:
                self.findings.append(found)
            return
        if not sure and found.kind == IMPORTED and not is_standard(found.names.imports[0].module):
            self.asked.discard(name)
            return
        self.add(found)
        if value is MISSING or (hasattr(value, "registry") and hasattr(value, "dispatch")):
            for registered in self.meanings.registered(name):
                self.extra.append(registered)
                self.read_piece(registered)

    def bring(self, name: str) -> None:
        """Bring a name that an embedded value refers to."""
        self.need(_sure(name), Where(PREAMBLE, 1), "", sure=True)

    def add(self, held: Piece) -> None:
        held = self.with_earlier(held)
        for name in held.binds:
            self.pieces.setdefault(name, held)
        text = self.around.history.text(held.fragment.file)
        if held.kind == WRITTEN and text is not None:
            self.postponed = self.postponed or text.has_text_hints
        self.read_piece(held)

    def with_earlier(self, held: Piece) -> Piece:
        """Return a piece with what names meant when it ran that mean something else now.

        These are its own names, where it is made of what they were (`train = timed(train)`), and names that
        were bound anew since: a class keeps the base that it was made with.
        """
        if held.key in self.complete:
            return self.complete[held.key]
        found: dict[str, Piece] = {}
        for use in held.names.reads.values() if held.kind == WRITTEN else ():
            own = use.name in held.binds
            # What may be called by its own statement and reads its own name is rather recursive.
            if not use.at_once:
                continue
            if not own and (use.annotation or not self.meanings.bound_anew_since(use.name, held)):
                continue
            where = _line_of(held, use.name)
            earlier = self.meanings.before(use.name, held, where)
            if isinstance(earlier, Piece):
                found[use.name] = self.with_earlier(earlier)
            else:
                self.findings.append(earlier if own else bound_anew(held.binds[0], use.name, where))
        complete = replace(held, earlier=found)
        self.complete[held.key] = complete
        for earlier in found.values():
            self.extra.append(earlier)
            self.read_piece(earlier)
        return complete

    def all_pieces(self) -> list[Piece]:
        """Return the pieces, with what those need that are called back while they make a name."""
        tried: set[tuple[Any, ...]] = set()
        while True:
            pieces = list({id(held): held for held in [*self.pieces.values(), *self.extra]}.values())
            found = called_back(pieces, self.names.binds)
            waiting = [(held, name) for held, name in found if (held.key, name) not in tried]
            if not waiting:
                return pieces
            for held, name in waiting:
                tried.add((held.key, name))
                self.bring_called_back(held, name)

    def bring_called_back(self, held: Piece, name: str) -> None:
        where = _line_of(held, name)
        if name not in held.binds and name not in self.pieces:
            self.attempt(partial(self.need, _sure(name), where, "", sure=True))
            return
        earlier = self.meanings.before(name, held, where, again=False)
        if isinstance(earlier, Piece):
            if earlier.key == self.pieces[name].key:
                return
            if self.attempt(partial(self.bring_earlier, earlier)):
                held.earlier[name] = self.complete[earlier.key]
                return
        elif earlier.code == "undefined-name":
            return  # nobody had it then, so it was not read
        self.findings.append(bound_anew(held.binds[0], name, where))

    def bring_earlier(self, earlier: Piece) -> None:
        complete = self.with_earlier(earlier)
        self.extra.append(complete)
        self.read_piece(complete)

    def attempt(self, bring: Callable[[], None]) -> bool:
        """Bring something, or nothing of it if not all of it can be brought."""
        before = (
            dict(self.pieces),
            list(self.extra),
            list(self.imports),
            set(self.asked),
            dict(self.complete),
            list(self.findings),
        )
        bring()
        failed = len(self.findings) > len(before[-1])
        if failed:
            self.pieces, self.extra, self.imports, self.asked, self.complete, self.findings = before
        return not failed

    def bring_submodules(self, names: Names) -> None:
        """Import the modules of packages that are used as attributes, as `sklearn.metrics` is."""
        for node in nodes(names.tree):
            name, *chain = dotted(node) or [""]
            value = self.around.value(name) if chain else MISSING
            if not isinstance(value, types.ModuleType) or name not in self.pieces:
                continue
            path = value.__name__
            deepest = ""
            for part in chain:
                offered = getattr(value, "__all__", ())
                inner = sys.modules.get(f"{path}.{part}")
                if inner is None or getattr(value, part, None) is not inner:
                    break
                path, value = f"{path}.{part}", inner
                deepest = "" if part in offered else path
            if deepest and deepest != "os.path" and deepest not in self.pieces:
                held = self.meanings.imported(Import(deepest.partition(".")[0], deepest, "", NOWHERE))
                self.pieces[deepest] = held
                self.imports.append(Needed(held.names.imports[0], Where(PREAMBLE, 1)))

    # --- Modules of the user's own ---

    def local_modules(self) -> dict[str, LocalModule]:
        found: dict[str, LocalModule] = {}
        for needed in self.imports:
            held = needed.imported
            wanted = [held.module]
            if held.attribute and local_file(f"{held.module}.{held.attribute}") is not None:
                wanted.append(f"{held.module}.{held.attribute}")
            try:
                found.update(local_modules(wanted, str(needed.where)))
            except LocalModuleError as error:
                self.findings.append(Finding(ERROR, "local-module", error.what, needed.where, error.remedy))
        for module, held in outside_imports(found.values()):
            self.imports.append(Needed(held, Where(module.file, held.place.line)))
        for module in found.values():
            if module.data:
                what = (
                    f"The local module {module.name!r} looks for files beside it, which do not travel along."
                )
                remedy = "Make them inputs of the step, or keep what they hold in the module."
                self.findings.append(Finding(WARNING, "module-files", what, Where(module.file, 1), remedy))
        return found


def _line_of(held: Piece, name: str) -> Where:
    """Return where a piece reads a name first."""
    use = held.names.reads.get(name)
    return Where(held.fragment.file, held.fragment.first_line + (use.line - 1 if use is not None else 0))


def _sure(name: str) -> Use:
    """Return a use of a name that stands in no text."""
    return Use(name, (Place(1, 0, 1, 0),), True, False, False, False, False, False)


def _is_ipythons(value: Any) -> bool:
    # Its `open` says that it is of `io`, which it wraps.
    modules = (getattr(value, "__module__", ""), getattr(value, "__globals__", {}).get("__name__", ""))
    return any(root(str(module)) == "IPython" for module in modules)
