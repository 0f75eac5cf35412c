"""`dsl.importer`: brings an artifact that lies somewhere into the pipeline.

Reference: https://kubeflow-pipelines.readthedocs.io/en/stable/source/dsl.html#kfp.dsl.importer
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kfp_jupyter.cells.errors import ComponentError
from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.dsl.base_component import BaseComponent
from kfp_jupyter.dsl.pipeline_channel import PipelineChannel, marks
from kfp_jupyter.dsl.pipeline_task import PipelineTask
from kfp_jupyter.executor.annotations import is_artifact_class
from kfp_jupyter.model.component import Component, Importer, InputSpec, OutputSpec
from kfp_jupyter.model.pipeline import Constant, PipelineInput
from kfp_jupyter.model.types import ArtifactType, Json, ParameterType


def importer(
    artifact_uri: str | PipelineChannel,
    artifact_class: type[Any],
    reimport: bool = False,
    metadata: Mapping[str, Any] | None = None,
    download_to_workspace: bool = False,
) -> PipelineTask:
    """Add a task that imports an artifact, as its output `artifact`.

    Args:
        artifact_uri: Where it is.
        artifact_class: What it is: `dsl.Dataset`, or a class with a `schema_title`.
        reimport: Whether it is imported again if that was done before.
        metadata: Its metadata; values of the run may stand in it, also inside texts.
        download_to_workspace: Whether it is copied to the pipeline's workspace.

    Raises:
        ComponentError: The class is none of artifacts.
        ArgumentError: The URI is no text.
        PipelineError: No pipeline is being written.
    """
    if not is_artifact_class(artifact_class):
        raise ComponentError(
            f"`artifact_class` is {artifact_class!r}, which is no class of artifacts.",
            where=place_line(*caller()),
            remedy="Give `dsl.Dataset`, `dsl.Model`, `dsl.Artifact` or another one.",
        )
    type_ = ArtifactType(artifact_class.schema_title, getattr(artifact_class, "schema_version", "0.0.1"))
    held = _Metadata()
    values = held.with_placeholders(dict(metadata or {}))
    uri = PipelineInput("uri") if isinstance(artifact_uri, PipelineChannel) else Constant(artifact_uri)
    inputs = [InputSpec("uri", ParameterType.STRING)]
    inputs += [
        InputSpec(name, channel.type, hint=channel.hint)
        for channel, name in ((channel, name) for name, channel in held.inputs.items())
    ]
    step = Importer(uri, type_, reimport, values, download_to_workspace)
    component = Component("importer", tuple(inputs), (OutputSpec("artifact", type_),), step)
    task: PipelineTask = BaseComponent(component)(uri=artifact_uri, **held.inputs)
    return task


class _Metadata:
    """Finds the channels in metadata, which become inputs of the importer: `metadata`, `metadata-2`."""

    def __init__(self) -> None:
        self.inputs: dict[str, PipelineChannel] = {}
        self._names: dict[str, str] = {}

    def with_placeholders(self, value: Any) -> Json:
        """Return metadata with placeholders in the places of channels."""
        if isinstance(value, PipelineChannel):
            return self._placeholder(value)
        if isinstance(value, dict):
            return {self.with_placeholders(key): self.with_placeholders(held) for key, held in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.with_placeholders(held) for held in value]
        if isinstance(value, str):
            for mark in marks(value):
                value = value.replace(mark, self._placeholder(_mentioned(mark)))
        return value

    def _placeholder(self, channel: PipelineChannel) -> str:
        name = self._names.get(channel.pattern)
        if name is None:
            count = len(self._names) + 1
            name = "metadata" if count == 1 else f"metadata-{count}"
            self._names[channel.pattern] = name
            self.inputs[name] = channel
        return f"{{{{$.inputs.parameters['{name}']}}}}"


def _mentioned(mark: str) -> PipelineChannel:
    from kfp_jupyter.dsl.pipeline_builder import current_builder

    builder = current_builder()
    channel = builder.mentioned.get(mark) if builder is not None else None
    if channel is None:
        raise ComponentError(
            f"The metadata holds a value of another pipeline: {mark}.",
            where=place_line(*caller()),
            remedy="Use outputs of tasks that this pipeline itself has called, and its own parameters.",
        )
    return channel
