"""A task of a run as code to run again: its source, and its real inputs as assignments.

What comes out is plain Python without magics, so that breakpoints hold in it, and needs nothing else: it
works after a restart of the kernel, and as a program under `python -m pdb`. Inputs are as the step got them;
outputs get places of their own, so that trying a step never changes what a run has left. A step that was
written as a cell comes back as its body; any other as its function, and the call of it.
"""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfp_jupyter.cells.cell_source import RUNTIME
from kfp_jupyter.cells.component import users_text
from kfp_jupyter.cells.definition import Definition, find_function
from kfp_jupyter.cells.stand_in import stand_in
from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.executor.annotations import PipelineTaskFinalStatus
from kfp_jupyter.executor.arguments import Arguments
from kfp_jupyter.executor.artifacts import ARTIFACT_CLASSES, Artifact
from kfp_jupyter.executor.cell import given_value
from kfp_jupyter.executor.failure import StepError
from kfp_jupyter.model.component import Component, PythonStep, Source
from kfp_jupyter.model.graph import Graph
from kfp_jupyter.model.lines import with_ends
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import State, TaskRun
from kfp_jupyter.model.types import ArtifactType, Json
from kfp_jupyter.paths import data_dir
from kfp_jupyter.repair.inputs import given_inputs
from kfp_jupyter.run import Run

MARK = "# Debug: "
"""What code of a task begins with."""

_LOG = logging.getLogger(__name__)
# The key that says in an artifact's metadata how a cell has stored a value.
_STORED = "kfp-jupyter"
# How the function of a step that was written as a cell calls what runs its body.
_RUN_CELL = "run_cell"


class DebugError(KfpJupyterError):
    """A task that cannot be brought back."""


@dataclass(frozen=True, slots=True)
class TaskCode:
    """A task as code.

    Attributes:
        run_id: Its run.
        task: Its path.
        text: The code.
        function: The name of the step's function if the code defines one; else empty.
        inputs: The values that the code assigns to names.
        notes: Sentences on what is not as it was in the run.
    """

    run_id: str
    task: str
    text: str
    function: str
    inputs: Mapping[str, Any]
    notes: tuple[str, ...]

    @property
    def noted(self) -> str:
        """The code with its notes as comments below its head, for a front end that prints nothing."""
        lines = with_ends(self.text)
        below = next((index for index, line in enumerate(lines) if not line.startswith("#")), len(lines))
        return "".join([*lines[:below], *(f"# {note}\n" for note in self.notes), *lines[below:]])


def failed_task(run: Run) -> str:
    """Return the path of the task that a run failed for: the first that ran and failed, and is no group.

    Raises:
        DebugError: None failed.
    """
    failed = [path for path, held in run.status.tasks.items() if held.state is State.FAILED]
    steps = [
        path for path in failed if not isinstance(component_at(run.pipeline, path).implementation, Graph)
    ]
    if not steps:
        raise DebugError(
            "No step of the run has failed.",
            where=f"run {run.id}",
            remedy=f"Name a task: {', '.join(run.tasks)}.",
        )
    return steps[0]


def component_at(pipeline: Pipeline, path: str) -> Component:
    """Return the component that the task of a path runs; the path may lead through groups.

    Raises:
        DebugError: There is no such task.
    """
    graph = pipeline.graph
    component = None
    for part in path.split("/"):
        task = graph.tasks.get(re.sub(r"\[[^]]*\]$", "", part))
        if task is None:
            raise DebugError(
                f"The pipeline has no task {path!r}.",
                where=f"pipeline {pipeline.name}",
                remedy=f"Its tasks are: {', '.join(pipeline.graph.tasks)}.",
            )
        component = pipeline.component_of(task)
        if isinstance(component.implementation, Graph):
            graph = component.implementation
    assert component is not None
    return component


