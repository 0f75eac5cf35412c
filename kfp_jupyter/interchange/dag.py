"""A graph as a `DagSpec`: its tasks, and the outputs that it gives out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from kfp_jupyter.interchange.errors import InterchangeError
from kfp_jupyter.interchange.fields import Fields, refuse
from kfp_jupyter.interchange.interface import given
from kfp_jupyter.interchange.task import read_task, write_task
from kfp_jupyter.model.component import Component, OutputSpec
from kfp_jupyter.model.graph import Graph, GroupKind, Task
from kfp_jupyter.model.settings import TaskSettings
from kfp_jupyter.model.types import ArtifactType, Json
from kfp_jupyter.model.value import OneOf, PipelineInput, TaskOutput, Value, sources

_KINDS = {
    "condition": GroupKind.CONDITION,
    "condition-branches": GroupKind.BRANCHES,
    "for-loop": GroupKind.LOOP,
    "exit-handler": GroupKind.EXIT_HANDLER,
}


def write_dag(
    graph: Graph, outputs: Iterable[OutputSpec], placed: Callable[[Task], tuple[Component, str]]
) -> dict[str, Json]:
    """Return the `DagSpec` of a graph.

    Args:
        graph: The graph.
        outputs: The outputs that its component or pipeline declares.
        placed: The component of a task, and the name of that in the document.

    Raises:
        InterchangeError: KFP's format cannot express it.
    """
    tasks = {name: write_task(task, *placed(task)) for name, task in graph.tasks.items()}
    return {**given(outputs=_write_outputs(graph, outputs)), "tasks": tasks}


def read_dag(
    dag: Fields,
    key: str,
    outputs: Iterable[OutputSpec],
    inputs: Iterable[str],
    components: Mapping[str, Component],
    settings: Callable[[str], TaskSettings],
) -> Graph:
    """Return a graph.

    Args:
        dag: Its `DagSpec`.
        key: The name of its component, which says what kind of group it is; empty for the root.
        outputs: The outputs that its component declares.
        inputs: The names of the inputs that its component declares.
        components: The components of the document.
        settings: What the executor of a component, given by its key, and the platform document set.

    Raises:
        DocumentError: It is malformed, or refers to something that is not there.
    """
    tasks: dict[str, Task] = {}
    places: dict[str, str] = {}
    for name, held in dag.each("tasks"):
        component = held.fields("componentRef").text("name")
        tasks[name] = read_task(name, held, components, settings(component))
        places[name] = held.path
    known = set(inputs)
    for name, task in tasks.items():
        _check_references(task, places[name], tasks, known)
    given_out = _read_outputs(dag.fields("outputs"), {spec.name: spec for spec in outputs})
    for name, value in given_out.items():
        for source in sources(value):
            if source not in tasks:
                raise refuse(
                    dag.at("outputs"), f"The output {name!r} comes from {source!r}, which is no task."
                )
    return Graph(tasks, given_out, _kind(key))


def _kind(key: str) -> GroupKind:
    found = re.fullmatch(r"comp-(.+?)-\d+(?:-\d+)*", key)
    return _KINDS.get(found[1], GroupKind.PIPELINE) if found else GroupKind.PIPELINE


def _check_references(task: Task, path: str, tasks: Mapping[str, Task], inputs: set[str]) -> None:
    for name in task.dependencies:
        if name not in tasks:
            raise refuse(path, f"It waits for {name!r}, which is no task beside it.")
    for name, value in task.arguments.items():
        if isinstance(value, PipelineInput) and value.name not in inputs:
            raise refuse(
                f"{path}.inputs", f"Its {name!r} is the input {value.name!r}, which is not defined around it."
            )


def _write_outputs(graph: Graph, outputs: Iterable[OutputSpec]) -> dict[str, Json]:
    artifacts: dict[str, Json] = {}
    parameters: dict[str, Json] = {}
    for spec in outputs:
        value = graph.outputs.get(spec.name)
        if value is None:
            continue
        if isinstance(spec.type, ArtifactType):
            listed = value.sources if isinstance(value, OneOf) else (value,)
            artifacts[spec.name] = {
                "artifactSelectors": [_selector(spec.name, held, "outputArtifactKey") for held in listed]
            }
        elif isinstance(value, OneOf):
            selectors = [_selector(spec.name, held, "outputParameterKey") for held in value.sources]
            parameters[spec.name] = {"valueFromOneof": given(parameterSelectors=selectors)}
        else:
            selector = _selector(spec.name, value, "outputParameterKey")
            parameters[spec.name] = {"valueFromParameter": selector}
    return given(artifacts=artifacts, parameters=parameters)


def _selector(name: str, value: Value, key: str) -> dict[str, Json]:
    if not isinstance(value, TaskOutput) or value.selector:
        raise InterchangeError(
            f"The output {name!r} is no output of a task, which KFP's format cannot express.",
            remedy="Return the output of a task.",
        )
    return {"producerSubtask": value.task, key: value.output}


def _read_outputs(held: Fields, specs: Mapping[str, OutputSpec]) -> dict[str, Value]:
    outputs: dict[str, Value] = {}
    for name, output in held.each("artifacts"):
        _check_output(name, output, specs, True)
        listed = tuple(
            _read_selector(item, "outputArtifactKey") for item in output.items("artifactSelectors")
        )
        outputs[name] = listed[0] if len(listed) == 1 else OneOf(listed)
    for name, output in held.each("parameters"):
        _check_output(name, output, specs, False)
        if "valueFromParameter" in output:
            outputs[name] = _read_selector(output.fields("valueFromParameter"), "outputParameterKey")
        elif "valueFromOneof" in output:
            selectors = output.fields("valueFromOneof").items("parameterSelectors")
            outputs[name] = OneOf(tuple(_read_selector(item, "outputParameterKey") for item in selectors))
        else:
            raise refuse(output.path, "There should be `valueFromParameter` or `valueFromOneof` here.")
    return outputs


def _check_output(name: str, output: Fields, specs: Mapping[str, OutputSpec], artifact: bool) -> None:
    if name not in specs or isinstance(specs[name].type, ArtifactType) != artifact:
        kind = "an artifact" if artifact else "a parameter"
        raise refuse(output.path, f"{name!r} is not defined as an output that is {kind}.")


def _read_selector(held: Fields, key: str) -> TaskOutput:
    return TaskOutput(held.needed("producerSubtask"), held.needed(key))
