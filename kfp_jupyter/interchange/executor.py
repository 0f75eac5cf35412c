"""What a task runs, and what it asks of its machine, as an executor of the `deploymentSpec`.

KFP keeps image, resources and environment variables in the executor; in the model they are settings of the
tasks that use it.
"""

from __future__ import annotations

from collections.abc import Callable

from kfp_jupyter.interchange.command import Runtime, arguments, command
from kfp_jupyter.interchange.fields import Fields, merged, refuse
from kfp_jupyter.interchange.interface import given, read_artifact_type, write_artifact_type
from kfp_jupyter.interchange.launcher import recognised
from kfp_jupyter.interchange.number import from_protobuf, to_protobuf
from kfp_jupyter.interchange.quantity import cores, gigabytes
from kfp_jupyter.model.component import (
    ContainerStep,
    ForeignStep,
    Implementation,
    Importer,
    PythonStep,
)
from kfp_jupyter.model.settings import Resources, TaskSettings
from kfp_jupyter.model.types import Json
from kfp_jupyter.model.value import PLACEHOLDER, Constant, PipelineInput

_NUMBERS: dict[str, Callable[[str], float]] = {
    "cpuRequest": cores,
    "cpuLimit": cores,
    "memoryRequest": gigabytes,
    "memoryLimit": gigabytes,
}


def write_executor(
    step: PythonStep | ContainerStep | Importer | ForeignStep, settings: TaskSettings, runtime: Runtime
) -> dict[str, Json]:
    """Return the executor of a step.

    Args:
        step: What is run.
        settings: Those of the tasks that use it.
        runtime: What runs a Python step.
    """
    if isinstance(step, ForeignStep):
        return dict(step.spec)
    if isinstance(step, Importer):
        return merged({"importer": _write_importer(step)}, step.extra)
    if isinstance(step, PythonStep):
        container: dict[str, Json] = {
            "image": settings.image or step.base_image,
            "command": command(step, runtime),
            "args": arguments(step),
        }
        env = list(settings.env)
    else:
        container = {
            "image": settings.image or step.image,
            **given(command=list(step.command), args=list(step.args)),
        }
        own = dict(settings.env)
        env = [*((name, value) for name, value in step.env if name not in own), *settings.env]
    container |= given(
        env=[{"name": name, **given(value=value)} for name, value in env],
        resources=_write_resources(settings.resources),
    )
    return merged({"container": container}, step.extra)


def read_executor(held: Fields) -> tuple[Implementation, TaskSettings]:
    """Return what an executor runs, and the settings that it gives to its tasks.

    Raises:
        DocumentError: It is malformed.
    """
    if "container" in held:
        return _read_container(held)
    if "importer" in held:
        return _read_importer(held)
    for kind in ("resolver", "customJob"):
        if kind in held:
            return ForeignStep({kind: held.mapping(kind), **held.rest()}), TaskSettings()
    raise refuse(held.path, "There should be `container` or `importer` here.")


def _read_container(held: Fields) -> tuple[Implementation, TaskSettings]:
    container = held.fields("container")
    image, words, args = container.text("image"), container.texts("command"), container.texts("args")
    env = tuple((item.needed("name"), item.text("value")) for item in container.items("env"))
    dynamic = image if PLACEHOLDER in image else ""
    image = "" if dynamic else image
    settings = TaskSettings(resources=_read_resources(container.fields("resources")), env=env, image=dynamic)
    rest = held.rest()
    python = recognised(words, args, image)
    if python is not None:
        from dataclasses import replace

        return replace(python, extra=rest), settings
    return ContainerStep(image, words, args, extra=rest), settings


def _write_importer(step: Importer) -> dict[str, Json]:
    uri: dict[str, Json]
    if isinstance(step.uri, PipelineInput):
        uri = {"runtimeParameter": step.uri.name}
    else:
        uri = {"constant": step.uri.value}
    return {
        "artifactUri": uri,
        "typeSchema": write_artifact_type(step.type),
        **given(
            reimport=step.reimport,
            metadata=to_protobuf(step.metadata, "the metadata of an imported artifact"),
            downloadToWorkspace=step.download_to_workspace,
        ),
    }


def _read_importer(held: Fields) -> tuple[Implementation, TaskSettings]:
    importer = held.fields("importer")
    place = importer.fields("artifactUri")
    uri: Constant | PipelineInput
    if "runtimeParameter" in place:
        uri = PipelineInput(place.needed("runtimeParameter"))
    elif place.has("constant"):
        uri = Constant(from_protobuf(place.json("constant", meant=True), None, place.at("constant")))
    else:
        raise refuse(place.path, "There should be `constant` or `runtimeParameter` here.")
    step = Importer(
        uri,
        read_artifact_type(importer.fields("typeSchema")),
        importer.flag("reimport"),
        from_protobuf(importer.mapping("metadata"), None, importer.at("metadata")),
        importer.flag("downloadToWorkspace"),
        held.rest(),
    )
    return step, TaskSettings()


def _write_resources(asked: Resources) -> dict[str, Json]:
    """Return the resources twice, as KFP does: as numbers for old servers, and as written."""
    entry: dict[str, Json] = {}
    texts = (asked.cpu_request, asked.cpu_limit, asked.memory_request, asked.memory_limit)
    for (name, number), text in zip(_NUMBERS.items(), texts, strict=True):
        if text:
            entry[f"resource{name[0].upper()}{name[1:]}"] = text
            if PLACEHOLDER not in text:
                entry[name] = number(text)
    type_, count = asked.accelerator_type, asked.accelerator_count
    accelerator = given(
        resourceType=type_,
        resourceCount=count,
        type="" if PLACEHOLDER in type_ else type_,
        count="" if PLACEHOLDER in count else count,
    )
    return {**entry, **given(accelerator=accelerator if count else None)}


def _read_resources(held: Fields) -> Resources:
    texts = []
    for name in _NUMBERS:
        number, text = held.number(name), held.text(f"resource{name[0].upper()}{name[1:]}")
        # Documents of older compilers hold the number alone; memory in units of 1000³ bytes.
        unit = "G" if name.startswith("memory") else ""
        texts.append(text or (f"{number:g}{unit}" if number else ""))
    accelerator = held.fields("accelerator")
    type_, count = accelerator.text("type"), accelerator.integer("count")
    return Resources(
        texts[0],
        texts[1],
        texts[2],
        texts[3],
        accelerator.text("resourceType") or type_,
        accelerator.text("resourceCount") or (str(count) if count else ""),
    )
