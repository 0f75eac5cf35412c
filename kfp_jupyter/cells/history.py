"""The texts that define a component's names: the cells that ran, in order, or one module's file.

A kernel keeps each cell's text as it was when it ran, so what is looked up here is what the notebook's
objects were made of, even if their cells have been edited since. Of cells under a magic that runs their body
in the notebook (`%%time`, `%%component`) the body is read.
"""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from kfp_jupyter.cells.magic_lines import plain_python
from kfp_jupyter.cells.names import Binding, Names, analyse
from kfp_jupyter.cells.notebook import CodeCell
from kfp_jupyter.cells.origin import place_name
from kfp_jupyter.cells.provenance import absolute

RUN_IN_NOTEBOOK = frozenset({"capture", "component", "prun", "pipeline", "time", "timeit"})
"""Cell magics whose body is Python that binds names in the notebook."""


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


@dataclass(frozen=True, slots=True)
class History:
    """Texts in the order in which they ran.

    Attributes:
        texts: They.
        package: The package that relative imports in them start from; empty for a notebook.
    """

    texts: tuple[Text, ...]
    package: str = ""

    def bindings(self, name: str) -> Iterator[Written]:
        """Yield the bindings of a name at the top level of a text, the latest first."""
        for order in range(len(self.texts) - 1, -1, -1):
            text = self.texts[order]
            # Most cells do not even mention it.
            names = text.names if name in text.text else None
            if names is not None and name in names.binds:
                yield Written(text, order, names.binds[name])

    def star_imports(self) -> Iterator[str]:
        """Yield the modules of which everything was imported, the latest first."""
        for text in reversed(self.texts):
            names = text.names if "*" in text.text else None
            for held in reversed(names.star_imports if names is not None else ()):
                yield self.absolute(held.module)

    def makes_global(self, name: str) -> bool:
        """Say whether a function of a text binds the name in the module when it is called."""
        held = (text.names for text in self.texts if name in text.text and "global" in text.text)
        return any(names is not None and name in names.global_names for names in held)

    def absolute(self, module: str) -> str:
        """Return a module's full name, where a text may name it relative to its package."""
        return absolute(module, self.package)


def in_one_kernel(texts: Iterable[Text]) -> tuple[Text, ...]:
    """Return texts as IPython runs them: an import from `__future__` counts in all later cells too."""
    found: list[Text] = []
    for text in texts:
        earlier = bool(found) and found[-1].has_text_hints
        found.append(replace(text, postponed=True) if earlier else text)
    return tuple(found)


def kernel_history() -> History | None:
    """Return the cells that this kernel ran, the running one too; None outside of IPython."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    inputs: Sequence[str] | None = getattr(getattr(shell, "history_manager", None), "input_hist_parsed", None)
    if inputs is None:
        return None
    return History(in_one_kernel(_cell(text, number) for number, text in enumerate(inputs) if text))


def notebook_history(cells: Sequence[CodeCell], notebook: str) -> History:
    """Return the cells of a notebook file, as if they had run from top to bottom."""
    return History(
        in_one_kernel(
            Text(plain_python(cell.body)[0], cell.place(notebook), 2 if cell.magic else 1)
            for cell in cells
            if not cell.magic or cell.magic in RUN_IN_NOTEBOOK
        )
    )


def file_history(filename: str, package: str = "") -> History:
    """Return the text that code of a file name was compiled from; no text if it was not kept."""
    lines = linecache.getlines(filename)
    return History((Text("".join(lines), place_name(filename)),) if lines else (), package)


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
