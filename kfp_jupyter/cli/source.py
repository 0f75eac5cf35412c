"""The pipelines in a file: a Python program, which is imported, or a notebook, which is only read.

Of a notebook's cells, those with `%%component` and `%%pipeline` are defined, by the same functions that the
magics use. Of its other cells only two kinds of statements are taken, since they make up the definitions:
imports of `kfp_jupyter` (under the alias also `kfp`) and `typing`, and functions under `@component` or
`@pipeline`. Nothing else of the notebook is run.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from kfp_jupyter.cells.component import kebab_case
from kfp_jupyter.cells.history import notebook_history
from kfp_jupyter.cells.ledger import Ledger
from kfp_jupyter.cells.magic_lines import plain_python
from kfp_jupyter.cells.names import analyse
from kfp_jupyter.cells.notebook import CodeCell, read_notebook
from kfp_jupyter.cells.origin import enter_text
from kfp_jupyter.cells.signature import MagicUsageError
from kfp_jupyter.cells.surroundings import reading
from kfp_jupyter.compat import installed
from kfp_jupyter.dsl import PipelineFunction, component, pipeline
from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.model.check import unknown_name
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.notebook.define import define_component, define_pipeline

_DECORATORS = (component, pipeline)
_IMPORTED = ("kfp_jupyter", "typing")
# Lines that only IPython understands; `pass` keeps the numbers of the others.
_IPYTHON = re.compile(r"^([ \t]*)[%!?].*$", re.MULTILINE)


Failed = Callable[[KfpJupyterError], None]


class SourceError(KfpJupyterError):
    """A file without the pipeline that was asked for."""


class UserCodeError(KfpJupyterError):
    """The user's own code raised an error while it was imported or defined; it is the cause of this one."""


def find_pipeline(path: Path, name: str = "") -> Pipeline:
    """Return the pipeline of a file.

    Args:
        path: A `.py` or `.ipynb` file.
        name: The pipeline's name, in KFP's spelling or Python's; may be empty if the file has only one.

    Raises:
        SourceError: The file cannot be used, has no pipeline, or not this one, or several.
        UserCodeError: Its code raised an error.
        KfpJupyterError: A component or pipeline in it is wrong.
    """
    found = find_pipelines(path)
    if name:
        for spelling in (name, kebab_case(name)):
            if spelling in found:
                return found[spelling]
        raise SourceError(
            f"There is no pipeline {name!r}.", where=str(path), remedy=unknown_name("pipelines", name, found)
        )
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        names = ", ".join(found)
        raise SourceError(
            f"There are several pipelines: {names}.", where=str(path), remedy="Choose with --pipeline."
        )
    raise SourceError(
        "There is no pipeline in it.",
        where=str(path),
        remedy="Write a function under `@pipeline`, or a `%%pipeline` cell.",
    )


def find_pipelines(path: Path) -> dict[str, Pipeline]:
    """Return the pipelines of a file by name, in the order in which they are written.

    Raises:
        SourceError: It is neither a program nor a notebook.
        UserCodeError: Its code raised an error.
        KfpJupyterError: A component or pipeline in it is wrong.
    """
    _check_file(path)
    held = _defined(path) if path.suffix == ".ipynb" else _imported(path)
    return {value.model.name: value.model for value in held if isinstance(value, PipelineFunction)}


def _check_file(path: Path) -> None:
    if path.suffix not in (".ipynb", ".py"):
        raise SourceError(
            "The file is neither a .py nor a .ipynb file.",
            where=str(path),
            remedy="Name a Python program or a notebook.",
        )
    if not path.is_file():
        raise SourceError(
            "There is no such file.",
            where=str(path),
            remedy=f"Check the path; the current folder is {Path.cwd()}.",
        )


def _imported(path: Path) -> list[Any]:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    assert spec.origin is not None
    module = importlib.util.module_from_spec(spec)
    # As `python FILE` does it: what lies beside the file can be imported, and the module finds itself.
    sys.path.insert(0, str(path.resolve().parent))
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except KfpJupyterError:
        raise
    except Exception as error:
        raise _user_error(error, spec.origin, str(path)) from error
    return list(vars(module).values())


