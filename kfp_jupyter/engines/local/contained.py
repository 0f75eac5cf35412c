"""The container that an order is carried out in: which image, what is mounted, with which command."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from kfp_jupyter.engines.local.budget import asked, gpus
from kfp_jupyter.engines.local.command import Command
from kfp_jupyter.engines.local.container import Container, ContainerMount, container_name, input_mounts
from kfp_jupyter.engines.local.exchange import Given
from kfp_jupyter.engines.local.folder import RunFolder
from kfp_jupyter.engines.local.order import Order
from kfp_jupyter.engines.local.plan import Plan
from kfp_jupyter.engines.local.program import Programs
from kfp_jupyter.engines.local.volumes import shown
from kfp_jupyter.model.component import ContainerStep, PythonStep
from kfp_jupyter.model.pipeline import Task

INSTALL_FAILED = 86
"""The exit code of a Python step's container whose packages could not be installed; few programs have it."""

WORKSPACE = "/kfp-workspace"
"""Where KFP mounts the workspace; it is there besides being at its own path."""


def contained(
    plan: Plan, run: RunFolder, task: Task, given: Given, order: Order, command: Command
) -> Container:
    """Return the container of an order.

    Args:
        plan: The run's plan.
        run: The run's folder.
        task: The task, under its path, with its settings resolved.
        given: What it gets.
        order: The order.
        command: Fills in words.

    Raises:
        PlaceholderError: A placeholder in a word stands for nothing.
        OSError: A volume's folder could not be made.
        TypeError: It is a step of a kind that no container runs, which `preflight` does not let pass.
    """
    step, settings = order.component.implementation, task.settings
    if isinstance(step, ContainerStep):
        image, entry, args, env = step.image, command.words(step.command), command.words(step.args), step.env
    elif isinstance(step, PythonStep):
        image, entry, args, env = step.base_image, _of_python(plan, step, order), (), _PYTHON
    else:
        raise TypeError(f"{order.component.name} runs in no container")
    shared = settings.kubernetes.get("enabledSharedMemory") or {}
    return Container(
        name=container_name(run.path, order.task, order.number),
        run=str(run.path),
        task=order.task,
        image=command.text(settings.image or image),
        command=entry,
        args=args,
        env={"PYTHONUNBUFFERED": "1", **dict(env), **dict(settings.env)},
        mounts=tuple(dict.fromkeys(_mounts(plan, run, task, given, order))),
        resources=settings.resources,
        gpus=min(int(asked(settings.resources).gpus), gpus()),
        shared_memory=str(shared.get("size") or ""),
        pull=str(settings.kubernetes.get("imagePullPolicy") or ""),
    )


def _mounts(plan: Plan, run: RunFolder, task: Task, given: Given, order: Order) -> Iterator[ContainerMount]:
    for folder in (order.folder, order.artifacts):
        yield ContainerMount(str(folder), str(folder), writable=True)
    if order.python is not None:
        for file in (_executor(plan), order.source):
            yield ContainerMount(str(file), str(file))
    shared = None
    if plan.pipeline.config.workspace is not None:
        shared = run.workspace
        yield ContainerMount(str(shared), str(shared), writable=True)
        yield ContainerMount(str(shared), WORKSPACE, writable=True)
    for volume in shown(task.settings.kubernetes, Path(plan.data), order.volumes):
        yield ContainerMount(volume.source, volume.target, writable=True, size=volume.size)
    for mount in input_mounts(given.artifacts):
        # What lies in the workspace is seen there already.
        if shared is None or not Path(mount.source).is_relative_to(shared):
            yield mount


# --- Steps in Python
# ---------------------------------------------------------------------------------------------------------

_PYTHON = (("PIP_ROOT_USER_ACTION", "ignore"), ("PIP_DISABLE_PIP_VERSION_CHECK", "1"))


def _executor(plan: Plan) -> Path:
    # Its text: what is compiled is for the Python of this machine.
    return Programs(Path(plan.executor).parent).source


def _of_python(plan: Plan, step: PythonStep, order: Order) -> tuple[str, ...]:
    """Return the words that run a function in its image, as KFP does: packages are installed there first."""
    run = ("python3", "-u", str(_executor(plan)), *order.call)
    if not step.packages:
        return run
    options = []
    for index, url in enumerate(step.pip_index_urls):
        options += ["--extra-index-url" if index else "--index-url", url]
    for host in step.pip_trusted_hosts:
        options += ["--trusted-host", host]
    install = (
        "python3",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-warn-script-location",
        *options,
        *step.packages,
    )
    return "sh", "-c", f"{shlex.join(install)} || exit {INSTALL_FAILED}; exec {shlex.join(run)}"
