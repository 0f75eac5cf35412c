"""Documents are read into the model and written back from it, and whatever is no document is refused.

`documents/` has small ones of our own for what the DSL's goldens do not hold; KFP compiled those of
`goldens/` from files of ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from kfp_jupyter.interchange.errors import DocumentError
from kfp_jupyter.interchange.read import read_documents, read_pipeline
from kfp_jupyter.interchange.write import documents
from kfp_jupyter.model.check import check
from kfp_jupyter.model.component import ContainerStep, Importer, Passthrough, PythonStep
from kfp_jupyter.model.graph import Graph, GroupKind, Loop, Trigger, TriggerStrategy
from kfp_jupyter.model.pipeline import Pipeline, Workspace
from kfp_jupyter.model.settings import Resources, Retry
from kfp_jupyter.model.types import ParameterType
from kfp_jupyter.model.value import Constant, FinalStatus, OneOf, PipelineInput, RuntimeParameter, TaskOutput
from tests.conformance.reading import faults

HERE = Path(__file__).parent
OURS = sorted((HERE / "documents").glob("*.yaml"))
FILES = [*OURS, *sorted((HERE / "goldens").glob("*.yaml"))]


def read(name: str) -> Pipeline:
    return read_pipeline((HERE / "documents" / f"{name}.yaml").read_text(encoding="utf-8")).pipeline


def parsed(path: Path) -> list[Any]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def body(pipeline: Pipeline, key: str) -> Graph:
    step = pipeline.components[key].implementation
    assert isinstance(step, Graph)
    return step


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_document_is_written_back_equal_and_edits_change_the_lines_that_name_them(file: Path) -> None:
    assert list(faults(file.read_text(encoding="utf-8"))) == []


def compiled_by_kfp() -> Iterator[tuple[str, list[Any]]]:
    """Yield the documents of the DSL's tests with what those leave out."""
    for file in sorted((HERE.parent / "dsl" / "goldens").glob("*.json")):
        for name, held in json.loads(file.read_text(encoding="utf-8")).items():
            held[0]["sdkVersion"] = "kfp-2.17.0"
            for executor in held[0]["deploymentSpec"]["executors"].values():
                if "container" in executor:
                    executor["container"]["image"] = "image"
            yield f"{file.stem}/{name}", held


COMPILED = dict(compiled_by_kfp())


@pytest.mark.parametrize("name", COMPILED)
def test_what_kfp_compiles_of_our_pipelines_is_written_back_equal(name: str) -> None:
    assert list(faults(yaml.safe_dump_all(COMPILED[name]))) == []


def test_the_comparison_finds_what_was_lost() -> None:
    spec, *_ = parsed(OURS[0])
    del spec["root"]["dag"]["tasks"]["flip"]["taskInfo"]
    assert list(faults(yaml.safe_dump(spec))) != []


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.stem)
def test_documents_of_our_own_are_pipelines_that_pass_the_checks(file: Path) -> None:
    check(read(file.stem))


def test_groups_are_graphs_with_their_kind() -> None:
    pipeline = read("control_flow")
    assert [body(pipeline, f"comp-{name}").group for name in ("condition-2", "condition-branches-1")] == [
        GroupKind.CONDITION,
        GroupKind.BRANCHES,
    ]
    assert body(pipeline, "comp-for-loop-1").group is GroupKind.LOOP
    assert body(pipeline, "comp-exit-handler-1").group is GroupKind.EXIT_HANDLER
    assert body(read("settings"), "comp-inner").group is GroupKind.PIPELINE


def test_control_flow_is_read_into_triggers_loops_and_values() -> None:
    pipeline = read("control_flow")
    root = pipeline.graph.tasks
    branches = body(pipeline, "comp-condition-branches-1")
    condition = "inputs.parameter_values['pipelinechannel--flip-Output'] == 'heads'"
    assert branches.tasks["condition-2"].trigger == Trigger(condition)
    assert branches.outputs["said"] == OneOf(
        (TaskOutput("condition-2", "said"), TaskOutput("condition-3", "said"))
    )
    assert branches.outputs["kept"] == OneOf(
        (TaskOutput("condition-2", "kept"), TaskOutput("condition-3", "kept"))
    )
    items = ({"name": "a", "size": 1}, {"name": "b", "size": 2})
    assert root["for-loop-1"].loop == Loop("pipelinechannel--loop-item-param-1", items, parallelism=2)
    assert root["for-loop-2"].loop == Loop(
        "pipelinechannel--flip-rows-loop-item", None, "pipelinechannel--flip-rows"
    )
    assert root["for-loop-3"].loop == Loop(
        "pipelinechannel--many-loop-item", None, "pipelinechannel--many", artifacts=True
    )
    item = PipelineInput("pipelinechannel--loop-item-param-1", 'parseJson(string_value)["name"]')
    say = body(pipeline, "comp-for-loop-1").tasks["say"]
    assert say.arguments == {"text": item}
    assert say.settings.retry == Retry(3, 1.5, 2.0, 3600.0)
    assert root["report"].arguments == {"status": FinalStatus("exit-handler-1")}
    assert root["report"].trigger == Trigger(strategy=TriggerStrategy.COMPLETED)
    assert root["report"].after == ()
    assert root["for-loop-1"].after == ("exit-handler-1",)


