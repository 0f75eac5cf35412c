"""What an attempt is to do: all that it needs is put in place before it starts."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kfp_jupyter.engines.local.environment import Environment
from kfp_jupyter.engines.local.exchange import Given, executor_input
from kfp_jupyter.engines.local.folder import RunFolder
from kfp_jupyter.engines.local.fork_server import RUN_VARIABLE
from kfp_jupyter.engines.local.mount import launcher
from kfp_jupyter.engines.local.plan import Plan, write_whole
from kfp_jupyter.engines.local.program import Programs
from kfp_jupyter.engines.local.volumes import mounts
from kfp_jupyter.model.component import PythonStep
from kfp_jupyter.model.pipeline import Task


@dataclass(frozen=True, slots=True)
class Order:
    """What an attempt is to do.

    Attributes:
        task: The task's path.
        number: The attempt, from 1.
        folder: Its folder, which holds `input.json`.
        artifacts: The folder for its artifacts.
        step: The step.
        source: The file of its source.
        executor: The executor's file.
        directory: The working directory.
        variables: All environment variables.
        environment: What to install first, or None.
        digests: Whether to take digests of what it puts out.
        launcher: What its command is begun with, so that it sees its volumes.
    """

    task: str
    number: int
    folder: Path
    artifacts: Path
    step: PythonStep
    source: Path
    executor: str
    directory: str
    variables: Mapping[str, str]
    environment: Environment | None
    digests: bool
    launcher: tuple[str, ...] = ()

    @property
    def volumes(self) -> Path:
        """The folder of what is mounted for this attempt alone; it goes with it."""
        return self.folder / "volumes"


def prepare(plan: Plan, run: RunFolder, task: Task, number: int, given: Given) -> Order:
    """Make the folders and the input of an attempt, and return its order.

    Args:
        plan: The run's plan.
        run: The run's folder.
        task: The task.
        number: The attempt, from 1.
        given: What the task gets.

    Raises:
        OSError: A folder or file could not be written.
        TypeError: The task is no Python step, which `preflight` does not let pass.
    """
    component = plan.pipeline.component_of(task)
    step = component.implementation
    if not isinstance(step, PythonStep):
        raise TypeError(f"{component.name} is no Python component")
    folder = run.attempt(task.name, number)
    folder.mkdir(parents=True, exist_ok=True)
    artifacts = run.artifacts(task.name)
    if artifacts.exists():
        import shutil

        # What an earlier attempt left half written must not be taken for this one's.
        shutil.rmtree(artifacts)
    artifacts.mkdir(parents=True)
    write_whole(folder / "input.json", json.dumps(executor_input(component, given, folder, artifacts)))
    volumes = folder / "volumes"
    mounted = mounts(task.settings.kubernetes, Path(plan.data), volumes)
    return Order(
        task=task.name,
        number=number,
        folder=folder,
        artifacts=artifacts,
        step=step,
        source=run.source(task.component),
        executor=plan.executor,
        directory=plan.directory if Path(plan.directory).is_dir() else str(folder),
        variables=_variables(plan, task, folder),
        environment=_environment(plan, task, step),
        digests=plan.options.caching,
        launcher=launcher(mounted, Programs(Path(plan.executor).parent).mount_namespace, volumes),
    )


def _environment(plan: Plan, task: Task, step: PythonStep) -> Environment | None:
    if task.component not in plan.to_install:
        return None
    return Environment(Path(plan.data), step, isolated=plan.options.local.isolated)


def _variables(plan: Plan, task: Task, folder: Path) -> dict[str, str]:
    variables = {**os.environ, "PYTHONUNBUFFERED": "1", RUN_VARIABLE: f"{folder}/"}
    # A notebook's neighbours can be imported in its steps, as in the notebook.
    variables["PYTHONPATH"] = os.pathsep.join([plan.directory, *filter(None, [os.environ.get("PYTHONPATH")])])
    if variables.get("MPLBACKEND", "").startswith("module://"):
        # Jupyter's own, which draws into a notebook that a step does not have.
        variables["MPLBACKEND"] = "agg"
    variables.pop("JPY_PARENT_PID", None)
    variables.update(task.settings.env)
    return variables
