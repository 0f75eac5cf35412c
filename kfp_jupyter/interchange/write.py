"""A pipeline as KFP's PipelineSpec, document for document what KFP's own compiler writes.

As there, every task has a component and an executor of its own (`comp-train-2`, `exec-train-2`), because
resources and images stand in the executor. Numbers are doubles, as in protobuf's `Value`.
Spec: https://github.com/kubeflow/pipelines/blob/master/api/v2alpha1/pipeline_spec.proto
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.interchange.command import KFP_VERSION, Runtime, arguments, command
from kfp_jupyter.interchange.quantity import cores, gigabytes
from kfp_jupyter.model.component import Component, InputSpec, OutputSpec, PythonStep
from kfp_jupyter.model.pipeline import (
    Graph,
    Pipeline,
    PipelineInput,
    Resources,
    Retry,
    Task,
    TaskOutput,
    TaskSettings,
    Value,
)
from kfp_jupyter.model.types import ArtifactType, Json

SCHEMA_VERSION = "2.1.0"


class InterchangeError(KfpJupyterError):
    """A pipeline holds something that KFP's format cannot express."""


def pipeline_spec(pipeline: Pipeline, runtime: Runtime = "embedded") -> dict[str, Json]:
    """Return the PipelineSpec of a pipeline as a JSON object.

    Args:
        pipeline: A checked pipeline.
        runtime: What runs a Python step: our executor, embedded in the command, or an installed KFP SDK.

    Raises:
        InterchangeError: KFP's format cannot express it.
    """
    executors = {
        f"exec-{task.name}": _executor(pipeline, task, runtime) for task in pipeline.graph.tasks.values()
    }
    spec: dict[str, Json] = {
        "components": {
            f"comp-{task.name}": {
                **_interface(component.inputs, component.outputs),
                "executorLabel": f"exec-{task.name}",
            }
            for task in pipeline.graph.tasks.values()
            for component in [pipeline.component_of(task)]
        },
        "deploymentSpec": {"executors": executors},
        "pipelineInfo": _given(
            name=pipeline.name, displayName=pipeline.display_name, description=pipeline.description
        ),
        "root": {**_interface(pipeline.inputs, pipeline.outputs), "dag": _dag(pipeline)},
        "schemaVersion": SCHEMA_VERSION,
        "sdkVersion": f"kfp-{KFP_VERSION}",
    }
    if pipeline.pipeline_root:
        spec["defaultPipelineRoot"] = pipeline.pipeline_root
    return spec


def platform_spec(pipeline: Pipeline) -> dict[str, Json] | None:
    """Return the document of settings that only Kubernetes has, or None if there are none."""
    executors = {
        f"exec-{task.name}": {"activeDeadlineSeconds": str(round(task.settings.timeout_seconds) or 1)}
        for task in pipeline.graph.tasks.values()
        if task.settings.timeout_seconds
    }
    return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}} if executors else None


def to_yaml(pipeline: Pipeline, runtime: Runtime = "embedded", description: str | None = None) -> str:
    """Return the text of the pipeline's YAML file, which begins with comments on its interface as KFP's do.

    Args:
        pipeline: A checked pipeline.
        runtime: See `pipeline_spec`.
        description: What the comments say it is for; None takes the pipeline's own words.

    Raises:
        InterchangeError: KFP's format cannot express it.
    """
    from kfp_jupyter.interchange.yaml_text import dump

    platform = platform_spec(pipeline)
    documents = [pipeline_spec(pipeline, runtime), *([platform] if platform else [])]
    return _comments(pipeline, description) + dump(documents)


def _given(**values: Json) -> dict[str, Json]:
    """Return the values that are not empty."""
    return {name: value for name, value in values.items() if value}


def _interface(inputs: Iterable[InputSpec], outputs: Iterable[OutputSpec]) -> dict[str, Json]:
    return _given(
        inputDefinitions=_definitions((spec, _input(spec)) for spec in inputs),
        outputDefinitions=_definitions((spec, {}) for spec in outputs),
    )


def _definitions(specs: Iterable[tuple[InputSpec | OutputSpec, dict[str, Json]]]) -> dict[str, Json]:
    artifacts: dict[str, Json] = {}
    parameters: dict[str, Json] = {}
    for spec, further in specs:
        entry = {**further, **_given(description=spec.description)}
        if isinstance(spec.type, ArtifactType):
            schema = {"schemaTitle": spec.type.schema_title, "schemaVersion": spec.type.schema_version}
            artifacts[spec.name] = {
                "artifactType": schema,
                **_given(isArtifactList=spec.type.is_list),
                **entry,
            }
        else:
            parameters[spec.name] = {"parameterType": spec.type.value, **entry}
    return _given(artifacts=artifacts, parameters=parameters)


def _input(spec: InputSpec) -> dict[str, Json]:
    entry: dict[str, Json] = _given(isOptional=spec.optional)
    if spec.default is not None:
        entry["defaultValue"] = _protobuf_value(spec.default, f"the default of {spec.name!r}")
    return entry


