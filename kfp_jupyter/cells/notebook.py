"""A notebook file read as text: its code cells and their cell magics. Nothing is run; only `json` is needed.

Format: https://nbformat.readthedocs.io/en/stable/format_description.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfp_jupyter.errors import KfpJupyterError


class NotebookError(KfpJupyterError):
    """A file that is not a notebook."""


@dataclass(frozen=True, slots=True)
class CodeCell:
    """A code cell.

    Attributes:
        number: Its place among all cells of the notebook, from 1, as JupyterLab counts them.
        magic: The cell magic's name without `%%`; empty for a cell of plain code.
        line: What follows the magic's name.
        body: The code; without the magic's line if there is one.
        tags: The tags in its metadata.
        id: Its id; empty in notebooks of older formats.
    """

    number: int
    magic: str
    line: str
    body: str
    tags: tuple[str, ...] = ()
    id: str = ""

    def place(self, notebook: str) -> str:
        """Return the name under which code of the cell is compiled and errors name it."""
        return f"{notebook}, cell {self.number}"


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook.

    Attributes:
        metadata: What is said of it as a whole.
        cells: Its code cells, in order.
    """

    metadata: Mapping[str, Any]
    cells: tuple[CodeCell, ...]


def read_notebook(path: Path) -> list[CodeCell]:
    """Return the code cells of a notebook, in order.

    Raises:
        NotebookError: The file cannot be read, or is no notebook of format 4.
    """
    return list(load_notebook(path).cells)


def load_notebook(path: Path) -> Notebook:
    """Return a notebook.

    Raises:
        NotebookError: The file cannot be read, or is no notebook of format 4.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotebookError(f"The file cannot be read: {error.strerror}.", where=str(path)) from error
    except ValueError as error:
        raise NotebookError(
            f"The file is not a notebook, which would be JSON: {error}.",
            where=str(path),
            remedy="Name a notebook that JupyterLab opens.",
        ) from error
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list) or content.get("nbformat") != 4:
        raise NotebookError(
            "The file is not a notebook of format 4.",
            where=str(path),
            remedy="Open it in JupyterLab and save it, which brings an old notebook up to date.",
        )
    found = []
    for number, cell in enumerate(cells, start=1):
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            found.append(_cell(number, cell))
    metadata = content.get("metadata")
    return Notebook(metadata if isinstance(metadata, dict) else {}, tuple(found))


def _cell(number: int, cell: Mapping[str, Any]) -> CodeCell:
    held = cell.get("source", "")
    source = held if isinstance(held, str) else "".join(held)
    # As Python reads it, also inside of strings.
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    said = tuple(map(str, tags)) if isinstance(tags, list) else ()
    name = str(cell.get("id", ""))
    first, _, rest = source.partition("\n")
    if first.startswith("%%"):
        magic, _, line = first[2:].strip().partition(" ")
        return CodeCell(number, magic, line.strip(), rest, said, name)
    return CodeCell(number, "", "", source, said, name)
