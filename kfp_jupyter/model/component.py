"""A component: an interface (typed inputs and outputs) and the implementation behind it.

Spec: https://www.kubeflow.org/docs/components/pipelines/user-guides/components/
"""

from __future__ import annotations

from dataclasses import dataclass

from kfp_jupyter.model.types import Json, ValueType


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One input of a component or pipeline.

    Attributes:
        name: The argument's name.
        type: A parameter or artifact type.
        optional: True if it may be left out; `default` (possibly None) is then used.
        default: The value used when it is left out.
        description: For people; from the docstring.
    """

    name: str
    type: ValueType
    optional: bool = False
    default: Json = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """One output of a component or pipeline."""

    name: str
    type: ValueType
    description: str = ""


PREAMBLE = "kfp_jupyter"
"""The `file` of a fragment that the user did not write: the imports before the user's own text."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of source text and the place it was written at.

    Attributes:
        text: Whole lines, ending with a newline.
        file: The place for people: `Cell In[3]`, or a file's path.
        first_line: The line number (from 1) of the fragment's first line in that place.
    """

    text: str
    file: str
    first_line: int = 1


@dataclass(frozen=True, slots=True)
class Source:
    """The Python source of a step: fragments that are joined, each remembering where it came from."""

    fragments: tuple[Fragment, ...]

    @property
    def text(self) -> str:
        """The joined source."""
        return "".join(fragment.text for fragment in self.fragments)

    def locate(self, line: int) -> tuple[str, int]:
        """Map a line (from 1) of `text` to `(file, line)` where the user wrote it.

        Raises:
            ValueError: The source has no such line.
        """
        left = line
        for fragment in self.fragments:
            count = fragment.text.count("\n")
            if 1 <= left <= count:
                return fragment.file, fragment.first_line + left - 1
            left -= count
        raise ValueError(f"the source has no line {line}")


@dataclass(frozen=True, slots=True)
class PythonStep:
    """A step that runs a Python function from its source (KFP's lightweight Python component).

    Attributes:
        source: Module text that defines `function`.
        function: The function's name in `source`.
        base_image: The container image of the step.
        packages: Requirement strings to have installed before the step runs.
        pip_index_urls: Package indexes for `packages`; empty means pip's own settings.
        pip_trusted_hosts: Hosts that pip shall trust without TLS.
    """

    source: Source
    function: str
    base_image: str
    packages: tuple[str, ...] = ()
    pip_index_urls: tuple[str, ...] = ()
    pip_trusted_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContainerStep:
    """A step that runs a container's command (KFP's container component).

    Attributes:
        image: The container image.
        command: The entry point; may hold KFP's `{{$...}}` placeholders.
        args: Its arguments; the same.
        env: Environment variables as `(name, value)` pairs.
    """

    image: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()


Implementation = PythonStep | ContainerStep


@dataclass(frozen=True, slots=True)
class Component:
    """A component.

    Attributes:
        name: Its name in KFP's spelling (lower case, dashes), such as `train-model`.
        inputs: Its inputs in the order of the function's arguments.
        outputs: Its outputs.
        implementation: What a task of it runs.
        description: For people; from the docstring.
    """

    name: str
    inputs: tuple[InputSpec, ...]
    outputs: tuple[OutputSpec, ...]
    implementation: Implementation
    description: str = ""

    def input(self, name: str) -> InputSpec | None:
        """Return the input of that name, or None."""
        return next((spec for spec in self.inputs if spec.name == name), None)

    def output(self, name: str) -> OutputSpec | None:
        """Return the output of that name, or None."""
        return next((spec for spec in self.outputs if spec.name == name), None)
