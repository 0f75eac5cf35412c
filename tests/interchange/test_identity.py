"""Whatever the model can hold of KFP's pipelines comes back from the document as it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kfp_jupyter.interchange.launcher import PLACE
from kfp_jupyter.interchange.read import read_pipeline
from kfp_jupyter.interchange.write import to_yaml
from kfp_jupyter.model.component import (
    Component,
    ContainerStep,
    Fragment,
    Implementation,
    Importer,
    InputSpec,
    OutputSpec,
    PythonStep,
    Source,
)
from kfp_jupyter.model.graph import Graph, GroupKind, Loop, Task, Trigger, TriggerStrategy
from kfp_jupyter.model.pipeline import Pipeline, PipelineConfig, Workspace
from kfp_jupyter.model.settings import Resources, Retry, TaskSettings
from kfp_jupyter.model.types import ArtifactType, ParameterType, ValueType
from kfp_jupyter.model.value import Constant, PipelineInput, TaskOutput, Value

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBER = st.integers(-(2**53), 2**53)
FLOAT = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=4,
)
CONSTANTS: dict[ParameterType, st.SearchStrategy[Any]] = {
    ParameterType.STRING: TEXT,
    ParameterType.INTEGER: NUMBER,
    ParameterType.DOUBLE: FLOAT,
    ParameterType.BOOLEAN: st.booleans(),
    ParameterType.LIST: st.lists(JSON, max_size=3),
    ParameterType.STRUCT: st.dictionaries(TEXT, JSON, max_size=3),
}
ARTIFACTS = (ArtifactType("system.Dataset"), ArtifactType("system.Model", is_list=True))
TYPES: st.SearchStrategy[ValueType] = st.sampled_from((*CONSTANTS, *ARTIFACTS))
QUANTITY = st.sampled_from(["", "500m", "2", "{{$.inputs.parameters['n']}}"])
MEMORY = st.sampled_from(["", "512Mi", "4G", "1000"])
SETTINGS = st.builds(
    TaskSettings,
    caching=st.booleans(),
    cache_key=st.sampled_from(["", "mine"]),
    resources=st.builds(Resources, QUANTITY, QUANTITY, MEMORY, MEMORY),
    retry=st.none() | st.builds(Retry, st.integers(0, 5), st.sampled_from([0.0, 1.5, 30.0])),
    timeout_seconds=st.sampled_from([0.0, 60.0]),
    env=st.sampled_from([(), (("A", "b"), ("C", ""))]),
    display_name=st.sampled_from(["", "Shown"]),
    kubernetes=st.sampled_from([{}, {"nodeSelector": {"labels": {"a": "b"}}}]),
)


@st.composite
def inputs(draw: Callable[..., Any], name: str) -> InputSpec:
    type_ = draw(TYPES)
    optional = draw(st.booleans())
    default = draw(CONSTANTS[type_]) if optional and isinstance(type_, ParameterType) else None
    return InputSpec(name, type_, optional, default, draw(st.sampled_from(["", "What: it's for."])))


def steps() -> st.SearchStrategy[Implementation]:
    source = st.sampled_from(["def f():\n    pass\n", "\n\n  # odd\ndef f(): return 'é\\n'\n\n"])
    python = st.builds(
        lambda text, packages: PythonStep(Source((Fragment(text, PLACE),)), "f", "python:3.12", packages),
        source,
        st.sampled_from([(), ("pandas>=2",), ("a", 'b; python_version<"3.9"')]),
    )
    word = st.sampled_from(["{{$}}", '{"Concat": ["a", "{{$.inputs.parameters[\'n\']}}"]}', "-c", "a b"])
    container = st.builds(
        lambda words, args: ContainerStep("image", tuple(words), tuple(args)),
        st.lists(word, max_size=3),
        st.lists(word, max_size=3),
    )
    importer = st.builds(
        Importer,
        st.sampled_from([Constant("gs://a"), PipelineInput("n")]),
        st.just(ARTIFACTS[0]),
        st.booleans(),
        st.sampled_from([{}, {"a": ["b", 1]}]),
        st.booleans(),
    )
    return python | container | importer


class Builder:
    """Draws one pipeline; components are shared where chance has it so."""

    def __init__(self, draw: Callable[..., Any]) -> None:
        self.draw = draw
        self.components: dict[str, Component] = {}

    def graph(self, specs: list[InputSpec], depth: int, kind: GroupKind) -> tuple[Graph, list[OutputSpec]]:
        tasks: dict[str, Task] = {}
        for number in range(self.draw(st.integers(1, 3))):
            name = f"t{depth}-{number}" + self.draw(st.sampled_from(["", "-a"]))
            tasks[name] = self.task(name, tasks, specs, depth)
        outputs, given_out = [], {}
        for task in tasks.values():
            for spec in self.components[task.component].outputs:
                if self.draw(st.booleans()):
                    outputs.append(OutputSpec(f"{task.name}-{spec.name}", spec.type))
                    given_out[outputs[-1].name] = TaskOutput(task.name, spec.name)
        return Graph(tasks, given_out, kind), outputs

    def task(self, name: str, before: dict[str, Task], specs: list[InputSpec], depth: int) -> Task:
        key, is_graph = self.component(name, depth)
        component = self.components[key]
        arguments: dict[str, Value] = {}
        for spec in component.inputs:
            value = self.value(spec.type, before, specs)
            if value is not None:
                arguments[spec.name] = value
        data = {value.task for value in arguments.values() if isinstance(value, TaskOutput)}
        after = tuple(sorted(other for other in before if other not in data and self.draw(st.booleans())))
        asked = TaskSettings(caching=None) if is_graph else self.draw(SETTINGS)
        if isinstance(component.implementation, Importer):
            asked = replace(asked, env=(), resources=Resources())
        loop, trigger = None, Trigger()
        if is_graph and component.inputs:
            loop = self.draw(
                st.none()
                | st.just(Loop(component.inputs[0].name, ("a", 1, {"b": [2]}), parallelism=2))
                | st.just(Loop(component.inputs[0].name, None, component.inputs[0].name, artifacts=True))
            )
            trigger = Trigger(
                self.draw(st.sampled_from(["", "inputs.parameter_values['n'] == 1"])),
                self.draw(st.sampled_from(list(TriggerStrategy))),
            )
        return Task(name, key, arguments, after, asked, trigger, loop)

    def component(self, name: str, depth: int) -> tuple[str, bool]:
        known = [key for key, held in self.components.items() if not isinstance(held.implementation, Graph)]
        if known and self.draw(st.booleans()):
            return self.draw(st.sampled_from(known)), False
        key = f"comp-c{len(self.components)}"
        specs = [self.draw(inputs(f"i{number}")) for number in range(self.draw(st.integers(0, 2)))]
        specs.sort(key=lambda spec: (isinstance(spec.type, ParameterType), spec.name))
        is_graph = depth < 2 and self.draw(st.integers(0, 3)) == 0
        if is_graph:
            self.components[key] = Component(key, (), (), Graph({}))
            graph, outputs = self.graph(specs, depth + 1, GroupKind.PIPELINE)
            step: Implementation = graph
        else:
            step = self.draw(steps())
            outputs = [OutputSpec(f"o{n}", self.draw(TYPES)) for n in range(self.draw(st.integers(0, 2)))]
        made = Component(f"c{len(self.components)}", tuple(specs), tuple(outputs), step)
        self.components[key] = made
        return key, is_graph

    def value(self, type_: ValueType, before: dict[str, Task], specs: list[InputSpec]) -> Value | None:
        values: list[Value] = [
            TaskOutput(task.name, spec.name)
            for task in before.values()
            for spec in self.components[task.component].outputs
            if spec.type == type_
        ]
        values += [PipelineInput(spec.name) for spec in specs if spec.type == type_]
        if isinstance(type_, ParameterType):
            values.append(Constant(self.draw(CONSTANTS[type_])))
        return self.draw(st.sampled_from(values)) if values else None


@st.composite
def pipelines(draw: Callable[..., Any]) -> Pipeline:
    builder = Builder(draw)
    specs = [draw(inputs(f"n{number}")) for number in range(draw(st.integers(0, 2)))]
    graph, outputs = builder.graph(specs, 0, GroupKind.PIPELINE)
    config = PipelineConfig(draw(st.none() | st.just(Workspace("1Gi", {"a": "b"}))), draw(st.integers(0, 9)))
    return Pipeline("p", tuple(specs), tuple(outputs), builder.components, graph, draw(TEXT), config=config)


def flat(pipeline: Pipeline, graph: Graph) -> list[Any]:
    """Return what a pipeline says, however its components are named and shared."""
    said: list[Any] = [sorted(graph.outputs.items()), graph.group]
    for name in sorted(graph.tasks):
        task = graph.tasks[name]
        component = pipeline.component_of(task)
        step = component.implementation
        inner = flat(pipeline, step) if isinstance(step, Graph) else step
        ports = [sorted(held, key=lambda spec: spec.name) for held in (component.inputs, component.outputs)]
        said.append([replace(task, component="", arguments=dict(task.arguments)), ports, inner])
    return said


@given(pipelines())
@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
def test_a_pipeline_is_read_as_it_was_written(pipeline: Pipeline) -> None:
    text = to_yaml(pipeline)
    reading = read_pipeline(text)
    again = reading.pipeline
    assert reading.unknown == ()
    assert flat(again, again.graph) == flat(pipeline, pipeline.graph)
    assert (again.name, again.description, again.config) == (
        pipeline.name,
        pipeline.description,
        pipeline.config,
    )
    assert to_yaml(again) == text
    assert read_pipeline(to_yaml(again)).pipeline == again
