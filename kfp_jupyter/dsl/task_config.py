"""Which settings of a task its component is told of, under KFP's names.

Reference: https://kubeflow-pipelines.readthedocs.io/en/stable/source/dsl.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from kfp_jupyter.cells.errors import ComponentError
from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.model.component import Passthrough
from kfp_jupyter.model.settings import TaskSettings


class TaskConfigField(str, Enum):
    """A group of settings."""

    RESOURCES = "RESOURCES"
    ENV = "ENV"
    KUBERNETES_AFFINITY = "KUBERNETES_AFFINITY"
    KUBERNETES_TOLERATIONS = "KUBERNETES_TOLERATIONS"
    KUBERNETES_NODE_SELECTOR = "KUBERNETES_NODE_SELECTOR"
    KUBERNETES_VOLUMES = "KUBERNETES_VOLUMES"


@dataclass(frozen=True)
class TaskConfigPassthrough:
    """A group of settings that a component is told of.

    Attributes:
        field: The group.
        apply_to_task: Whether they also hold for the task itself.
    """

    field: TaskConfigField
    apply_to_task: bool = False


def passthroughs(given: Iterable[Any] | None) -> tuple[Passthrough, ...]:
    """Return what `task_config_passthroughs` was given as the model holds it.

    Raises:
        ComponentError: It holds something else.
    """
    made = []
    for item in given or ():
        held = TaskConfigPassthrough(item) if isinstance(item, TaskConfigField) else item
        if not isinstance(held, TaskConfigPassthrough):
            raise ComponentError(
                f"`task_config_passthroughs` holds {item!r}.",
                where=place_line(*caller()),
                remedy="Give `dsl.TaskConfigField.…` or `dsl.TaskConfigPassthrough(field=…)`.",
            )
        made.append(Passthrough(TaskConfigField(held.field).value, held.apply_to_task))
    return tuple(made)


def unheard(settings: TaskSettings, heard: tuple[Passthrough, ...]) -> str:
    """Return a group of settings that a task has and its component does not ask for, though for others.

    An empty text means that there is none.
    """
    if not heard:
        return ""
    fields = {item.field for item in heard}
    resources = settings.resources
    kubernetes = settings.kubernetes
    has = {
        TaskConfigField.RESOURCES: any(
            (
                resources.cpu_request,
                resources.cpu_limit,
                resources.memory_request,
                resources.memory_limit,
                resources.accelerator_type,
                resources.accelerator_count,
            )
        ),
        TaskConfigField.ENV: bool(settings.env),
        TaskConfigField.KUBERNETES_TOLERATIONS: "tolerations" in kubernetes,
        TaskConfigField.KUBERNETES_NODE_SELECTOR: "nodeSelector" in kubernetes,
        TaskConfigField.KUBERNETES_AFFINITY: "nodeAffinity" in kubernetes,
        TaskConfigField.KUBERNETES_VOLUMES: any(
            name in kubernetes for name in ("pvcMount", "secretAsVolume", "configMapAsVolume")
        ),
    }
    return next((group.value for group, is_set in has.items() if is_set and group.value not in fields), "")
