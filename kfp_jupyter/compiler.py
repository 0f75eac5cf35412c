"""`Compiler().compile(pipeline, "p.yaml")`, as in `kfp.compiler`: pipelines and components to KFP's YAML.

Reference: https://kubeflow-pipelines.readthedocs.io/en/stable/source/compiler.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.interchange.command import Runtime
from kfp_jupyter.interchange.write import pipeline_spec, platform_spec, to_yaml
from kfp_jupyter.model.check import bind_arguments
from kfp_jupyter.model.component import Component
from kfp_jupyter.model.pipeline import Graph, Pipeline, PipelineInput, Task, TaskOutput

__all__ = ["Compiler", "CompilerError"]


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
        kubernetes_manifest_options: Any = None,
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
            kubernetes_manifest_options: Not supported yet.
            kubernetes_manifest_format: Not supported yet.
            runtime: What runs a Python step: our executor inside its command, or an installed KFP SDK.

        Raises:
            CompilerError: It is neither, or the file has another ending.
            PipelineError: A parameter is unknown or of the wrong type.
        """
        model = getattr(pipeline_func, "model", None)
        description = getattr(model, "description", "")
        if isinstance(model, Component):
            model = pipeline_of(model)
        if not isinstance(model, Pipeline):
            raise CompilerError(
                f"{pipeline_func!r} is neither a pipeline nor a component.",
                remedy="Give what `@pipeline` or `@component` made of a function.",
            )
        if kubernetes_manifest_format or kubernetes_manifest_options is not None:
            raise CompilerError(
                "Kubernetes manifests of pipelines are not supported yet.", remedy="Leave it out."
            )
        model = _renamed(model, pipeline_name, pipeline_display_name)
        model = _with_defaults(model, pipeline_parameters or {})
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
            "A timeout needs a second document, which JSON cannot hold.", remedy="Write YAML."
        )
    else:
        text = json.dumps(pipeline_spec(pipeline, runtime), indent=2, sort_keys=True) + "\n"
    path.write_text(text, encoding="utf-8")


def pipeline_of(component: Component) -> Pipeline:
    """Return the pipeline that is a single task of a component, and has its inputs and outputs."""
    arguments = {spec.name: PipelineInput(spec.name) for spec in component.inputs}
    outputs = {spec.name: TaskOutput(component.name, spec.name) for spec in component.outputs}
    key = f"comp-{component.name}"
    return Pipeline(
        component.name,
        component.inputs,
        component.outputs,
        {key: component},
        Graph({component.name: Task(component.name, key, arguments)}, outputs),
    )


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
