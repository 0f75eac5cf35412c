"""Which kind of attempt carries out an order."""

from __future__ import annotations

from kfp_jupyter.engines.local.attempt import Attempt, Heard
from kfp_jupyter.engines.local.command_attempt import CommandAttempt
from kfp_jupyter.engines.local.container_attempt import ContainerAttempt
from kfp_jupyter.engines.local.container_client import ContainerClient
from kfp_jupyter.engines.local.container_engine import ContainerEngine
from kfp_jupyter.engines.local.fork_client import ForkServers
from kfp_jupyter.engines.local.order import Order
from kfp_jupyter.engines.local.python_attempt import PythonAttempt


class Attempts:
    """Makes the attempts of a run.

    Args:
        servers: Who starts their processes.
        python: The Python to use where no environment is asked for.
        containers: What runs containers; None if no step runs in one.
    """

    def __init__(self, servers: ForkServers, python: str, containers: ContainerEngine | None) -> None:
        self._servers = servers
        self._python = python
        self._client = ContainerClient(containers) if containers is not None else None

    @property
    def all_removed(self) -> bool:
        """Whether it is sure that no container is left of attempts that have ended."""
        return self._client is None or not self._client.unanswered

    def of(self, order: Order, heard: Heard) -> Attempt:
        """Return an attempt that carries out an order.

        Args:
            order: What to do.
            heard: Who is told.
        """
        if order.container is not None and self._client is not None:
            return ContainerAttempt(order, self._servers, self._python, heard, order.container, self._client)
        if order.python is None:
            return CommandAttempt(order, self._servers, self._python, heard)
        return PythonAttempt(order, self._servers, self._python, heard)
