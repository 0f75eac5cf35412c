"""A run that was met is known; what another process has made of it is taken over when it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from kfp_jupyter.model.run import RunChanged, RunState, State, TaskChanged
from kfp_jupyter.runs.database import HistoryError
from kfp_jupyter.runs.history import History
from kfp_jupyter.runs.known import KnownRuns
from kfp_jupyter.runs.recorder import Recorder
from kfp_jupyter.runs.store import RunStore


class Process:
    """What one process knows of the runs in a history."""

    def __init__(self, path: Path) -> None:
        self.history = History(path)
        self.store = RunStore()
        self.recorder = Recorder(self.history, self.store, interval_seconds=0.0)
        self.known = KnownRuns(self.history, self.store, self.recorder)

    def see(self, run_id: str) -> RunState:
        """Look a run up and return its state."""
        self.known.find(run_id)
        state = self.store.get(run_id)
        assert state is not None
        return state


@pytest.fixture
def ended(tmp_path, ref, pipeline, created):
    """A process in which a run was started and has failed."""
    process = Process(tmp_path / "history.sqlite3")
    process.recorder.record(ref, pipeline, process.store.put(created), {})
    process.known.add(ref, pipeline)
    for event in (
        RunChanged(101.0, State.RUNNING),
        TaskChanged(102.0, "load", State.FAILED),
        RunChanged(103.0, State.FAILED),
    ):
        process.store.apply(ref.run_id, event)
    return process


def test_an_end_that_was_taken_back_elsewhere_is_none_here_any_more(ended, ref):
    other = Process(ended.history.path)
    assert other.see(ref.run_id).state is State.FAILED
    ended.history.reopen(ref.run_id)
    ended.store.apply(ref.run_id, RunChanged(104.0, State.PENDING))
    assert other.see(ref.run_id).state is State.PENDING
    ended.store.apply(ref.run_id, TaskChanged(105.0, "load", State.SUCCEEDED))
    ended.store.apply(ref.run_id, RunChanged(106.0, State.SUCCEEDED))
    # It is open here, so it is for a follower to tell what comes.
    assert other.see(ref.run_id).state is State.PENDING


def test_another_end_is_taken_over(ended, ref):
    other = Process(ended.history.path)
    before = other.see(ref.run_id)
    ended.history.reopen(ref.run_id)
    for event in (RunChanged(104.0, State.PENDING), RunChanged(106.0, State.SUCCEEDED)):
        ended.store.apply(ref.run_id, event)
    after = other.see(ref.run_id)
    assert (after.state, after.finished_at) == (State.SUCCEEDED, 106.0)
    assert after.version > before.version, "a screen never goes back"


def test_as_long_as_nobody_writes_a_known_run_is_the_same_object(ended, ref):
    other = Process(ended.history.path)
    assert other.see(ref.run_id) is other.see(ref.run_id)
    assert other.known.find(ref.run_id)[1] is other.known.find(ref.run_id[:-1])[1]


def test_a_run_that_the_history_lost_is_still_known(ended, ref):
    ended.history.path.write_bytes(b"no database")
    for suffix in ("-wal", "-shm"):
        Path(f"{ended.history.path}{suffix}").unlink(missing_ok=True)
    assert ended.see(ref.run_id).state is State.FAILED
    ended.store.apply(ref.run_id, RunChanged(104.0, State.PENDING))
    for text in (ref.run_id[:-1], "churn"):
        assert ended.known.find(text)[0] == ref
    with pytest.raises(HistoryError):
        ended.known.find("nope")
    with pytest.raises(HistoryError):
        Process(ended.history.path).see(ref.run_id)
