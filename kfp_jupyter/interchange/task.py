"""A task of a graph as a `PipelineTaskSpec`.

`dependentTasks` holds what a task waits for, which mostly follows from its arguments; so the model keeps only
what it waits for besides. As KFP's compiler does, a value that only a setting takes is not counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace

from kfp_jupyter.interchange.errors import InterchangeError
from kfp_jupyter.interchange.fields import Fields, merged, refuse
from kfp_jupyter.interchange.interface import given
from kfp_jupyter.interchange.number import from_protobuf, to_protobuf
from kfp_jupyter.model.check import describe
from kfp_jupyter.model.component import Component, ContainerStep, PythonStep
from kfp_jupyter.model.graph import Graph, Loop, Task, Trigger, TriggerStrategy
from kfp_jupyter.model.settings import Resources, Retry, TaskSettings
from kfp_jupyter.model.types import ArtifactType, Json, ValueType
from kfp_jupyter.model.value import (
    CHANNEL,
    PLACEHOLDER,
    Calculation,
    Constant,
    FinalStatus,
    PipelineInput,
    RuntimeParameter,
    TaskOutput,
    Value,
    sources,
)


def write_task(task: Task, component: Component, key: str) -> dict[str, Json]:
    """Return the `PipelineTaskSpec` of a task.

    Args:
        task: The task.
        component: What it runs.
        key: The name of its component in the document.
    """
    _refuse_what_would_be_lost(task, component)
    settings = task.settings
    entry = {
        "componentRef": {"name": key},
        "taskInfo": {"name": settings.display_name or task.name},
        **given(
            inputs=_write_inputs(task, component),
            dependentTasks=sorted(_waits_for(task, component)),
            retryPolicy=_write_retry(settings.retry),
            triggerPolicy=given(condition=task.trigger.condition, strategy=task.trigger.strategy.value),
        ),
        **_write_loop(task.loop),
    }
    if settings.caching is not None:
        entry["cachingOptions"] = given(enableCache=settings.caching, cacheKey=settings.cache_key)
    return merged(entry, task.extra)


def read_task(name: str, held: Fields, components: Mapping[str, Component], settings: TaskSettings) -> Task:
    """Return a task.

    Args:
        name: Its name.
        held: Its `PipelineTaskSpec`.
        components: The components of the document.
        settings: What its executor and the platform document set.

    Raises:
        DocumentError: It is malformed, or refers to a component that is not there.
    """
    key = held.fields("componentRef").needed("name")
    if key not in components:
        raise refuse(f"{held.at('componentRef')}.name", f"There is no component {key!r}.")
    component = components[key]
    arguments = _read_inputs(held.fields("inputs"), component, settings)
    shown = held.fields("taskInfo").text("name")
    task = Task(
        name,
        key,
        arguments,
        settings=_read_settings(held, settings, shown if shown != name else ""),
        trigger=_read_trigger(held.fields("triggerPolicy")),
        loop=_read_loop(held),
    )
    follows = _waits_for(task, component)
    after = tuple(other for other in held.texts("dependentTasks") if other not in follows)
    return replace(task, after=after, extra=held.rest())


def _refuse_what_would_be_lost(task: Task, component: Component) -> None:
    """Refuse settings for which KFP has no place, because what the task runs has no container."""
    step, asked = component.implementation, task.settings
    if isinstance(step, (PythonStep, ContainerStep)):
        return
    lost = {
        "image": asked.image,
        "environment variables": asked.env,
        "resources": asked.resources != Resources(),
    }
    if isinstance(step, Graph):
        lost |= {"timeout": asked.timeout_seconds, "Kubernetes settings": asked.kubernetes}
    names = [name for name, value in lost.items() if value]
    if names:
        raise InterchangeError(
            f"Its {' and '.join(names)} cannot be set: what it runs is no single container.",
            where=f"task {task.name}",
            remedy="Set it on the tasks inside." if isinstance(step, Graph) else "Leave it out.",
        )


def _waits_for(task: Task, component: Component) -> set[str]:
    """Return the tasks that KFP's compiler lists: those whose outputs it gets, also inside texts."""
    declared = {spec.name for spec in component.inputs}
    texts = ""
    names = set(task.after)
    for name, value in task.arguments.items():
        if name not in declared and name.startswith(CHANNEL):
            texts = texts or _constants(task)
            if f"'{name}'" not in texts:
                continue
        names.update(sources(value))
    return names