def task_code(
    run: Run, path: str, namespace: Mapping[str, Any], tell: Callable[[str], None] = _LOG.info
) -> TaskCode:
    """Return a task of a run as code.

    Args:
        run: The run.
        path: The task's path.
        namespace: The notebook's names, which type hints may use.
        tell: Called with sentences on how far bringing its artifacts from a cluster is.

    Raises:
        DebugError: It did not run in this run, or is no Python step.
        EngineError: What it got cannot be read.
    """
    component = component_at(run.pipeline, path)
    step = component.implementation
    if not isinstance(step, PythonStep):
        raise DebugError(
            "It runs no Python function, so there is nothing to step through.",
            where=f"run {run.id}, task {path}",
            remedy=f"Read its log: `run.logs({path!r})`.",
        )
    record = run.status.tasks[path]
    _check_ran(run, path, record)
    folder = data_dir() / "debug" / run.id / path.replace("/", ".")
    given, notes = given_inputs(run, path, component, tell)
    definition = find_function(step.source, step.function)
    values = _arguments(definition, component, given, folder, namespace, f"run {run.id}, task {path}")
    if step.packages:
        notes.append(f"It installs packages, which must be here too: {', '.join(step.packages)}.")
    body = _cell_body(definition.node)
    if body is not None:
        values = {name: held for name, held in values.items() if _is_named_in_cell(name, held, component)}
    in_cell = body is not None
    source = step.source
    if in_cell:
        source = Source(tuple(part for part in source.fragments[:-1] if part.file != RUNTIME))
    futures, text = users_text(source)
    names = {name: name if in_cell else _free(name, text, namespace) for name in values}
    if body is None:
        body = f"{step.function}({', '.join(f'{name}={names[name]}' for name in values)})\n"
    parts = [
        _header(run, path, record, in_cell=in_cell),
        futures,
        _imports(f"{text}\n{body}", values, in_cell=in_cell),
        text,
        "".join(f"{names[name]} = {_expression(held, in_cell)}\n" for name, held in values.items()),
        body,
    ]
    joined = "\n".join(part.strip("\n") + "\n" for part in parts if part.strip())
    inputs = {names[name]: held for name, held in values.items()}
    if in_cell:
        inputs = {name: _loaded(name, held, notes) for name, held in inputs.items()}
    return TaskCode(run.id, path, joined, "" if in_cell else step.function, inputs, tuple(notes))


def _loaded(name: str, held: Any, notes: list[str]) -> Any:
    """Return the value that a cell finds under a name; the artifact itself if it cannot be loaded here."""
    try:
        return given_value(name, held)
    except TypeError as error:
        notes.append(f"{str(error)[:1].upper()}{str(error)[1:]}.")
        return held


def _free(name: str, text: str, namespace: Mapping[str, Any]) -> str:
    """Return a name for an input that takes the place of no function of the step, and of no component."""
    from kfp_jupyter.dsl import PipelineFunction
    from kfp_jupyter.dsl.base_component import BaseComponent

    taken = {bound for statement in ast.parse(text).body for bound in _bound(statement)}
    while name in taken or isinstance(namespace.get(name), (BaseComponent, PipelineFunction)):
        name = f"{name}_given"
    return name


def _check_ran(run: Run, path: str, record: TaskRun) -> None:
    where = f"run {run.id}, task {path}"
    if record.cached_from:
        raise DebugError(
            f"It did not run: its result is that of run {record.cached_from}.",
            where=where,
            remedy=f"Name that run: `debug {record.cached_from} {path}`.",
        )
    if not record.attempt:
        why = record.message or f"it is {record.state.value}."
        raise DebugError(
            f"It did not run, so nobody knows its inputs: {why}",
            where=where,
            remedy="Name a task that ran; the one that failed if none is named.",
        )


def _arguments(
    definition: Definition,
    component: Component,
    given: Mapping[str, Any],
    folder: Path,
    namespace: Mapping[str, Any],
    where: str,
) -> dict[str, Any]:
    """Return what the function was called with, outputs at new places."""
    function = stand_in(definition, namespace)
    artifacts: dict[str, Json] = {}
    parameters: dict[str, Json] = {}
    for spec in component.outputs:
        if isinstance(spec.type, ArtifactType):
            title = {"schemaTitle": spec.type.schema_title}
            record = {"name": spec.name, "type": title, "uri": str(folder / spec.name), "metadata": {}}
            artifacts[spec.name] = {"artifacts": [record]}
        else:
            parameters[spec.name] = {"outputFile": str(folder / "outputs" / spec.name)}
    outputs = {
        "artifacts": artifacts,
        "parameters": parameters,
        "outputFile": str(folder / "output.json"),
    }
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return Arguments(function, {"inputs": given.get("inputs") or {}, "outputs": outputs}).values
    except StepError as error:
        raise DebugError(f"Its inputs are incomplete: {error}.", where=where) from None


