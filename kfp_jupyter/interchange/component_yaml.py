"""A component's file: KFP 1's `component.yaml`, or a compiled component, which is a pipeline of one task.

KFP 1's types, placeholders and names become those of KFP 2, as when KFP 2 loads such a file.
Spec: https://www.kubeflow.org/docs/components/pipelines/legacy-v1/reference/component-spec/
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from kfp_jupyter.interchange.fields import Fields, refuse
from kfp_jupyter.interchange.load import load
from kfp_jupyter.interchange.read import read_documents
from kfp_jupyter.model.component import Component, ContainerStep, InputSpec, OutputSpec
from kfp_jupyter.model.graph import Graph
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.settings import TaskSettings
from kfp_jupyter.model.types import ArtifactType, Json, ParameterType, ValueType

_PARAMETERS = {
    "string": ParameterType.STRING,
    "str": ParameterType.STRING,
    "text": ParameterType.STRING,
    "integer": ParameterType.INTEGER,
    "int": ParameterType.INTEGER,
    "float": ParameterType.DOUBLE,
    "double": ParameterType.DOUBLE,
    "bool": ParameterType.BOOLEAN,
    "boolean": ParameterType.BOOLEAN,
    "list": ParameterType.LIST,
    "jsonarray": ParameterType.LIST,
    "dict": ParameterType.STRUCT,
    "jsonobject": ParameterType.STRUCT,
    "pipelinetaskfinalstatus": ParameterType.TASK_FINAL_STATUS,
}

_ARTIFACTS = {
    name.lower(): f"system.{name}"
    for name in (
        "Artifact",
        "Model",
        "Dataset",
        "Metrics",
        "ClassificationMetrics",
        "SlicedClassificationMetrics",
        "HTML",
        "Markdown",
    )
}


@dataclass(frozen=True, slots=True)
class LoadedComponent:
    """A component that was read from a file.

    Attributes:
        component: The component; its implementation is a graph if the file holds a pipeline.
        parts: The components that the tasks of that graph run, by key.
        settings: What the file sets for the component's task.
        unknown: The paths of fields that are not known here.
    """

    component: Component
    parts: Mapping[str, Component] = field(default_factory=dict)
    settings: TaskSettings = field(default_factory=TaskSettings)
    unknown: tuple[str, ...] = ()


def read_component(text: str | bytes) -> LoadedComponent:
    """Read a component from the text of a file.

    Raises:
        DocumentError: It is no component; `where` is the path inside the document.
    """
    held = load(text)
    if not 1 <= len(held) <= 2:
        raise refuse(
            "", f"It holds {len(held)} documents; a component has one, or two with platform settings."
        )
    if isinstance(held[0], dict) and "implementation" in held[0]:
        return _read_first_version(Fields(held[0], ""))
    reading = read_documents(held[0], held[1] if len(held) == 2 else None)
    return replace(_component_of(reading.pipeline), unknown=reading.unknown)


def _component_of(pipeline: Pipeline) -> LoadedComponent:
    """Return the only component of a pipeline that was compiled from one, or the pipeline as a component."""
    tasks = list(pipeline.graph.tasks.values())
    component = pipeline.component_of(tasks[0])
    alone = len(tasks) == 1 and tasks[0].component == f"comp-{_spelled(pipeline.name, '-')}"
    if alone and not isinstance(component.implementation, Graph):
        settings = replace(tasks[0].settings, display_name="")
        return LoadedComponent(
            replace(component, executor_label="", description=pipeline.description), {}, settings
        )
    whole = Component(
        _spelled(pipeline.name, "-"), pipeline.inputs, pipeline.outputs, pipeline.graph, pipeline.description
    )
    return LoadedComponent(whole, pipeline.components)


def _read_first_version(document: Fields) -> LoadedComponent:
    implementation = document.fields("implementation")
    if "container" not in implementation:
        raise refuse(
            implementation.at("container"),
            "This is missing.",
            "Of KFP 1's components only those that run a container can be used.",
        )
    inputs = tuple(_input(held) for held in document.items("inputs"))
    outputs = tuple(OutputSpec(_port_name(held), _type(held)) for held in document.items("outputs"))
    container = implementation.fields("container")
    command = _Command(inputs, outputs)
    env = container.mapping("env")
    step = ContainerStep(
        container.needed("image"),
        command.words(container, "command"),
        command.words(container, "args"),
        tuple((name, command.word(value, f"{container.at('env')}.{name}")) for name, value in env.items()),
    )
    name = _spelled(document.text("name"), "-") or "component"
    document.mapping("metadata")
    made = Component(name, inputs, outputs, step, document.text("description").strip())
    return LoadedComponent(made, unknown=tuple(document.unknown()))


def _input(held: Fields) -> InputSpec:
    type_ = _type(held)
    optional = held.flag("optional") or held.has("default") or type_ is ParameterType.TASK_FINAL_STATUS
    default = held.json("default") if isinstance(type_, ParameterType) else None
    return InputSpec(_port_name(held), type_, optional, _default(default, type_, held.at("default")))


def _port_name(held: Fields) -> str:
    name = _spelled(held.needed("name"), "_")
    if not name:
        raise refuse(held.at("name"), "It has neither letters nor digits.")
    held.text("description")
    return name


def _type(held: Fields) -> ValueType:
    """Return what KFP 2 takes a type of KFP 1 for: an artifact, unless its name says otherwise."""
    said = held.json("type")
    if not isinstance(said, str):
        return ArtifactType("system.Artifact")
    if re.fullmatch(r"google\.[A-Za-z]+", said):
        return ArtifactType(said)
    name = re.sub(r"\[.*", "", said.strip()).rsplit(".", 1)[-1].lower()
    return _PARAMETERS.get(name) or ArtifactType(_ARTIFACTS.get(name, "system.Artifact"))


def _default(value: Json, type_: ValueType, path: str) -> Json:
    """Return a default, which in KFP 1 is a text also for numbers."""
    readers: dict[ValueType, Callable[[str], Json]] = {
        ParameterType.INTEGER: int,
        ParameterType.DOUBLE: float,
        ParameterType.BOOLEAN: _truth,
        ParameterType.LIST: json.loads,
        ParameterType.STRUCT: json.loads,
    }
    if value is None or type_ not in readers:
        return str(value) if isinstance(value, (int, float)) else value
    try:
        return readers[type_](value) if isinstance(value, str) else readers[type_](json.dumps(value))
    except (ValueError, RecursionError):
        raise refuse(path, f"{str(value)[:40]!r} is no default for a {type_.python_name}.") from None


def _truth(text: str) -> bool:
    found = {"y": True, "t": True, "1": True, "n": False, "f": False, "0": False}
    found |= {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
    if text.lower() not in found:
        raise ValueError(text)
    return found[text.lower()]


class _Command:
    """Turns KFP 1's placeholders into KFP 2's."""

    def __init__(self, inputs: tuple[InputSpec, ...], outputs: tuple[OutputSpec, ...]) -> None:
        self._inputs = {spec.name: spec for spec in inputs}
        self._outputs = {spec.name: spec for spec in outputs}

    def words(self, container: Fields, name: str) -> tuple[str, ...]:
        """Return the words of `command` or `args`."""
        listed = container.json(name) or []
        if not isinstance(listed, list):
            raise refuse(container.at(name), "There should be a list here.")
        return tuple(self.word(held, f"{container.at(name)}[{index}]") for index, held in enumerate(listed))

    def word(self, value: Json, path: str) -> str:
        """Return one word; `concat` and `if` become the JSON text that KFP 2 has for them."""
        made = self._part(value, path)
        return made if isinstance(made, str) else json.dumps(made)

    def _part(self, value: Json, path: str) -> Json:
        if isinstance(value, (str, bool, int, float)):
            return value if isinstance(value, str) else json.dumps(value)
        if not isinstance(value, dict) or len(value) != 1:
            raise refuse(path, "There should be a text, or a placeholder such as `{inputValue: name}`, here.")
        kind, held = next(iter(value.items()))
        path = f"{path}.{kind}"
        if kind == "executorInput":
            return "{{$}}"
        if kind == "concat" and isinstance(held, list):
            return {"Concat": [self._part(part, f"{path}[{index}]") for index, part in enumerate(held)]}
        if kind == "if":
            return self._choice(Fields(held, path))
        return self._port(kind, held, path)

    def _choice(self, held: Fields) -> Json:
        name = self._known(held.fields("cond").needed("isPresent"), self._inputs, held.at("cond"))
        choice: dict[str, Json] = {"InputName": name}
        for ours, theirs in (("Then", "then"), ("Else", "else")):
            part = held.json(theirs)
            if isinstance(part, list):
                choice[ours] = [
                    self._part(item, f"{held.at(theirs)}[{index}]") for index, item in enumerate(part)
                ]
            elif part is not None:
                choice[ours] = self._part(part, held.at(theirs))
        return {"IfPresent": choice}

    def _port(self, kind: str, held: Json, path: str) -> str:
        if kind == "inputValue":
            return f"{{{{$.inputs.parameters['{self._known(held, self._inputs, path)}']}}}}"
        if kind in ("inputPath", "inputUri"):
            place = kind.removeprefix("input").lower()
            return f"{{{{$.inputs.artifacts['{self._known(held, self._inputs, path)}'].{place}}}}}"
        if kind in ("outputPath", "outputUri"):
            name = self._known(held, self._outputs, path)
            if kind == "outputPath" and isinstance(self._outputs[name].type, ParameterType):
                return f"{{{{$.outputs.parameters['{name}'].output_file}}}}"
            return f"{{{{$.outputs.artifacts['{name}'].{kind.removeprefix('output').lower()}}}}}"
        raise refuse(path, f"There is no placeholder {kind!r}.")

    def _known(self, name: Json, ports: Mapping[str, object], path: str) -> str:
        spelled = _spelled(name, "_") if isinstance(name, str) else ""
        if spelled not in ports:
            raise refuse(path, f"There is no {name!r}.", f"There are: {', '.join(ports) or 'none'}.")
        return spelled


def _spelled(name: str, separator: str) -> str:
    """Return a name in KFP 2's spelling."""
    kept = "_" if separator == "_" else ""
    return re.sub(f"[^{kept}0-9a-z]+", separator, name.lower()).strip(separator)
