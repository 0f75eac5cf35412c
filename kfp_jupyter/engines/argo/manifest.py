"""A pipeline and its arguments as one Workflow resource.

One DAG; one template for each component and settings in use, however many tasks share it; the program that
runs inside the steps once, as a parameter of the Workflow. A task then costs a few references.
Fields: https://argo-workflows.readthedocs.io/en/latest/fields/#workflow
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kfp_jupyter.engines.argo.errors import ManifestError
from kfp_jupyter.engines.argo.given import check_given
from kfp_jupyter.engines.argo.names import label_value, slug, task_names, workflow_name
from kfp_jupyter.engines.argo.record import (
    NOTICES_ANNOTATION,
    PIPELINE_LABEL,
    ROOT_ANNOTATION,
    RUN_LABEL,
    pack_pipeline,
)
from kfp_jupyter.engines.argo.step import PROGRAM_PARAMETER, packed_program, record_parameter
from kfp_jupyter.engines.argo.taken import (
    Taken,
    described,
    pack_taken,
    standing,
    stored_artifact,
    taken_artifact,
)
from kfp_jupyter.engines.argo.template import template
from kfp_jupyter.engines.argo.values import VALUE_LIMIT, encode_expression, encode_value
from kfp_jupyter.engines.argo.weight import PodWeight, weight
from kfp_jupyter.engines.base import RunOptions
from kfp_jupyter.engines.support import check_supported, step_of, task_output
from kfp_jupyter.model.component import ContainerStep, InputSpec, PythonStep
from kfp_jupyter.model.pipeline import (
    Constant,
    Pipeline,
    PipelineInput,
    Task,
    TaskOutput,
    TaskSettings,
    Value,
)
from kfp_jupyter.model.types import ArtifactType, Json, ParameterType

WORKFLOW_LIMIT = 700_000
"""Bytes of JSON of a Workflow: with its status, written whole at each change, it may have 1 MiB."""


@dataclass(frozen=True, slots=True)
class Installation:
    """What is particular to a cluster's Argo.

    Attributes:
        service_account: The account that the pods run as; empty means the namespace's default.
        instance_id: The `instanceID` of the controller that is to run it; empty means one without.
        artifact_root: The URI that keys in the cluster's artifact repository begin at, such as `s3://bucket`;
            empty if it is not known, then artifacts are told by their keys alone.
    """

    service_account: str = ""
    instance_id: str = ""
    artifact_root: str = ""


def workflow(
    pipeline: Pipeline,
    arguments: Mapping[str, Json],
    options: RunOptions,
    installation: Installation | None = None,
) -> dict[str, Any]:
    """Return the Workflow, without a namespace.

    Args:
        pipeline: A checked pipeline.
        arguments: A value for each of its inputs.
        options: `run_id` names it, `jobs` limits its parallelism, `labels` become annotations, `taken` stands
            for tasks.
        installation: What is particular to the cluster.

    Raises:
        ManifestError: The pipeline needs what Argo cannot do.
    """
    check_supported(pipeline, "Argo")
    installation = installation or Installation()
    templates = _Templates(pipeline, installation.artifact_root)
    names = task_names(pipeline.graph.tasks)
    taken = options.taken
    ordered = [standing(task, taken) for task in pipeline.graph.in_order() if task.name not in taken]
    tasks = [_dag_task(pipeline, task, names, templates.of(task).name, taken) for task in ordered]
    parameters = [
        {"name": name, "value": _sized(value, f"argument {name}")} for name, value in arguments.items()
    ]
    for task in ordered:
        check_given(task, pipeline.component_of(task), arguments, templates.of(task).weight)
    spec: dict[str, Any] = {
        "entrypoint": templates.entrypoint,
        "arguments": {"parameters": [*parameters, {"name": PROGRAM_PARAMETER, "value": packed_program()}]},
        # A mesh's sidecar would keep a step's pod from ever ending.
        "podMetadata": {
            "labels": {"sidecar.istio.io/inject": "false", RUN_LABEL: label_value(options.run_id)}
        },
        # As in KFP, a failed task stops what needs it and nothing else.
        "templates": [
            {"name": templates.entrypoint, "dag": {"failFast": False, "tasks": tasks}},
            *(made.template for made in templates.made),
        ],
    }
    if installation.service_account:
        spec["serviceAccountName"] = installation.service_account
    if options.jobs > 0:
        spec["parallelism"] = options.jobs
    made = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {
            "name": workflow_name(options.run_id, pipeline.name),
            "labels": _labels(pipeline, options, installation),
            "annotations": _annotations(pipeline, options, installation),
        },
        "spec": spec,
    }
    size = len(json.dumps(made))
    if size > WORKFLOW_LIMIT:
        raise ManifestError(
            f"The workflow takes {size // 1000} kB; a cluster takes {WORKFLOW_LIMIT // 1000} kB.",
            where=f"pipeline {pipeline.name}",
            remedy="Split the pipeline, or pass large values as artifacts.",
        )
    return made


def to_yaml(manifest: Mapping[str, Any]) -> str:
    """Return the Workflow as YAML for people and kubectl: keys in order, texts of several lines as blocks."""
    from kfp_jupyter.interchange.yaml_text import dump

    return dump([dict(manifest)], sort_keys=False)


@dataclass(frozen=True, slots=True)
class _Template:
    """A template, and what it weighs in a pod."""

    name: str
    template: dict[str, Any]
    weight: PodWeight


class _Templates:
    """The templates of a pipeline's tasks, each made when it is first asked for."""

    def __init__(self, pipeline: Pipeline, artifact_root: str) -> None:
        self._pipeline = pipeline
        self._root = artifact_root
        self._by_use: dict[tuple[str, TaskSettings], _Template] = {}
        self._prefix = _key_prefix(pipeline)
        self._given = {PROGRAM_PARAMETER: weight(packed_program())}
        self.entrypoint = slug(pipeline.name, 120)
        self._taken = {self.entrypoint}
        # How many templates have asked for a name, so that the next need not try theirs.
        self._asked: dict[str, int] = {}

    @property
    def made(self) -> Iterable[_Template]:
        """The templates so far."""
        return self._by_use.values()

    def of(self, task: Task) -> _Template:
        """Return the template that a task runs."""
        # These three say nothing about the pod.
        settings = replace(task.settings, caching=True, cache_key="", display_name="")
        key = (task.component, settings)
        if key not in self._by_use:
            component = self._pipeline.component_of(task)
            name = self._free_name(slug(component.name, 100))
            made = template(name, component, settings, key_prefix=self._prefix, artifact_root=self._root)
            self._by_use[key] = _Template(name, made, PodWeight(made, self._given))
        return self._by_use[key]

    def _free_name(self, base: str) -> str:
        for number in itertools.count(self._asked.get(base, 0) + 1):
            name = base if number == 1 else f"{base}-{number}"
            if name not in self._taken:
                break
        self._asked[base] = number
        self._taken.add(name)
        return name


