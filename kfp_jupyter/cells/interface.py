"""A function's signature as a component's interface, by KFP's rules.

Arguments become inputs, except those marked as outputs; what is returned becomes outputs: one named `Output`,
or one for each field of a NamedTuple. Names stay as written. Beyond these rules a dataclass or TypedDict may
be returned, whose fields are the outputs, and a tuple such as `tuple[int, str]`, whose outputs are `Output_1`
and `Output_2`; and `Literal[...]` names the only values that an input may have. Rules:
https://www.kubeflow.org/docs/components/pipelines/user-guides/components/lightweight-python-components/
"""

from __future__ import annotations

import contextlib
import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cached_property
from typing import Any

from kfp_jupyter.cells import docstring
from kfp_jupyter.cells.errors import (
    ComponentError,
    DefaultError,
    MissingHintError,
    SignatureError,
    UnsupportedAnnotationError,
)
from kfp_jupyter.cells.hints import SUPPORTED, authoring_names, literals, value_type
from kfp_jupyter.cells.special_inputs import embedded_class
from kfp_jupyter.executor.annotations import Meaning, fields_of, meaning
from kfp_jupyter.model.check import input_value, wanted
from kfp_jupyter.model.component import InputSpec, OutputSpec
from kfp_jupyter.model.types import ArtifactType, Json, ParameterType, ValueType

SINGLE_OUTPUT = "Output"
"""The name of the output that a function returns as such."""


@dataclass(frozen=True, slots=True)
class Interface:
    """A component's inputs and outputs, and its description.

    Attributes:
        inputs: The inputs.
        outputs: The outputs.
        description: For people; from the docstring.
        paths: The arguments that get a path instead of a value.
        embedded: The class of each argument that gets what is embedded in the component.
    """

    inputs: tuple[InputSpec, ...]
    outputs: tuple[OutputSpec, ...]
    description: str
    paths: frozenset[str] = frozenset()
    embedded: Mapping[str, type] = field(default_factory=dict)


def read_interface(
    function: Callable[..., Any], place: Callable[[str], str], *, is_pipeline: bool = False
) -> Interface:
    """Return the interface that a function's hints, defaults and docstring describe.

    Args:
        function: The function, or a stand-in.
        place: Returns where an argument of a name is written; asked for an empty name, where the function is.
        is_pipeline: True for a pipeline's function, which may also give out lists of artifacts.

    Raises:
        ComponentError: A hint is missing or unsupported, a default does not fit, two outputs share a name.
    """
    return _Reader(function, place, is_pipeline).interface()


