"""What was asked for and does not happen on this machine, a sentence each, to be read before the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from kfp_jupyter.engines.base import LocalOptions
from kfp_jupyter.engines.local.budget import Amounts, asked, excess, machine
from kfp_jupyter.engines.local.claims import is_claim
from kfp_jupyter.engines.local.cluster_settings import POD_NAME
from kfp_jupyter.engines.local.importing import IMAGE
from kfp_jupyter.engines.local.place import Place, place_of
from kfp_jupyter.engines.local.volumes import FIELDS, volumes_of
from kfp_jupyter.model.component import Importer
from kfp_jupyter.model.pipeline import Pipeline, Task
from kfp_jupyter.model.types import Json
from kfp_jupyter.model.value import Constant

MOST_NAMED = 5
"""How many tasks a notice names."""

USUAL = LocalOptions()
"""With nothing otherwise than usual."""

ACCELERATORS = "Not set aside on this machine: the accelerators of"
CPU_LIMIT = "Not enforced on this machine: the CPU limit of"
MEMORY_LIMIT = "Not enforced on this machine: the memory limit of"

_HONOURED = ("secretAsEnv", "configMapAsEnv", "fieldPathAsEnv", *FIELDS)

_OF_CONTAINERS = ("imagePullPolicy", "enabledSharedMemory")
"""What holds for steps in containers."""

_NODES = "Without meaning on this machine: the choice of nodes of"
_IMAGES = "Without meaning on this machine: how images are pulled for"
_KUBERNETES = {
    "nodeSelector": _NODES,
    "nodeAffinity": _NODES,
    "podAffinity": _NODES,
    "tolerations": _NODES,
    "podMetadata": "Without meaning on this machine: the labels and annotations of the pods of",
    "imagePullPolicy": _IMAGES,
    "imagePullSecret": _IMAGES,
    "securityContext": "Not applied on this machine: the security context of",
    "enabledSharedMemory": "Not set on this machine: the size of shared memory of",
}


def notices(pipeline: Pipeline, options: LocalOptions = USUAL) -> tuple[str, ...]:
    """Return what was asked for and does not happen on this machine, a sentence each."""
    said: dict[str, dict[str, None]] = {}
    there_is = machine(0)
    for path, task in pipeline.walk():
        place = place_of(pipeline.component_of(task).implementation, options)
        for what in [*_of_resources(task, there_is, place), *_of_task(task, pipeline, place)]:
            said.setdefault(what, {})[path] = None
    of_tasks = [f"{what} {_listed(list(paths))}." for what, paths in said.items()]
    return (*of_tasks, *_of_run(pipeline, options))


def _of_resources(task: Task, there_is: Amounts, place: Place) -> Iterator[str]:
    wanted = task.settings.resources
    if (wanted.accelerator_type or wanted.accelerator_count not in ("", "0")) and not there_is.gpus:
        yield ACCELERATORS
    for kind, (amount, have) in excess(asked(wanted), there_is).items():
        yield f"Runs alone. More than this machine has ({have:g} {kind}): the {amount:.4g} {kind} of"
    if wanted.cpu_limit and place is not Place.CONTAINER:
        yield CPU_LIMIT
    if wanted.memory_limit and place is not Place.CONTAINER:
        yield MEMORY_LIMIT


def _of_task(task: Task, pipeline: Pipeline, place: Place) -> Iterator[str]:
    step = pipeline.component_of(task).implementation
    settings = task.settings
    if place is Place.HOST:
        yield "Run on this machine itself, without an image, with all that you may do here: the commands of"
    if settings.image and place is Place.PROCESS:
        yield "Not used on this machine: the image of"
    if any(name.startswith("ARGO_DEBUG_PAUSE") for name, _ in settings.env):
        yield "Not done on this machine: the pauses for debugging of"
    if is_claim(step) and "size" in task.arguments:
        yield "Not limited on this machine: the size of the volumes of"
    if is_claim(step) and any(_is_given(task, name) for name in ("data_source", "volume_name")):
        yield "Empty at first on this machine, whatever it is to be made from: the volume of"
    if any(held.size and not held.memory for held in volumes_of(settings.kubernetes)):
        yield "Not limited on this machine: the size of the volumes of"
    constant = step.uri if isinstance(step, Importer) else None
    if isinstance(constant, Constant) and urlsplit(str(constant.value)).scheme == IMAGE:
        yield f"Not downloaded to this machine: what is imported from {IMAGE}:// by"
    yield from _of_kubernetes(settings.kubernetes, place)


def _is_given(task: Task, name: str) -> bool:
    held = task.arguments.get(name)
    return held is not None and held != Constant(None)


def _of_kubernetes(settings: Mapping[str, Json], place: Place) -> Iterator[str]:
    for name in settings:
        if place is Place.CONTAINER and name in _OF_CONTAINERS:
            continue
        if name in _KUBERNETES:
            yield _KUBERNETES[name]
        elif name not in _HONOURED:
            yield f"Not done on this machine: `{name}` of"
    fields = [field.get("fieldPath") for field in settings.get("fieldPathAsEnv", ())]
    if any(field != POD_NAME for field in fields):
        yield "Not set on this machine: the variables from fields of the pods of"


def _of_run(pipeline: Pipeline, options: LocalOptions) -> Iterator[str]:
    config = pipeline.config
    if pipeline.pipeline_root:
        kept = options.artifacts or "the run's folder"
        yield (
            f"Not used on this machine: the pipeline root {pipeline.pipeline_root}; "
            f"artifacts are kept in {kept}."
        )
    if config.workspace is not None:
        yield f"Not limited on this machine: the size of the workspace, {config.workspace.size}."
    if (
        config.ttl_seconds_after_finished
        or config.ttl_seconds_after_success
        or config.ttl_seconds_after_failure
    ):
        yield "Not done on this machine: deleting the run some time after its end."


def _listed(paths: list[str]) -> str:
    more = f" and {len(paths) - MOST_NAMED} more" if len(paths) > MOST_NAMED else ""
    return ", ".join(paths[:MOST_NAMED]) + more