def _header(run: Run, path: str, record: TaskRun, *, in_cell: bool) -> str:
    error = record.error
    lines = [f"{MARK}{path}, which {record.state.value.lower()} in run {run.id}"]
    if error is not None:
        at = f" ({error.file}, line {error.line})" if error.file else ""
        first = (error.message.splitlines() or [""])[0]
        lines.append(f"# {error.type}: {first}{at}")
    stand = "above its code" if in_cell else "below its function"
    lines.append(f"# Its inputs stand {stand}. Set breakpoints, try things;")
    lines.append("# then mend the step in its own cell, and rerun.")
    return "\n".join([*lines, ""])


def _cell_body(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
    """Return the body of a step that was written as a cell; None for a function."""
    only = function.body[-1]
    call = only.value if isinstance(only, ast.Return) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Subscript) or not call.args:
        return None
    key, text = call.func.slice, call.args[-1]
    if not isinstance(key, ast.Constant) or key.value != _RUN_CELL or not isinstance(text, ast.Constant):
        return None
    return str(text.value).lstrip("\n")


def _is_named_in_cell(name: str, held: Any, component: Component) -> bool:
    """Say whether a cell's body finds this argument: an input, or an output to log to."""
    return component.input(name) is not None or (
        isinstance(held, Artifact) and held.schema_title.endswith("Metrics")
    )


def _expression(value: Any, in_cell: bool) -> str:
    """Return Python text that makes the value."""
    if isinstance(value, list) and value and all(isinstance(held, Artifact) for held in value):
        return f"[{', '.join(_expression(held, in_cell) for held in value)}]"
    if isinstance(value, Artifact):
        facts = f", metadata={value.metadata!r}" if value.metadata else ""
        made = f"{type(value).__name__}(name={value.name!r}, uri={value.uri!r}{facts})"
        return f"given_value({value.name!r}, {made})" if in_cell and _STORED in value.metadata else made
    if isinstance(value, PipelineTaskFinalStatus):
        fields = ", ".join(f"{name}={held!r}" for name, held in vars(value).items())
        return f"PipelineTaskFinalStatus({fields})"
    if isinstance(value, float) and value not in (float("inf"), float("-inf")) and value == value:
        return repr(value)
    return f"float({str(value)!r})" if isinstance(value, float) else repr(value)


def _classes(values: Any) -> Iterator[str]:
    for value in values:
        if isinstance(value, list):
            yield from _classes(value)
        elif isinstance(value, PipelineTaskFinalStatus) or type(value) in ARTIFACT_CLASSES:
            yield type(value).__name__


def _imports(text: str, values: Mapping[str, Any], *, in_cell: bool) -> str:
    """Return imports of the names that a step knows without importing them."""
    import typing

    from kfp_jupyter import dsl

    tree = ast.parse(text)
    bound = {name for statement in tree.body for name in _bound(statement)}
    used = {*_used(tree), *_classes(values.values())} - bound
    lines = []
    if in_cell and any(_STORED in getattr(held, "metadata", {}) for held in values.values()):
        lines.append("from kfp_jupyter.executor.cell import given_value")
    modules = {
        "kfp_jupyter": "import kfp_jupyter",
        "kfp": "import kfp_jupyter as kfp",
        "dsl": "from kfp_jupyter import dsl",
    }
    lines += [line for name, line in modules.items() if name in used]
    ours, hints = used & set(dsl.__all__), used & set(typing.__all__) - set(dsl.__all__)
    lines += [f"from kfp_jupyter.dsl import {', '.join(sorted(ours))}"] if ours else []
    lines += [f"from typing import {', '.join(sorted(hints))}"] if hints else []
    return "".join(f"{line}\n" for line in lines)


def _used(tree: ast.Module) -> Iterator[str]:
    """Yield the names that code uses, also in hints that are written as text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        hint = getattr(node, "annotation", None) or getattr(node, "returns", None)
        for inner in ast.walk(hint) if isinstance(hint, ast.AST) else ():
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                yield from re.findall(r"[^\W\d]\w*", inner.value)


def _bound(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement of a module binds there."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield statement.name
    elif isinstance(statement, (ast.Import, ast.ImportFrom)):
        yield from ((alias.asname or alias.name).partition(".")[0] for alias in statement.names)
    else:
        stored = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
        yield from (node.id for node in stored if isinstance(node.ctx, ast.Store))
