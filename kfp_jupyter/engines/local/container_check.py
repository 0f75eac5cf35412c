"""Whether a run's containers can run here, found out before anything starts.

If a step needs a container there has to be docker or podman, and it has to answer. If its command is to run
on this machine itself, its program has to be here.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

from kfp_jupyter.engines.base import EngineError, LocalOptions
from kfp_jupyter.engines.local.container_engine import ContainerEngine, NoContainersError, container_engine
from kfp_jupyter.engines.local.place import HOST, Place, place_of
from kfp_jupyter.model.component import ContainerStep, Implementation, PythonStep
from kfp_jupyter.model.pipeline import Pipeline, Task
from kfp_jupyter.model.value import PLACEHOLDER

_START = "Start it, or install docker or podman"


def containers_for(pipeline: Pipeline, options: LocalOptions) -> ContainerEngine | None:
    """Return what runs a pipeline's containers; None if it has none that run here.

    Raises:
        EngineError: A step needs what is not here; it names the task and the remedy.
    """
    contained: list[tuple[str, Implementation]] = []
    for path, task in pipeline.walk():
        step = pipeline.component_of(task).implementation
        place = place_of(step, options)
        if place is Place.CONTAINER:
            contained.append((path, step))
        elif place is Place.HOST and isinstance(step, ContainerStep):
            _check_command(path, task, step)
    if not contained:
        return None
    program = "" if options.containers == HOST else options.containers
    try:
        return container_engine(program, options.container_arguments)
    except NoContainersError as error:
        raise _refusal(*contained[0], error) from None


def still_there(engine: ContainerEngine) -> ContainerEngine:
    """Return what ran a run's containers, as it is now.

    Raises:
        EngineError: It does not answer any more.
    """
    try:
        return replace(container_engine(engine.program), arguments=engine.arguments)
    except NoContainersError as error:
        raise EngineError(
            f"Some of its steps run in containers: {error}.", remedy=f"Start {engine}, then resume the run."
        ) from None


def _refusal(path: str, step: Implementation, error: NoContainersError) -> EngineError:
    image = step.base_image if isinstance(step, PythonStep) else getattr(step, "image", "")
    if isinstance(step, PythonStep):
        others = "leave out `--in-containers`, and steps in Python are processes"
    else:
        others = (
            "run it on a cluster (`--target argo`), or have its command run on this machine itself "
            "(`--host-containers`)"
        )
    return EngineError(
        f"It runs in the container {image}, and nothing runs containers here: {error}.",
        where=f"task {path}",
        remedy=f"{_START}; or {others}.",
    )


def _check_command(path: str, task: Task, step: ContainerStep) -> None:
    if not step.command:
        raise EngineError(
            f"Its component names no command, and that of the image {step.image} is not known here.",
            where=f"task {path}",
            remedy="Give `command=[…]` in its ContainerSpec, or leave out `--host-containers`.",
        )
    program = step.command[0]
    if PLACEHOLDER in program:
        return
    paths = {**dict(step.env), **dict(task.settings.env)}.get("PATH", os.environ.get("PATH"))
    if shutil.which(program, path=paths) is None:
        raise EngineError(
            f"Its command is {program!r}, and there is no such program on this machine.",
            where=f"task {path}",
            remedy="Install it, or leave out `--host-containers`, with docker or podman installed.",
        )
