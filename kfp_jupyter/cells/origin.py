"""Where code was written, in the words of the person who wrote it: `Cell In[3]`, or a file's path.

Code that IPython runs has made-up file names; IPython itself knows which cell each stands for, and is asked
if it is there (it is never imported). Code that is given as text is entered into `linecache`, so that
tracebacks show its lines.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import os
import re
import sys
import textwrap
import types
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from kfp_jupyter.cells.errors import NoFunctionError, SourceNotFoundError
from kfp_jupyter.cells.syntax import parsed
from kfp_jupyter.model.component import Fragment
from kfp_jupyter.model.lines import with_ends

_PACKAGE = str(Path(__file__).parent.parent)
_WRAPPER = "if True:\n"


def place_name(filename: str) -> str:
    """Return what a code object's file name is called: `Cell In[3]`, or a path as short as it can be."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    name_of = getattr(getattr(shell, "compile", None), "format_code_name", None)
    label = name_of(filename) if name_of is not None else None
    if label:
        return " ".join(label)
    # Not with `Path`, which would take a large part of the time of defining a component.
    if not os.path.isabs(filename):  # noqa: PTH117
        return filename
    return filename.removeprefix(os.path.join(os.getcwd(), ""))  # noqa: PTH109, PTH118


def caller() -> tuple[str, int]:
    """Return the file name and line of the innermost running code that is the user's own.

    This package's code is not, nor IPython's: between the two stands the cell that holds a magic. Nor is what
    Python has built in, such as the methods of `Mapping`.
    """
    shell = getattr(sys.modules.get("IPython"), "__file__", None)
    # Before Python 3.11 `Mapping` is no frozen module.
    mappings = str(getattr(sys.modules["_collections_abc"], "__file__", None) or "<frozen ")
    skipped = (_PACKAGE, "<frozen ", mappings, *([str(Path(shell).parent)] if shell else []))
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(skipped):
        frame = frame.f_back
    return (frame.f_code.co_filename, frame.f_lineno) if frame is not None else ("", 0)


def place_line(filename: str, line: int) -> str:
    """Return a place for an error message: `Cell In[3], line 2`; empty if it is not known."""
    return f"{place_name(filename)}, line {line}" if filename else ""


def enter_text(text: str, file: str, first_line: int = 1) -> None:
    """Make the lines of `text`, which begins at `first_line` of `file`, known to tracebacks and `inspect`."""
    lines = ["\n"] * (first_line - 1) + with_ends(text)
    linecache.cache[file] = (sum(map(len, lines)), None, lines, file)


def whole_lines(text: str) -> str:
    """Return the text ending with a newline."""
    return text if text.endswith("\n") else text + "\n"


def function_fragment(function: Callable[..., Any]) -> Fragment:
    """Return a function's own text, without decorators and not indented, as it stands in its cell or file.

    Raises:
        NoFunctionError: It is no function, or a lambda.
        SourceNotFoundError: Its text was not kept, as for code run by `exec`.
    """
    name = getattr(function, "__name__", repr(function))
    if not inspect.isfunction(function):
        raise NoFunctionError(
            f"{name!r} is {_kind(function)}, and only a function can become a component.",
            remedy="Define it with `def`.",
        )
    file = place_name(function.__code__.co_filename)
    if name == "<lambda>":
        raise NoFunctionError(
            "A lambda has neither a name nor type hints, so it cannot become a component.",
            where=f"{file}, line {function.__code__.co_firstlineno}",
            remedy="Define a function with `def` and type hints.",
        )
    try:
        lines, first = _lines_by_indent(function) or inspect.getsourcelines(function)
    except (OSError, TypeError) as error:
        raise SourceNotFoundError(
            f"The text of function {name!r} was not kept, so it cannot be sent to a step.",
            where=file,
            remedy="Define it in a cell of its own (not under `%%time` or another cell magic), or in a file.",
        ) from error
    nested = lines[0][:1].isspace()
    wrapped = _wrapped(lines)
    try:
        outer = parsed(wrapped).body[0]
    except SyntaxError as error:
        raise SourceNotFoundError(
            f"The text of function {name!r} was not kept as it was written.",
            where=file,
            remedy="Define it in a cell of its own, or in a file, and run that again.",
        ) from error
    definition = outer.body[0] if isinstance(outer, ast.If) else outer
    decorators = definition.lineno - (2 if nested else 1)
    text = _text_of(lines[decorators:])
    before = 1 if nested and text.startswith(_WRAPPER) else 0
    return Fragment(text, file, max(first, 1) + decorators - before)


