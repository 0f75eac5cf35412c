"""A pipeline as a Workflow: whole against expected files, and rule by rule."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from kfp_jupyter.engines.argo.errors import ManifestError
from kfp_jupyter.engines.argo.manifest import Installation, to_yaml, workflow
from kfp_jupyter.engines.argo.record import PIPELINE_ANNOTATION, read_record
from kfp_jupyter.engines.argo.step import PROGRAM_PARAMETER
from kfp_jupyter.engines.base import RunOptions
from kfp_jupyter.executor import program
from kfp_jupyter.model.component import Component, ContainerStep, InputSpec, OutputSpec
from kfp_jupyter.model.pipeline import Pipeline, PipelineInput, Resources, Retry, TaskOutput, TaskSettings
from kfp_jupyter.model.run import Target
from kfp_jupyter.model.types import ArtifactType, ParameterType
from tests.cluster.schema import problems, unknown_fields
from tests.engines.argo.pipelines import DATASET, INT, TEXT, component, pipeline, task, training

OPTIONS = RunOptions("run-1", Target("argo"))
NOTHING = component("nothing", "def nothing():\n    pass\n")


def made(given: Pipeline, arguments: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    manifest = workflow(given, arguments or {}, replace(OPTIONS, **options))
    assert unknown_fields(manifest) == []
    assert problems(manifest) == []
    return manifest


def template_of(settings: TaskSettings, **options: Any) -> dict[str, Any]:
    manifest = made(pipeline("p", (NOTHING,), (task("nothing", settings=settings),)), **options)
    template: dict[str, Any] = manifest["spec"]["templates"][1]
    return template


def settled() -> Pipeline:
    """Every setting a task can have."""
    settings = TaskSettings(
        resources=Resources("500m", "2", "1Gi", "4Gi", "", "1"),
        retry=Retry(3, 10, 2, 3600),
        timeout_seconds=90.5,
        env=(("MODE", "fast"),),
        image="python:3.12",
    )
    packed = component(
        "packed", "def packed() -> int:\n    return 1\n", {}, {"Output": INT}, packages=("six==1.16.0",)
    )
    return pipeline(
        "settled", (packed,), (task("packed", settings=settings), task("2nd", "packed", after=("packed",)))
    )


def container() -> Pipeline:
    """Containers before and after a Python step."""
    copy = Component(
        "copy",
        (InputSpec("text", TEXT), InputSpec("count", INT), InputSpec("data", DATASET)),
        (
            OutputSpec("said", TEXT),
            OutputSpec("number", INT),
            OutputSpec("made", ArtifactType("system.Artifact")),
        ),
        ContainerStep(
            "busybox",
            ("sh", "-c"),
            (
                'printf %s "$0" > $2; echo $1 > $3; cat $4 > $5',
                "{{$.inputs.parameters['text']}}",
                "{{$.inputs.parameters['count']}}",
                "{{$.outputs.parameters['said'].output_file}}",
                "{{$.outputs.parameters['number'].output_file}}",
                "{{$.inputs.artifacts['data'].path}}",
                "{{$.outputs.artifacts['made'].path}}",
            ),
        ),
    )
    write = component(
        "write",
        "def write(data: Output[Dataset]):\n    open(data.path, 'w').write('rows')\n",
        {},
        {"data": DATASET},
    )
    read = component(
        "read",
        """
        def read(said: str, number: int, made: Input[Artifact]) -> str:
            return f"{said}|{number + 1}|{open(made.path).read()}"
        """,
        {"said": TEXT, "number": INT, "made": ArtifactType("system.Artifact")},
        {"Output": TEXT},
    )
    return pipeline(
        "containers",
        (copy, write, read),
        (
            task("write"),
            task("copy", text=PipelineInput("text"), count=3, data=TaskOutput("write", "data")),
            task(
                "read",
                said=TaskOutput("copy", "said"),
                number=TaskOutput("copy", "number"),
                made=TaskOutput("copy", "made"),
            ),
        ),
        {"text": TEXT},
    )


EXAMPLES = {
    "training": (training(), {"rows": 10, "rate": 0.25}),
    "settled": (settled(), {}),
    "container": (container(), {"text": "it's"}),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_compile_to_the_expected_yaml(name: str, golden: Callable[[str, str], None]) -> None:
    manifest = made(*EXAMPLES[name])
    manifest["metadata"]["annotations"][PIPELINE_ANNOTATION] = "the pipeline, packed"
    manifest["spec"]["arguments"]["parameters"][-1]["value"] = "prelude and executor, packed"
    golden(f"{name}.yaml", to_yaml(manifest))


@pytest.mark.parametrize("name", EXAMPLES)
def test_argos_own_models_take_every_field(name: str) -> None:
    models = pytest.importorskip("hera.workflows.models")
    manifest = made(*EXAMPLES[name])
    read = models.Workflow.model_validate(manifest)
    # Fields that the models do not know are dropped in silence.
    assert _comparable(json.loads(read.model_dump_json(by_alias=True, exclude_none=True))) == _comparable(
        manifest
    )


def _comparable(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _comparable(held)
            for key, held in value.items()
            if held != {"none": {}} and key != "emptyDir"
        }
    if isinstance(value, list):
        return [_comparable(held) for held in value]
    return str(value)


def test_a_thousand_tasks_of_one_component_cost_at_most_400_bytes_each() -> None:
    step = component(
        "step",
        "def step(data: Input[Dataset], rate: float, out: Output[Dataset]): ...\n",
        {"data": DATASET, "rate": ParameterType.DOUBLE},
        {"out": DATASET},
    )
    first = component("first", "def first(out: Output[Dataset]): ...\n", {}, {"out": DATASET})

    def size(count: int) -> int:
        chain = [task("first")]
        for number in range(count):
            before = chain[-1].name
            chain.append(task(f"step-{number}", "step", data=TaskOutput(before, "out"), rate=0.125))
        manifest = workflow(pipeline("chain", (first, step), tuple(chain)), {}, OPTIONS)
        assert len(manifest["spec"]["templates"]) == 3
        return len(json.dumps(manifest, separators=(",", ":")))

    assert (size(1000) - size(10)) / 990 <= 400


def test_the_program_stands_once_and_is_whole() -> None:
    manifest = made(*EXAMPLES["training"])
    values = {item["name"]: item["value"] for item in manifest["spec"]["arguments"]["parameters"]}
    prelude, executor = json.loads(zlib.decompress(base64.b64decode(values[PROGRAM_PARAMETER])))
    assert executor == program()
    assert "def run(" in prelude
    assert json.dumps(manifest).count(values[PROGRAM_PARAMETER]) == 1
    assert len(values[PROGRAM_PARAMETER]) < 20_000


def test_braces_in_values_and_sources_are_no_variables() -> None:
    jinja = component(
        "jinja",
        'def jinja(text: str) -> str:\n    return "{{ workflow.name }}" + text\n',
        {"text": TEXT},
        {"Output": TEXT},
    )
    manifest = made(pipeline("p", (jinja,), (task("jinja", text="{{workflow.uid}}{{{"),)))
    text = json.dumps(manifest)
    assert "{{ workflow.name" not in text
    assert "{{workflow.uid" not in text


def test_tasks_with_the_same_component_and_settings_share_a_template() -> None:
    slow = TaskSettings(timeout_seconds=60)
    shown = TaskSettings(display_name="Other", caching=False, cache_key="k")
    tasks = (
        task("nothing"),
        task("a", "nothing", shown),
        task("b", "nothing", slow),
        task("c", "nothing", slow),
    )
    manifest = made(pipeline("p", (NOTHING,), tasks))
    used = {held["name"]: held["template"] for held in manifest["spec"]["templates"][0]["dag"]["tasks"]}
    assert used == {"nothing": "nothing", "a": "nothing", "b": "nothing-2", "c": "nothing-2"}


def test_a_component_called_like_its_pipeline_gets_another_template() -> None:
    manifest = made(pipeline("nothing", (NOTHING,), (task("nothing"),)))
    assert [item["name"] for item in manifest["spec"]["templates"]] == ["nothing", "nothing-2"]


def test_a_failed_task_stops_only_what_needs_it() -> None:
    manifest = made(*EXAMPLES["training"])
    dag = manifest["spec"]["templates"][0]["dag"]
    assert dag["failFast"] is False
    assert dag["tasks"][3]["depends"] == "train.Succeeded && load.Succeeded"


def test_resources_are_requests_and_limits_with_nvidia_as_default_accelerator() -> None:
    resources = template_of(TaskSettings(resources=Resources("1", "", "", "2Gi", "", "2")))["script"][
        "resources"
    ]
    assert resources == {"requests": {"cpu": "1"}, "limits": {"memory": "2Gi", "nvidia.com/gpu": "2"}}
    resources = template_of(
        TaskSettings(resources=Resources(accelerator_type="amd.com/gpu", accelerator_count="1"))
    )
    assert resources["script"]["resources"] == {"limits": {"amd.com/gpu": "1"}}


def test_retries_are_made_for_evicted_pods_too_and_wait_as_told() -> None:
    assert template_of(TaskSettings(retry=Retry(2)))["retryStrategy"] == {
        "limit": "2",
        "retryPolicy": "Always",
    }
    backoff = template_of(TaskSettings(retry=Retry(2, 30, 2, 3600)))["retryStrategy"]["backoff"]
    assert backoff == {"duration": "30s", "factor": "2"}
    capped = template_of(TaskSettings(retry=Retry(5, 600, 3, 3600)))["retryStrategy"]["backoff"]
    assert capped == {"duration": "600s", "factor": "3", "cap": "3600s"}
    assert "retryStrategy" not in template_of(TaskSettings(retry=Retry(0)))


def test_a_timeout_is_each_attempts_own() -> None:
    assert template_of(TaskSettings(timeout_seconds=0.2))["activeDeadlineSeconds"] == 1
    assert template_of(TaskSettings(timeout_seconds=90))["activeDeadlineSeconds"] == 90
    assert "activeDeadlineSeconds" not in template_of(TaskSettings())


def test_jobs_limit_the_parallelism() -> None:
    manifest = made(pipeline("p", (NOTHING,), (task("nothing"),)), jobs=3)
    assert manifest["spec"]["parallelism"] == 3


def test_facts_about_the_run_become_annotations() -> None:
    manifest = made(pipeline("p", (NOTHING,), (task("nothing"),)), labels={"notebook path": "a/b c.ipynb"})
    assert manifest["metadata"]["annotations"]["kfp-jupyter/notebook-path"] == "a/b c.ipynb"


def test_what_a_cluster_wants_is_set() -> None:
    installed = Installation("pipeline-runner", "team-x", "s3://bucket")
    manifest = workflow(training(), {"rows": 1, "rate": 0.1}, OPTIONS, installed)
    assert problems(manifest) == []
    assert manifest["spec"]["serviceAccountName"] == "pipeline-runner"
    assert manifest["metadata"]["labels"]["workflows.argoproj.io/controller-instanceid"] == "team-x"
    uri = "'uri': 's3://bucket/kfp-jupyter/{{workflow.name}}/{{pod.name}}/data'"
    assert uri in manifest["spec"]["templates"][1]["script"]["source"]


def test_a_relative_pipeline_root_is_the_folder_in_the_store() -> None:
    manifest = made(replace(training(), pipeline_root="/team/iris/"), {"rows": 1, "rate": 0.1})
    key = manifest["spec"]["templates"][1]["outputs"]["artifacts"][0]["s3"]["key"]
    assert key == "team/iris/{{workflow.name}}/{{pod.name}}/data"


def test_the_workflow_says_what_its_run_is() -> None:
    record = read_record(made(*EXAMPLES["settled"]))
    assert record.model == settled()
    assert record.tasks == {"packed": "packed", "t-2nd": "2nd"}
    assert read_record(made(*EXAMPLES["training"])).arguments == {"rows": 10, "rate": 0.25}


def test_a_run_whose_pipeline_was_not_kept_is_read_by_argos_names() -> None:
    manifest = made(*EXAMPLES["settled"])
    del manifest["metadata"]["annotations"][PIPELINE_ANNOTATION]
    record = read_record(manifest)
    assert (record.pipeline, record.model) == ("settled", None)
    assert record.tasks == {"packed": "packed", "t-2nd": "t-2nd"}


def wrong_container(*args: str, command: tuple[str, ...] = ("sh",)) -> Pipeline:
    step = ContainerStep("busybox", command, args)
    return pipeline("p", (Component("c", (InputSpec("x", INT),), (), step),), (task("c", x=1),))


LISTED = ArtifactType("system.Dataset", is_list=True)
TAKES = component("takes", "def takes(data: Input[Dataset]): ...\n", {"data": DATASET})


@pytest.mark.parametrize(
    ("given", "place", "words"),
    [
        (wrong_container(command=()), "component c", "names no command"),
        (wrong_container("{{$.inputs.parameters['y']}}"), "component c", "inputs.parameters['y']"),
        (wrong_container("{{$.inputs.artifacts['x'].uri}}"), "component c", "cannot be filled"),
        (wrong_container("{{$}}"), "component c", "cannot be filled"),
        (wrong_container('{"Concat": ["a", "b"]}'), "component c", "Concat"),
        (wrong_container("{{other}}"), "component c", "variable of its own"),
        (
            pipeline("p", (TAKES,), (task("takes", data=PipelineInput("data")),), {"data": DATASET}),
            "task takes",
            "comes from no task",
        ),
        (pipeline("p", (TAKES,), (task("takes"),)), "task takes", "given no value"),
        (
            pipeline("p", (component("l", "def l(a): ...\n", {"a": LISTED}),), (task("l"),)),
            "component l",
            "list of artifacts",
        ),
        (replace(training(), pipeline_root="s3://mine/x"), "pipeline small-training", "s3://mine/x"),
        (
            pipeline("p", (component("big", "x = 1\n" * 20_000 + "def big(): ...\n"),), (task("big"),)),
            "component big",
            "kB",
        ),
    ],
)
def test_what_argo_cannot_do_is_an_error_that_names_the_place(
    given: Pipeline, place: str, words: str
) -> None:
    with pytest.raises(ManifestError) as caught:
        made(given, {"rows": 1, "rate": 0.1} if given.name == "small-training" else {})
    assert caught.value.where == place
    assert words in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "settings",
    [
        TaskSettings(retry=Retry(2, 10, 1.5)),
        TaskSettings(resources=Resources(accelerator_type="NVIDIA_TESLA_K80", accelerator_count="1")),
    ],
)
def test_a_setting_without_a_counterpart_is_an_error(settings: TaskSettings) -> None:
    with pytest.raises(ManifestError, match="component nothing"):
        template_of(settings)


def test_a_value_too_large_for_a_parameter_is_an_error() -> None:
    given = pipeline(
        "p",
        (component("f", "def f(x: str): ...\n", {"x": TEXT}),),
        (task("f", x=PipelineInput("x")),),
        {"x": TEXT},
    )
    with pytest.raises(ManifestError, match="argument x"):
        made(given, {"x": "a" * 70_000})


def test_braces_in_a_text_for_a_container_are_refused() -> None:
    with pytest.raises(ManifestError, match="'text' for a variable") as refused:
        made(container(), {"text": "{{workflow.name}}"})
    assert "task copy" in str(refused.value)
