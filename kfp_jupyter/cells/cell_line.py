"""The interface of a cell on its magic's line: `split(raw: Dataset, frac: float = 0.2) -> train, test`.

It is read by Python's own parser, as the signature of a function whose outputs are written like its inputs.
Hints are optional: what is not said is decided by the values (see `cell_form`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kfp_jupyter.cells.hints import authoring_names, value_type
from kfp_jupyter.executor.annotations import meaning
from kfp_jupyter.model.check import parameter_value
from kfp_jupyter.model.types import ArtifactType, Json, ParameterType, ValueType

ARTIFACT = ArtifactType("system.Artifact")
"""What a value is stored as if nothing more is known of it."""

_FORM = "NAME(input: type = default, …) -> output: type, …"


class InterfaceError(ValueError):
    """What is wrong with the interface on a line, as half a sentence."""


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a cell.

    Attributes:
        name: Its name, also that of the variable in the body.
        type: Its type, or None if it is not decided yet.
        optional: True for an input with a default.
        default: That default.
        declared: Whether the type was said, rather than decided by a value.
    """

    name: str
    type: ValueType | None = None
    optional: bool = False
    default: Json = None
    declared: bool = False


@dataclass(frozen=True, slots=True)
class CellLine:
    """The interface that a line declares.

    Attributes:
        name: The component's name, an identifier.
        inputs: Its inputs.
        outputs: Its outputs.
    """

    name: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


def is_interface(text: str) -> bool:
    """Say whether what stands before a line's options declares an interface, and is no bare name."""
    return "(" in text or "->" in text


def read_cell_line(text: str, namespace: Mapping[str, Any]) -> CellLine:
    """Read an interface.

    Args:
        text: What stands on the magic's line before its options.
        namespace: The names that hints and defaults may use besides `kfp_jupyter.dsl`'s.

    Raises:
        InterfaceError: It cannot be read.
    """
    head, arrow, after = _split_arrow(text)
    name, parenthesis, rest = head.partition("(")
    name = name.strip().replace("-", "_")
    if not name.isidentifier():
        raise InterfaceError(f"{name or text!r} is no name for a component; write {_FORM}")
    inputs = _arguments(f"({rest}" if parenthesis else "()", text)
    if arrow and not after.strip():
        raise InterfaceError(f"no output stands after `->`; write {_FORM}")
    outputs = _arguments(f"({after})", text)
    names = {**authoring_names(), **namespace}
    line = CellLine(
        name,
        tuple(_input(argument, default, names) for argument, default in inputs),
        tuple(_output(argument, default, names) for argument, default in outputs),
    )
    _check_names(line)
    return line


def _split_arrow(text: str) -> tuple[str, str, str]:
    """Split at the `->` that stands outside of brackets and quotes."""
    for index in outside(text):
        if text.startswith("->", index):
            return text[:index], "->", text[index + 2 :]
    return text, "", ""


def outside(text: str) -> Iterator[int]:
    """Yield the places of the letters of a line that stand outside of brackets and quotes."""
    depth, quote = 0, ""
    for index, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote and text[index - 1] != "\\" else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif depth <= 0:
            yield index


def _arguments(text: str, line: str) -> list[tuple[ast.arg, ast.expr | None]]:
    try:
        (function,) = ast.parse(f"def f{text}: pass").body
    except (SyntaxError, ValueError) as error:
        said = getattr(error, "msg", str(error))
        raise InterfaceError(f"`{line}` cannot be read ({said}); write {_FORM}") from None
    assert isinstance(function, ast.FunctionDef)
    held = function.args
    if held.vararg or held.kwarg:
        raise InterfaceError(f"`{line}` has an argument with `*`, but each input needs a name of its own")
    arguments = [*held.posonlyargs, *held.args]
    defaults: list[ast.expr | None] = [None] * (len(arguments) - len(held.defaults))
    defaults.extend(held.defaults)
    return [
        *zip(arguments, defaults, strict=True),
        *zip(held.kwonlyargs, held.kw_defaults, strict=True),
    ]


