"""The tasks of a run as rows of the history.

Plain facts stand in columns and everything else in one JSON record, so that the states of thousands of tasks
are read without parsing or building what nobody asked for. Metrics and artifacts are in tables of their own
besides, so that they can be queried with SQL.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import astuple
from typing import TYPE_CHECKING, Any, cast

from kfp_jupyter.model.codec import Lazy, check_fields, encode, fields_decoder
from kfp_jupyter.model.run import RunState, State, TaskRun
from kfp_jupyter.model.types import Json
from kfp_jupyter.model.usage import Usage
from kfp_jupyter.runs.metrics import scalars

if TYPE_CHECKING:
    from sqlite3 import Connection

Row = tuple[Any, ...]

_COLUMNS = (
    "path, record, state, attempt, started_at, finished_at, cached_from,"
    " cpu_seconds, memory_bytes, cpu_limit, memory_limit"
)
_IN_COLUMNS = frozenset({"kind", "state", "attempt", "started_at", "finished_at", "cached_from", "usage"})
_STATES = {state.value: state for state in State}


def fetch(connection: Connection, run: str) -> list[Row]:
    """Return the rows of a run's tasks, in the order in which they were added."""
    found = connection.execute(f"SELECT {_COLUMNS} FROM tasks WHERE run = ? ORDER BY position", (run,))
    return found.fetchall()


def tasks(rows: list[Row]) -> Mapping[str, TaskRun]:
    """Return tasks by path, each made of its row when it is asked for.

    Raises:
        ValueError: A record is not JSON.
        TypeError: A record has a field that no task has.
    """
    # One text of thousands of records is parsed in half the time of thousands of texts.
    records = json.loads(f"[{','.join(row[1] for row in rows)}]")
    check_fields(TaskRun, records)
    return Lazy({row[0]: (row, record) for row, record in zip(rows, records, strict=True)}, _task)


def _task(written: tuple[Row, Mapping[str, Any]]) -> TaskRun:
    (_, _, state, attempt, started, finished, cached, cpu_seconds, *used), record = written
    usage = None if cpu_seconds is None else Usage(cpu_seconds, *used)
    others = fields_decoder(TaskRun, lazy=True)(record)
    return TaskRun(_STATES[state], attempt, started, finished, cached, usage=usage, **others)


def write(connection: Connection, state: RunState, known: Mapping[str, TaskRun]) -> None:
    """Write the tasks of a run, but for those that are the same objects in `known`."""
    for position, (path, task) in enumerate(state.tasks.items()):
        if task is not known.get(path):
            _write_task(connection, state.id, path, position, task)


def _write_task(connection: Connection, run: str, path: str, position: int, task: TaskRun) -> None:
    # Deleting takes the task's metrics and artifacts along; they are written again below.
    connection.execute("DELETE FROM tasks WHERE run = ? AND path = ?", (run, path))
    fields = cast("dict[str, Json]", encode(task))
    record = {name: value for name, value in fields.items() if name not in _IN_COLUMNS}
    usage = task.usage
    used = astuple(usage) if usage else (None,) * 4
    connection.execute(
        f"INSERT INTO tasks (run, position, {_COLUMNS}) VALUES ({', '.join('?' * 13)})",
        (
            *(run, position, path, json.dumps(record), task.state.value),
            *(task.attempt, task.started_at, task.finished_at, task.cached_from),
            *used,
        ),
    )
    for output, artifacts in task.artifacts.items():
        for number, artifact in enumerate(artifacts):
            metadata = json.dumps(dict(artifact.metadata))
            connection.execute(
                "INSERT INTO artifacts VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (run, path, output, number, artifact.type, artifact.uri, artifact.path, metadata),
            )
            connection.executemany(
                "INSERT INTO metrics VALUES (?, ?, ?, ?, ?)",
                [(run, path, output, name, value) for name, value in scalars(artifact).items()],
            )
