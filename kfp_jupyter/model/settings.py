"""What can be set on a task besides its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kfp_jupyter.model.types import Json


@dataclass(frozen=True, slots=True)
class Resources:
    """What a task asks of its machine, in Kubernetes quantities (`500m`, `4Gi`); empty leaves it open.

    Each may be a placeholder of an argument of the task: `{{$.inputs.parameters['pipelinechannel--cpu']}}`.
    Spec: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
    """

    cpu_request: str = ""
    cpu_limit: str = ""
    memory_request: str = ""
    memory_limit: str = ""
    accelerator_type: str = ""
    accelerator_count: str = ""


_NOTHING_ASKED = Resources()


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a failed task is tried again (`max_count` further attempts), with waits in seconds."""

    max_count: int
    backoff_seconds: float = 0.0
    backoff_factor: float = 2.0
    max_backoff_seconds: float = 3600.0


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """What can be set on a task besides its arguments.

    Attributes:
        caching: Whether an earlier result with the same inputs may be used; None for a group, which has no
            result of its own.
        cache_key: A user's own key for that; empty means the engine's.
        resources: CPU, memory and accelerators.
        retry: Further attempts, or None for a single one.
        timeout_seconds: The longest an attempt may take; 0 means no limit.
        env: Environment variables as `(name, value)` pairs.
        display_name: The name shown to people; empty means the task's name.
        image: An image instead of the component's, perhaps a placeholder; empty means the component's.
        kubernetes: What only Kubernetes has (secrets, volumes, node selectors, …), in the shape of KFP's
            `KubernetesExecutorConfig` as JSON; its `activeDeadlineSeconds` is `timeout_seconds` instead.
    """

    caching: bool | None = True
    cache_key: str = ""
    resources: Resources = _NOTHING_ASKED
    retry: Retry | None = None
    timeout_seconds: float = 0.0
    env: tuple[tuple[str, str], ...] = ()
    display_name: str = ""
    image: str = ""
    kubernetes: Mapping[str, Json] = field(default_factory=dict, hash=False)