def test_settings_of_executors_and_of_the_platform_are_settings_of_their_tasks() -> None:
    pipeline = read("settings")
    measure, work = pipeline.graph.tasks["measure"].settings, pipeline.graph.tasks["work"].settings
    assert measure.resources == Resources("500m", "1.5", "500M", "4Gi", "nvidia.com/gpu", "2")
    assert measure.env == (("LEVEL", "high"), ("EMPTY", ""))
    assert measure.timeout_seconds == 20
    assert list(measure.kubernetes) == ["secretAsEnv"]
    assert work.image == "{{$.inputs.parameters['pipelinechannel--image']}}"
    assert work.resources.cpu_limit == "{{$.inputs.parameters['pipelinechannel--measure-cores']}}"
    assert sorted(pipeline.graph.tasks["work"].arguments) == [
        "n",
        "pipelinechannel--image",
        "pipelinechannel--measure-cores",
    ]
    assert pipeline.config.workspace == Workspace("10Gi", {"storageClassName": "fast"})
    assert pipeline.config.ttl_seconds_after_finished == 60
    assert pipeline.config.active_deadline_seconds == 600
    assert pipeline.pipeline_root == "s3://bucket/root"


def test_components_are_read_whole() -> None:
    pipeline = read("settings")
    fetch, fetch_2 = (pipeline.components[key].implementation for key in ("comp-fetch", "comp-fetch-2"))
    assert isinstance(fetch, Importer)
    assert isinstance(fetch_2, Importer)
    assert (fetch.uri, fetch.reimport, fetch.type.schema_title) == (
        PipelineInput("uri"),
        True,
        "google.VertexModel",
    )
    assert (fetch_2.uri, fetch_2.download_to_workspace) == (Constant("gs://bucket/data.csv"), True)
    assert pipeline.graph.tasks["fetch"].arguments == {"uri": RuntimeParameter("where")}
    launch = pipeline.components["comp-launch"]
    assert launch.passthroughs == (Passthrough("RESOURCES"), Passthrough("ENV", True))
    assert launch.inputs[0].type is ParameterType.TASK_CONFIG
    level = pipeline.components["comp-measure"].input("level")
    assert level is not None
    assert level.literals == ("low", "high")


def test_numbers_have_the_type_of_their_parameter() -> None:
    pipeline = read("settings")
    inner = pipeline.graph.tasks["inner"].arguments["epochs"]
    share = pipeline.graph.tasks["measure"].arguments["share"]
    config = body(pipeline, "comp-inner").tasks["train"].arguments["config"]
    assert repr(inner) == "Constant(value=7)"
    assert repr(share) == "Constant(value=1.0)"
    assert repr(config) == "Constant(value={'depth': 3, 'names': ['a', 'b'], 'rate': 0.5, 'warm': True})"


def test_unknown_fields_are_told_and_written_back_where_they_stood() -> None:
    spec, platform = parsed(HERE / "documents" / "settings.yaml")
    spec["future"] = {"a": 1.0}
    spec["components"]["comp-train"]["inputDefinitions"]["parameters"]["epochs"]["unit"] = "rounds"
    spec["deploymentSpec"]["executors"]["exec-measure"]["container"]["env"][0]["from"] = {"b": ["c"]}
    spec["root"]["dag"]["tasks"]["inner"]["inputs"]["parameters"]["epochs"]["hint"] = "d"
    spec["root"]["dag"]["mode"] = "e"
    platform["platforms"]["elsewhere"] = {"f": "g"}
    reading = read_documents(spec, platform)
    assert set(reading.unknown) == {
        "future",
        "components.comp-train.inputDefinitions.parameters.epochs.unit",
        "deploymentSpec.executors.exec-measure.container.env[0].from",
        "root.dag.tasks.inner.inputs.parameters.epochs.hint",
        "root.dag.mode",
        "platforms.elsewhere",
    }
    assert documents(reading.pipeline) == [spec, platform]
    renamed = replace(reading.pipeline, graph=reading.pipeline.graph.renamed("inner", "nested"))
    task = documents(renamed)[0]["root"]["dag"]["tasks"]["nested"]
    assert task["inputs"]["parameters"]["epochs"]["hint"] == "d"


