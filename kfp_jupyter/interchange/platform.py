"""The document of settings that only Kubernetes has: KFP's `PlatformSpec`.

Spec: https://github.com/kubeflow/pipelines/blob/master/kubernetes_platform/proto/kubernetes_executor_config.proto
"""

from __future__ import annotations

from collections.abc import Mapping

from kfp_jupyter.interchange.fields import Fields, merged
from kfp_jupyter.interchange.interface import given
from kfp_jupyter.interchange.placement import Placement
from kfp_jupyter.model.pipeline import Pipeline, PipelineConfig, Workspace
from kfp_jupyter.model.settings import TaskSettings
from kfp_jupyter.model.types import Json


def write_platform(pipeline: Pipeline, placement: Placement) -> dict[str, Json] | None:
    """Return the document, or None if there is nothing to say in it."""
    executors = {
        held.label: settings
        for held in placement.places.values()
        if held.label
        for settings in [_write_settings(held.settings)]
        if settings
    }
    kubernetes = given(
        deploymentSpec=given(executors=executors), pipelineConfig=_write_config(pipeline.config)
    )
    made = given(platforms=given(kubernetes=kubernetes))
    return merged(made, pipeline.platform_extra) or None


def read_platform(document: Fields) -> tuple[PipelineConfig, Mapping[str, Fields]]:
    """Return what is set for the run as a whole, and what is set for executors by label.

    Raises:
        DocumentError: It is malformed.
    """
    kubernetes = document.fields("platforms").fields("kubernetes")
    config = _read_config(kubernetes.fields("pipelineConfig"))
    executors = kubernetes.fields("deploymentSpec")
    return config, dict(executors.each("executors"))


def read_settings(held: Fields) -> TaskSettings:
    """Return what is set for an executor.

    Raises:
        DocumentError: It is malformed.
    """
    deadline = float(held.integer("activeDeadlineSeconds"))
    return TaskSettings(timeout_seconds=deadline, kubernetes=held.remaining())


def _write_settings(settings: TaskSettings) -> dict[str, Json]:
    made = dict(settings.kubernetes)
    if settings.timeout_seconds:
        made["activeDeadlineSeconds"] = str(round(settings.timeout_seconds) or 1)
    return made


def _write_config(config: PipelineConfig) -> dict[str, Json]:
    workspace = None
    if config.workspace is not None:
        workspace = given(size=config.workspace.size)
        if config.workspace.pvc_spec_patch is not None:
            workspace["kubernetes"] = {"pvcSpecPatch": dict(config.workspace.pvc_spec_patch)}
    return given(
        workspace=workspace,
        resourceTtlOnCompletion=config.ttl_seconds_after_finished,
        resourceTtlOnSuccess=config.ttl_seconds_after_success,
        resourceTtlOnFailure=config.ttl_seconds_after_failure,
        activeDeadlineSeconds=config.active_deadline_seconds,
    )


def _read_config(held: Fields) -> PipelineConfig:
    workspace = None
    if "workspace" in held:
        asked = held.fields("workspace", meant=True)
        claim = asked.fields("kubernetes")
        patch = claim.mapping("pvcSpecPatch", meant=True) if "pvcSpecPatch" in claim else None
        workspace = Workspace(asked.text("size"), patch)
    return PipelineConfig(
        workspace,
        held.integer("resourceTtlOnCompletion"),
        held.integer("resourceTtlOnSuccess"),
        held.integer("resourceTtlOnFailure"),
        held.integer("activeDeadlineSeconds"),
    )
