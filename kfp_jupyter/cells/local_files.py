"""Files of this machine that a component's code names: here a run finds them, in a pod nobody does.

Only a text that is handed to a call, and that names a file which is there now, counts; what the code writes
itself it may read again.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from kfp_jupyter.cells.finding import WARNING, Finding, Where, stretch
from kfp_jupyter.cells.syntax import nodes, parsed
from kfp_jupyter.cells.uses import place_of
from kfp_jupyter.model.component import PREAMBLE, Source

# How functions begin that make a file, rather than read it.
_WRITERS = ("copy", "dump", "export", "mkdir", "save", "to_", "touch", "unlink", "write")
# Folders that every image has too.
_OF_EVERY_IMAGE = tuple(("/", name) for name in ("bin", "dev", "etc", "lib", "proc", "sbin", "sys", "usr"))
# Longer texts name no file.
_LENGTH = 1000


def check_files(source: Source) -> Iterator[Finding]:
    """Yield which files a source reads that only this machine has."""
    asked: dict[str, Where] = {}
    written: set[str] = set()
    every = nodes(parsed(source.text))
    given = [(node, texts) for node in every if isinstance(node, ast.Call) and (texts := _texts(node))]
    of = {id(node.value): node for node in every if isinstance(node, ast.Attribute)} if given else {}
    for call, texts in given:
        if source.locate(call.lineno)[0] == PREAMBLE:
            continue
        if _writes(call, of.get(id(call))):
            written.update(str(held.value) for held in texts)
            continue
        for held in texts:
            if _is_file(str(held.value)):
                asked.setdefault(str(held.value), stretch(source, place_of(held)))
    for text, where in asked.items():
        if text not in written:
            yield Finding(
                WARNING,
                "local-file",
                f"The file {text!r} is on this machine; on a cluster the step does not have it.",
                where,
                "Take it as an input (from `dsl.importer`, or from another step), or fetch it in the step.",
            )


def _texts(call: ast.Call) -> list[ast.Constant]:
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return [held for held in given if isinstance(held, ast.Constant) and isinstance(held.value, str)]


def _is_file(text: str) -> bool:
    if len(text) > _LENGTH or "\0" in text or not any(mark in text for mark in "./\\"):
        return False
    path = Path(text)
    return path.parts[:2] not in _OF_EVERY_IMAGE and path.is_file()


def _writes(call: ast.Call, user: ast.Attribute | None) -> bool:
    """Say whether a call makes the file that it names; `user` is the attribute that is taken of its value."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name == "open":
        mode = next((held.value for held in _texts(call)[1:]), "")
        return any(letter in str(mode) for letter in "wxa")
    return name.startswith(_WRITERS) or (user is not None and user.attr.startswith(_WRITERS))