def test_defaults_that_are_written_out_are_kept_and_are_not_unknown() -> None:
    spec, platform = parsed(HERE / "documents" / "settings.yaml")
    spec["components"]["comp-train"]["inputDefinitions"]["parameters"]["config"]["isOptional"] = False
    spec["pipelineInfo"]["description"] = ""
    spec["root"]["dag"]["tasks"]["launch"]["inputs"] = {}
    reading = read_documents(spec, platform)
    assert reading.unknown == ()
    assert documents(reading.pipeline) == [spec, platform]


def test_an_executor_that_tasks_share_is_parted_when_their_settings_part() -> None:
    pipeline = read("control_flow")
    graph = body(pipeline, "comp-for-loop-1")
    say = graph.tasks["say"]
    asked = replace(say, settings=replace(say.settings, resources=Resources(cpu_limit="2")))
    component = replace(
        pipeline.components["comp-for-loop-1"], implementation=replace(graph, tasks={"say": asked})
    )
    changed = replace(pipeline, components={**pipeline.components, "comp-for-loop-1": component})
    spec = documents(changed)[0]
    key = spec["components"]["comp-for-loop-1"]["dag"]["tasks"]["say"]["componentRef"]["name"]
    label = spec["components"][key]["executorLabel"]
    assert key != "comp-say"
    assert spec["deploymentSpec"]["executors"][label]["container"]["resources"] == {
        "cpuLimit": 2.0,
        "resourceCpuLimit": "2",
    }
    assert "resources" not in spec["deploymentSpec"]["executors"]["exec-say"]["container"]
    assert read_documents(spec).pipeline.graph == changed.graph


def lightweight(**changes: Any) -> PythonStep:
    spec = parsed(HERE / "goldens" / "one_component.yaml")[0]
    (executor,) = spec["deploymentSpec"]["executors"].values()
    executor["container"] |= changes
    (component,) = read_documents(spec).pipeline.components.values()
    assert isinstance(component.implementation, PythonStep)
    return component.implementation


def test_the_source_of_a_component_that_kfp_compiled_is_recognised() -> None:
    step = lightweight()
    spec = parsed(HERE / "goldens" / "one_component.yaml")[0]
    (executor,) = spec["deploymentSpec"]["executors"].values()
    assert step.source.text == executor["container"]["command"][-1]
    assert step.function == executor["container"]["args"][-1]
    assert f"def {step.function}(" in step.source.text
    assert step.packages == ()


def test_packages_and_indexes_are_read_from_the_command() -> None:
    install = (
        "python3 -m pip install --quiet --index-url https://a/simple --trusted-host a 'pandas>=2' 'x; "
        "python_version<\"3.9\"' && python3 -m pip install 'kfp==2.17.0' '--no-deps' 'typing-extensions>=3' "
        '&& "$0" "$@"'
    )
    script = 'python3 -m kfp.dsl.executor_main --component_module_path "$f" "$@"'
    command = ["sh", "-c", install, "sh", "-ec", script, "def f(): pass\n"]
    step = lightweight(command=command)
    assert step.packages == ("pandas>=2", 'x; python_version<"3.9"')
    assert (step.pip_index_urls, step.pip_trusted_hosts) == (("https://a/simple",), ("a",))


def test_a_command_is_kept_until_the_packages_change() -> None:
    spec = parsed(HERE / "goldens" / "one_component.yaml")[0]
    pipeline = read_documents(spec).pipeline
    (key,) = pipeline.components
    step = pipeline.components[key].implementation
    assert isinstance(step, PythonStep)
    component = replace(pipeline.components[key], implementation=replace(step, packages=("pandas",)))
    (executor,) = documents(replace(pipeline, components={key: component}))[0]["deploymentSpec"][
        "executors"
    ].values()
    words = executor["container"]["command"]
    assert any("pip install" in word and "pandas" in word for word in words)
    assert step.source.text in words


def test_what_only_looks_like_a_python_step_stays_a_container() -> None:
    spec = parsed(HERE / "goldens" / "one_component.yaml")[0]
    (executor,) = spec["deploymentSpec"]["executors"].values()
    executor["container"]["args"].append("--more")
    (component,) = read_documents(spec).pipeline.components.values()
    assert isinstance(component.implementation, ContainerStep)


def test_json_is_read_like_yaml() -> None:
    spec = parsed(HERE / "documents" / "control_flow.yaml")[0]
    assert read_pipeline(json.dumps(spec)).pipeline == read("control_flow")
    assert read_pipeline(json.dumps(spec).encode()).pipeline == read("control_flow")


