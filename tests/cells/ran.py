"""Cells that have run one after the other, as capture finds them in a kernel."""

from __future__ import annotations

import types

from kfp_jupyter.cells.history import History, Text
from kfp_jupyter.cells.surroundings import Surroundings


def ran(*cells: str) -> Surroundings:
    """Run cells in a namespace of their own, and return what surrounds a component after them."""
    module = types.ModuleType("__main__")
    texts = []
    for number, cell in enumerate(cells, start=1):
        file = f"Cell In[{number}]"
        exec(compile(cell, file, "exec", dont_inherit=True), module.__dict__)
        texts.append(Text(f"{cell}\n", file))
    return Surroundings(module.__dict__, History(texts))
