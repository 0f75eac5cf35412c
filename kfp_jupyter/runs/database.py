"""The SQLite file behind the run history: how it is opened, what its tables are, and how its errors are said.

Several kernels and command lines use the file at once, so it is kept in write-ahead mode, a connection lives
for one operation only, and every writer waits a little for the others. `PRAGMA user_version` counts the
migrations done. Readers share an index of the log, which is a file too; where the disk has no room for that,
a reader has one of its own in memory, and the others wait for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kfp_jupyter.errors import KfpJupyterError

if TYPE_CHECKING:
    from sqlite3 import Connection

MIGRATIONS = (
    """
    CREATE TABLE runs (
        id TEXT PRIMARY KEY, pipeline TEXT NOT NULL, plan TEXT NOT NULL, target_kind TEXT NOT NULL,
        target_name TEXT NOT NULL, target_namespace TEXT NOT NULL, location TEXT NOT NULL, arguments TEXT NOT
        NULL, state TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL, created_at REAL NOT NULL,
        started_at REAL, finished_at REAL, version INTEGER NOT NULL, notebook TEXT NOT NULL, git_commit TEXT
        NOT NULL, labels TEXT NOT NULL
    );
    CREATE INDEX runs_by_time ON runs (created_at);
    CREATE TABLE tasks (
        run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, path TEXT NOT NULL, position INTEGER NOT
        NULL, state TEXT NOT NULL, attempt INTEGER NOT NULL, started_at REAL, finished_at REAL, cached_from
        TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (run, path)
    );
    CREATE TABLE metrics (
        run TEXT NOT NULL, task TEXT NOT NULL, output TEXT NOT NULL, name TEXT NOT NULL, value REAL,
        FOREIGN KEY (run, task) REFERENCES tasks (run, path) ON DELETE CASCADE
    );
    CREATE INDEX metrics_by_task ON metrics (run, task);
    CREATE TABLE artifacts (
        run TEXT NOT NULL, task TEXT NOT NULL, output TEXT NOT NULL, position INTEGER NOT NULL, type TEXT NOT
        NULL, uri TEXT NOT NULL, path TEXT NOT NULL, metadata TEXT NOT NULL, FOREIGN KEY (run, task)
        REFERENCES tasks (run, path) ON DELETE CASCADE
    );
    CREATE INDEX artifacts_by_task ON artifacts (run, task);
    """,
    "ALTER TABLE runs ADD COLUMN notices TEXT NOT NULL DEFAULT '[]'",
    """
    ALTER TABLE tasks ADD COLUMN cpu_seconds REAL;
    ALTER TABLE tasks ADD COLUMN memory_bytes INTEGER
    """,
    # What columns say is no longer said by the record too, which took most of the time to read a run.
    """
    ALTER TABLE tasks ADD COLUMN cpu_limit REAL;
    ALTER TABLE tasks ADD COLUMN memory_limit INTEGER;
    UPDATE tasks SET cpu_limit = coalesce(json_extract(record, '$.usage.cpu_limit'), 0),
        memory_limit = coalesce(json_extract(record, '$.usage.memory_limit'), 0)
        WHERE cpu_seconds IS NOT NULL;
    UPDATE tasks SET record = json_remove(record, '$.kind', '$.state', '$.attempt', '$.started_at',
        '$.finished_at', '$.cached_from', '$.usage')
    """,
)
"""What brings a file from each version to the next; only ever added to."""

_BUSY_SECONDS = 3.0
_AGAIN_SECONDS = 0.01


class HistoryError(KfpJupyterError):
    """The history could not be read or written, or holds no such run."""


@contextmanager
def transaction(path: Path, *, write: bool) -> Iterator[Connection]:
    """Yield a connection in a transaction that is committed at the end, or undone if the block raises.

    The file is made, or brought up to date, if need be. Readers do not wait for each other or for a writer.

    Raises:
        HistoryError: The file cannot be used; the message says why and what to do.
    """
    import sqlite3

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(_connected(path, write=write)) as connection:
            connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
    except (sqlite3.Error, OSError) as error:
        raise _said(error, path) from error


def _connected(path: Path, *, write: bool) -> Connection:
    import sqlite3

    def connect(mode: str) -> Connection:
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            # Exclusive, a connection needs no index that is shared: https://sqlite.org/wal.html#noshm
            connection.execute(f"PRAGMA locking_mode = {mode}")
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    try:
        return connect("NORMAL")
    except sqlite3.OperationalError as error:
        if write or "locked" in str(error):
            raise
        return connect("EXCLUSIVE")


def _prepare(connection: Connection) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(
        "PRAGMA synchronous = NORMAL"
    )  # safe in write-ahead mode; a power cut may cost the last second
    if _version(connection) == len(MIGRATIONS):
        return
    _write_ahead(connection)
    connection.execute(
        "BEGIN IMMEDIATE"
    )  # of two processes that find an old file, one migrates and the other waits
    try:
        version = _version(connection)
        if version > len(MIGRATIONS):
            raise HistoryError(
                "The run history was written by a newer version of kfp-jupyter.",
                remedy="Upgrade kfp-jupyter, or set KFP_JUPYTER_DATA to another folder.",
            )
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            for statement in script.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _write_ahead(connection: Connection) -> None:
    """Switch a new file to write-ahead mode; where another does so at this moment, SQLite refuses at once."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while not _switched(connection, last=time.monotonic() > deadline):
        time.sleep(_AGAIN_SECONDS)


def _switched(connection: Connection, *, last: bool) -> bool:
    import sqlite3

    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if last or "locked" not in str(error):
            raise
        return False
    return True


def _version(connection: Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _said(error: Exception, path: Path) -> HistoryError:
    text = str(getattr(error, "strerror", None) or error)
    if "locked" in text:
        remedy = "Another process is writing to it; try again."
    elif "not a database" in text or "malformed" in text:
        remedy = (
            "The file is damaged. Move it away, and a new one is begun; the runs themselves are not touched."
        )
    elif "full" in text or "I/O" in text:
        remedy = "Free some space there, or set KFP_JUPYTER_DATA to another one."
    else:
        remedy = "Make its folder writable, or set KFP_JUPYTER_DATA to another one."
    return HistoryError(f"The run history cannot be used: {text}.", where=str(path), remedy=remedy)
