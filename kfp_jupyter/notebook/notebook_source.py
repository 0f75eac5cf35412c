"""The pipelines of a notebook that is only read: nothing of it is run that a definition does not need.

Cells with `%%component` and `%%pipeline` are defined, in order, by the functions that the magics use; the
body of a component that is itself the step is not run. Of other cells only what makes up definitions is
taken: imports of `kfp_jupyter` (under the alias also `kfp`) and `typing`, functions under `@component` or
`@pipeline`, and constants that stand there as literals. What else a component uses of them is found by
`kfp_jupyter.cells` and travels as source. A notebook with Kale's tags, and no cell of ours, is read by
these.
"""

from __future__ import annotations
import __future__

import ast
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kfp_jupyter.cells.history import RUN_IN_NOTEBOOK, History, Text
from kfp_jupyter.cells.kale import has_kale_tags
from kfp_jupyter.cells.ledger import Ledger
from kfp_jupyter.cells.magic_lines import plain_python
from kfp_jupyter.cells.magic_parser import MagicUsageError
from kfp_jupyter.cells.notebook import CodeCell, Notebook, load_notebook
from kfp_jupyter.cells.origin import enter_text
from kfp_jupyter.cells.surroundings import reading
from kfp_jupyter.cells.unrun import changes
from kfp_jupyter.compat import installed
from kfp_jupyter.dsl import PipelineFunction, component, pipeline
from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.notebook.define import define_component, define_pipeline
from kfp_jupyter.notebook.source import Failed, user_error

_DECORATORS = (component, pipeline)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_IMPORTED = ("kfp_jupyter", "typing")


def notebook_definitions(
    path: Path, failed: Failed | None, tell: Callable[[str], None] | None = None
) -> list[Any]:
    """Return the components and pipelines of a notebook, in the order in which they are written.

    Args:
        path: The notebook.
        failed: Gets what is wrong with a cell, and the others are read all the same; None raises it.
        tell: Called with what it asks for and is not done; None warns of it.

    Raises:
        UserCodeError: Its code raised an error.
        KfpJupyterError: A component or pipeline in it is wrong.
    """
    notebook = load_notebook(path)
    # As in a kernel of this notebook: what lies beside it can be imported.
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    if has_kale_tags(notebook):
        from kfp_jupyter.notebook.kale_pipeline import kale_pipeline

        try:
            model = kale_pipeline(notebook, path, tell or _warn)
        except KfpJupyterError as error:
            if failed is None:
                raise
            failed(error)
            return []
        return [PipelineFunction(model)]
    reader = _Reader(path, failed)
    reader.read(notebook)
    return reader.made


def _warn(text: str) -> None:
    warnings.warn(text, stacklevel=2)


class _Reader:
    """Goes through a notebook as if it ran from top to bottom."""

    def __init__(self, path: Path, failed: Failed | None) -> None:
        self.path = path
        self.failed = failed
        self.problems = 0
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.made: list[Any] = []
        self.ledger = Ledger()
        self.history = History()
        self.literals: set[str] = set()

    def read(self, notebook: Notebook) -> None:
        for cell in notebook.cells:
            file = cell.place(str(self.path))
            try:
                self.cell(cell, file)
            except Exception as error:  # noqa: BLE001 - it is told, whatever the user's code raised
                if isinstance(error, MagicUsageError):
                    error.where = f"{file}, line 1"
                told = error if isinstance(error, KfpJupyterError) else user_error(error, file, file)
                if self.failed is None:
                    raise told from (None if told is error else error)
                # What a wrong cell would have defined is missing in later ones, which is not their fault.
                if not self.problems or not isinstance(error, NameError):
                    self.failed(told)
                self.problems += 1

    def cell(self, cell: CodeCell, file: str) -> None:
        if cell.magic in ("component", "pipeline"):
            enter_text(f"# %%{cell.magic} {cell.line}\n{cell.body}", file)
        if cell.magic == "component":
            self.made.append(
                define_component(
                    cell.line,
                    cell.body,
                    file,
                    self.names,
                    history=self.history,
                    ledger=self.ledger,
                    cell_id=cell.id,
                )
            )
            self.history.add(Text(plain_python(cell.body)[0], file, 2))
        elif cell.magic == "pipeline":
            made, _ = define_pipeline(
                cell.line,
                cell.body,
                file,
                self.names,
                self.path.stem,
                ledger=self.ledger,
                history=self.history,
            )
            self.made.append(made)
        elif not cell.magic or cell.magic in RUN_IN_NOTEBOOK:
            self.plain(cell, file)

    def plain(self, cell: CodeCell, file: str) -> None:
        """Take what a plain cell adds to definitions, and note what else it binds."""
        # The line of a magic such as `%%time` counts too.
        first_line = 2 if cell.magic else 1
        text = Text(plain_python(cell.body)[0], file, first_line)
        code = "\n" * (first_line - 1) + text.text
        try:
            statements = ast.parse(code).body
        except SyntaxError:
            return  # it fails in the notebook too
        self.history.add(text)
        enter_text(code, file)
        postponed = self.history.texts[-1].has_text_hints
        flags = __future__.annotations.compiler_flag if postponed else 0
        with reading(self.names, self.history):
            for statement in statements:
                ours = isinstance(statement, _FUNCTIONS) and _is_ours(statement, self.names)
                if ours or _is_import(statement):
                    module = ast.Module([statement], [])
                    exec(compile(module, file, "exec", dont_inherit=True, flags=flags), self.names)
                    if isinstance(statement, _FUNCTIONS):
                        self.made.append(self.names[statement.name])
        names = text.names
        if names is None:
            return
        self.ledger.add_cell(names, file)
        for name, binding in names.binds.items():
            if binding.kind == "variable":
                self.literal(name, binding.statements)
        for name in [held for held in self.literals if held in text.text and changes(names, held)]:
            # What it is now, only running the notebook would tell.
            self.literals.discard(name)
            del self.names[name]

    def literal(self, name: str, statements: tuple[ast.stmt, ...]) -> None:
        """Take a variable that is assigned a literal, once; forget one that is assigned anything else."""
        statement = statements[-1]
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and len(statements) == 1:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if all(isinstance(target, ast.Name) for target in targets) and statement.value is not None:
                try:
                    self.names[name] = ast.literal_eval(statement.value)
                except ValueError:
                    pass
                else:
                    self.literals.add(name)
                    return
        if name in self.literals:
            self.literals.discard(name)
            del self.names[name]


def _is_import(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.ImportFrom):
        modules = [statement.module or ""]
    elif isinstance(statement, ast.Import):
        modules = [alias.name for alias in statement.names]
    else:
        return False
    known = (*_IMPORTED, "kfp") if installed() else _IMPORTED
    return all(module.partition(".")[0] in known for module in modules)


def _is_ours(function: ast.FunctionDef | ast.AsyncFunctionDef, names: dict[str, Any]) -> bool:
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