def _key_prefix(pipeline: Pipeline) -> str:
    if "://" in pipeline.pipeline_root:
        raise ManifestError(
            f"The pipeline root {pipeline.pipeline_root} cannot be used: artifacts go to the cluster's own.",
            where=f"pipeline {pipeline.name}",
            remedy="Leave pipeline_root out, or give a folder in that store without `://`.",
        )
    # The pod's name tells attempts apart.
    return f"{pipeline.pipeline_root.strip('/') or 'kfp-jupyter'}/{{{{workflow.name}}}}/{{{{pod.name}}}}"


def _dag_task(
    pipeline: Pipeline, task: Task, names: Mapping[str, str], template_name: str, taken: Taken
) -> dict[str, Any]:
    made: dict[str, Any] = {"name": names[task.name], "template": template_name}
    waits_for = [name for name in task.dependencies if name not in taken]
    if waits_for:
        made["depends"] = " && ".join(f"{names[name]}.Succeeded" for name in waits_for)
    component = pipeline.component_of(task)
    parameters: list[dict[str, str]] = []
    artifacts: list[dict[str, str]] = []
    for spec in component.inputs:
        value = task.arguments.get(spec.name)
        if value is None:
            if not spec.optional:
                raise _error(task, f"Its input {spec.name!r} is given no value", "Pass it in the pipeline.")
        elif record := taken_artifact(task, spec.name, taken):
            artifacts.append(stored_artifact(spec.name, record, f"task {task.name}"))
            if isinstance(component.implementation, PythonStep):
                parameters.append(
                    {"name": record_parameter(spec.name), "value": described(spec.name, record)}
                )
        elif isinstance(spec.type, ArtifactType):
            source = _artifact_source(task, spec, value, names)
            artifacts.append(
                {"name": spec.name, "from": f"{{{{{source[0]}.outputs.artifacts.{source[1]}}}}}"}
            )
            if isinstance(component.implementation, PythonStep):
                told = f"{{{{{source[0]}.outputs.parameters.{record_parameter(source[1])}}}}}"
                if isinstance(_producer(pipeline, value), ContainerStep):
                    told = "{}"
                parameters.append({"name": record_parameter(spec.name), "value": told})
        else:
            parameters.append({"name": spec.name, "value": _parameter(pipeline, task, value, names)})
    arguments: dict[str, Any] = {}
    if parameters:
        arguments["parameters"] = parameters
    if artifacts:
        arguments["artifacts"] = artifacts
    return {**made, "arguments": arguments} if arguments else made


