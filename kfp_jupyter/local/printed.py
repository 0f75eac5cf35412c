"""What a run prints while a program waits for it: a line when a task starts or ends, and what tasks print.

Lines of tasks have the task's name before them, since several run at once. Of a task that has ended quickly
the lines that its end brings along are all there are, so no file is read.
"""

from __future__ import annotations

import logging
import sys
import time
from typing import TextIO

from kfp_jupyter.engines.local.log import TAIL_LINES, TAIL_WIDTH
from kfp_jupyter.model.run import State, TaskRun
from kfp_jupyter.run import Run
from kfp_jupyter.view.document import document
from kfp_jupyter.view.task_line import task_line
from kfp_jupyter.view.task_names import node_names, task_name
from kfp_jupyter.workbench import current

INTERVAL_SECONDS = 0.1
"""How often is looked for what is new."""

LOG_SECONDS = 30.0
"""How long is waited for the last lines of a task that has ended."""

_LOG = logging.getLogger("kfp_jupyter.local")


def print_until_end(run: Run) -> None:
    """Print what a run does until it has ended."""
    printer = _Printer(run, sys.stdout)
    for state in run.states(INTERVAL_SECONDS):
        for path, task in state.tasks.items():
            printer.look(path, task)


class _Printer:
    def __init__(self, run: Run, out: TextIO) -> None:
        self._run = run
        self._out = out
        self._names = node_names(document(run.pipeline, None))
        self._seen: dict[str, TaskRun] = {}
        self._cursors: dict[str, int] = {}

    def look(self, path: str, task: TaskRun) -> None:
        """Print what is new of a task."""
        before = self._seen.get(path, TaskRun())
        if task is before and task.state is not State.RUNNING:
            return
        self._seen[path] = task
        name = task_name(self._names, path)
        ended = task.state.finished
        # Most tasks are over at the second look, and then their lines come with their end.
        if task.attempt and (ended or before.state is State.RUNNING):
            self._print_lines(path, name, task)
        if ended and task.state is not before.state:
            self._write(task_line(name, task))
            if task.cached:
                _LOG.info("Task %r: cache hit, not run; the result is of run %s.", name, task.cached_from)

    def _print_lines(self, path: str, name: str, task: TaskRun) -> None:
        """Print the lines of a task that were not printed yet; all of them if it has ended."""
        ended = task.state.finished
        if ended and task.attempt == 1 and path not in self._cursors and _whole(task.log_tail):
            self._write(*(f"[{name}] {line}" for line in task.log_tail))
            return
        deadline = time.monotonic() + LOG_SECONDS
        while True:
            lines, self._cursors[path], complete = current().log_lines(
                self._run.id, path, self._cursors.get(path, 0)
            )
            self._write(*(f"[{name}] {line}" for line in lines))
            if complete or not ended or time.monotonic() > deadline:
                return
            time.sleep(INTERVAL_SECONDS / 10)

    def _write(self, *lines: str) -> None:
        self._out.write("".join(f"{line}\n" for line in lines))
        self._out.flush()


def _whole(tail: tuple[str, ...]) -> bool:
    """Say whether the last lines that were kept are all that were printed."""
    return len(tail) < TAIL_LINES and all(len(line) < TAIL_WIDTH for line in tail)
