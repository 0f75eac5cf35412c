"""What an attempt is to do: all that it needs has been put in place before it starts (`preparation`)."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kfp_jupyter.engines.local.container import Container
from kfp_jupyter.engines.local.environment import Environment
from kfp_jupyter.model.component import Component, PythonStep, Source
from kfp_jupyter.model.types import Json

OUTPUTS = "outputs"
"""The folder, in that of an attempt, into which output parameters are written."""

VOLUMES = "volumes"
"""The folder, in that of an attempt, of what is mounted for it alone."""


@dataclass(frozen=True, slots=True)
class Order:
    """What an attempt is to do.

    Attributes:
        task: The task's path.
        number: The attempt, from 1.
        folder: Its folder, which holds `input.json`.
        artifacts: The folder for its artifacts.
        component: The component.
        executor_input: What is in `input.json`.
        source: The file of a Python step's source.
        executor: The executor's file.
        directory: The working directory of what is started on this machine.
        variables: All environment variables of that.
        environment: What to install first, or None.
        digests: Whether to take digests of what it puts out.
        command: The words of a container component's command.
        container: The container that it runs in; None for a process.
        launcher: What the command of a process is begun with, so that it sees its volumes.
    """

    task: str
    number: int
    folder: Path
    artifacts: Path
    component: Component
    executor_input: Json
    source: Path
    executor: str
    directory: str
    variables: Mapping[str, str]
    environment: Environment | None
    digests: bool
    command: tuple[str, ...] = ()
    container: Container | None = None
    launcher: tuple[str, ...] = ()

    @property
    def volumes(self) -> Path:
        """The folder of what is mounted for this attempt alone; it goes with it."""
        return self.folder / VOLUMES

    @property
    def python(self) -> PythonStep | None:
        """The step in Python; None for a container component."""
        step = self.component.implementation
        return step if isinstance(step, PythonStep) else None

    @property
    def text(self) -> Source:
        """The source that tracebacks refer to."""
        return self.python.source if self.python is not None else Source(())

    @property
    def call(self) -> tuple[str, ...]:
        """What the executor is asked for, as its arguments."""
        return (
            *("--executor_input", f"@{self.folder / 'input.json'}"),
            *("--function_to_execute", self.python.function if self.python is not None else ""),
            *("--component_module_path", str(self.source)),
        )

    def clear(self) -> None:
        """Empty the folders that it puts out into: what is half written must not be taken for a result.

        Raises:
            OSError: They could not be removed or made.
        """
        for folder in (self.artifacts, self.folder / OUTPUTS):
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir(parents=True)
