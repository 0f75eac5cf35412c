"""Whether a step's Python is new enough for its code, as far as its image says which Python it has.

Sources: the grammar, as `ast` knows it of each version, and "What's New in Python", for what modules gained
and which were taken away: https://docs.python.org/3/whatsnew/
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from typing import Any

from kfp_jupyter.cells.finding import ERROR, Finding, stretch
from kfp_jupyter.cells.names import Names
from kfp_jupyter.cells.syntax import nodes
from kfp_jupyter.cells.uses import Place
from kfp_jupyter.model.component import PREAMBLE, Source
from kfp_jupyter.model.lines import lines_of

_SINCE: dict[str, int] = {
    **dict.fromkeys(("graphlib", "zoneinfo"), 9),
    **dict.fromkeys(("functools.cache", "itertools.pairwise", "math.lcm", "math.nextafter"), 9),
    **dict.fromkeys(
        ("types.NoneType", "types.UnionType", "dataclasses.KW_ONLY", "inspect.get_annotations"), 10
    ),
    **dict.fromkeys(("typing.Concatenate", "typing.ParamSpec", "typing.TypeAlias", "typing.TypeGuard"), 10),
    **dict.fromkeys(("tomllib", "enum.StrEnum", "enum.verify", "datetime.UTC", "contextlib.chdir"), 11),
    **dict.fromkeys(("asyncio.TaskGroup", "asyncio.Runner", "asyncio.timeout", "asyncio.Barrier"), 11),
    **dict.fromkeys(("typing.Self", "typing.Never", "typing.LiteralString", "typing.assert_never"), 11),
    **dict.fromkeys(("typing.Required", "typing.NotRequired", "typing.Unpack", "typing.TypeVarTuple"), 11),
    **dict.fromkeys(("math.cbrt", "math.exp2", "operator.call", "hashlib.file_digest"), 11),
    **dict.fromkeys(("itertools.batched", "typing.override", "typing.TypeAliasType", "math.sumprod"), 12),
    **dict.fromkeys(("warnings.deprecated", "copy.replace", "typing.TypeIs", "typing.ReadOnly"), 13),
}
_SINCE["itertools.pairwise"] = 10
"""The minor version of Python 3 that brought a module, or a name of one."""

_UNTIL: dict[str, int] = {
    **dict.fromkeys(("asynchat", "asyncore", "distutils", "imp", "smtpd"), 11),
    **dict.fromkeys(
        ("audioop", "cgi", "cgitb", "crypt", "imghdr", "mailcap", "nntplib", "pipes", "sndhdr"), 12
    ),
    **dict.fromkeys(("spwd", "sunau", "telnetlib", "uu", "xdrlib"), 12),
}
"""The last minor version that has a module."""


_TRY_STAR: type[ast.AST] = getattr(ast, "TryStar", ast.Try)
_BLOCKS: dict[str, type[ast.AST]] = {
    "Pattern matching": ast.Match,
    "Exception groups": _TRY_STAR,
    "Parenthesized context managers": ast.With,
}
"""The statements that are told of when their whole block has been read."""


def image_version(image: str) -> tuple[int, int] | None:
    """Return the Python version of an official Python image such as `python:3.11-slim`; None of any other."""
    match = re.search(r"(?:^|/)python:(\d+)\.(\d+)", image)
    return (int(match[1]), int(match[2])) if match else None


def check_version(source: Source, names: Names, image: str) -> Iterator[Finding]:
    """Yield what in a source its image's Python does not know.

    Args:
        source: The source.
        names: Its names.
        image: The image of the step.
    """
    version = image_version(image)
    if version is None or version[0] != 3:
        return
    minor = version[1]
    yield from _syntax(source, image, minor)
    yield from _hints(source, names, image, minor)
    for name, place in _used(names):
        since, until = _SINCE.get(name, 0), _UNTIL.get(name.partition(".")[0], 99)
        if minor < since:
            yield _finding(source, place, f"`{name}` came with Python 3.{since}", image)
        elif minor > until:
            yield _finding(source, place, f"`{name}` went after Python 3.{until}", image)


def _syntax(source: Source, image: str, minor: int) -> Iterator[Finding]:
    if minor >= sys.version_info.minor:
        return
    try:
        ast.parse(source.text, feature_version=(3, minor))
    except SyntaxError as error:
        yield _finding(source, _place(source, error), error.msg[0].lower() + error.msg[1:], image)


def _place(source: Source, error: SyntaxError) -> Place:
    """Return where the syntax begins that an error is about; Python names the line after a whole block."""
    lines = lines_of(source.text)
    for words, kind in _BLOCKS.items():
        for node in sorted(_nodes(source, kind), key=lambda held: held.lineno) if words in error.msg else ():
            rest = lines[node.lineno - 1].encode()[node.col_offset :].decode().removeprefix("with").lstrip()
            if kind is ast.With and not rest.startswith("("):
                continue
            begins = node.handlers[0].lineno if kind is _TRY_STAR else node.lineno
            column = node.col_offset
            return Place(begins, column, begins, len(lines[begins - 1].encode()))
    line, column = error.lineno or 1, max((error.offset or 1) - 1, 0)
    return Place(line, column, line, column)


def _nodes(source: Source, kind: type[ast.AST]) -> list[Any]:
    return [node for node in ast.walk(ast.parse(source.text)) if isinstance(node, kind)]


def _hints(source: Source, names: Names, image: str, minor: int) -> Iterator[Finding]:
    """Yield hints that are evaluated and cannot be: `int | None` before 3.10, `list[int]` before 3.9."""
    if minor >= 10 or source.text.startswith("from __future__ import annotations"):
        return
    for node in nodes(names.tree):
        hint = getattr(node, "annotation", None) or getattr(node, "returns", None)
        for inner in ast.walk(hint) if isinstance(hint, ast.AST) else ():
            if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.BitOr):
                place = Place(
                    inner.lineno, inner.col_offset, inner.end_lineno or 0, inner.end_col_offset or 0
                )
                yield _finding(source, place, f"the hint `{ast.unparse(inner)}` needs Python 3.10", image)


def _used(names: Names) -> Iterator[tuple[str, Place]]:
    """Yield what is used of modules: `tomllib`, `typing.Self`, also as an attribute of an imported module."""
    modules: dict[str, str] = {}
    for held in names.imports:
        if held.guarded:
            continue
        yield held.module, held.place
        if held.attribute:
            yield f"{held.module}.{held.attribute}", held.place
        else:
            modules[held.name] = held.module
    for node in nodes(names.tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            place = Place(node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0)
            yield f"{modules[node.value.id]}.{node.attr}", place


def _finding(source: Source, place: Place, what: str, image: str) -> Finding:
    where = stretch(source, place)
    assert where.cell != PREAMBLE
    remedy = "Take an image with a newer Python by --base-image, or write it otherwise."
    if " went " in what:
        remedy = "Take an image with an older Python by --base-image, or write it otherwise."
    return Finding(ERROR, "python-version", f"The image {image} cannot run this: {what}.", where, remedy)
