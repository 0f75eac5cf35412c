"""Fix and rerun: a new run that takes over from an earlier one whatever a change has not touched.

Which results hold is said by `kfp_jupyter.model.reuse`; here the earlier run is found, the pipeline gets the
components as they are now, and results whose files are gone are put aside.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from kfp_jupyter.engines.base import LocalOptions
from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.model.check import bind_arguments, check
from kfp_jupyter.model.component import Component, PythonStep
from kfp_jupyter.model.pipeline import Pipeline, PipelineError
from kfp_jupyter.model.reuse import reusable, same_component
from kfp_jupyter.model.run import RunState, State, Target, TaskRun
from kfp_jupyter.model.types import Json
from kfp_jupyter.run import Run
from kfp_jupyter.workbench import Workbench

_LOG = logging.getLogger(__name__)
# Runs that are looked through for the one to go on from.
_LOOKED_AT = 200
# Kinds that may be nothing but metadata, with no file where they say they are.
_WITHOUT_FILE = ("system.Metrics", "system.ClassificationMetrics", "system.SlicedClassificationMetrics")


class RerunError(KfpJupyterError):
    """A run that nothing can be taken over from, or nowhere to take it."""


def latest_run(workbench: Workbench, *, failed: bool = False, pipeline: str = "") -> Run:
    """Return the newest run, of a pipeline that is defined here if there is any.

    Args:
        workbench: Where it is looked for.
        failed: Only runs that failed.
        pipeline: Only runs of the pipeline of that name.

    Raises:
        RerunError: There is none.
    """
    rows = workbench.runs(_LOOKED_AT, pipeline=pipeline)
    fit = [row for row in rows if not failed or row.state is State.FAILED]
    own = [row for row in fit if row.pipeline in workbench.pipelines]
    for row in [*own, *fit]:
        return workbench.get(row.id)
    raise RerunError(
        "No run has failed." if failed and rows else "There is no run yet.",
        where=f"pipeline {pipeline}" if pipeline else "",
        remedy="`runs` lists the runs there are.",
    )


def rerun(
    workbench: Workbench,
    earlier: Run,
    pipeline: Pipeline | None = None,
    *,
    components: Mapping[str, Component] | None = None,
    arguments: Mapping[str, Json] | None = None,
    target: Target | str | None = None,
    caching: bool = True,
    jobs: int = 0,
    labels: Mapping[str, str] | None = None,
    tell: Callable[[str], None] = _LOG.warning,
    local: LocalOptions | None = None,
) -> Run:
    """Start a run that takes over what holds of an earlier one, and return its handle at once.

    Args:
        workbench: Where it runs.
        earlier: The earlier run.
        pipeline: What to run; None means the pipeline of the same name that is known here, else that of the
            earlier run.
        components: Components as they are now, by name; they take the place of the pipeline's own.
        arguments: Arguments that shall differ from the earlier run's.
        target: Where to run; None means where the earlier run was.
        caching: False ignores other earlier results.
        jobs: The most tasks at once; 0 means the engine's default.
        labels: Facts to keep with the run.
        tell: Called with a sentence on what is taken over and what runs again.
        local: What is otherwise than usual on this machine; None means nothing.

    Raises:
        RerunError: The earlier run goes on, left nothing to do, or is not where the target is.
        PipelineError: The components do not fit the pipeline any more.
        ArgumentError: An argument is unknown or of the wrong type.
        EngineError: It cannot run there; nothing was started.
    """
    state = earlier.status
    if not state.state.finished:
        raise RerunError(
            "The run goes on.", where=f"run {earlier.id}", remedy="Wait for its end, or cancel it first."
        )
    if pipeline is None:
        pipeline = workbench.pipelines.get(earlier.pipeline.name, earlier.pipeline)
    pipeline = renewed(pipeline, components or {})
    known = {spec.name for spec in pipeline.inputs}
    kept = {name: held for name, held in state.arguments.items() if name in known}
    given = {**kept, **(arguments or {})}
    bound = bind_arguments(pipeline, given)
    where = _chosen(target, earlier, pipeline)
    there = _in_store if where.kind == "argo" else _has_files
    known_there = {path: held for path, held in state.tasks.items() if there(held)}
    taken = reusable(earlier.pipeline, replace(state, tasks=known_there), pipeline, bound)
    if (
        state.state is State.SUCCEEDED
        and set(taken) >= _ran(state)
        and set(pipeline.graph.tasks) <= set(state.tasks)
    ):
        raise RerunError(
            "Nothing was changed since this run, which succeeded.",
            where=f"run {earlier.id}",
            remedy="Run the pipeline without the cache (`--no-cache`) to have every step run again.",
        )
    tell(_told(earlier, pipeline, taken))
    return workbench.run(
        pipeline,
        given,
        target=where,
        caching=caching,
        jobs=jobs,
        labels=labels,
        tell=tell,
        taken=taken,
        local=local,
    )


def renewed(pipeline: Pipeline, components: Mapping[str, Component]) -> Pipeline:
    """Return the pipeline with the components of the same names in the place of its own.

    Raises:
        PipelineError: They do not fit: another input is needed, an output is gone.
    """
    names = Counter(component.name for component in pipeline.components.values())
    changed = {
        key: replace(components[held.name], executor_label=held.executor_label, extra=held.extra)
        for key, held in pipeline.components.items()
        # Two of one name: only the pipeline's own cell tells which is which.
        if held.name in components
        and names[held.name] == 1
        and isinstance(held.implementation, PythonStep)
        and not same_component(held, components[held.name])
    }
    if not changed:
        return pipeline
    pipeline = replace(pipeline, components={**pipeline.components, **changed})
    try:
        check(pipeline)
    except PipelineError as error:
        error.remedy = f"{error.remedy} Then run the pipeline's cell again.".strip()
        raise
    return pipeline


def _has_files(task: TaskRun) -> bool:
    """Say whether a task's artifacts are (still) on this machine."""
    records = [record for listed in task.artifacts.values() for record in listed]
    return all(record.type in _WITHOUT_FILE or Path(record.uri).exists() for record in records)


