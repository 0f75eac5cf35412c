"""What can be wrong with the code of a component."""

from __future__ import annotations

from kfp_jupyter.errors import KfpJupyterError


class ComponentError(KfpJupyterError):
    """The code cannot become a component."""


class ComponentSyntaxError(ComponentError):
    """The code is not Python."""


class NoFunctionError(ComponentError):
    """There is no function to make a component of."""


class SourceNotFoundError(ComponentError):
    """The function's text is nowhere to be found, so it cannot be sent to a step."""


class MissingHintError(ComponentError):
    """An argument, or what is returned, has no type hint."""


class UnsupportedAnnotationError(ComponentError):
    """A type hint says nothing that a pipeline can carry."""


class SignatureError(ComponentError):
    """The function's signature has no counterpart in a component's interface."""


class CellFormError(ComponentError):
    """The body of a cell cannot be the step that its line or its place in the notebook makes of it."""


class SerializerError(ComponentError):
    """Functions that cannot store and load the values of a class in a step."""


class DataFlowError(ComponentError):
    """The cells of a notebook cannot be linked by their data."""


class DefaultError(ComponentError):
    """A default is not a value of its argument's type."""


class LocalModuleError(ComponentError):
    """A module of the user's own that cannot travel with a step."""
