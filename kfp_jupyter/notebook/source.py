"""The pipelines in a file: a Python program, which is imported, or a notebook, which is only read."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

from kfp_jupyter.cells.component import kebab_case
from kfp_jupyter.dsl import PipelineFunction
from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.model.check import unknown_name
from kfp_jupyter.model.pipeline import Pipeline

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


def find_pipelines(path: Path, tell: Callable[[str], None] | None = None) -> dict[str, Pipeline]:
    """Return the pipelines of a file by name, in the order in which they are written.

    Args:
        path: A `.py` or `.ipynb` file.
        tell: Called with what a notebook asks for and is not done; None warns of it.

    Raises:
        SourceError: It is neither a program nor a notebook.
        UserCodeError: Its code raised an error.
        KfpJupyterError: A component or pipeline in it is wrong.
    """
    _check_file(path)
    held = _defined(path, None, tell) if path.suffix == ".ipynb" else _imported(path)
    return {value.model.name: value.model for value in held if isinstance(value, PipelineFunction)}


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


def _defined(path: Path, failed: Failed | None, tell: Callable[[str], None] | None = None) -> list[Any]:
    from kfp_jupyter.notebook.notebook_source import notebook_definitions

    return notebook_definitions(path, failed, tell)


class _Loader(SourceFileLoader):
    """Compiles the text as it is now, as `python FILE` does.

    The bytecode that an import keeps would be taken for that of another text of the same size and second.
    """

    def get_code(self, fullname: str) -> CodeType:
        """Return the file's code."""
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def _imported(path: Path) -> list[Any]:
    loader = _Loader(path.stem, str(path.absolute()))
    spec = importlib.util.spec_from_file_location(path.stem, loader.path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    # As `python FILE` does it: what lies beside the file can be imported, and the module finds itself.
    sys.path.insert(0, str(path.resolve().parent))
    sys.modules[path.stem] = module
    try:
        loader.exec_module(module)
    except KfpJupyterError:
        raise
    except Exception as error:
        raise user_error(error, loader.path, str(path)) from error
    return list(vars(module).values())


def user_error(error: Exception, file: str, where: str) -> UserCodeError:
    """Return an error of the user's own code with the line of `file` that it arose from."""
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
