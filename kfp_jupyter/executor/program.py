"""The executor's text as it is put into a step, kept in `program.txt` as `joining` made it of the files.

Making it takes longer than compiling a pipeline. The first line of `program.txt` says what it was made of:
where the files have changed since, the text is made anew. `make goldens` writes it.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

FILES = ("artifacts", "annotations", "report", "stubs", "failure", "arguments", "results", "main")
"""The files in the order in which they use each other."""

_HERE = Path(__file__).parent
KEPT = _HERE / "program.txt"


@cache
def program() -> str:
    """Return the executor as the text of one Python file of less than 24 kB."""
    made_of, _, text = KEPT.read_text(encoding="utf-8").partition("\n")
    return text if made_of == digest() else _joined()


def digest() -> str:
    """Return what the text is made of, as one line."""
    texts = (_HERE.joinpath(f"{name}.py").read_text(encoding="utf-8") for name in (*FILES, "joining"))
    return f"sha256 {hashlib.sha256(chr(0).join(texts).encode()).hexdigest()}"


def keep() -> None:
    """Write the text to its file."""
    KEPT.write_text(f"{digest()}\n{_joined()}", encoding="utf-8")


def _joined() -> str:
    # It imports Python's own parser and tokenizer, which nothing else needs here.
    from kfp_jupyter.executor.joining import joined

    return joined()
