"""KFP's `DockerRunner`: steps are containers, as on a cluster."""

from __future__ import annotations

from typing import Any


class DockerRunner:
    """Runs steps in containers."""

    DOCKER_CONTAINER_RUN_ARGS: frozenset[str] = frozenset()

    def __init__(self, max_concurrent_pip_installs: int = 1, **container_run_args: Any) -> None:
        self.max_concurrent_pip_installs = max_concurrent_pip_installs
        self.container_run_args = container_run_args