def _write_inputs(task: Task, component: Component) -> dict[str, Json]:
    artifacts: dict[str, Json] = {}
    parameters: dict[str, Json] = {}
    types = {spec.name: spec.type for spec in component.inputs}
    for name, value in task.arguments.items():
        if isinstance(types.get(name), ArtifactType):
            artifacts[name] = _write_value(value, "Artifact", task)
        elif isinstance(value, Calculation):
            raise _calculated(value, name, task)
        else:
            parameters[name] = _write_value(value, "Parameter", task)
    for name, text in _settings_with_placeholders(task.settings):
        parameters.setdefault(name, {"runtimeValue": {"constant": text}})
    return given(artifacts=artifacts, parameters=parameters)


def _write_value(value: Value, kind: str, task: Task) -> dict[str, Json]:
    if isinstance(value, TaskOutput):
        entry: dict[str, Json] = {
            f"taskOutput{kind}": {"producerTask": value.task, f"output{kind}Key": value.output}
        }
    elif isinstance(value, PipelineInput):
        entry = {f"componentInput{kind}": value.name}
    elif isinstance(value, FinalStatus):
        return {"taskFinalStatus": {"producerTask": value.task}}
    elif isinstance(value, RuntimeParameter):
        return {"runtimeValue": {"runtimeParameter": value.name}}
    elif isinstance(value, Constant):
        return {"runtimeValue": {"constant": to_protobuf(value.value, f"an argument of task {task.name!r}")}}
    else:
        raise InterchangeError(
            "It gets the output of whichever of several tasks ran, which KFP's format has only as the output "
            "of a group.",
            where=f"task {task.name}",
            remedy="Let the group of these tasks give it out.",
        )
    if value.selector:
        entry["parameterExpressionSelector"] = value.selector
    return entry


def _calculated(value: Calculation, name: str, task: Task) -> InterchangeError:
    what = "It decides on or holds" if name.startswith(CHANNEL) else f"Its argument {name!r} is"
    return InterchangeError(
        f"{what} what is calculated from values of the run: {describe(value)}. KFP's format cannot say that.",
        where=f"task {task.name}",
        remedy="Calculate it inside a component; on this machine the pipeline runs as it is.",
    )


def _read_inputs(held: Fields, component: Component, settings: TaskSettings) -> dict[str, Value]:
    types = {spec.name: spec.type for spec in component.inputs}
    arguments: dict[str, Value] = {}
    for name, given_value in held.each("artifacts"):
        # Of an input that the component has not, nobody knows that it is an artifact: it stays in the rest.
        if isinstance(types.get(name), ArtifactType):
            arguments[name] = _read_artifact(given_value)
    ours = dict(_settings_with_placeholders(settings))
    for name, given_value in held.each("parameters"):
        if isinstance(types.get(name), ArtifactType):
            raise refuse(
                given_value.path, f"The input {name!r} of component {component.name!r} is an artifact."
            )
        value = _read_parameter(given_value, types.get(name))
        if name in types or name not in ours or value != Constant(ours[name]):
            arguments[name] = value
    return arguments


def _read_artifact(held: Fields) -> Value:
    if "taskOutputArtifact" in held:
        source = held.fields("taskOutputArtifact")
        return TaskOutput(source.needed("producerTask"), source.needed("outputArtifactKey"))
    if "componentInputArtifact" in held:
        return PipelineInput(held.needed("componentInputArtifact"))
    raise refuse(held.path, "There should be `taskOutputArtifact` or `componentInputArtifact` here.")


def _read_parameter(held: Fields, type_: ValueType | None) -> Value:
    if "taskOutputParameter" in held:
        source = held.fields("taskOutputParameter")
        task, output = source.needed("producerTask"), source.needed("outputParameterKey")
        return TaskOutput(task, output, held.text("parameterExpressionSelector"))
    if "componentInputParameter" in held:
        name = held.needed("componentInputParameter")
        return PipelineInput(name, held.text("parameterExpressionSelector"))
    if "taskFinalStatus" in held:
        return FinalStatus(held.fields("taskFinalStatus").needed("producerTask"))
    if "runtimeValue" in held:
        value = held.fields("runtimeValue", meant=True)
        if "runtimeParameter" in value:
            return RuntimeParameter(value.needed("runtimeParameter"))
        if value.has("constant"):
            return Constant(from_protobuf(value.json("constant", meant=True), type_, value.at("constant")))
        raise refuse(value.path, "There should be `constant` or `runtimeParameter` here.")
    raise refuse(
        held.path,
        "There should be `runtimeValue`, `componentInputParameter`, `taskOutputParameter` or "
        "`taskFinalStatus` here.",
    )


