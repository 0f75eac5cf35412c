"""Components' files are components: KFP 1's, and those that KFP 2 compiles."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from kfp_jupyter.interchange.component_yaml import read_component
from kfp_jupyter.interchange.errors import DocumentError
from kfp_jupyter.model.component import ContainerStep, PythonStep
from kfp_jupyter.model.graph import Graph
from kfp_jupyter.model.types import ArtifactType, ParameterType

HERE = Path(__file__).parent
FIRST_VERSION = """\
name: Train It
description: Trains.
metadata: {annotations: {author: me}}
inputs:
- {name: Learning Rate, type: Float, default: '0.5', description: How fast.}
- {name: rounds, type: Integer, default: 3}
- {name: warm, type: Bool, default: 'yes'}
- {name: names, type: JsonArray, default: '["a"]'}
- {name: more, type: "Dict[str, int]", optional: true}
- {name: label, type: String}
- {name: data}
- {name: table, type: {GCSPath: {data_type: CSV}}, optional: true}
- {name: base, type: Model}
- {name: vertex, type: google.VertexModel}
outputs:
- {name: score, type: Float}
- {name: Fitted Model, type: Model}
implementation:
  container:
    image: trainer:1
    command:
    - train
    - {inputValue: Learning Rate}
    - {inputPath: data}
    - {inputUri: base}
    - {outputPath: score}
    - {outputPath: Fitted Model}
    - {outputUri: Fitted Model}
    - {executorInput: null}
    args:
    - {concat: [--label=, {inputValue: label}]}
    - if:
        cond: {isPresent: more}
        then: [--more, {inputValue: more}]
        else: --none
    env: {MODE: fast, RATE: {inputValue: Learning Rate}}
"""


def test_inputs_and_outputs_of_the_first_version_get_types_of_the_second() -> None:
    component = read_component(FIRST_VERSION).component
    assert (component.name, component.description) == ("train-it", "Trains.")
    found = {spec.name: (spec.type, spec.optional, spec.default) for spec in component.inputs}
    assert found == {
        "learning_rate": (ParameterType.DOUBLE, True, 0.5),
        "rounds": (ParameterType.INTEGER, True, 3),
        "warm": (ParameterType.BOOLEAN, True, True),
        "names": (ParameterType.LIST, True, ["a"]),
        "more": (ParameterType.STRUCT, True, None),
        "label": (ParameterType.STRING, False, None),
        "data": (ArtifactType("system.Artifact"), False, None),
        "table": (ArtifactType("system.Artifact"), True, None),
        "base": (ArtifactType("system.Model"), False, None),
        "vertex": (ArtifactType("google.VertexModel"), False, None),
    }
    assert [(spec.name, spec.type) for spec in component.outputs] == [
        ("score", ParameterType.DOUBLE),
        ("fitted_model", ArtifactType("system.Model")),
    ]


def test_placeholders_of_the_first_version_become_those_of_the_second() -> None:
    step = read_component(FIRST_VERSION).component.implementation
    assert step == ContainerStep(
        "trainer:1",
        (
            "train",
            "{{$.inputs.parameters['learning_rate']}}",
            "{{$.inputs.artifacts['data'].path}}",
            "{{$.inputs.artifacts['base'].uri}}",
            "{{$.outputs.parameters['score'].output_file}}",
            "{{$.outputs.artifacts['fitted_model'].path}}",
            "{{$.outputs.artifacts['fitted_model'].uri}}",
            "{{$}}",
        ),
        (
            '{"Concat": ["--label=", "{{$.inputs.parameters[\'label\']}}"]}',
            json.dumps(
                {
                    "IfPresent": {
                        "InputName": "more",
                        "Then": ["--more", "{{$.inputs.parameters['more']}}"],
                        "Else": "--none",
                    }
                }
            ),
        ),
        (("MODE", "fast"), ("RATE", "{{$.inputs.parameters['learning_rate']}}")),
    )


def test_unknown_fields_of_the_first_version_are_told() -> None:
    assert read_component(FIRST_VERSION + "    resources: {}\n").unknown == (
        "implementation.container.resources",
    )


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("image: trainer:1", "picture: x", "implementation.container.image", "missing"),
        ("{inputPath: data}", "{inputPath: date}", "implementation.container.command[2].inputPath", "'date'"),
        (
            "{inputPath: data}",
            "{inputPipe: data}",
            "implementation.container.command[2].inputPipe",
            "inputPipe",
        ),
        ("{inputPath: data}", "[a]", "implementation.container.command[2]", "a text"),
        ("isPresent: more", "isPresent: less", "implementation.container.args[1].if.cond", "'less'"),
        ("default: '0.5'", "default: fast", "inputs[0].default", "'fast'"),
        ("default: 'yes'", "default: maybe", "inputs[2].default", "'maybe'"),
        ("default: '[\"a\"]'", "default: '[a'", "inputs[3].default", "'[a'"),
        ("{name: data}", "{name: '!'}", "inputs[6].name", "neither"),
        ("{name: data}", "data", "inputs[6]", "a mapping"),
        ("  container:\n", "  graph:\n", "implementation.container", "missing"),
        ("env: {MODE: fast", "env: {MODE: [fast]", "implementation.container.env.MODE", "a text"),
    ],
)
def test_what_is_malformed_is_refused_with_its_path(old: str, new: str, where: str, what: str) -> None:
    assert old in FIRST_VERSION
    with pytest.raises(DocumentError) as caught:
        read_component(FIRST_VERSION.replace(old, new))
    assert caught.value.where == where
    assert what in caught.value.what


def test_a_compiled_component_is_the_component_and_not_a_pipeline() -> None:
    text = (HERE / "goldens" / "one_component.yaml").read_text(encoding="utf-8")
    loaded = read_component(text)
    spec = yaml.safe_load(text)
    assert isinstance(loaded.component.implementation, PythonStep)
    assert loaded.component.name == spec["pipelineInfo"]["name"]
    assert loaded.component.executor_label == ""
    assert not loaded.parts
    definitions = spec["root"]["inputDefinitions"]
    assert {spec.name for spec in loaded.component.inputs} == {
        *definitions["parameters"],
        *definitions["artifacts"],
    }


def test_a_compiled_pipeline_is_a_component_that_runs_its_graph() -> None:
    text = (HERE / "documents" / "control_flow.yaml").read_text(encoding="utf-8")
    loaded = read_component(text)
    assert isinstance(loaded.component.implementation, Graph)
    assert loaded.component.name == "control-flow"
    assert [spec.name for spec in loaded.component.inputs] == ["many"]
    assert "comp-for-loop-1" in loaded.parts


def test_a_file_without_a_component_is_refused() -> None:
    for text in ("", "a: 1", "- a", "implementation: 3"):
        with pytest.raises(DocumentError):
            read_component(text)
