from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace

import pytest

from kfp_jupyter.model.codec import encode
from kfp_jupyter.model.run import (
    ArtifactRecord,
    MetricLogged,
    RunChanged,
    RunRef,
    State,
    TaskChanged,
    TaskError,
    apply,
)
from kfp_jupyter.model.usage import Usage
from kfp_jupyter.runs.database import MIGRATIONS, HistoryError, transaction
from kfp_jupyter.runs.history import History
from kfp_jupyter.runs.summary import summary


@pytest.fixture
def history(tmp_path) -> History:
    return History(tmp_path / "data" / "history.sqlite3")


@pytest.fixture
def ended(created):
    events = [
        RunChanged(101.0, State.RUNNING),
        TaskChanged(102.0, "load", State.RUNNING, attempt=1, inputs={"day": "monday"}),
        TaskChanged(
            *(103.0, "load", State.SUCCEEDED),
            outputs={"rows": 3},
            log_tail=("done",),
            usage=Usage(0.25, 24_000_000, memory_limit=2_000_000_000),
        ),
        MetricLogged(104.0, "train", "loss", 1, 0.5),
        TaskChanged(
            105.0,
            "train",
            State.SUCCEEDED,
            artifacts={
                "model": (ArtifactRecord("system.Model", "s3://b/model", "", {"framework": "sklearn"}),),
                "metrics": (
                    ArtifactRecord(
                        "system.Metrics", "s3://b/metrics", "/m", {"auc": 0.9, "n": 3, "by": "ada"}
                    ),
                ),
            },
        ),
        TaskChanged(
            106.0, "train-2", State.FAILED, error=TaskError("ValueError", "no rows", "Cell In[3]", 4, "…")
        ),
        RunChanged(107.0, State.FAILED, "TaskFailed", "train-2 failed"),
    ]
    state = created
    for event in events:
        state = apply(state, event)
    return state


def connect(history: History):
    return closing(sqlite3.connect(history.path, isolation_level=None))


def rows(history: History, query: str) -> list[tuple[object, ...]]:
    with connect(history) as connection:
        return connection.execute(query).fetchall()


def test_what_was_recorded_comes_back_complete(history, ref, pipeline, created, ended):
    history.record(ref, pipeline, created, {})
    history.update(ended, created)
    assert History(history.path).load(ref.run_id) == (ref, pipeline, ended)


def test_metrics_and_artifacts_can_be_queried(history, ref, pipeline, ended):
    history.record(ref, pipeline, ended, {})
    history.update(ended)
    assert rows(history, "SELECT task, output, name, value FROM metrics ORDER BY name") == [
        ("train", "metrics", "auc", 0.9),
        ("train", "metrics", "n", 3.0),
    ]
    assert rows(history, "SELECT task, output, type, uri FROM artifacts ORDER BY output") == [
        ("train", "metrics", "system.Metrics", "s3://b/metrics"),
        ("train", "model", "system.Model", "s3://b/model"),
    ]


def test_what_tasks_used_can_be_queried(history, ref, pipeline, ended):
    history.record(ref, pipeline, ended, {})
    assert rows(history, "SELECT path, cpu_seconds, memory_bytes FROM tasks ORDER BY position") == [
        ("load", 0.25, 24_000_000),
        ("train", None, None),
        ("train-2", None, None),
    ]


def test_runs_are_listed_newest_first_and_by_pipeline_and_notebook(history, pipeline, created):
    states = [
        replace(created, id=f"{name}-{number}", pipeline=name, created_at=100.0 + number)
        for number, name in enumerate(["churn", "churn", "other"])
    ]
    notebooks = ["a.ipynb", "b.ipynb", "b.ipynb"]
    for state, notebook in zip(states, notebooks, strict=True):
        ref = RunRef(state.id, state.target, "")
        history.record(ref, pipeline, state, {"notebook": notebook, "commit": "c0ffee"})
    expected = [summary(state, notebook) for state, notebook in zip(states, notebooks, strict=True)]
    assert history.runs() == expected[::-1]
    assert [run.id for run in history.runs(1)] == ["other-2"]
    assert [run.id for run in history.runs(pipeline="churn")] == ["churn-1", "churn-0"]
    assert [run.id for run in history.runs(pipeline="churn", notebook="b.ipynb")] == ["churn-1"]
    assert rows(history, "SELECT DISTINCT git_commit FROM runs") == [("c0ffee",)]


def test_runs_that_had_not_ended_are_known(history, ref, pipeline, created, ended):
    history.record(ref, pipeline, created, {})
    assert history.open_runs() == [ref.run_id]
    history.update(ended)
    assert history.open_runs() == []


def test_a_run_that_ended_is_not_opened_again_by_who_lost_sight_of_it(history, ref, pipeline, created, ended):
    history.record(ref, pipeline, ended, {})
    history.update(created)
    assert history.load(ref.run_id)[2] == ended


def test_a_run_is_found_by_the_beginning_of_its_id(history, pipeline, created):
    for run_id in ("churn-1", "churn-12", "other-1"):
        state = replace(created, id=run_id)
        history.record(RunRef(run_id, state.target, ""), pipeline, state, {})
    assert history.load("oth")[0].run_id == "other-1"
    assert history.load("churn-1")[0].run_id == "churn-1"
    with pytest.raises(HistoryError, match="may be several runs: churn-1, churn-12"):
        history.find("chu")
    for unknown in ("nope", "", "%", "churn_1"):
        with pytest.raises(HistoryError, match="There is no run"):
            history.find(unknown)


