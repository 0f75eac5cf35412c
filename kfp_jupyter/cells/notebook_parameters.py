"""Parameters that a cell assigns: `rate = 0.1`, in a cell with the tag `parameters` or `pipeline-parameters`.

Their types are those of their hints or else of their values. Nothing is run: values are literals.
Tag: https://papermill.readthedocs.io/en/latest/usage-parameterize.html
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from kfp_jupyter.cells.magic_lines import plain_python
from kfp_jupyter.cells.notebook import NotebookError
from kfp_jupyter.model.check import parameter_value
from kfp_jupyter.model.component import InputSpec
from kfp_jupyter.model.types import ParameterType

_TYPES = {
    "bool": ParameterType.BOOLEAN,
    "int": ParameterType.INTEGER,
    "float": ParameterType.DOUBLE,
    "str": ParameterType.STRING,
    "list": ParameterType.LIST,
    "dict": ParameterType.STRUCT,
}


def assigned_parameters(text: str, place: str, *, strict: bool = False) -> tuple[InputSpec, ...]:
    """Return the parameters that a cell assigns, each once, with the values that it has last.

    Args:
        text: The cell.
        place: What the cell is called, such as `train.ipynb, cell 2`.
        strict: Refuse what is no parameter, instead of leaving it to the cell.

    Raises:
        NotebookError: The cell is not Python, or assigns something else and `strict` is set.
    """
    try:
        statements = ast.parse(plain_python(text)[0]).body
    except SyntaxError as error:
        raise NotebookError(
            f"The cell with the parameters is not valid Python ({error.msg}).",
            where=f"{place}, line {error.lineno}",
            remedy="Write assignments only, such as `rate = 0.1`.",
        ) from None
    found: dict[str, InputSpec] = {}
    for statement in statements:
        read = list(_read(statement))
        found.update({spec.name: spec for spec in read})
        if strict and not read and not _is_text(statement):
            raise NotebookError(
                f"`{ast.unparse(statement)}` gives no parameter a value that can be read without running it.",
                where=f"{place}, line {statement.lineno}",
                remedy="Assign a number, a text, True or False, a list or a dict of these.",
            )
    return tuple(found.values())


def _read(statement: ast.stmt) -> Iterator[InputSpec]:
    if isinstance(statement, ast.Assign):
        targets, hint = statement.targets, None
    elif isinstance(statement, ast.AnnAssign):
        targets, hint = [statement.target], statement.annotation
    else:
        return
    try:
        value = ast.literal_eval(statement.value or ast.Constant(None))
        said = ast.unparse(hint).partition("[")[0].lower() if hint is not None else ""
        type_ = _TYPES.get(said) or _TYPES[type(value).__name__]
        default = parameter_value(type_, value)
    except (ValueError, KeyError):
        return
    for target in targets:
        if isinstance(target, ast.Name):
            yield InputSpec(target.id, type_, optional=True, default=default)


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
