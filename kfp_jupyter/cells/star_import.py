"""What `from MODULE import *` gives, where the notebook that says so is only read.

A module of the user's own is read as well, and not run. Others are installed, so that they can be asked.
"""

from __future__ import annotations

import ast
import tokenize
from functools import lru_cache
from importlib import import_module

from kfp_jupyter.cells.names import Names, analyse
from kfp_jupyter.cells.provenance import absolute, local_file

_DEPTH = 8


def star_gives(module: str, name: str) -> bool:
    """Say whether an import of everything from a module (by its full name) binds a name."""
    return name in _given(module, 0)


def _given(module: str, depth: int) -> frozenset[str]:
    file = local_file(module)
    if file is None:
        return _offered(module)
    try:
        with tokenize.open(file) as opened:
            names = analyse(opened.read())
    except (OSError, SyntaxError, UnicodeDecodeError):
        return frozenset()
    listed = _listed(names)
    if listed is not None:
        return listed
    found = {name for name in names.binds if not name.startswith("_")}
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for inner in names.star_imports if depth < _DEPTH else ():
        found |= _given(absolute(inner.module, package), depth + 1)
    return frozenset(found)


def _listed(names: Names) -> frozenset[str] | None:
    """Return what `__all__` lists, if it is a list of texts."""
    binding = names.binds.get("__all__")
    statement = binding.statements[-1] if binding is not None else None
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is None:
        return None
    try:
        return frozenset(map(str, ast.literal_eval(statement.value)))
    except (ValueError, TypeError):
        return None


@lru_cache(maxsize=64)
def _offered(module: str) -> frozenset[str]:
    try:
        held = import_module(module)
    except Exception:  # noqa: BLE001 - whatever an installed package raises here, it gives nothing
        return frozenset()
    public = (name for name in vars(held) if not name.startswith("_"))
    return frozenset(getattr(held, "__all__", public))
