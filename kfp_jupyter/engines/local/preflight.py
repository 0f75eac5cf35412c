"""What this machine can run, found out before anything starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from kfp_jupyter.engines.base import EngineError, LocalOptions
from kfp_jupyter.engines.local.claims import CREATE
from kfp_jupyter.engines.local.cluster_settings import missing as missing_here
from kfp_jupyter.engines.local.environment import installer
from kfp_jupyter.engines.local.importing import HERE, IMAGE, WEB
from kfp_jupyter.engines.local.object_store import StoreError, check_scheme
from kfp_jupyter.engines.local.place import Place, place_of
from kfp_jupyter.engines.local.requirements import missing
from kfp_jupyter.engines.local.volumes import Kind, lacking, mountable, unmountable, volumes_of, wrong
from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.model.cel import parse
from kfp_jupyter.model.component import ContainerStep, ForeignStep, Importer, PythonStep
from kfp_jupyter.model.pipeline import Constant, Graph, Pipeline, PipelineInput, Task, TaskOutput
from kfp_jupyter.model.selection import keys_of
from kfp_jupyter.paths import data_dir

NEEDED = ("/proc", "/dev", "/sys", sys.prefix, sys.base_prefix)
"""Folders of this machine that a step cannot do without."""


def check(pipeline: Pipeline, options: LocalOptions) -> None:
    """Refuse what this machine cannot run.

    Args:
        pipeline: The pipeline.
        options: What is otherwise than usual.

    Raises:
        EngineError: Naming the task and the remedy.
    """
    if os.name != "posix":
        raise EngineError(
            "Runs on this machine itself need Linux or macOS.",
            remedy="On Windows, run Jupyter in WSL, or choose a cluster as the target.",
        )
    made = _claims_made(pipeline)
    for path, task in pipeline.walk():
        _check_task(path, task, pipeline, made, options)
    wanting = [pipeline.components[key] for key in components_to_install(pipeline, options)]
    for component in wanting if not installer("python") else ():
        step = component.implementation
        packages = step.packages if isinstance(step, PythonStep) else ()
        if not packages:
            continue
        listed = ", ".join(packages if options.isolated else missing(packages))
        raise EngineError(
            f"It needs {listed}, which is not installed, and there is neither pip nor uv to install it.",
            where=f"component {component.name}",
            remedy="Install pip or uv, or the packages, into the environment of this kernel.",
        )


def _check_task(path: str, task: Task, pipeline: Pipeline, made: set[str], options: LocalOptions) -> None:
    step = pipeline.component_of(task).implementation
    if isinstance(step, ForeignStep):
        raise EngineError(
            "It is of a kind that only KFP's own servers run.",
            where=f"task {path}",
            remedy="Compile the pipeline to KFP's YAML and run it on a KFP server.",
        )
    if isinstance(step, Importer) and isinstance(step.uri, Constant):
        _check_store(path, str(step.uri.value))
    for what, how in [
        *missing_here(task.settings.kubernetes, data_dir()),
        *_volume_problems(task, made, place_of(step, options)),
    ]:
        raise EngineError(what, where=f"task {path}", remedy=how)
    values = [*task.arguments.values(), *(step.outputs.values() if isinstance(step, Graph) else ())]
    try:
        if task.trigger.condition:
            parse(task.trigger.condition)
        for value in values:
            if isinstance(value, (PipelineInput, TaskOutput)) and value.selector:
                keys_of(value.selector)
    except KfpJupyterError as error:
        raise EngineError(error.what, where=f"task {path}", remedy=error.remedy) from None


def _check_store(path: str, uri: str) -> None:
    scheme = urlsplit(uri).scheme
    if scheme in (*HERE, *WEB, IMAGE):
        return
    try:
        check_scheme(scheme)
    except StoreError as error:
        what, _, how = str(error).partition(". ")
        raise EngineError(f"It imports {uri}. {what}.", where=f"task {path}", remedy=how) from None


def _volume_problems(task: Task, made: set[str], place: Place) -> Iterator[tuple[str, str]]:
    data = data_dir()
    volumes = volumes_of(task.settings.kubernetes)
    inside = place is Place.CONTAINER
    yield from wrong(volumes, [data, *([] if inside else [Path.cwd(), *map(Path, NEEDED)])])
    for held in volumes:
        if held.kind is not Kind.CLAIM or held.name not in made:
            yield from lacking(held, data)
        if not inside and not mountable(held, data):
            yield unmountable(held, data)


def _claims_made(pipeline: Pipeline) -> set[str]:
    """Return the names that are written in the pipeline of claims that it makes."""
    return {
        str(name.value)
        for _, task in pipeline.walk()
        for step in [pipeline.component_of(task).implementation]
        for name in [task.arguments.get("pvc_name")]
        if isinstance(step, ContainerStep) and step.image == CREATE and isinstance(name, Constant)
    }


def components_to_install(pipeline: Pipeline, options: LocalOptions) -> tuple[str, ...]:
    """Return the keys of the components that need an environment made: with packages that this Python lacks.

    If steps are to be isolated that is all of them; if they run in their images it is none.
    """
    return tuple(
        key
        for key, component in pipeline.components.items()
        if isinstance(component.implementation, PythonStep)
        and place_of(component.implementation, options) is Place.PROCESS
        and (options.isolated or missing(component.implementation.packages))
    )