class _Reader:
    """Reads one function; `noun` is what messages call it."""

    def __init__(self, function: Callable[..., Any], place: Callable[[str], str], is_pipeline: bool) -> None:
        self.function = function
        self.place = place
        self.is_pipeline = is_pipeline
        self.noun = f"{'pipeline' if is_pipeline else 'component'} {function.__name__!r}"

    @cached_property
    def names(self) -> dict[str, Any]:
        """The names that hints may use which are text."""
        return {**authoring_names(), **self.function.__globals__, **_enclosed(self.function)}

    def names_for(self, annotation: Any) -> dict[str, Any]:
        """Return the names that a hint may use: none if it is a class, and no text stands in it."""
        return {} if type(annotation) is type else self.names

    def interface(self) -> Interface:
        texts = docstring.read(self.function.__doc__)
        inputs: list[InputSpec] = []
        outputs: list[OutputSpec] = []
        paths: set[str] = set()
        embedded: dict[str, type] = {}
        signature = inspect.signature(self.function)
        for argument in signature.parameters.values():
            class_ = self._embedded(argument)
            if class_ is not None:
                embedded[argument.name] = class_
                continue
            held = self._meaning(argument)
            if held.is_path:
                paths.add(argument.name)
            if held.is_output:
                outputs.append(self._output(argument.name, held))
            else:
                inputs.append(self._input(argument, held, texts.arguments.get(argument.name, "")))
        outputs.extend(self._returned(signature.return_annotation))
        self._check_names([spec.name for spec in outputs])
        described = tuple(replace(spec, description=texts.returns.get(spec.name, "")) for spec in outputs)
        return Interface(tuple(inputs), described, texts.summary, frozenset(paths), embedded)

    def _embedded(self, argument: inspect.Parameter) -> type | None:
        try:
            return embedded_class(argument.annotation, self.names_for(argument.annotation))
        except Exception:  # noqa: BLE001 - what the user's annotation raises is told when its meaning is read
            return None

    def _meaning(self, argument: inspect.Parameter) -> Meaning:
        if argument.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            raise self._error(
                SignatureError,
                f"The {self.noun} takes `{argument}`, but each input needs a name of its own.",
                "",
                "Name each argument, or take a list or a dict.",
            )
        if argument.annotation is inspect.Parameter.empty:
            raise self._error(
                MissingHintError,
                f"The argument {argument.name!r} of {self.noun} has no type hint.",
                argument.name,
                f"Write its type, as in `{argument.name}: int` or `{argument.name}: Input[Dataset]`.",
            )
        if argument.name == SINGLE_OUTPUT:
            raise self._error(
                SignatureError,
                f"An argument of {self.noun} is called {SINGLE_OUTPUT!r}, as what a function returns.",
                argument.name,
                "Choose another name.",
            )
        return self._evaluated(argument.annotation, f"argument {argument.name!r}", argument.name)

    def _evaluated(self, annotation: Any, what: str, argument: str = "") -> Meaning:
        try:
            return meaning(annotation, self.names_for(annotation))
        except Exception as error:
            raise self._error(
                UnsupportedAnnotationError,
                f"The type hint of {what} of {self.noun} cannot be read: {type(error).__name__}: {error}.",
                argument,
                f"Use one of: {SUPPORTED}.",
            ) from error

    def _type(self, held: Meaning, what: str, argument: str = "") -> ValueType:
        type_ = value_type(held)
        if type_ is None:
            raise self._error(
                UnsupportedAnnotationError,
                f"The type hint {_spelling(held.type)} of {what} of {self.noun} is not supported.",
                argument,
                f"Use one of: {SUPPORTED}.",
            )
        return type_

    def _input(self, argument: inspect.Parameter, held: Meaning, description: str) -> InputSpec:
        type_ = self._type(held, f"argument {argument.name!r}", argument.name)
        if isinstance(type_, ParameterType) and type_.filled_in:
            return InputSpec(argument.name, type_, optional=True, description=description)
        spec = InputSpec(
            argument.name,
            type_,
            description=description,
            literals=literals(held),
            hint=_hint(held),
            nullable=held.optional and isinstance(type_, ParameterType),
        )
        if argument.default is inspect.Parameter.empty:
            return spec
        return replace(spec, optional=True, default=self._default(argument, spec))

    def _default(self, argument: inspect.Parameter, spec: InputSpec) -> Json:
        type_ = spec.type
        if argument.default is None:
            return None
        if isinstance(type_, ArtifactType):
            raise self._error(
                DefaultError,
                f"The argument {argument.name!r} of {self.noun} is an artifact and has a default.",
                argument.name,
                "An optional artifact has the default None.",
            )
        try:
            return input_value(spec, argument.default)
        except ValueError as error:
            raise self._error(
                DefaultError,
                f"The default of argument {argument.name!r} of {self.noun} is not of its type: {error}.",
                argument.name,
                f"Write a default of type {type_.python_name}, or change the hint."
                if not spec.literals
                else f"Write {wanted(spec)} as the default, or change the hint.",
            ) from None

    def _output(self, name: str, held: Meaning) -> OutputSpec:
        type_ = self._type(held, f"output {name!r}", name)
        if isinstance(type_, ArtifactType) and type_.is_list and not self.is_pipeline:
            raise self._error(
                UnsupportedAnnotationError,
                f"The output {name!r} of {self.noun} is a list of artifacts; only pipelines have such.",
                name,
                "Give out a single artifact; its path may be a folder of files.",
            )
        return OutputSpec(name, type_, hint=_hint(held))

    def _returned(self, annotation: Any) -> Iterator[OutputSpec]:
        if annotation is inspect.Signature.empty or annotation is None or annotation == "None":
            return
        held = self._evaluated(annotation, "the returned value")
        if held.type is None or held.type is type(None):
            return
        held_outputs = _fields(held.type)
        for name, hint in held_outputs.items():
            yield self._output(name, self._evaluated(hint, f"output {name!r}"))
        if not held_outputs:
            yield self._output(SINGLE_OUTPUT, held)

    def _check_names(self, names: list[str]) -> None:
        for name in names:
            if names.count(name) > 1:
                raise self._error(
                    SignatureError,
                    f"{self.noun[0].upper()}{self.noun[1:]} has two outputs called {name!r}.",
                    name,
                    "Rename the argument, or the field of what is returned.",
                )

    def _error(self, kind: type[ComponentError], what: str, argument: str, remedy: str) -> ComponentError:
        return kind(what, where=self.place(argument), remedy=remedy)


def _enclosed(function: Callable[..., Any]) -> Mapping[str, Any]:
    """Return the names of enclosing functions that the function uses, as far as they are bound already."""
    if not inspect.isfunction(function):
        return {}
    held: dict[str, Any] = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        # Empty while its function has not come to where it is bound; no hint can have used it then.
        with contextlib.suppress(ValueError):
            held[name] = cell.cell_contents
    return held


def _fields(type_: Any) -> dict[str, Any]:
    """Return the annotation of each output that a returned type holds; none if it is one value."""
    found = fields_of(type_)
    if is_dataclass(type_):
        # A class may also have variables that its instances share.
        found = {held.name: held.type for held in fields(type_)}
    return found


def _hint(held: Meaning) -> str:
    """Return a list's or dict's type in full if it says what is in it."""
    members = () if held.is_artifact else typing.get_args(held.type)
    return repr(held.type).replace("typing.", "") if members else ""


def _spelling(type_: Any) -> str:
    return f"`{type_.__name__ if isinstance(type_, type) else type_}`"