def _protobuf_value(value: Json, what: str) -> Json:
    """Return a JSON value as protobuf's `Value` holds it: all numbers are doubles."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        if int(float(value)) != value:
            raise InterchangeError(
                f"KFP keeps numbers as doubles, and {what} is {value}, which no double is.",
                remedy="Pass it as a text.",
            )
        return float(value)
    if isinstance(value, dict):
        return {key: _protobuf_value(held, what) for key, held in value.items()}
    if isinstance(value, list):
        return [_protobuf_value(held, what) for held in value]
    return value


def _dag(pipeline: Pipeline) -> dict[str, Json]:
    tasks = {name: _task(pipeline, task) for name, task in pipeline.graph.tasks.items()}
    return {**_given(outputs=_dag_outputs(pipeline.graph, pipeline.outputs)), "tasks": tasks}


def _dag_outputs(graph: Graph, outputs: Iterable[OutputSpec]) -> dict[str, Json]:
    artifacts: dict[str, Json] = {}
    parameters: dict[str, Json] = {}
    for spec in outputs:
        value = graph.outputs[spec.name]
        if not isinstance(value, TaskOutput):
            raise InterchangeError(
                f"The output {spec.name!r} is no output of a task, which KFP's format cannot express.",
                remedy="Return the output of a task.",
            )
        source = {"producerSubtask": value.task}
        if isinstance(spec.type, ArtifactType):
            artifacts[spec.name] = {"artifactSelectors": [{**source, "outputArtifactKey": value.output}]}
        else:
            parameters[spec.name] = {"valueFromParameter": {**source, "outputParameterKey": value.output}}
    return _given(artifacts=artifacts, parameters=parameters)


def _task(pipeline: Pipeline, task: Task) -> dict[str, Json]:
    settings = task.settings
    return {
        "cachingOptions": _given(enableCache=settings.caching, cacheKey=settings.cache_key),
        "componentRef": {"name": f"comp-{task.name}"},
        "taskInfo": {"name": settings.display_name or task.name},
        **_given(
            inputs=_inputs(pipeline.component_of(task), task),
            dependentTasks=sorted(task.dependencies),
            retryPolicy=_retry(settings.retry),
        ),
    }


def _inputs(component: Component, task: Task) -> dict[str, Json]:
    artifacts: dict[str, Json] = {}
    parameters: dict[str, Json] = {}
    types = {spec.name: spec.type for spec in component.inputs}
    for name, value in task.arguments.items():
        if isinstance(types[name], ArtifactType):
            artifacts[name] = _source(value, "Artifact", task)
        else:
            parameters[name] = _source(value, "Parameter", task)
    return _given(artifacts=artifacts, parameters=parameters)


def _source(value: Value, kind: str, task: Task) -> dict[str, Json]:
    if isinstance(value, TaskOutput):
        return {f"taskOutput{kind}": {"producerTask": value.task, f"output{kind}Key": value.output}}
    if isinstance(value, PipelineInput):
        return {f"componentInput{kind}": value.name}
    return {"runtimeValue": {"constant": _protobuf_value(value.value, f"an argument of task {task.name!r}")}}


def _retry(retry: Retry | None) -> dict[str, Json] | None:
    if retry is None:
        return None
    return {
        "maxRetryCount": retry.max_count,
        "backoffDuration": _duration(retry.backoff_seconds),
        "backoffFactor": retry.backoff_factor,
        "backoffMaxDuration": _duration(retry.max_backoff_seconds),
    }


def _duration(seconds: float) -> str:
    return f"{int(seconds)}s" if seconds == int(seconds) else f"{seconds:.3f}s"


def _executor(pipeline: Pipeline, task: Task, runtime: Runtime) -> dict[str, Json]:
    step, settings = pipeline.component_of(task).implementation, task.settings
    if isinstance(step, PythonStep):
        container: dict[str, Json] = {
            "image": settings.image or step.base_image,
            "command": command(step, runtime),
            "args": arguments(step),
        }
        env = dict(settings.env)
    else:
        container = {
            "image": settings.image or step.image,
            **_given(command=list(step.command), args=list(step.args)),
        }
        env = {**dict(step.env), **dict(settings.env)}
    further = _given(
        env=[{"name": name, "value": value} for name, value in env.items()], resources=_resources(settings)
    )
    return {"container": {**container, **further}}


def _resources(settings: TaskSettings) -> dict[str, Json]:
    """Return the resources twice, as KFP does: as numbers for old servers, and as written."""
    asked: Resources = settings.resources
    entry: dict[str, Json] = {}
    quantities: tuple[tuple[str, str, Any], ...] = (
        ("cpuRequest", asked.cpu_request, cores),
        ("cpuLimit", asked.cpu_limit, cores),
        ("memoryRequest", asked.memory_request, gigabytes),
        ("memoryLimit", asked.memory_limit, gigabytes),
    )
    for name, text, number in quantities:
        if text:
            entry[name] = number(text)
            entry[f"resource{name[0].upper()}{name[1:]}"] = text
    if asked.accelerator_count:
        count, type_ = asked.accelerator_count, asked.accelerator_type
        entry["accelerator"] = {
            "count": count,
            "resourceCount": count,
            **_given(type=type_, resourceType=type_),
        }
    return entry


def _comments(pipeline: Pipeline, description: str | None) -> str:
    lines = ["# PIPELINE DEFINITION", f"# Name: {pipeline.name}"]
    described = pipeline.description if description is None else description
    if described:
        lines.append("# Description: " + "\n#              ".join(described.splitlines()))
    lines.extend(_interface_comments("Inputs", pipeline.inputs))
    lines.extend(_interface_comments("Outputs", pipeline.outputs))
    return "\n".join(lines) + "\n"


def _interface_comments(title: str, specs: Iterable[InputSpec | OutputSpec]) -> Iterable[str]:
    ordered = sorted(specs, key=lambda spec: spec.name)
    if ordered:
        yield f"# {title}:"
    for spec in ordered:
        type_ = spec.type.schema_title if isinstance(spec.type, ArtifactType) else spec.type.python_name
        default = getattr(spec, "default", None)
        shown = _protobuf_value(default, f"the default of {spec.name!r}")
        quoted = f"'{shown}'" if isinstance(shown, str) else str(shown)
        # A default may hold line breaks, which must not end the comment.
        suffix = f" [Default: {quoted}]".replace("\n", "\n#") if default is not None else ""
        yield f"#    {spec.name}: {type_}{suffix}"
