"""Where a step runs on this machine: as a process, or in a container of its image.

Steps in Python are processes, unless a run is to have all its steps in their images; container components run
in containers, unless the user has asked for their commands to run on this machine itself.
"""

from __future__ import annotations

from enum import Enum

from kfp_jupyter.engines.base import LocalOptions
from kfp_jupyter.engines.local.claims import is_claim
from kfp_jupyter.model.component import ContainerStep, Implementation, PythonStep

HOST = "host"
"""What `LocalOptions.containers` is where commands of container components are processes."""


class Place(str, Enum):
    """Where a step runs."""

    PROCESS = "process"
    HOST = "host"
    CONTAINER = "container"
    NONE = "none"


def place_of(step: Implementation, options: LocalOptions) -> Place:
    """Return where a step runs: `PROCESS` for one in Python, `HOST` for the command of a container component.

    It is `NONE` for what runs nothing of the user's: groups, importers, claims for volumes.
    """
    if isinstance(step, ContainerStep) and not is_claim(step):
        return Place.HOST if options.containers == HOST else Place.CONTAINER
    if isinstance(step, PythonStep):
        return Place.CONTAINER if options.in_containers else Place.PROCESS
    return Place.NONE
