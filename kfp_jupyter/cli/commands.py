"""What the subcommands do. Each returns the process's exit code; what goes wrong is raised."""

from __future__ import annotations

import json
import os
import sys
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kfp_jupyter.errors import KfpJupyterError

if TYPE_CHECKING:
    from kfp_jupyter.model.pipeline import Pipeline
    from kfp_jupyter.model.run import RunState
    from kfp_jupyter.model.types import Json
    from kfp_jupyter.run import Run
    from kfp_jupyter.workbench import Workbench

OK, FAILED, INTERRUPTED = 0, 1, 130

# Seconds between two looks at a log that is followed.
_LOG_PACE = 0.3
# Seconds that a list of runs waits for news of those that had not ended.
_NEWS = 1.5
# Characters of an output parameter that are shown.
_LONGEST = 60


class OutputError(KfpJupyterError):
    """A file that cannot be written."""


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def named_pipeline(options: Namespace) -> Pipeline:
    """Return the pipeline that a command line names: one of a file's, or the file itself as one step."""
    if options.as_step:
        from kfp_jupyter.dsl.notebook_step import notebook_pipeline

        return notebook_pipeline(options.file, options.pipeline)
    from kfp_jupyter.notebook.source import find_pipeline

    return find_pipeline(options.file, options.pipeline)


def run(options: Namespace) -> int:
    """Run a pipeline of a file, and show it until its end."""
    from kfp_jupyter.workbench import current

    pipeline = named_pipeline(options)
    return followed(options, current().run(pipeline, **run_options(options, pipeline)))


def run_options(options: Namespace, pipeline: Pipeline) -> dict[str, Any]:
    """Return how a command line wants a pipeline run, as `Workbench.run` and `rerun` take it."""
    from kfp_jupyter.cells.run_choices import read_run_choices
    from kfp_jupyter.notebook.define import argument_values
    from kfp_jupyter.notebook.run_arguments import run_arguments
    from kfp_jupyter.runs.history import NOTEBOOK

    return {
        "arguments": argument_values(pipeline, dict(options.parameter)),
        "target": options.target or None,
        "labels": {NOTEBOOK: str(options.file.resolve())},
        "tell": say,
        **run_arguments(read_run_choices(options)),
    }


def followed(options: Namespace, started: Run) -> int:
    """Say that a run was started, and show it until its end unless that is not wanted."""
    say(f"Run {started.id}")
    return OK if options.detach else watched(started)


def show(options: Namespace) -> int:
    """Show a run, from its start to its end if it goes on."""
    from kfp_jupyter.workbench import current

    found = current().get(options.run)
    return _shown(found) if found.state.finished else watched(found)


def compile_(options: Namespace) -> int:
    """Write a pipeline for KFP or for Argo."""
    from kfp_jupyter.dsl import PipelineFunction

    pipeline = named_pipeline(options)
    path = options.output or Path(f"{pipeline.name}.yaml")
    PipelineFunction(pipeline).compile(path, options.target)
    say(f"Wrote {path}.")
    return OK


def graph(options: Namespace) -> int:
    """Draw a pipeline, as SVG or HTML, or as text."""
    from kfp_jupyter.view import document, html, svg, text

    drawn = document(named_pipeline(options), None)
    path = options.output
    if path is None:
        say(text(drawn))
        return OK
    if path.suffix not in (".svg", ".html"):
        raise OutputError("A graph is drawn as .svg or .html.", where=str(path), remedy="Name the file so.")
    content = (
        svg(drawn) if path.suffix == ".svg" else f'<!doctype html>\n<meta charset="utf-8">\n{html(drawn)}'
    )
    with Writing(path):
        path.write_text(content, encoding="utf-8")
    say(f"Wrote {path}.")
    return OK


def runs(options: Namespace) -> int:
    """List the newest runs."""
    from kfp_jupyter.view.wording import duration
    from kfp_jupyter.workbench import current

    workbench = current()
    _catch_up(workbench, [row.id for row in workbench.runs(options.limit) if not row.state.finished])
    rows = [("RUN", "STATE", "TOOK", "TARGET", "CREATED")]
    for row in workbench.runs(options.limit):
        took = (row.finished_at or time.time()) - row.started_at if row.started_at is not None else None
        created = time.strftime("%Y-%m-%d %H:%M", time.localtime(row.created_at))
        rows.append(
            (row.id, row.state.value, duration(took) if took is not None else "", row.target, created)
        )
    problem = workbench.history_problem
    if problem is not None and len(rows) == 1:
        raise problem
    say("\n".join(_columns(rows)) if len(rows) > 1 else "There are no runs yet.")
    if problem is not None:
        sys.stderr.write(f"kfp-jupyter: {problem}\n")
    return OK


