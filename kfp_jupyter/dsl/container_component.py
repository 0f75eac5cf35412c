"""`@container_component`: a function that says which container a step runs, with which command.

The function is called once, with stand-ins for the values of its arguments; its hints are the interface.
Reference: https://www.kubeflow.org/docs/components/pipelines/user-guides/components/container-components/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from kfp_jupyter.cells.component import kebab_case
from kfp_jupyter.cells.errors import ComponentError
from kfp_jupyter.cells.interface import Interface, read_interface
from kfp_jupyter.cells.origin import place_name
from kfp_jupyter.dsl.base_component import BaseComponent
from kfp_jupyter.dsl.placeholders import (
    ConcatPlaceholder,
    IfPresentPlaceholder,
    Placeholder,
    PlaceholderError,
    word,
)
from kfp_jupyter.model.check import unknown_name
from kfp_jupyter.model.component import Component, ContainerStep
from kfp_jupyter.model.types import ArtifactType


@dataclass
class ContainerSpec:
    """What a container component returns.

    Attributes:
        image: The container image.
        command: The entry point: texts, arguments of the function, placeholders.
        args: Its arguments; the same.
    """

    image: str
    command: list[Any] | None = None
    args: list[Any] | None = None


class MetadataPlaceholder(Placeholder):
    """An artifact's metadata, whole or by key."""

    def __getitem__(self, key: str) -> Placeholder:
        return Placeholder(str(self)[:-2] + f"['{key}']}}}}")


class ArtifactStandIn:
    """An artifact argument inside the function of a container component: its `path`, `uri` and `metadata`.

    Args:
        name: The argument.
        direction: `inputs` or `outputs`.
        where: The function, for messages.
    """

    def __init__(self, name: str, direction: str, where: str) -> None:
        self._name = name
        self._base = f"$.{direction}.artifacts['{name}']"
        self._where = where

    @property
    def path(self) -> Placeholder:
        """Where it is in the container."""
        return Placeholder(f"{{{{{self._base}.path}}}}")

    @property
    def uri(self) -> Placeholder:
        """Where it is stored."""
        return Placeholder(f"{{{{{self._base}.uri}}}}")

    @property
    def metadata(self) -> MetadataPlaceholder:
        """Its metadata."""
        return MetadataPlaceholder(f"{{{{{self._base}.metadata}}}}")

    def __str__(self) -> NoReturn:  # noqa: PLE0307 - it raises
        self.refuse()

    def refuse(self) -> NoReturn:
        """Refuse to stand for the artifact as a whole.

        Raises:
            PlaceholderError: Always.
        """
        raise PlaceholderError(
            f"The artifact {self._name!r} itself cannot stand in a command.",
            where=self._where,
            remedy=f"Use `{self._name}.path`, `{self._name}.uri` or `{self._name}.metadata`.",
        )


class ContainerComponent(BaseComponent):
    """A component whose step runs a container's command.

    Attributes:
        pipeline_func: The function.
    """

    def __init__(self, model: Component, func: Callable[..., Any]) -> None:
        super().__init__(model)
        self.python_func = func
        self.__name__ = func.__name__
        self.__doc__ = func.__doc__ or model.description


def container_component(func: Callable[..., Any]) -> ContainerComponent:
    """Make a function a component that runs a container.

    Args:
        func: The function, with type hints; it returns a `ContainerSpec`.

    Raises:
        ComponentError: A hint is missing or unsupported, or it returns something else.
    """
    where = f"{place_name(func.__code__.co_filename)}, line {func.__code__.co_firstlineno}"
    interface = read_interface(func, lambda _argument: where)
    spec = func(**_stand_ins(interface, where))
    if not isinstance(spec, ContainerSpec):
        raise ComponentError(
            f"The container component {func.__name__!r} returns {spec!r}.",
            where=where,
            remedy="Return `dsl.ContainerSpec(image=…, command=[…], args=[…])`.",
        )
    known = {held.name for held in interface.inputs}
    command, args = (
        tuple(_words(words or [], name, known, where))
        for name, words in (("command", spec.command), ("args", spec.args))
    )
    step = ContainerStep(str(spec.image), command, args)
    name = kebab_case(func.__name__) or "task"
    model = Component(name, interface.inputs, interface.outputs, step, interface.description)
    return ContainerComponent(model, func)


def _stand_ins(interface: Interface, where: str) -> dict[str, Any]:
    stand_ins: dict[str, Any] = {}
    for direction, specs in (("inputs", interface.inputs), ("outputs", interface.outputs)):
        for spec in specs:
            if isinstance(spec.type, ArtifactType):
                single = ArtifactStandIn(spec.name, direction, where)
                if spec.type.is_list:
                    stand_ins[spec.name] = Placeholder(f"{{{{$.{direction}.artifacts['{spec.name}']}}}}")
                else:
                    stand_ins[spec.name] = single.path if spec.name in interface.paths else single
            else:
                member = "" if direction == "inputs" else ".output_file"
                stand_ins[spec.name] = Placeholder(f"{{{{$.{direction}.parameters['{spec.name}']{member}}}}}")
    return stand_ins


def _words(words: Any, what: str, known: set[str], where: str) -> Iterator[str]:
    if isinstance(words, str) or not isinstance(words, (list, tuple)):
        raise ComponentError(f"`{what}` is {words!r}.", where=where, remedy="Give a list of texts.")
    for element in words:
        _check(element, what, known, where)
        yield word(element)


def _check(element: Any, what: str, known: set[str], where: str) -> None:
    if isinstance(element, ArtifactStandIn):
        element.refuse()
    if isinstance(element, ConcatPlaceholder):
        for item in element.items:
            _check(item, what, known, where)
    elif isinstance(element, IfPresentPlaceholder):
        if element.input_name not in known:
            raise PlaceholderError(
                f"`IfPresentPlaceholder` asks for {element.input_name!r}, which is no input.",
                where=where,
                remedy=unknown_name("inputs", element.input_name, known),
            )
        for held in (element.then, element.else_):
            several = held if isinstance(held, (list, tuple)) else [] if held is None else [held]
            for part in several:
                _check(part, what, known, where)
    elif not isinstance(element, (str, Placeholder)):
        raise ComponentError(
            f"`{what}` holds {element!r} of type {type(element).__name__}.",
            where=where,
            remedy="Use texts, the function's arguments and placeholders.",
        )
