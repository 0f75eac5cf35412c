"""A component: an interface (typed inputs and outputs) and the implementation behind it.

Spec: https://www.kubeflow.org/docs/components/pipelines/user-guides/components/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kfp_jupyter.model.graph import Graph
from kfp_jupyter.model.types import ArtifactType, Json, ParameterType, ValueType
from kfp_jupyter.model.value import Constant, PipelineInput


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One input of a component or pipeline.

    Attributes:
        name: The argument's name.
        type: A parameter or artifact type.
        optional: True if it may be left out; `default` (possibly None) is then used.
        default: The value used when it is left out.
        description: For people; from the docstring.
        literals: The only values it may have; empty means any.
        extra: Fields of the document it was read from that are unknown here, where they stood.
        hint: The Python type of a list or dict in full, such as `List[Dict[str, int]]`; empty if not known.
            It is not part of KFP's format and says no more than what is in the items.
        nullable: Whether None may be given for it though it has no default; KFP's format has that only for a
            component whose input may be left out.
    """

    name: str
    type: ValueType
    optional: bool = False
    default: Json = None
    description: str = ""
    literals: tuple[Json, ...] = ()
    extra: Mapping[str, Json] = field(default_factory=dict, hash=False)
    hint: str = field(default="", compare=False)
    nullable: bool = field(default=False, compare=False)

    @property
    def filled_in(self) -> bool:
        """True if the engine gives the value, and no one else can."""
        return isinstance(self.type, ParameterType) and self.type.filled_in


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """One output of a component or pipeline; `extra` and `hint` as in `InputSpec`."""

    name: str
    type: ValueType
    description: str = ""
    extra: Mapping[str, Json] = field(default_factory=dict, hash=False)
    hint: str = field(default="", compare=False)


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
        install_kfp: False if KFP's own command shall not install the KFP SDK.
        kfp_package_path: A requirement for the KFP SDK instead of the usual version; empty means that.
        use_venv: Whether KFP's own command makes a virtual environment for the packages.
        launcher: The words before the source in the command of the document that it was read from; empty if
            it was not read. Engines of ours need none.
        extra: Fields of the executor in that document that are unknown here, where they stood.
    """

    source: Source
    function: str
    base_image: str
    packages: tuple[str, ...] = ()
    pip_index_urls: tuple[str, ...] = ()
    pip_trusted_hosts: tuple[str, ...] = ()
    install_kfp: bool = True
    kfp_package_path: str = ""
    use_venv: bool = False
    launcher: tuple[str, ...] = ()
    extra: Mapping[str, Json] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class ContainerStep:
    """A step that runs a container's command (KFP's container component).

    A word of `command` or `args` may also be the JSON text of KFP's `Concat` or `IfPresent`.

    Attributes:
        image: The container image.
        command: The entry point; may hold KFP's `{{$...}}` placeholders.
        args: Its arguments; the same.
        env: Environment variables as `(name, value)` pairs.
        extra: Fields of the executor it was read from that are unknown here, where they stood.
    """

    image: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    extra: Mapping[str, Json] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Importer:
    """A step that brings an artifact from elsewhere into the pipeline, as its output `artifact`.

    Attributes:
        uri: Where it is; a `PipelineInput` names an input of the component itself.
        type: The type of the artifact.
        reimport: Whether it is imported again if that was done before.
        metadata: Its metadata; texts may hold placeholders of the component's inputs.
        download_to_workspace: Whether it is copied to the pipeline's workspace.
        extra: Fields of the executor it was read from that are unknown here, where they stood.
    """

    uri: Constant | PipelineInput
    type: ArtifactType
    reimport: bool = False
    metadata: Mapping[str, Json] = field(default_factory=dict)
    download_to_workspace: bool = False
    extra: Mapping[str, Json] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class ForeignStep:
    """A step of a kind that only other systems run (KFP's `resolver` and `customJob`), kept as it stands."""

    spec: Mapping[str, Json]


Implementation = PythonStep | ContainerStep | Importer | ForeignStep | Graph
"""What a task of a component runs; a `Graph` is a pipeline in a pipeline, or the body of a group."""


@dataclass(frozen=True, slots=True)
class Passthrough:
    """A setting of a task that its component is told of, in an input of type `TaskConfig`.

    Attributes:
        field: KFP's name of the setting, such as `RESOURCES` or `KUBERNETES_VOLUMES`.
        apply_to_task: Whether it also holds for the task itself.
    """

    field: str
    apply_to_task: bool = False


@dataclass(frozen=True, slots=True)
class Component:
    """A component.

    Attributes:
        name: Its name in KFP's spelling (lower case, dashes), such as `train-model`.
        inputs: Its inputs in the order of the function's arguments.
        outputs: Its outputs.
        implementation: What a task of it runs.
        description: For people; from the docstring.
        executor_label: The name that its executor has in the document it was read from; empty lets the writer
            choose names, which then are KFP's: a component and an executor for each task, named after it.
        passthroughs: Settings of a task that the component is told of.
        extra: Fields of that document that are unknown here, where they stood.
    """

    name: str
    inputs: tuple[InputSpec, ...]
    outputs: tuple[OutputSpec, ...]
    implementation: Implementation
    description: str = ""
    executor_label: str = ""
    passthroughs: tuple[Passthrough, ...] = ()
    extra: Mapping[str, Json] = field(default_factory=dict, hash=False)

    def input(self, name: str) -> InputSpec | None:
        """Return the input of that name, or None."""
        return next((spec for spec in self.inputs if spec.name == name), None)

    def output(self, name: str) -> OutputSpec | None:
        """Return the output of that name, or None."""
        return next((spec for spec in self.outputs if spec.name == name), None)
