"""Puts in place what an attempt needs: its folders, its input, and the order that says what it is to do."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

from kfp_jupyter.engines.local.command import Command
from kfp_jupyter.engines.local.contained import contained
from kfp_jupyter.engines.local.container_client import client_variables
from kfp_jupyter.engines.local.environment import Environment
from kfp_jupyter.engines.local.exchange import RECORD, executor_input
from kfp_jupyter.engines.local.folder import RunFolder
from kfp_jupyter.engines.local.fork_server import RUN_VARIABLE
from kfp_jupyter.engines.local.mount import launcher
from kfp_jupyter.engines.local.order import Order
from kfp_jupyter.engines.local.place import Place, place_of
from kfp_jupyter.engines.local.plan import Plan, write_whole
from kfp_jupyter.engines.local.program import Programs
from kfp_jupyter.engines.local.underway import Underway
from kfp_jupyter.engines.local.volumes import mounts
from kfp_jupyter.model.component import ContainerStep, Implementation, PythonStep
from kfp_jupyter.model.pipeline import Task

WRITTEN = "written.json"
"""Where a command may write an ExecutorOutput: not into the commit record, which says that all went well."""


def prepare(plan: Plan, run: RunFolder, underway: Underway, number: int) -> Order:
    """Make the folders and the input of an attempt, and return its order.

    Args:
        plan: The run's plan.
        run: The run's folder.
        underway: The step.
        number: The attempt, from 1.

    Raises:
        OSError: A folder or file could not be written.
        PlaceholderError: A placeholder in a command stands for nothing.
    """
    task, given = underway.task, underway.given
    component = plan.pipeline.component_of(task)
    step = component.implementation
    place = place_of(step, plan.options.local)
    folder, artifacts = run.attempt(task.name, number), run.artifacts(task.name)
    output_file = RECORD if isinstance(step, PythonStep) else WRITTEN
    asked = executor_input(component, given, folder, artifacts, output_file)
    order = Order(
        task=task.name,
        number=number,
        folder=folder,
        artifacts=artifacts,
        component=component,
        executor_input=asked,
        source=run.source(task.component),
        executor=plan.executor,
        directory=plan.directory if Path(plan.directory).is_dir() else str(folder),
        variables=_variables(plan, task, step, folder),
        environment=_environment(plan, task, step),
        digests=plan.options.caching,
    )
    facts = underway.step.scope.facts.of_task(underway.step.task.name, task.name)
    command = Command(component, given, asked, facts)
    order.clear()
    if isinstance(step, ContainerStep) and place is Place.HOST:
        order = replace(order, command=command.words((*step.command, *step.args)))
    if place is Place.CONTAINER:
        container = contained(plan, run, task, given, order, command)
        # The program that runs the container is not the user's step: it has the variables of this process.
        variables = {**client_variables(), **container.variables()}
        order = replace(order, container=container, variables=variables)
    else:
        mounted = mounts(task.settings.kubernetes, Path(plan.data), order.volumes)
        program = Programs(Path(plan.executor).parent).mount_namespace
        order = replace(order, launcher=launcher(mounted, program, order.volumes))
    write_whole(folder / "input.json", json.dumps(asked))
    return order


def _environment(plan: Plan, task: Task, step: Implementation) -> Environment | None:
    if task.component not in plan.to_install or not isinstance(step, PythonStep):
        return None
    return Environment(Path(plan.data), step, isolated=plan.options.local.isolated)


def _variables(plan: Plan, task: Task, step: Implementation, folder: Path) -> dict[str, str]:
    variables = {**os.environ, "PYTHONUNBUFFERED": "1", RUN_VARIABLE: f"{folder}/"}
    # A notebook's neighbours can be imported in its steps, as in the notebook.
    variables["PYTHONPATH"] = os.pathsep.join([plan.directory, *filter(None, [os.environ.get("PYTHONPATH")])])
    if variables.get("MPLBACKEND", "").startswith("module://"):
        # Jupyter's own, which draws into a notebook that a step does not have.
        variables["MPLBACKEND"] = "agg"
    variables.pop("JPY_PARENT_PID", None)
    if isinstance(step, ContainerStep):
        variables.update(step.env)
    variables.update(task.settings.env)
    return variables
