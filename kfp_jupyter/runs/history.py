"""The runs of this user, kept over kernel restarts in one SQLite file (`runs/database.py`).

A run's row holds the compiled pipeline too, so that a state comes back complete; its tasks have rows of their
own (`runs/task_rows.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kfp_jupyter.model.codec import decode, encode
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import RunRef, RunState, State, Target
from kfp_jupyter.runs import task_rows
from kfp_jupyter.runs.database import HistoryError, transaction
from kfp_jupyter.runs.summary import RunSummary, listed

NOTEBOOK = "notebook"
"""The label that holds the path of the notebook from which a run was started."""
COMMIT = "commit"
"""The label that holds the git commit of the folder in which it was started."""

_SUMMARY = (
    "id, pipeline, target_kind, target_name, target_namespace,"
    " state, created_at, started_at, finished_at, message, notebook, arguments"
)
_AMBIGUOUS_SHOWN = 5


class History:
    """The runs in one file. Every method may raise `HistoryError`.

    Args:
        path: The SQLite file; made when first written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def record(
        self,
        ref: RunRef,
        pipeline: Pipeline,
        state: RunState,
        labels: Mapping[str, str],
        *,
        again: bool = True,
    ) -> None:
        """Keep a run; if the history has it, in the place of what is kept, or not at all unless `again`."""
        with transaction(self.path, write=True) as connection:
            if again:
                connection.execute("DELETE FROM runs WHERE id = ?", (ref.run_id,))
            kept = connection.execute(
                f"INSERT OR IGNORE INTO runs VALUES ({', '.join('?' * 19)})",
                (
                    ref.run_id,
                    state.pipeline,
                    json.dumps(encode(pipeline)),
                    ref.target.kind,
                    ref.target.name,
                    ref.target.namespace,
                    ref.location,
                    json.dumps(dict(state.arguments)),
                    state.state.value,
                    state.reason,
                    state.message,
                    state.created_at,
                    state.started_at,
                    state.finished_at,
                    state.version,
                    labels.get(NOTEBOOK, ""),
                    labels.get(COMMIT, ""),
                    json.dumps(dict(labels)),
                    json.dumps(state.notices),
                ),
            )
            if kept.rowcount:
                task_rows.write(connection, state, {})

    def update(self, state: RunState, known: RunState | None = None) -> None:
        """Keep the present state of a run; nothing happens if the history does not have the run.

        A run that has ended stays ended, whatever a process that had lost sight of it still writes.

        Args:
            state: The state.
            known: The state that was kept last: tasks that are the same objects in both are not written
            again.
        """
        with transaction(self.path, write=True) as connection:
            changed = connection.execute(
                "UPDATE runs SET"
                " created_at = ?, state = ?, reason = ?, message = ?,"
                " started_at = ?, finished_at = ?, version = ?"
                " WHERE id = ? AND (finished_at IS NULL OR ?)",
                (
                    state.created_at,
                    state.state.value,
                    state.reason,
                    state.message,
                    state.started_at,
                    state.finished_at,
                    state.version,
                    state.id,
                    state.state.finished,
                ),
            )
            if changed.rowcount:
                task_rows.write(connection, state, known.tasks if known else {})

    def reopen(self, run_id: str) -> None:
        """Note that a run which has ended goes on, so that what becomes of it is kept again."""
        with transaction(self.path, write=True) as connection:
            # A change like any other: who follows the run from its first event on is not to stop at that end.
            connection.execute(
                "UPDATE runs SET state = ?, reason = '', message = '', finished_at = NULL,"
                " version = version + 1 WHERE id = ?",
                (State.PENDING.value, run_id),
            )

    def finished_at(self, run_id: str) -> float | None:
        """Return when a run ended, in seconds since the epoch; None if it is open.

        Raises:
            HistoryError: There is no such run.
        """
        with transaction(self.path, write=False) as connection:
            row = connection.execute("SELECT finished_at FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None:
            raise HistoryError(f"There is no run {run_id!r}.")
        return None if row[0] is None else float(row[0])

    def runs(self, limit: int = 50, *, pipeline: str = "", notebook: str = "") -> list[RunSummary]:
        """Return the newest runs, newest first; of one pipeline or notebook if named."""
        wanted = [("pipeline", pipeline), ("notebook", notebook)]
        given = [(column, value) for column, value in wanted if value]
        where = " AND ".join(f"{column} = ?" for column, _ in given) or "1"
        with transaction(self.path, write=False) as connection:
            rows = connection.execute(
                f"SELECT {_SUMMARY} FROM runs WHERE {where} ORDER BY created_at DESC, id DESC LIMIT ?",
                (*(value for _, value in given), limit),
            ).fetchall()
        return [_summary(row) for row in rows]

    def open_runs(self, limit: int = 50) -> list[str]:
        """Return the ids of the newest runs that had not ended when they were last seen."""
        with transaction(self.path, write=False) as connection:
            rows = connection.execute(
                "SELECT id FROM runs WHERE finished_at IS NULL ORDER BY created_at DESC LIMIT ?", (limit,)
            ).fetchall()
        return [str(row[0]) for row in rows]

    def without(self, run_ids: Iterable[str]) -> set[str]:
        """Return those of the ids of which there is no run here."""
        with transaction(self.path, write=False) as connection:
            rows = connection.execute(
                "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT id FROM runs)",
                (json.dumps(list(run_ids)),),
            ).fetchall()
        return {str(row[0]) for row in rows}

    def find(self, text: str) -> str:
        """Return the id of a run: the one of that id, the newest of that pipeline, the one that begins so.

        Args:
            text: An id, a pipeline's name in KFP's spelling or Python's, or the beginning of an id; each
                counts before those that follow.

        Raises:
            HistoryError: There is none, or more than one begins so.
        """
        names = {"text": text, "length": len(text), "kfp": text.replace("_", "-")}
        with transaction(self.path, write=False) as connection:
            rows = connection.execute(
                "SELECT id, id = :text OR pipeline IN (:text, :kfp) AS named FROM runs"
                " WHERE named OR substr(id, 1, :length) = :text"
                " ORDER BY id = :text DESC, named DESC, created_at DESC LIMIT :limit",
                {**names, "limit": _AMBIGUOUS_SHOWN + 1},
            ).fetchall()
        ids = [str(row[0]) for row in rows] if text else []
        if ids and (len(ids) == 1 or rows[0][1]):
            return ids[0]
        if not ids:
            raise HistoryError(
                f"There is no run {text!r}.", remedy="`kfp-jupyter runs` lists the runs there are."
            )
        shown = ", ".join(ids[:_AMBIGUOUS_SHOWN]) + (", …" if len(ids) > _AMBIGUOUS_SHOWN else "")
        raise HistoryError(f"{text!r} may be several runs: {shown}.", remedy="Give more of the id.")

    def load(self, run_id: str) -> tuple[RunRef, Pipeline, RunState]:
        """Return all that is known of a run; `run_id` is as for `find`.

        Raises:
            HistoryError: There is no such run, or more than one.
        """
        run_id = self.find(run_id)
        with transaction(self.path, write=False) as connection:
            row = connection.execute(
                f"SELECT {_SUMMARY}, plan, location, reason, version, notices FROM runs WHERE id = ?",
                (run_id,),
            ).fetchone()
            tasks = task_rows.fetch(connection, run_id)
        *first, plan, location, reason, version, notices = row
        target = Target(*row[2:5])
        try:
            line = _summary(tuple(first))
            pipeline = decode(Pipeline, json.loads(plan), lazy=True)
            state = RunState(
                id=line.id,
                pipeline=line.pipeline,
                target=target,
                arguments=json.loads(first[-1]),
                state=line.state,
                created_at=line.created_at,
                started_at=line.started_at,
                finished_at=line.finished_at,
                reason=reason,
                message=line.message,
                notices=tuple(json.loads(notices)),
                tasks=task_rows.tasks(tasks),
                version=version,
            )
        except (ValueError, TypeError) as error:
            raise HistoryError(
                f"The history's record of run {run_id} cannot be read: {error}.", where=str(self.path)
            ) from error
        return RunRef(run_id, target, location), pipeline, state


def _summary(row: tuple[Any, ...]) -> RunSummary:
    run_id, pipeline, kind, name, namespace, state, created, started, finished, *rest = row
    message, notebook, arguments = rest
    target, given = str(Target(kind, name, namespace)), listed(json.loads(arguments))
    times = (created, started, finished)
    return RunSummary(run_id, pipeline, target, State(state), *times, message, given, notebook)
