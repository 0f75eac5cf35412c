"""What this machine can run, found out before anything starts."""

from __future__ import annotations

import os

from kfp_jupyter.engines.base import EngineError
from kfp_jupyter.engines.local.environment import installer
from kfp_jupyter.engines.local.requirements import missing
from kfp_jupyter.engines.support import check_supported
from kfp_jupyter.model.component import ContainerStep, PythonStep
from kfp_jupyter.model.pipeline import Pipeline


def check(pipeline: Pipeline) -> None:
    """Refuse what this machine cannot run.

    Raises:
        EngineError: Naming the task and the remedy.
    """
    if os.name != "posix":
        raise EngineError(
            "Runs on this machine itself need Linux or macOS.",
            remedy="On Windows, run Jupyter in WSL, or choose a cluster as the target.",
        )
    check_supported(pipeline, "this machine", calculates=True)
    for name, task in pipeline.graph.tasks.items():
        step = pipeline.component_of(task).implementation
        if isinstance(step, ContainerStep):
            raise EngineError(
                f"It runs the container {step.image}; on this machine no containers are started.",
                where=f"task {name}",
                remedy="Run it on a cluster (`--target argo`), or make the step a Python component.",
            )
    wanting = components_to_install(pipeline)
    if wanting and not installer("python"):
        step = pipeline.components[wanting[0]].implementation
        packages = ", ".join(missing(step.packages)) if isinstance(step, PythonStep) else ""
        raise EngineError(
            f"It needs {packages}, which is not installed, and there is neither pip nor uv to install it.",
            where=f"component {pipeline.components[wanting[0]].name}",
            remedy="Install pip or uv, or the packages, into the environment of this kernel.",
        )


def components_to_install(pipeline: Pipeline) -> tuple[str, ...]:
    """Return the keys of the components whose packages this Python lacks."""
    return tuple(
        key
        for key, component in pipeline.components.items()
        if isinstance(component.implementation, PythonStep) and missing(component.implementation.packages)
    )


def notices(pipeline: Pipeline) -> tuple[str, ...]:
    """Return what was asked for and does not happen on this machine, a sentence each."""
    asked: dict[str, list[str]] = {}
    for name, task in pipeline.graph.tasks.items():
        wanted = task.settings.resources
        if wanted.accelerator_type or wanted.accelerator_count not in ("", "0"):
            asked.setdefault("Not set aside on this machine: the accelerators of", []).append(name)
        if wanted.cpu_limit:
            asked.setdefault("Not enforced on this machine: the CPU limit of", []).append(name)
        if wanted.memory_limit:
            asked.setdefault("Not enforced on this machine: the memory limit of", []).append(name)
        if task.settings.image:
            asked.setdefault("Not used on this machine: the image of", []).append(name)
    return tuple(f"{what} {', '.join(names)}." for what, names in asked.items())
