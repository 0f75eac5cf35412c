"""Annotations of arguments that no one gives a task: what is embedded in its component, and its own settings.

Reference: https://kubeflow-pipelines.readthedocs.io/en/stable/source/dsl.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kfp_jupyter.executor.annotations import Direction, evaluated

if TYPE_CHECKING:
    from typing import Annotated, TypeVar

    T = TypeVar("T")
    EmbeddedInput = Annotated[T, "embedded"]
else:
    EmbeddedInput = Direction("EmbeddedInput")
"""`EmbeddedInput[Dataset]`: what `@component(embedded_artifact_path=…)` puts into the step."""


@dataclass
class TaskConfig:
    """The settings of a task that its component asks for with `task_config_passthroughs`, as in a pod's spec.

    Attributes:
        affinity: The affinity.
        tolerations: The tolerations.
        node_selector: The node's labels.
        env: The environment variables.
        volumes: The volumes.
        volume_mounts: Where they are mounted.
        resources: The requests and limits.
    """

    affinity: dict[str, Any] | None = None
    tolerations: list[dict[str, Any]] | None = None
    node_selector: dict[str, str] | None = None
    env: list[dict[str, Any]] | None = None
    volumes: list[dict[str, Any]] | None = None
    volume_mounts: list[dict[str, Any]] | None = None
    resources: dict[str, Any] | None = None


def embedded_class(annotation: Any, names: dict[str, Any]) -> type | None:
    """Return the class inside `EmbeddedInput[...]`, or None if an annotation is another.

    Args:
        annotation: The annotation; a text is evaluated.
        names: The names that it may use.
    """
    if isinstance(annotation, str):
        if "EmbeddedInput" not in annotation:
            return None
        annotation = evaluated(annotation, names)
    if EmbeddedInput not in getattr(annotation, "__metadata__", ()):
        return None
    held: type = annotation.__origin__
    return held
