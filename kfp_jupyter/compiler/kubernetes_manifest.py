"""A pipeline as custom resources of a KFP server: a `PipelineVersion`, and the `Pipeline` that it is one of.

Reference: https://www.kubeflow.org/docs/components/pipelines/user-guides/core-functions/compile-a-pipeline/
"""

from __future__ import annotations

from dataclasses import dataclass

from kfp_jupyter.interchange.command import Runtime
from kfp_jupyter.interchange.write import documents
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.types import Json

API_VERSION = "pipelines.kubeflow.org/v2beta1"


@dataclass
class KubernetesManifestOptions:
    """What the resources are called.

    Attributes:
        pipeline_name: The name of the Pipeline; None takes the pipeline's own.
        pipeline_display_name: The name shown to people; None takes `pipeline_name`.
        pipeline_version_name: The name of the PipelineVersion; None takes `pipeline_name`.
        pipeline_version_display_name: The name shown to people; None takes `pipeline_version_name`.
        namespace: Their namespace; None leaves it to who applies them.
        include_pipeline_manifest: Whether the Pipeline is written too.
    """

    pipeline_name: str | None = None
    pipeline_display_name: str | None = None
    pipeline_version_name: str | None = None
    pipeline_version_display_name: str | None = None
    namespace: str | None = None
    include_pipeline_manifest: bool = False


def manifests(
    pipeline: Pipeline, options: KubernetesManifestOptions, description: str, runtime: Runtime = "embedded"
) -> list[Json]:
    """Return the custom resources of a pipeline.

    Args:
        pipeline: The pipeline.
        options: What they are called.
        description: What it is for.
        runtime: See `documents`.

    Raises:
        InterchangeError: KFP's format cannot express the pipeline.
    """
    name = options.pipeline_name or pipeline.name
    version = options.pipeline_version_name or name
    described = {"description": description} if description else {}
    made: list[Json] = []
    if options.include_pipeline_manifest:
        shown = {"displayName": options.pipeline_display_name or name, **described}
        made.append(_resource("Pipeline", name, options, shown))
    written = documents(pipeline, runtime)
    platform = {"platformSpec": written[1]} if len(written) > 1 else {}
    spec: Json = {
        "displayName": options.pipeline_version_display_name or version,
        "pipelineName": name,
        "pipelineSpec": written[0],
        **platform,
        **described,
    }
    return [*made, _resource("PipelineVersion", version, options, spec)]


def _resource(kind: str, name: str, options: KubernetesManifestOptions, spec: Json) -> Json:
    namespace = {"namespace": options.namespace} if options.namespace else {}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name, **namespace}, "spec": spec}