def _in_store(task: TaskRun) -> bool:
    """Say whether a task's artifacts lie in a cluster's store, where another run there finds them."""
    from kfp_jupyter.engines.argo.stored import stored_at

    return all(
        len(listed) == 1 and stored_at(record.uri) is not None
        for listed in task.artifacts.values()
        for record in listed
    )


def _ran(state: RunState) -> set[str]:
    """Return the paths of the tasks that did something, leaving out groups, which have no result."""
    return {path for path, held in state.tasks.items() if held.attempt or held.cached}


def _chosen(target: Target | str | None, earlier: Run, pipeline: Pipeline) -> Target:
    """Return where to run: results can be taken over where they are, and from anywhere to this machine."""
    from kfp_jupyter.engines.targets import LOCAL, named, parse_target

    chosen = named(parse_target(target) if isinstance(target, str) else target or earlier.target)
    if chosen not in (LOCAL, earlier.target):
        raise RerunError(
            f"Results of a run on {earlier.target} cannot be taken over on {chosen}.",
            where=f"pipeline {pipeline.name}, run {earlier.id}",
            remedy=f"Rerun it where it ran (`--target {earlier.target}`), or run the whole pipeline there.",
        )
    return chosen


def _told(earlier: Run, pipeline: Pipeline, taken: Mapping[str, TaskRun]) -> str:
    kept = [path for path in pipeline.graph.tasks if path in taken]
    again = [path for path in pipeline.graph.tasks if path not in taken]
    inner = len(taken) - len(kept)
    also = f" and {inner} inside of groups" if inner else ""
    return (
        f"Taken over from run {earlier.id}: {', '.join(kept) or 'nothing'}{also}. "
        f"Run again: {', '.join(again) or 'nothing'}."
    )