def _cell_lines(filename: str) -> list[str]:
    """Return the lines of a cell where IPython has kept others: it ends lines at form feeds too, for one."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    name_of = getattr(getattr(shell, "compile", None), "format_code_name", None)
    label = name_of(filename) if name_of is not None else None
    number = "".join(filter(str.isdecimal, label[1])) if label else ""
    texts = getattr(getattr(shell, "history_manager", None), "input_hist_parsed", ())
    text = texts[int(number)] if number and int(number) < len(texts) else ""
    lines = with_ends(text)
    return lines if len(lines) != len(text.splitlines()) else []


def _lines_by_indent(function: types.FunctionType) -> tuple[list[str], int] | None:
    """Return what `inspect.getsourcelines` would, in a third of its time; None where only it can tell.

    A function ends before the first line that is not indented and goes on with no bracket. Should this cut
    a string or an expression in two, what is left is not Python.
    """
    code = function.__code__
    if hasattr(function, "__wrapped__"):
        return None
    linecache.checkcache(code.co_filename)
    lines = _cell_lines(code.co_filename) or linecache.getlines(code.co_filename, function.__globals__)
    first = code.co_firstlineno - 1
    if not 0 <= first < len(lines):
        return None
    indent = len(lines[first]) - len(lines[first].lstrip())
    began = re.match(r"\s*(async\s+)?def\s", lines[first]) is not None
    end = last = first + 1
    for number in range(first + 1, len(lines)):
        line = lines[number]
        text = line.strip()
        deeper = len(line) - len(line.lstrip()) > indent
        if not text or (text[0] == "#" and not deeper):
            continue
        if not deeper and text[0] not in ")]}":
            if began or re.match(r"@|(async\s+)?def\s", text) is None:
                break
            began = text[0] != "@"
        last = number + 1
    end = max(end, last)
    own = lines[first:end]
    try:
        (outer,) = parsed(_wrapped(own)).body
    except (SyntaxError, ValueError):
        return None
    held = outer.body if isinstance(outer, ast.If) else [outer]
    is_it = isinstance(held[0], (ast.FunctionDef, ast.AsyncFunctionDef)) and held[0].name == code.co_name
    return (own, first + 1) if is_it and len(held) == 1 else None


def _kind(value: Any) -> str:
    if inspect.isclass(value):
        return "a class"
    return f"of type {type(value).__name__}"


def _wrapped(lines: list[str]) -> str:
    text = whole_lines("".join(lines))
    return _WRAPPER + text if lines[0][:1].isspace() else text


def _text_of(lines: list[str]) -> str:
    """Return the text not indented, or under an `if True:` where that would change a string inside it."""
    text = whole_lines("".join(lines))
    if not lines[0][:1].isspace():
        return text
    wrapped, dedented = _wrapped(lines), textwrap.dedent(text)
    try:
        plain = ast.parse(dedented)
    except SyntaxError:
        return wrapped
    return dedented if _shape(plain) == _shape(ast.parse(wrapped)) else wrapped


def _shape(module: ast.Module) -> str:
    """Return a definition's syntax tree as text, but for its docstring, whose indentation means nothing."""
    outer = module.body[0]
    definition = outer.body[0] if isinstance(outer, ast.If) else outer
    if (
        isinstance(definition, (ast.FunctionDef, ast.AsyncFunctionDef))
        and ast.get_docstring(definition) is not None
    ):
        definition.body = definition.body[1:]
    return ast.dump(definition)
