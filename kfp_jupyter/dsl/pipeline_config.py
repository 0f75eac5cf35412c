"""`dsl.PipelineConfig`: what is set for a run as a whole, under KFP's names.

Reference: https://kubeflow-pipelines.readthedocs.io/en/stable/source/dsl.html#kfp.dsl.PipelineConfig
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kfp_jupyter.cells.errors import ComponentError
from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.model.pipeline import PipelineConfig as Config
from kfp_jupyter.model.pipeline import Workspace

_SIZE = re.compile(r"(0|[1-9]\d*)(\.\d+)?([KMGTPE]i?|k)?")
_LONGEST = 2**31 - 1


@dataclass
class KubernetesWorkspaceConfig:
    """How the workspace's PersistentVolumeClaim is made.

    Attributes:
        pvcSpecPatch: What is put over its spec.
    """

    pvcSpecPatch: Mapping[str, Any] | None = None  # noqa: N815 - KFP's name

    def set_pvcSpecPatch(self, patch: Mapping[str, Any]) -> None:  # noqa: N802 - KFP's name
        """Set what is put over the claim's spec."""
        self.pvcSpecPatch = patch


@dataclass
class WorkspaceConfig:
    """A volume that all tasks of a run share.

    Attributes:
        size: Its size as a Kubernetes quantity (`10Gi`).
        kubernetes: How its claim is made.

    Raises:
        ComponentError: The size is no quantity.
    """

    size: str
    kubernetes: KubernetesWorkspaceConfig | None = None

    def __post_init__(self) -> None:
        self.set_size(self.size)

    def set_size(self, size: str) -> None:
        """Set its size as a Kubernetes quantity."""
        if not _SIZE.fullmatch(str(size).strip()):
            raise ComponentError(
                f"The size of a workspace is {size!r}.",
                where=place_line(*caller()),
                remedy="Give a Kubernetes quantity, such as '10Gi'.",
            )
        self.size = size

    def get_workspace(self) -> dict[str, Any]:
        """Return it as KFP writes it."""
        patch = {"kubernetes": {"pvcSpecPatch": self.kubernetes.pvcSpecPatch}} if self.kubernetes else {}
        return {"size": self.size, **patch}

    def set_kubernetes_config(self, kubernetes_config: KubernetesWorkspaceConfig) -> None:
        """Set how its claim is made."""
        self.kubernetes = kubernetes_config


@dataclass
class PipelineConfig:
    """What is set for a run as a whole; times in seconds, None where nothing is said.

    Attributes:
        workspace: A volume that all tasks share.
        ttl_seconds_after_finished: How long the run's Kubernetes objects are kept after its end.
        ttl_seconds_after_success: The same, if it succeeded.
        ttl_seconds_after_failure: The same, if it failed.
        active_deadline_seconds: The longest the run may take.

    Raises:
        ComponentError: A time is no number of seconds.
    """

    workspace: WorkspaceConfig | None = None
    ttl_seconds_after_finished: int | None = None
    ttl_seconds_after_success: int | None = None
    ttl_seconds_after_failure: int | None = None
    active_deadline_seconds: int | None = None

    def __post_init__(self) -> None:
        for name, seconds in self._times().items():
            if seconds is None:
                continue
            if type(seconds) is not int or not 0 <= seconds <= _LONGEST:
                raise ComponentError(
                    f"`{name}` of the pipeline's config is {seconds!r}.",
                    where=place_line(*caller()),
                    remedy=f"Give whole seconds from 0 to {_LONGEST}.",
                )

    def _times(self) -> dict[str, int | None]:
        return {name: held for name, held in vars(self).items() if name != "workspace"}

    def model(self) -> Config:
        """Return it as the model holds it."""
        workspace = None
        if self.workspace is not None:
            kubernetes = self.workspace.kubernetes
            patch = kubernetes.pvcSpecPatch if kubernetes is not None else None
            workspace = Workspace(self.workspace.size.strip(), patch or {})
        return Config(workspace, *(seconds or 0 for seconds in self._times().values()))
