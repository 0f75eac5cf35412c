"""The texts of ours that are put into steps, kept in files as `joining` made them of the modules.

Making one takes longer than compiling a pipeline. The first line of its file says what it was made of: where
the modules have changed since, the text is made anew. `make goldens` writes the files.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

FILES = ("artifacts", "annotations", "report", "stubs", "failure", "arguments", "results", "main")
"""The files in the order in which they use each other."""

CELL_FILES = ("formats", "cell")
"""The files that the source of a step has besides, if it was written as a cell."""

_HERE = Path(__file__).parent
KEPT = {FILES: _HERE / "program.txt", CELL_FILES: _HERE / "cell_program.txt"}
"""The file of each text, by what it is made of."""


@cache
def program() -> str:
    """Return the executor as the text of one Python file of less than 24 kB."""
    return _text(FILES)


@cache
def cell_program() -> str:
    """Return what runs a cell's body as a step, as the text of one Python file of less than 10 kB."""
    return _text(CELL_FILES)


def digest(files: tuple[str, ...]) -> str:
    """Return what the text of some files is made of, as one line."""
    texts = (_HERE.joinpath(f"{name}.py").read_text(encoding="utf-8") for name in (*files, "joining"))
    return f"sha256 {hashlib.sha256(chr(0).join(texts).encode()).hexdigest()}"


def keep() -> None:
    """Write the texts to their files."""
    for files, path in KEPT.items():
        path.write_text(f"{digest(files)}\n{_joined(files)}", encoding="utf-8")


def _text(files: tuple[str, ...]) -> str:
    made_of, _, text = KEPT[files].read_text(encoding="utf-8").partition("\n")
    return text if made_of == digest(files) else _joined(files)


def _joined(files: tuple[str, ...]) -> str:
    # It imports Python's own parser and tokenizer, which nothing else needs here.
    from kfp_jupyter.executor.joining import joined

    return joined(files)
