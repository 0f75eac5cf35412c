from __future__ import annotations

import pytest

from kfp_jupyter.model.run import RunChanged, State, TaskChanged
from kfp_jupyter.runs.history import NOTEBOOK, History
from kfp_jupyter.runs.recorder import Recorder
from kfp_jupyter.runs.store import RunStore


@pytest.fixture
def store() -> RunStore:
    return RunStore()


@pytest.fixture
def history(tmp_path) -> History:
    return History(tmp_path / "history.sqlite3")


def test_the_beginning_and_the_end_are_kept_and_not_every_moment_between(
    store, history, ref, pipeline, created
):
    recorder = Recorder(history, store, interval_seconds=3600.0)
    store.put(created)
    recorder.record(ref, pipeline, created, {})
    assert history.load(ref.run_id)[2] == created
    store.apply(ref.run_id, RunChanged(101.0, State.RUNNING))
    store.apply(ref.run_id, TaskChanged(102.0, "load", State.RUNNING, attempt=1))
    assert history.load(ref.run_id)[2] == created
    ended = store.apply(ref.run_id, RunChanged(103.0, State.SUCCEEDED))
    assert history.load(ref.run_id)[2] == ended


def test_moments_between_are_kept_once_in_a_while(store, history, ref, pipeline, created):
    recorder = Recorder(history, store, interval_seconds=0.0)
    store.put(created)
    recorder.record(ref, pipeline, created, {})
    running = store.apply(ref.run_id, TaskChanged(102.0, "load", State.RUNNING, attempt=1))
    assert history.load(ref.run_id)[2] == running


def test_a_lost_connection_is_not_kept(store, history, ref, pipeline, created):
    recorder = Recorder(history, store, interval_seconds=0.0)
    store.put(created)
    recorder.record(ref, pipeline, created, {})
    store.apply(ref.run_id, RunChanged(103.0, State.RUNNING, "Disconnected", "no route"))
    assert history.load(ref.run_id)[2] == created


def test_a_run_found_in_the_history_is_kept_up_to_date(store, history, ref, pipeline, created):
    history.record(ref, pipeline, created, {})
    recorder = Recorder(history, store)
    store.put(created)
    recorder.resume(created)
    ended = store.apply(ref.run_id, RunChanged(103.0, State.SUCCEEDED))
    assert history.load(ref.run_id)[2] == ended


def test_a_history_that_cannot_be_written_is_noted_and_disturbs_nothing(
    tmp_path, store, ref, pipeline, created
):
    (tmp_path / "file").write_text("")
    recorder = Recorder(History(tmp_path / "file" / "history.sqlite3"), store, interval_seconds=0.0)
    store.put(created)
    recorder.record(ref, pipeline, created, {})
    assert "cannot be used" in str(recorder.problem)
    ended = store.apply(ref.run_id, RunChanged(103.0, State.SUCCEEDED))
    assert store.get(ref.run_id) is ended


def test_a_run_that_could_not_be_kept_at_first_is_kept_with_the_next_change(
    tmp_path, store, ref, pipeline, created
):
    (tmp_path / "file").write_text("")
    history = History(tmp_path / "file" / "history.sqlite3")
    recorder = Recorder(history, store, interval_seconds=0.0)
    recorder.record(ref, pipeline, store.put(created), {NOTEBOOK: "study.ipynb"})
    (tmp_path / "file").unlink()
    ended = store.apply(ref.run_id, RunChanged(103.0, State.SUCCEEDED))
    assert recorder.problem is None
    assert history.load(ref.run_id) == (ref, pipeline, ended)
    assert history.runs()[0].notebook == "study.ipynb"