def _input(argument: ast.arg, default: ast.expr | None, names: dict[str, Any]) -> Port:
    type_ = _type(argument, names)
    if default is None:
        return Port(argument.arg, type_, declared=type_ is not None)
    value = _evaluated(default, f"the default of {argument.arg!r}", names)
    if value is None:
        return Port(argument.arg, type_ or ARTIFACT, True, declared=True)
    type_ = type_ or parameter_type(value, whole=True)
    if not isinstance(type_, ParameterType):
        raise InterfaceError(
            f"the input {argument.arg!r} is an artifact, so its only default can be None; "
            "a default of its own needs a parameter's type, such as float"
        )
    try:
        return Port(argument.arg, type_, True, parameter_value(type_, value), True)
    except ValueError as error:
        raise InterfaceError(f"the default of {argument.arg!r} is not of its type: {error}") from None


def _output(argument: ast.arg, default: ast.expr | None, names: dict[str, Any]) -> Port:
    if default is not None:
        raise InterfaceError(f"the output {argument.arg!r} has a default; the body assigns it")
    type_ = _type(argument, names)
    return Port(argument.arg, type_, declared=type_ is not None)


def _type(argument: ast.arg, names: dict[str, Any]) -> ValueType | None:
    """Return the type of a hint; None if there is none, or if it says only what Python type the value has."""
    hint = argument.annotation
    if hint is None:
        return None
    what = f"the type of {argument.arg!r}"
    try:
        held = meaning(eval(compile(ast.Expression(hint), "<interface>", "eval"), names), names)
    except Exception as error:  # noqa: BLE001 - whatever the user's hint raises
        if not isinstance(hint, ast.Name):
            return None  # of a package that only the step has, such as `pd.DataFrame`
        said = f"{what} is not known: {error}; use a type, `Dataset`, `Model`, or leave it out"
        raise InterfaceError(said) from None
    if held.is_path or held.is_list:
        raise InterfaceError(f"{what} is for functions; in a cell `{argument.arg}` is the value itself")
    type_ = value_type(held)
    if isinstance(type_, ParameterType) and type_.filled_in:
        raise InterfaceError(f"{what} is for functions: write this step as a function")
    return type_


def _evaluated(node: ast.expr, what: str, names: dict[str, Any]) -> Any:
    try:
        return eval(compile(ast.Expression(node), "<interface>", "eval"), names)
    except Exception as error:  # noqa: BLE001 - whatever the user's default raises
        raise InterfaceError(f"{what} cannot be read: {type(error).__name__}: {error}") from None


def _check_names(line: CellLine) -> None:
    for kind, ports in (("input", line.inputs), ("output", line.outputs)):
        names = [port.name for port in ports]
        for name in names:
            if names.count(name) > 1:
                raise InterfaceError(f"two {kind}s are called {name!r}")
            if name.startswith("_"):
                raise InterfaceError(f"the {kind} {name!r} begins with an underscore; give it another name")


def parameter_type(value: Any, *, whole: bool = False) -> ParameterType | None:
    """Return the parameter type that a value is passed as if nothing is said; None for an artifact.

    Lists and dicts may be large, so they are artifacts unless `whole`. An integer that a JSON reader could
    round is no parameter either.
    """
    if isinstance(value, bool):
        return ParameterType.BOOLEAN
    if isinstance(value, int):
        return ParameterType.INTEGER if abs(value) <= 1 << 53 else None
    if isinstance(value, float):
        return ParameterType.DOUBLE
    if isinstance(value, str):
        return ParameterType.STRING if len(value) <= 4096 else None
    if whole and isinstance(value, list):
        return ParameterType.LIST
    return ParameterType.STRUCT if whole and isinstance(value, dict) else None
