"""Whether all that a compiled document refers to is there; some that KFP's compiler writes do not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_IN_TEXT = re.compile(r"\{\{\$\.inputs\.(parameters|artifacts)\[(?:'([^']*)'|\"([^\"]*)\")\]")
_IN_CONDITION = re.compile(r"('?)inputs\.parameter_values\['([^']*)'\]")


def dangling(documents: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what a compiled pipeline refers to and does not have, as a place and a name."""
    spec = documents[0]
    components = spec.get("components", {})
    platforms = documents[1]["platforms"] if len(documents) > 1 else {}
    settings = platforms.get("kubernetes", {}).get("deploymentSpec", {}).get("executors", {})
    for name, component in [*components.items(), ("root", spec["root"])]:
        if "dag" in component:
            for found in _in_dag(component, components, settings):
                yield f"{name}: {found}"
    yield from re.findall(r"{{channel:[^}]*}}", repr(spec))
    executors = spec.get("deploymentSpec", {}).get("executors", {})
    used = {name: held.get("executorLabel") for name, held in components.items() if "dag" not in held}
    for name, label in used.items():
        if label not in executors:
            yield f"{name}: executor {label}"
    # KFP renames some executors of inner pipelines twice, and another takes their place.
    for label in {*executors} - {*used.values()}:
        yield f"executor {label} that nothing runs"


def _in_dag(component: dict[str, Any], components: dict[str, Any], settings: dict[str, Any]) -> Iterator[str]:
    dag = component["dag"]
    tasks = dag.get("tasks", {})
    for name, task in tasks.items():
        if task["componentRef"]["name"] not in components:
            yield f"{name}: component {task['componentRef']['name']}"
            continue
        for found in _in_task(task, component, tasks, components):
            yield f"{name}: {found}"
        label = components[task["componentRef"]["name"]].get("executorLabel")
        for value in _references(settings.get(label)):
            for found in _in_value("settings", "parameters", value, component, task, tasks, components):
                yield f"{name}: {found}"
    for kind in ("parameters", "artifacts"):
        for output in dag.get("outputs", {}).get(kind, {}).values():
            for source in _sources(output):
                key = source.get("outputParameterKey") or source.get("outputArtifactKey")
                if not _gives(tasks.get(source["producerSubtask"]), kind, key, components):
                    yield f"outputs: {source['producerSubtask']}.{key}"


def _sources(output: dict[str, Any]) -> list[dict[str, Any]]:
    if "valueFromOneof" in output:
        return list(output["valueFromOneof"]["parameterSelectors"])
    if "valueFromParameter" in output:
        return [output["valueFromParameter"]]
    return list(output.get("artifactSelectors", []))


def _in_task(
    task: dict[str, Any], component: dict[str, Any], tasks: dict[str, Any], components: dict[str, Any]
) -> Iterator[str]:
    given = task.get("inputs", {})
    for other in task.get("dependentTasks", []):
        if other not in tasks:
            yield f"dependent task {other}"
    for kind in ("parameters", "artifacts"):
        for name, value in given.get(kind, {}).items():
            yield from _in_value(name, kind, value, component, task, tasks, components)
            yield from _in_text(repr(value.get("runtimeValue", "")), given)
    items = task.get("parameterIterator", task.get("artifactIterator", {})).get("items", {})
    kind = "parameters" if "parameterIterator" in task else "artifacts"
    looped = items.get("inputParameter") or items.get("inputArtifact")
    if looped and looped not in given.get(kind, {}):
        yield f"items {looped}"
    condition = task.get("triggerPolicy", {}).get("condition", "")
    for quote, name in _IN_CONDITION.findall(condition):
        if quote or name not in given.get("parameters", {}):
            yield f"condition on {quote}{name}"


def _in_value(
    name: str,
    kind: str,
    value: dict[str, Any],
    component: dict[str, Any],
    task: dict[str, Any],
    tasks: dict[str, Any],
    components: dict[str, Any],
) -> Iterator[str]:
    one = kind[:-1].title()
    outer = value.get(f"componentInput{one}")
    if outer and outer not in component.get("inputDefinitions", {}).get(kind, {}):
        yield f"{name}: input {outer} of the component around it"
    source = value.get(f"taskOutput{one}")
    if source:
        key, producer = source[f"output{one}Key"], source["producerTask"]
        if not _gives(tasks.get(producer), kind, key, components):
            yield f"{name}: {producer}.{key}"
        if producer not in task.get("dependentTasks", []) and not _is_resource(name, task, components):
            yield f"{name}: not waited for {producer}"
    if "taskFinalStatus" in value and value["taskFinalStatus"]["producerTask"] not in tasks:
        yield f"{name}: task {value['taskFinalStatus']['producerTask']}"


def _is_resource(name: str, task: dict[str, Any], components: dict[str, Any]) -> bool:
    """Say whether an input is only for a limit or request; KFP does not write that it is waited for."""
    component = components[task["componentRef"]["name"]]
    declared = component.get("inputDefinitions", {}).get("parameters", {})
    given = task["inputs"].get("parameters", {}).items()
    texts = repr([value.get("runtimeValue") for key, value in given if key in declared])
    return "dag" not in component and name not in declared and name not in texts


def _references(settings: Any) -> Iterator[dict[str, Any]]:
    """Yield the values of the run in a task's settings."""
    if isinstance(settings, dict):
        if "componentInputParameter" in settings or "taskOutputParameter" in settings:
            yield settings
        for held in settings.values():
            yield from _references(held)
    elif isinstance(settings, list):
        for held in settings:
            yield from _references(held)


def _in_text(text: str, given: dict[str, Any]) -> Iterator[str]:
    for kind, *names in _IN_TEXT.findall(text):
        name = "".join(names)
        if name.startswith("pipelinechannel--") and name not in given.get(kind, {}):
            yield f"placeholder {name}"


def _gives(task: dict[str, Any] | None, kind: str, key: str | None, components: dict[str, Any]) -> bool:
    if task is None:
        return False
    component = components.get(task["componentRef"]["name"], {})
    return key in component.get("outputDefinitions", {}).get(kind, {})
