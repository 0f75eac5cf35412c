"""An artifact of a run, as `run.tasks["train"].artifacts["model"]` gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kfp_jupyter.engines.base import EngineError
from kfp_jupyter.model.component import PythonStep
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import ArtifactRecord
from kfp_jupyter.model.types import Json

Fetch = Callable[[Sequence[ArtifactRecord]], list[Path | EngineError]]


class RunArtifact:
    """An artifact that a task has written; its contents are brought to this machine when they are asked for.

    Args:
        record: What the run knows of it.
        fetch: Gives the places of artifacts on this machine.
    """

    def __init__(self, record: ArtifactRecord, fetch: Fetch) -> None:
        self._record = record
        self._fetch = fetch

    @property
    def type(self) -> str:
        """Its schema title, such as `system.Model`."""
        return self._record.type

    @property
    def uri(self) -> str:
        """Where it is stored."""
        return self._record.uri

    @property
    def metadata(self) -> Mapping[str, Json]:
        """Its metadata; for metrics the metrics themselves."""
        return self._record.metadata

    @property
    def path(self) -> str:
        """The file or folder on this machine; from a cluster's store it is brought first, once.

        Raises:
            EngineError: It is not there any more, or cannot be brought.
        """
        if self._record.path:
            return self._record.path
        (found,) = self._fetch([self._record])
        if isinstance(found, EngineError):
            raise found
        return str(found)

    @property
    def custom_path(self) -> str:
        """Its path where that is not its URI: so a component called with it finds the file."""
        return "" if self.path == self.uri else self.path

    def load(self) -> Any:
        """Return the value that a cell has stored as this artifact.

        Raises:
            SerializerError: No cell has stored it: a function has written its file, at `path`.
            EngineError: It cannot be brought.
        """
        from kfp_jupyter.cells.serializers import load

        return load(self)

    def __eq__(self, other: object) -> bool:
        """Say whether it is the same artifact."""
        return isinstance(other, RunArtifact) and self._record == other._record

    def __hash__(self) -> int:
        """Return a hash of where it is."""
        return hash(self.uri)

    def __repr__(self) -> str:
        """Return one line: its type and where it is."""
        return f"<{self.type} at {self.uri}>"


def reading_image(pipeline: Pipeline, task: str) -> str:
    """Return an image with Python that runs of the pipeline use, that of the task if it is a Python step."""
    from kfp_jupyter.cells.component import default_base_image

    tasks = pipeline.graph.tasks
    for held in [tasks[task]] if task in tasks else []:
        step = pipeline.component_of(held).implementation
        if isinstance(step, PythonStep):
            return held.settings.image or step.base_image
    steps = (held.implementation for held in pipeline.components.values())
    return next((step.base_image for step in steps if isinstance(step, PythonStep)), default_base_image())