def find_components(path: Path, failed: Failed) -> list[Any]:
    """Return the components and pipelines of a file, as far as they can be made.

    Args:
        path: A `.py` or `.ipynb` file.
        failed: Gets what is wrong with the others.

    Raises:
        SourceError: The file is neither a program nor a notebook, or not there.
    """
    _check_file(path)
    if path.suffix == ".ipynb":
        return _defined(path, failed)
    try:
        return _imported(path)
    except KfpJupyterError as error:
        failed(error)
        return []


def _defined(path: Path, failed: Failed | None = None) -> list[Any]:
    """Return what a notebook's cells define; with `failed` a cell that is wrong does not end it."""
    names: dict[str, Any] = {"__name__": "__main__"}
    made: list[Any] = []
    problems: list[KfpJupyterError] = []
    ledger = Ledger()
    cells = read_notebook(path)
    for number, cell in enumerate(cells):
        file = cell.place(str(path))
        try:
            if cell.magic == "component":
                enter_text(f"# %%component {cell.line}\n{cell.body}", file)
                history = notebook_history(cells[:number], str(path))
                made.append(
                    define_component(cell.line, cell.body, file, names, history=history, ledger=ledger)
                )
            elif cell.magic == "pipeline":
                enter_text(f"# %%pipeline {cell.line}\n{cell.body}", file)
                made.append(define_pipeline(cell.line, cell.body, file, names, path.stem, ledger)[0])
            elif not cell.magic:
                with reading(names, notebook_history(cells[: number + 1], str(path))):
                    made += _taken(cell, file, names)
                _note(cell, file, ledger)
        except Exception as error:  # noqa: BLE001 - it is told, whatever the user's code raised
            if isinstance(error, MagicUsageError):
                error.where = f"{file}, line 1"
            told = error if isinstance(error, KfpJupyterError) else _user_error(error, file, file)
            if failed is None:
                raise told from (None if told is error else error)
            # What a wrong cell would have defined is missing in later ones, which is not their fault.
            if not problems or not isinstance(error, NameError):
                failed(told)
            problems.append(told)
    return made


def _note(cell: CodeCell, file: str, ledger: Ledger) -> None:
    """Remember what a plain cell would write, for a pipeline that links cells by their data."""
    with suppress(SyntaxError, ValueError, RecursionError):
        ledger.add_cell(analyse(plain_python(cell.body)[0]), file)


def _taken(cell: CodeCell, file: str, names: dict[str, Any]) -> Iterator[Any]:
    """Run the statements of a plain cell that define something; yield what is under a decorator of ours."""
    text = _IPYTHON.sub(r"\1pass", cell.body)
    try:
        module = ast.parse(text)
    except SyntaxError:
        return  # not a cell of ours, or one that fails in the notebook too
    enter_text(text, file)
    for statement in module.body:
        ours = isinstance(statement, ast.FunctionDef) and _is_ours(statement, names)
        if ours or _is_import(statement):
            exec(compile(ast.Module([statement], []), file, "exec", dont_inherit=True), names)
            if isinstance(statement, ast.FunctionDef):
                yield names[statement.name]


def _is_import(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.ImportFrom):
        modules = [statement.module or ""]
    elif isinstance(statement, ast.Import):
        modules = [alias.name for alias in statement.names]
    else:
        return False
    known = (*_IMPORTED, "kfp") if installed() else _IMPORTED
    return all(module.partition(".")[0] in known for module in modules)


def _is_ours(function: ast.FunctionDef, names: dict[str, Any]) -> bool:
    """Say whether one of a function's decorators is `@component` or `@pipeline`, by whatever name."""
    for decorator in function.decorator_list:
        node = decorator.func if isinstance(decorator, ast.Call) else decorator
        if any(_named(node, names) is ours for ours in _DECORATORS):
            return True
    return False


def _named(node: ast.expr, names: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        return getattr(_named(node.value, names), node.attr, None)
    return None


def _user_error(error: Exception, file: str, where: str) -> UserCodeError:
    line, told = 0, f"{error}."
    if isinstance(error, SyntaxError) and error.filename == file:
        line, told = error.lineno or 0, f"{error.msg}."
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == file:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    remedy = ""
    if isinstance(error, NameError) and ".ipynb" in file:
        remedy = "Other cells were not run: define or import it in the cell that uses it."
    return UserCodeError(
        f"{type(error).__name__}: {told}", where=f"{where}, line {line}" if line else where, remedy=remedy
    )
