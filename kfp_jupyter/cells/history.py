"""The texts that define a component's names: the cells that ran, in order, or one module's file.

A kernel keeps each cell's text as it was when it ran, so what is looked up here is what the notebook's
objects were made of, even if their cells have been edited since. Of cells under a magic that runs their body
in the notebook (`%%time`, `%%component`) the body is read.

A history grows with the notebook. It knows which texts mention which word, and asks each of these once
whether it binds the name, changes it, and so on: looking names up costs no more for the thousandth cell than
for the tenth.
"""

from __future__ import annotations

import ast
import linecache
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import ClassVar

from kfp_jupyter.cells.magic_lines import plain_python
from kfp_jupyter.cells.names import Binding, Names, analyse
from kfp_jupyter.cells.origin import place_name
from kfp_jupyter.cells.provenance import absolute

RUN_IN_NOTEBOOK = frozenset({"capture", "component", "prun", "pipeline", "time", "timeit"})
"""Cell magics whose body is Python that binds names in the notebook."""

# All that a name can be in a text: what stands between signs and spaces, which are ASCII wherever Python is.
_WORD = re.compile(r"[^\x00-/:-@\[-^`{-\x7f]+")


@dataclass(frozen=True, slots=True)
class Text:
    """A text that ran.

    Attributes:
        text: Plain Python.
        file: What it is called, for people.
        first_line: The line of its cell or file that it begins at.
        postponed: Whether hints in it are not evaluated, by an import from `__future__` in an earlier cell.
    """

    text: str
    file: str
    first_line: int = 1
    postponed: bool = False

    @property
    def names(self) -> Names | None:
        """Its names; None if it is not Python."""
        return _analysed(self.text, self.postponed)

    @property
    def has_text_hints(self) -> bool:
        """Whether its hints are not evaluated."""
        names = self.names if "__future__" in self.text else None
        return self.postponed or (
            names is not None
            and any(
                isinstance(node, ast.ImportFrom)
                and node.module == "__future__"
                and any(alias.name == "annotations" for alias in node.names)
                for node in names.tree.body
            )
        )


@dataclass(frozen=True, slots=True)
class Written:
    """One text's binding of a name.

    Attributes:
        text: The text.
        order: The text's place among all.
        binding: The binding.
    """

    text: Text
    order: int
    binding: Binding


Concerns = Callable[[Text, str], bool]
"""Says whether a text does a certain thing with a name that it mentions."""


class History:
    """Texts in the order in which they ran, as in one kernel, or of one file.

    An import from `__future__` counts in all later texts too, as in IPython.

    Args:
        texts: The first of them.
        package: The package that relative imports in them start from; empty for a notebook.

    Attributes:
        texts: They; more are added by `add` only.
        package: The package.
    """

    def __init__(self, texts: Iterable[Text] = (), package: str = "") -> None:
        self.texts: list[Text] = []
        self.package = package
        self._files: dict[str, list[int]] = {}
        self._mentions: dict[str, list[int]] = {}
        self._asked: dict[tuple[Concerns, str], _Asked] = {}
        self._read = 0
        for text in texts:
            self.add(text)

    def add(self, text: Text) -> None:
        """Take a text that ran after all others."""
        if self.texts and self.texts[-1].has_text_hints:
            text = replace(text, postponed=True)
        self._files.setdefault(text.file, []).append(len(self.texts))
        self.texts.append(text)

    def text(self, file: str) -> Text | None:
        """Return the first text of a cell or file."""
        orders = self._files.get(file)
        return self.texts[orders[0]] if orders else None

    def order(self, file: str) -> int:
        """Return the place of a cell's or file's last text among all, from 1; 0 if it has none."""
        orders = self._files.get(file)
        return orders[-1] + 1 if orders else 0

    def concerned(self, concerns: Concerns, name: str) -> Sequence[int]:
        """Return the orders, from 0, of the texts that do something with a name.

        Args:
            concerns: Says so of a text that mentions the name; what it says is kept.
            name: The name; `*` for texts that hold an asterisk.
        """
        for order in range(self._read, len(self.texts)):
            text = self.texts[order].text
            for word in {*_WORD.findall(text), *("*" if "*" in text else "")}:
                self._mentions.setdefault(word, []).append(order)
        self._read = len(self.texts)
        mentions = self._mentions.get(name, [])
        asked = self._asked.setdefault((concerns, name), _Asked())
        for order in mentions[asked.count :]:
            if concerns(self.texts[order], name):
                asked.orders.append(order)
        asked.count = len(mentions)
        return asked.orders

    def bindings(self, name: str) -> Iterator[Written]:
        """Yield the bindings of a name at the top level of a text, the latest first."""
        for order in reversed(self.concerned(_binds, name)):
            names = self.texts[order].names
            if names is not None:
                yield Written(self.texts[order], order, names.binds[name])

    def star_imports(self) -> Iterator[str]:
        """Yield the modules of which everything was imported, the latest first."""
        for order in reversed(self.concerned(_imports_all, "*")):
            names = self.texts[order].names
            for held in reversed(names.star_imports if names is not None else ()):
                yield self.absolute(held.module)

    def makes_global(self, name: str) -> bool:
        """Say whether a function of a text binds the name in the module when it is called."""
        return bool(self.concerned(_makes_global, name))

    def absolute(self, module: str) -> str:
        """Return a module's full name, where a text may name it relative to its package."""
        return absolute(module, self.package)


