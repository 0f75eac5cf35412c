"""A pipeline as KFP's PipelineSpec, document for document what KFP's own compiler writes.

The parts of the document are written by the modules that also read them: `interface`, `task`, `dag`,
`executor`, `platform`. Which component and executor each task gets is decided in `placement`.
Spec: https://github.com/kubeflow/pipelines/blob/master/api/v2alpha1/pipeline_spec.proto
"""

from __future__ import annotations

from collections.abc import Iterable

from kfp_jupyter.interchange.command import KFP_VERSION, Runtime
from kfp_jupyter.interchange.dag import write_dag
from kfp_jupyter.interchange.errors import InterchangeError
from kfp_jupyter.interchange.executor import write_executor
from kfp_jupyter.interchange.fields import merged
from kfp_jupyter.interchange.interface import given, write_interface, write_passthroughs
from kfp_jupyter.interchange.number import to_protobuf
from kfp_jupyter.interchange.placement import Place, Placement, place
from kfp_jupyter.interchange.platform import write_platform
from kfp_jupyter.model.component import Component, InputSpec, OutputSpec
from kfp_jupyter.model.graph import Graph, Task
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.types import ArtifactType, Json

__all__ = ["SCHEMA_VERSION", "InterchangeError", "documents", "pipeline_spec", "platform_spec", "to_yaml"]

SCHEMA_VERSION = "2.1.0"


def documents(pipeline: Pipeline, runtime: Runtime = "embedded") -> list[dict[str, Json]]:
    """Return the documents of a pipeline: its PipelineSpec, and that of platform settings if it has any.

    Args:
        pipeline: A checked pipeline.
        runtime: What runs a Python step: our executor, embedded in the command, or an installed KFP SDK.

    Raises:
        InterchangeError: KFP's format cannot express it.
    """
    placement = place(pipeline)
    platform = write_platform(pipeline, placement)
    return [_pipeline_spec(pipeline, placement, runtime), *([platform] if platform else [])]


def pipeline_spec(pipeline: Pipeline, runtime: Runtime = "embedded") -> dict[str, Json]:
    """Return the PipelineSpec of a pipeline as a JSON object; see `documents`."""
    return _pipeline_spec(pipeline, place(pipeline), runtime)


def platform_spec(pipeline: Pipeline) -> dict[str, Json] | None:
    """Return the document of settings that only Kubernetes has, or None if there are none."""
    return write_platform(pipeline, place(pipeline))


def to_yaml(pipeline: Pipeline, runtime: Runtime = "embedded", description: str | None = None) -> str:
    """Return the text of the pipeline's YAML file, which begins with comments on its interface as KFP's do.

    Args:
        pipeline: A checked pipeline.
        runtime: See `documents`.
        description: What the comments say it is for; None takes the pipeline's own words.

    Raises:
        InterchangeError: KFP's format cannot express it.
    """
    from kfp_jupyter.interchange.yaml_text import comment, dump

    return comment(_comments(pipeline, description)) + dump(documents(pipeline, runtime))


def _pipeline_spec(pipeline: Pipeline, placement: Placement, runtime: Runtime) -> dict[str, Json]:
    components: dict[str, Json] = {}
    executors: dict[str, Json] = {}
    interfaces: dict[int, dict[str, Json]] = {}
    for key, held in placement.places.items():
        component = held.component
        interface = interfaces.get(id(component))
        if interface is None:
            interface = interfaces[id(component)] = write_interface(component.inputs, component.outputs)
        components[key] = _component(held, interface)
        step = component.implementation
        if not isinstance(step, Graph):
            executors[held.label] = write_executor(step, held.settings, runtime)
    root = write_interface(pipeline.inputs, pipeline.outputs)
    if pipeline.passthroughs:
        root["taskConfigPassthroughs"] = write_passthroughs(pipeline.passthroughs)
    spec: dict[str, Json] = {
        **given(components=components, defaultPipelineRoot=pipeline.pipeline_root),
        "deploymentSpec": {"executors": executors},
        "pipelineInfo": given(
            name=pipeline.name, displayName=pipeline.display_name, description=pipeline.description
        ),
        "root": {**root, "dag": _dag(placement.root, pipeline.graph)},
        "schemaVersion": pipeline.schema_version or SCHEMA_VERSION,
        "sdkVersion": pipeline.sdk_version or f"kfp-{KFP_VERSION}",
    }
    return merged(spec, pipeline.extra)


def _component(held: Place, interface: dict[str, Json]) -> dict[str, Json]:
    component = held.component
    step = component.implementation
    if isinstance(step, Graph):
        entry = {**interface, "dag": _dag(held, step)}
    else:
        entry = {**interface, "executorLabel": held.label}
    if component.passthroughs:
        entry["taskConfigPassthroughs"] = write_passthroughs(component.passthroughs)
    return merged(entry, component.extra)


def _dag(held: Place, graph: Graph) -> dict[str, Json]:
    def placed(task: Task) -> tuple[Component, str]:
        target = held.tasks[task.name]
        return target.component, target.key

    return write_dag(graph, held.component.outputs, placed)


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
        shown = _sorted(to_protobuf(default, f"the default of {spec.name!r}"))
        quoted = f"'{shown}'" if isinstance(shown, str) else str(shown)
        # A default may hold line breaks, which must not end the comment.
        suffix = f" [Default: {quoted}]".replace("\n", "\n#") if default is not None else ""
        yield f"#    {spec.name}: {type_}{suffix}"


def _sorted(value: Json) -> Json:
    """Return a value whose mappings have their keys in order, as in the document."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(held) for held in value] if isinstance(value, list) else value
