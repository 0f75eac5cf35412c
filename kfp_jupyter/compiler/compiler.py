"""Pipelines and components to KFP's files.

A component is compiled as the pipeline of one task of it, and a loaded pipeline as itself.
Reference: https://kubeflow-pipelines.readthedocs.io/en/stable/source/compiler.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from kfp_jupyter.compiler.kubernetes_manifest import KubernetesManifestOptions, manifests
from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.interchange.command import Runtime
from kfp_jupyter.interchange.component_pipeline import pipeline_of
from kfp_jupyter.interchange.write import pipeline_spec, platform_spec, to_yaml
from kfp_jupyter.model.check import bind_arguments
from kfp_jupyter.model.component import Component, Importer
from kfp_jupyter.model.pipeline import Constant, Graph, Pipeline

WORKSPACE = "{{$.workspace_path}}"
"""KFP's placeholder for the folder of the workspace."""


class CompilerError(KfpJupyterError):
    """Something that cannot be compiled, or not to that file."""


class Compilable(Protocol):
    """What `@pipeline` or `@component` made."""

    @property
    def model(self) -> Pipeline | Component:
        """The pipeline, or the component."""
        ...


class Compiler:
    """Writes pipelines as KFP's files."""

    def compile(
        self,
        pipeline_func: Compilable,
        package_path: str | Path,
        pipeline_name: str | None = None,
        pipeline_display_name: str | None = None,
        pipeline_parameters: Mapping[str, Any] | None = None,
        type_check: bool = True,  # noqa: ARG002 - KFP's signature
        kubernetes_manifest_options: KubernetesManifestOptions | None = None,
        kubernetes_manifest_format: bool = False,
        *,
        runtime: Runtime = "embedded",
    ) -> None:
        """Write a pipeline, or a component as a pipeline of one task.

        Args:
            pipeline_func: What `@pipeline` or `@component` made.
            package_path: The file, ending with `.yaml`, `.yml` or `.json`.
            pipeline_name: A name instead of its own.
            pipeline_display_name: The name shown to people.
            pipeline_parameters: Values that become the defaults of parameters.
            type_check: Accepted; types were checked when the pipeline was traced.
            kubernetes_manifest_options: What the custom resources are called.
            kubernetes_manifest_format: Write custom resources of a KFP server instead of the pipeline itself.
            runtime: What runs a Python step: our executor inside its command, or an installed KFP SDK.

        Raises:
            CompilerError: It is neither, or the file has another ending.
            PipelineError: A parameter is unknown or of the wrong type.
        """
        model = _pipeline_of(pipeline_func)
        description = getattr(pipeline_func, "description", "") or ""
        model = _renamed(model, pipeline_name, pipeline_display_name)
        model = _with_defaults(model, pipeline_parameters or {})
        check_workspace(model)
        if kubernetes_manifest_format:
            from kfp_jupyter.interchange.yaml_text import dump

            options = kubernetes_manifest_options or KubernetesManifestOptions()
            text = dump(manifests(model, options, description, runtime))
            Path(package_path).write_text(text, encoding="utf-8")
        else:
            write(model, Path(package_path), runtime, description)


def write(
    pipeline: Pipeline, path: Path, runtime: Runtime = "embedded", description: str | None = None
) -> None:
    """Write a pipeline to a YAML or JSON file whose first comment is `description`, or the pipeline's own.

    Raises:
        CompilerError: The file has another ending, or JSON cannot hold it.
    """
    if path.suffix in (".yaml", ".yml"):
        text = to_yaml(pipeline, runtime, description)
    elif path.suffix != ".json":
        raise CompilerError(f"The file {path} ends with neither .yaml nor .json.", remedy="Name it so.")
    elif platform_spec(pipeline) is not None:
        raise CompilerError(
            "Settings of Kubernetes, such as a timeout, need a second document, which JSON cannot hold.",
            remedy="Write YAML.",
        )
    else:
        text = json.dumps(pipeline_spec(pipeline, runtime), indent=2, sort_keys=True) + "\n"
    path.write_text(text, encoding="utf-8")


def check_workspace(pipeline: Pipeline) -> None:
    """Refuse a pipeline that uses a workspace and has none.

    Raises:
        CompilerError: Naming the task.
    """
    if pipeline.config.workspace is not None:
        return
    graphs = [pipeline.graph]
    graphs += [
        held.implementation for held in pipeline.components.values() if isinstance(held.implementation, Graph)
    ]
    for task in (task for graph in graphs for task in graph.tasks.values()):
        step = pipeline.component_of(task).implementation
        texts = (value.value for value in task.arguments.values() if isinstance(value, Constant))
        if (isinstance(step, Importer) and step.download_to_workspace) or any(
            isinstance(text, str) and WORKSPACE in text for text in texts
        ):
            raise CompilerError(
                "It uses the workspace, and the pipeline has none.",
                where=f"task {task.name}",
                remedy="Write `@pipeline(pipeline_config=dsl.PipelineConfig(workspace=dsl.WorkspaceConfig("
                "size='10Gi')))`.",
            )


def _pipeline_of(compilable: Any) -> Pipeline:
    model = getattr(compilable, "inner_pipeline", None) or getattr(compilable, "model", None)
    if isinstance(model, Component):
        model = pipeline_of(model, getattr(compilable, "defaults", None))
    if not isinstance(model, Pipeline):
        raise CompilerError(
            f"{compilable!r} is neither a pipeline nor a component.",
            remedy="Give what `@pipeline` or `@component` made of a function.",
        )
    return model


def _renamed(pipeline: Pipeline, name: str | None, display_name: str | None) -> Pipeline:
    return replace(pipeline, name=name or pipeline.name, display_name=display_name or pipeline.display_name)


def _with_defaults(pipeline: Pipeline, parameters: Mapping[str, Any]) -> Pipeline:
    """Return the pipeline with these defaults; as in KFP a parameter that had none stays required."""
    # Parameters without a value may stay so here; `bind_arguments` checks those that get one.
    inputs = tuple(replace(spec, optional=True) for spec in pipeline.inputs)
    values = bind_arguments(replace(pipeline, inputs=inputs), parameters)
    return replace(
        pipeline, inputs=tuple(replace(spec, default=values[spec.name]) for spec in pipeline.inputs)
    )