@dataclass(slots=True)
class _Asked:
    """The texts that do something with a name, among the first `count` that mention it."""

    orders: list[int] = field(default_factory=list)
    count: int = 0


def _binds(text: Text, name: str) -> bool:
    return text.names is not None and name in text.names.binds


def _makes_global(text: Text, name: str) -> bool:
    return "global" in text.text and text.names is not None and name in text.names.global_names


def _imports_all(text: Text, _asterisk: str) -> bool:
    return text.names is not None and bool(text.names.star_imports)


@dataclass(frozen=True, slots=True)
class _File:
    """The history of the file that was asked for last, and the lines that it was made of."""

    known: ClassVar[_File]
    place: str
    lines: list[str]
    history: History


_File.known = _File("", [], History())


class _Kernel:
    """The history of the running kernel, and the inputs that it was made of."""

    history = History()
    inputs: tuple[str, ...] = ()


def kernel_history() -> History | None:
    """Return the cells that this kernel ran, the running one too; None outside of IPython."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    inputs: Sequence[str] | None = getattr(getattr(shell, "history_manager", None), "input_hist_parsed", None)
    if inputs is None:
        return None
    known = len(_Kernel.inputs)
    if tuple(inputs[:known]) != _Kernel.inputs:
        # Another kernel, or one that was told to forget.
        known, _Kernel.history = 0, History()
    for number in range(known, len(inputs)):
        if inputs[number]:
            _Kernel.history.add(_cell(inputs[number], number))
    _Kernel.inputs = tuple(inputs)
    return _Kernel.history


def file_history(filename: str, package: str = "") -> History:
    """Return the text that code of a file name was compiled from; no text if it was not kept."""
    lines = linecache.getlines(filename)
    if not lines:
        return History((), package)
    place, known = place_name(filename), _File.known
    if known.lines is not lines or (known.place, known.history.package) != (place, package):
        # The functions of a module are defined one after the other.
        known = _File.known = _File(place, lines, History([Text("".join(lines), place)], package))
    return known.history


@lru_cache(maxsize=2048)
def _analysed(text: str, postponed: bool) -> Names | None:
    try:
        return analyse(text, postponed=postponed)
    except (SyntaxError, ValueError, RecursionError):
        return None


@lru_cache(maxsize=2048)
def _cell(text: str, number: int) -> Text:
    """Return a cell as IPython has translated it: a cell magic has become a call with the body's text."""
    file = f"Cell In[{number}]"
    if "run_cell_magic" in text:
        try:
            (statement,) = ast.parse(text).body
            call = statement.value  # type: ignore[attr-defined]
            name, _line, body = (ast.literal_eval(argument) for argument in call.args)
        except (SyntaxError, ValueError, AttributeError):
            return Text(text, file)
        return Text(plain_python(body)[0], file, 2) if name in RUN_IN_NOTEBOOK else Text("", file)
    return Text(text, file)