def _parameter(pipeline: Pipeline, task: Task, value: Value, names: Mapping[str, str]) -> str:
    if isinstance(value, Constant):
        return _sized(value.value, f"task {task.name}")
    if isinstance(value, PipelineInput):
        return f"{{{{workflow.parameters.{value.name}}}}}"
    source = task_output(value)
    name = names[source.task]
    output = pipeline.component_of(pipeline.graph.tasks[source.task]).output(source.output)
    if isinstance(_producer(pipeline, value), ContainerStep) and output:
        # A container writes a string as bare text, and JSON in which nothing is escaped; see `values`.
        held = f"tasks['{name}'].outputs.parameters['{source.output}']"
        return encode_expression(f"toJson({held})" if output.type is ParameterType.STRING else held)
    return f"{{{{tasks.{name}.outputs.parameters.{source.output}}}}}"


def _artifact_source(task: Task, spec: InputSpec, value: Value, names: Mapping[str, str]) -> tuple[str, str]:
    if isinstance(value, TaskOutput):
        return f"tasks.{names[value.task]}", value.output
    raise _error(
        task,
        f"Its input {spec.name!r} is an artifact that comes from no task, which Argo cannot pass yet",
        "Make it in a first task of the pipeline, from a parameter such as a URI.",
    )


def _producer(pipeline: Pipeline, value: Value) -> PythonStep | ContainerStep | None:
    if not isinstance(value, TaskOutput):
        return None
    return step_of(pipeline.component_of(pipeline.graph.tasks[value.task]))


def _sized(value: Json, where: str) -> str:
    text = encode_value(value)
    if len(text) > VALUE_LIMIT:
        raise ManifestError(
            f"The value takes {len(text) // 1000} kB; on Argo a parameter may take {VALUE_LIMIT // 1000} kB.",
            where=where,
            remedy="Let a first task read it from where it is stored, and pass it on as an artifact.",
        )
    return text


def _labels(pipeline: Pipeline, options: RunOptions, installation: Installation) -> dict[str, str]:
    # Never `pipeline/runid`: a KFP server in the cluster deletes Workflows so labelled that it does not know.
    labels = {RUN_LABEL: label_value(options.run_id), PIPELINE_LABEL: label_value(pipeline.name)}
    if installation.instance_id:
        labels["workflows.argoproj.io/controller-instanceid"] = installation.instance_id
    return labels


def _annotations(pipeline: Pipeline, options: RunOptions, installation: Installation) -> dict[str, str]:
    facts = {
        f"kfp-jupyter/{re.sub(r'[^A-Za-z0-9._-]+', '-', key).strip('-._')[:63]}": value
        for key, value in (options.labels or {}).items()
    }
    title = {"workflows.argoproj.io/title": pipeline.display_name or pipeline.name}
    notices = {NOTICES_ANNOTATION: "\n".join(options.notices)} if options.notices else {}
    root = {ROOT_ANNOTATION: installation.artifact_root} if installation.artifact_root else {}
    packed = {**pack_pipeline(pipeline), **pack_taken(pipeline, options.taken)}
    return {**facts, **title, **notices, **root, **packed}


def _error(task: Task, what: str, remedy: str) -> ManifestError:
    return ManifestError(f"{what}.", where=f"task {task.name}", remedy=remedy)