MALFORMED: list[tuple[str, Any, str, str]] = [
    ("pipelineInfo.name", None, "pipelineInfo.name", "missing"),
    ("schemaVersion", "1.0.0", "schemaVersion", "2.x"),
    ("root.dag", None, "root.dag", "missing"),
    ("root.dag.tasks", {}, "root.dag", "no task"),
    ("root.dag.tasks.flip", ["a"], "root.dag.tasks.flip", "a mapping here, not a list"),
    ("root.dag.tasks.flip.componentRef.name", "comp-x", "root.dag.tasks.flip.componentRef.name", "'comp-x'"),
    ("root.dag.tasks.flip.taskInfo.name", 3, "root.dag.tasks.flip.taskInfo.name", "a text here"),
    ("root.dag.tasks.flip.dependentTasks", ["nowhere"], "root.dag.tasks.flip", "'nowhere'"),
    ("root.dag.tasks.flip.cachingOptions.enableCache", "yes", "cachingOptions.enableCache", "true or false"),
    ("root.dag.tasks.report.triggerPolicy.strategy", "NEVER", "report.triggerPolicy.strategy", "'NEVER'"),
    (
        "root.dag.tasks.report.inputs.parameters.status",
        {},
        "root.dag.tasks.report.inputs.parameters.status",
        "`runtimeValue`",
    ),
    (
        "root.dag.tasks.report.inputs.parameters.status.taskFinalStatus.producerTask",
        "gone",
        "root.dag.tasks.report",
        "'gone'",
    ),
    (
        "root.dag.tasks.for-loop-3.inputs.artifacts.pipelinechannel--many.componentInputArtifact",
        "few",
        "root.dag.tasks.for-loop-3.inputs",
        "'few'",
    ),
    (
        "root.dag.tasks.for-loop-1.parameterIterator.items.raw",
        "[1",
        "root.dag.tasks.for-loop-1.parameterIterator.items.raw",
        "JSON text of a list",
    ),
    (
        "root.dag.tasks.for-loop-1.iteratorPolicy.parallelismLimit",
        1.5,
        "root.dag.tasks.for-loop-1.iteratorPolicy.parallelismLimit",
        "whole number",
    ),
    (
        "root.dag.outputs.parameters.all.valueFromParameter.producerSubtask",
        "gone",
        "root.dag.outputs",
        "'gone'",
    ),
    ("root.dag.outputs.parameters.other", {}, "root.dag.outputs.parameters.other", "not defined"),
    (
        "root.outputDefinitions.parameters.all.parameterType",
        "TEXT",
        "root.outputDefinitions.parameters.all.parameterType",
        "no type",
    ),
    ("components.comp-flip.executorLabel", "exec-x", "components.comp-flip.executorLabel", "'exec-x'"),
    ("components.comp-flip.executorLabel", None, "components.comp-flip", "`executorLabel` or `dag`"),
    (
        "components.comp-for-loop-1.dag.tasks.say.retryPolicy.backoffDuration",
        "soon",
        "components.comp-for-loop-1.dag.tasks.say.retryPolicy.backoffDuration",
        "a time",
    ),
    (
        "components.comp-exit-handler-1.dag.tasks.flip-2.componentRef.name",
        "comp-exit-handler-1",
        "components.comp-exit-handler-1",
        "itself",
    ),
    (
        "deploymentSpec.executors.exec-say.container.args",
        [1],
        "deploymentSpec.executors.exec-say.container.args[0]",
        "a text here",
    ),
    ("deploymentSpec.executors.exec-say", {"vm": {}}, "deploymentSpec.executors.exec-say", "`container`"),
]


@pytest.mark.parametrize(
    ("path", "value", "where", "what"),
    MALFORMED,
    ids=[f"{path}={value!r}"[:90] for path, value, *_ in MALFORMED],
)
def test_what_is_malformed_is_refused_with_its_path(path: str, value: Any, where: str, what: str) -> None:
    spec = parsed(HERE / "documents" / "control_flow.yaml")[0]
    *outer, last = path.split(".")
    held = spec
    for key in outer:
        held = held[key]
    if value is None:
        del held[last]
    else:
        held[last] = value
    with pytest.raises(DocumentError) as caught:
        read_documents(spec)
    assert where in caught.value.where
    assert what in caught.value.what + caught.value.remedy


@pytest.mark.parametrize("value", [None, 3, "text", [], [{}]])
def test_a_document_of_another_kind_is_refused(value: Any) -> None:
    with pytest.raises(DocumentError):
        read_documents(value)


def test_three_documents_are_refused() -> None:
    with pytest.raises(DocumentError, match="3 documents"):
        read_pipeline("a: 1\n---\nb: 2\n---\nc: 3\n")