def test_a_pipelines_name_means_its_newest_run_whatever_else_begins_so(history, pipeline, created):
    for number, (name, run_id) in enumerate(
        [
            ("slow", "slow-3"),
            ("slow", "slow-1"),
            ("slow2", "slow2-1"),
            ("slow-train", "slow-train-1"),
            ("other", "slow2"),
        ]
    ):
        state = replace(created, id=run_id, pipeline=name, created_at=100.0 + number)
        history.record(RunRef(run_id, state.target, ""), pipeline, state, {})
    assert history.find("slow") == "slow-1"
    assert (
        history.find("slow-train") == history.find("slow_train") == history.find("slow-t") == "slow-train-1"
    )
    assert history.find("slow2") == "slow2", "an id counts most"
    with pytest.raises(HistoryError, match="may be several runs"):
        history.find("slo")


def test_an_update_of_an_unknown_run_is_ignored(history, ended):
    history.update(ended)
    assert history.runs() == []
    assert rows(history, "SELECT * FROM tasks") == []


def test_several_writers_do_not_lose_anything(history, pipeline, created):
    def write(name: str) -> None:
        mine = History(history.path)
        for number in range(20):
            state = replace(created, id=f"{name}-{number}")
            mine.record(RunRef(state.id, state.target, ""), pipeline, state, {})

    writers = [threading.Thread(target=write, args=(name,)) for name in ("a", "b", "c")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(history.runs(100)) == 60


def test_a_damaged_file_is_named_with_what_to_do(history):
    history.path.parent.mkdir()
    history.path.write_bytes(b"this was never a database, whatever its name says" * 100)
    with pytest.raises(HistoryError, match="damaged") as raised:
        history.runs()
    assert str(history.path) in str(raised.value)


def test_a_file_of_the_first_version_is_brought_up_to_date(history, ref, pipeline, created):
    history.path.parent.mkdir()
    with connect(history) as connection:
        connection.executescript(MIGRATIONS[0])
        connection.execute("PRAGMA user_version = 1")
    told = replace(created, notices=("Nothing is cached.",))
    history.record(ref, pipeline, told, {})
    assert history.load(ref.run_id)[2] == told


def test_tasks_of_the_version_that_wrote_all_of_them_as_json_are_read(history, ref, pipeline, ended):
    history.record(ref, pipeline, ended, {})
    with connect(history) as connection:
        connection.executemany(
            "UPDATE tasks SET record = ? WHERE path = ?",
            [(json.dumps(encode(task)), path) for path, task in ended.tasks.items()],
        )
        connection.execute("ALTER TABLE tasks DROP COLUMN cpu_limit")
        connection.execute("ALTER TABLE tasks DROP COLUMN memory_limit")
        connection.execute("PRAGMA user_version = 3")
    assert history.load(ref.run_id)[2] == ended


def test_a_file_of_a_newer_version_is_not_touched(history):
    history.path.parent.mkdir()
    with connect(history) as connection:
        connection.execute("PRAGMA user_version = 999")
    with pytest.raises(HistoryError, match="newer version"):
        history.runs()
    assert rows(history, "SELECT name FROM sqlite_master") == []


def test_a_run_that_a_newer_version_wrote_is_said_to_be_unreadable(history, ref, pipeline, created):
    history.record(ref, pipeline, created, {})
    with connect(history) as connection:
        connection.execute("UPDATE tasks SET record = json_set(record, '$.mood', 'good')")
        connection.commit()
    with pytest.raises(HistoryError, match=f"{ref.run_id} cannot be read.*mood"):
        history.load(ref.run_id)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HistoryError, match="KFP_JUPYTER_DATA"):
        History(tmp_path / "file" / "history.sqlite3").runs()


def test_a_file_that_another_process_keeps_locked_is_said_to_be(history, monkeypatch, ref, pipeline, created):
    history.runs()
    monkeypatch.setattr("kfp_jupyter.runs.database._BUSY_SECONDS", 0.01)
    with connect(history) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(HistoryError, match="Another process"):
            history.record(ref, pipeline, created, {})
        assert history.runs() == [], "readers do not wait for a writer"
        other.execute("ROLLBACK")
    history.record(ref, pipeline, created, {})
    assert len(history.runs()) == 1


def test_what_is_kept_can_be_read_where_nothing_can_be_made(history, ref, pipeline, ended):
    """On a full disk there is no room for the file by which readers share an index."""
    history.record(ref, pipeline, ended, {})
    history.path.with_name("history.sqlite3-shm").symlink_to("nowhere/else")
    for _ in range(2):
        assert [row.id for row in history.runs()] == [ref.run_id]
        assert history.load(ref.run_id) == (ref, pipeline, ended)
    with pytest.raises(HistoryError, match="unable to open"):
        history.reopen(ref.run_id)


def test_the_list_of_runs_leaves_out_long_arguments(history, ref, pipeline, created):
    history.record(ref, pipeline, replace(created, arguments={"rate": 0.1, "text": "x" * 100}), {})
    assert history.runs()[0].arguments == {"rate": 0.1, "text": "…"}
    assert history.load(ref.run_id)[2].arguments["text"] == "x" * 100


def test_a_history_that_another_begins_at_this_moment_is_waited_for(tmp_path):
    path = tmp_path / "history.sqlite3"
    problems = []

    def begin():
        try:
            with transaction(path, write=True) as connection:
                connection.execute("SELECT * FROM runs")
        except HistoryError as error:
            problems.append(str(error))

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        thread = threading.Thread(target=begin)
        thread.start()
        thread.join(0.2)  # without patience it would be over by then
        other.execute("COMMIT")
        thread.join()
    assert not problems