def _settings_with_placeholders(settings: TaskSettings) -> list[tuple[str, str]]:
    """Return the settings that KFP's compiler also lists as arguments, under its names."""
    asked = settings.resources
    return [
        (name, text)
        for name, text in (
            ("cpu_request", asked.cpu_request),
            ("cpu_limit", asked.cpu_limit),
            ("memory_request", asked.memory_request),
            ("memory_limit", asked.memory_limit),
            ("accelerator_type", asked.accelerator_type),
            ("accelerator_count", asked.accelerator_count),
            ("base_image", settings.image),
        )
        if PLACEHOLDER in text
    ]


def _read_settings(held: Fields, settings: TaskSettings, display_name: str) -> TaskSettings:
    caching = None
    cache_key = ""
    if held.has("cachingOptions"):
        options = held.fields("cachingOptions", meant=True)
        caching, cache_key = options.flag("enableCache"), options.text("cacheKey")
    retry = _read_retry(held.fields("retryPolicy", meant=True)) if held.has("retryPolicy") else None
    return replace(settings, caching=caching, cache_key=cache_key, retry=retry, display_name=display_name)


def _write_retry(retry: Retry | None) -> dict[str, Json] | None:
    if retry is None:
        return None
    return {
        **given(maxRetryCount=retry.max_count, backoffFactor=float(retry.backoff_factor)),
        "backoffDuration": _duration(retry.backoff_seconds),
        "backoffMaxDuration": _duration(retry.max_backoff_seconds),
    }


def _read_retry(held: Fields) -> Retry:
    return Retry(
        held.integer("maxRetryCount"),
        _seconds(held, "backoffDuration"),
        held.number("backoffFactor"),
        _seconds(held, "backoffMaxDuration"),
    )


def _duration(seconds: float) -> str:
    """Return a time as protobuf writes it: whole seconds, or with three, six or nine digits."""
    whole, nanos = divmod(round(seconds * 1_000_000_000), 1_000_000_000)
    digits = next(count for count in (0, 3, 6, 9) if nanos % 10 ** (9 - count) == 0)
    return f"{whole}.{nanos:09d}"[: len(str(whole)) + 1 + digits].rstrip(".") + "s"


def _seconds(held: Fields, name: str) -> float:
    text = held.text(name)
    if not re.fullmatch(r"(\d{1,12}(\.\d{1,9})?s)?", text):
        raise refuse(held.at(name), f"There should be a time such as `30s` here, not {text[:40]!r}.")
    return float(text[:-1] or 0)


def _read_trigger(held: Fields) -> Trigger:
    name = held.text("strategy")
    try:
        strategy = TriggerStrategy(name)
    except ValueError:
        known = ", ".join(strategy.value for strategy in TriggerStrategy if strategy.value)
        raise refuse(held.at("strategy"), f"{name!r} is no strategy.", f"There are: {known}.") from None
    return Trigger(held.text("condition"), strategy)


def _write_loop(loop: Loop | None) -> dict[str, Json]:
    if loop is None:
        return {}
    kind = "Artifact" if loop.artifacts else "Parameter"
    if loop.items is None:
        items = {f"input{kind}": loop.items_input}
    else:
        items = {"raw": json.dumps(loop.items, sort_keys=True)}
    return {
        f"{kind.lower()}Iterator": {"items": items, "itemInput": loop.item_input},
        **given(iteratorPolicy=given(parallelismLimit=loop.parallelism)),
    }


def _read_loop(held: Fields) -> Loop | None:
    if "artifactIterator" in held:
        over = held.fields("artifactIterator")
        items_input = over.fields("items").needed("inputArtifact")
        return Loop(over.needed("itemInput"), None, items_input, True, _parallelism(held))
    if "parameterIterator" in held:
        over = held.fields("parameterIterator")
        items = over.fields("items")
        if "raw" not in items:
            items_input = items.needed("inputParameter")
            return Loop(over.needed("itemInput"), None, items_input, False, _parallelism(held))
        raw = _raw_items(items.needed("raw"), items.at("raw"))
        return Loop(over.needed("itemInput"), raw, "", False, _parallelism(held))
    return None


def _parallelism(held: Fields) -> int:
    return held.fields("iteratorPolicy").integer("parallelismLimit")


def _raw_items(text: str, path: str) -> tuple[Json, ...]:
    try:
        items = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise refuse(path, f"There should be the JSON text of a list here ({error}).") from None
    if not isinstance(items, list):
        raise refuse(path, "There should be the JSON text of a list here.")
    return tuple(items)


def _constants(task: Task) -> str:
    return json.dumps([value.value for value in task.arguments.values() if isinstance(value, Constant)])