def logs(options: Namespace) -> int:
    """Print what a task printed, or all of them."""
    from kfp_jupyter.workbench import current

    workbench = current()
    found = workbench.get(options.run)
    if not options.follow:
        sys.stdout.write(found.logs(options.task))
        return OK
    tasks = [found.tasks[options.task].name] if options.task else list(found.tasks)
    cursors = dict.fromkeys(tasks, 0)
    names = found.task_names()
    while cursors:
        for task in list(cursors):
            lines, cursors[task], done = workbench.log_lines(found.id, task, cursors[task])
            for line in lines:
                say(line if options.task else f"[{names[task]}] {line}")
            if done:
                del cursors[task]
        if cursors:
            time.sleep(_LOG_PACE)
    return OK


def cancel(options: Namespace) -> int:
    """Ask a run to end."""
    from kfp_jupyter.workbench import current

    found = current().get(options.run)
    if found.state.finished:
        say(f"Run {found.id} had ended already: {found.state.value}.")
    else:
        found.cancel()
        say(f"Run {found.id} is asked to end.")
    return OK


def targets(_options: Namespace) -> int:
    """List where pipelines can run."""
    from kfp_jupyter.workbench import current

    workbench = current()
    say(
        "\n".join(_columns([("TARGET", "NAME"), *((place.id, place.label) for place in workbench.targets())]))
    )
    for note in workbench.notes():
        sys.stderr.write(f"{note}\n")
    return OK


def watched(run: Run) -> int:
    """Show a run until its end; an interrupt ends the showing only."""
    from kfp_jupyter.cli.progress import show_until_end

    try:
        show_until_end(run, sys.stdout)
    except KeyboardInterrupt:
        say(f"\nNot watching any longer; the run goes on. `kfp-jupyter show {run.id}` watches it again,")
        say(f"`kfp-jupyter cancel {run.id}` ends it.")
        return INTERRUPTED
    say("")
    return _shown(run)


def _shown(run: Run) -> int:
    """Show a run that has ended."""
    from kfp_jupyter.model.run import State
    from kfp_jupyter.view import document, text
    from kfp_jupyter.view.task_names import task_labels

    drawn = document(run.pipeline, run.status)
    say(text(drawn))
    labels = task_labels(drawn)
    _say_outputs(run.status, labels)
    _say_artifacts(run.status, labels)
    return OK if run.state is State.SUCCEEDED else FAILED


def _say_outputs(state: RunState, labels: Mapping[str, str]) -> None:
    from kfp_jupyter.model.value import CHANNEL

    rows = [
        (labels[path], name, _in_short(value))
        for path, task in state.tasks.items()
        for name, value in task.outputs.items()
        # What a group hands out under KFP's own names is an output of a task in it, or of the task after it.
        if not name.startswith(CHANNEL)
    ]
    if rows:
        say("\nOutputs")
        say("\n".join(f"  {line}" for line in _columns(rows)))


def _in_short(value: Json) -> str:
    from kfp_jupyter.view.wording import plain

    line = " ".join(plain(value if isinstance(value, str) else json.dumps(value)).split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _say_artifacts(state: RunState, labels: Mapping[str, str]) -> None:
    rows = [
        (labels[path], name, record.path or record.uri)
        for path, task in state.tasks.items()
        for name, records in task.artifacts.items()
        for record in records
    ]
    if not rows:
        return
    # On this machine they share a long folder, which is said once.
    folder = ""
    if all(Path(place).is_absolute() for *_, place in rows):
        folder = os.path.commonpath([Path(place).parent for *_, place in rows])
        rows = [(path, name, os.path.relpath(place, folder)) for path, name, place in rows]
    say(f"\nArtifacts{f' in {folder}' if folder else ''}")
    say("\n".join(f"  {line}" for line in _columns(rows)))


def _catch_up(workbench: Workbench, ids: Sequence[str]) -> None:
    """Wait a moment for what happened to runs since somebody looked at them last."""
    for run_id in ids:
        workbench.get(run_id)
    workbench.followers.catch_up(ids, _NEWS)


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


class Writing:
    """Makes an OSError of its block an error that names the file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, OSError):
            raise OutputError(
                f"The file cannot be written: {error.strerror}.",
                where=str(self._path),
                remedy="Name a file in a folder that exists and that you may write to.",
            ) from error
