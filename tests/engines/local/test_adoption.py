"""Runs that the history could not keep when they began are found by their folders."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from kfp_jupyter.engines.local import adoption
from kfp_jupyter.engines.local.adoption import AGE_SECONDS, LocalHistory
from kfp_jupyter.model.run import State
from kfp_jupyter.paths import data_dir
from kfp_jupyter.runs.database import HistoryError
from kfp_jupyter.runs.history import History
from kfp_jupyter.workbench import HistoryWarning, Workbench
from tests.engines.local.bench import Run, single


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "data" / "history.sqlite3"


def aged(folder: Path, seconds: float = 2 * AGE_SECONDS) -> None:
    """Make a run's folder one that was made so long ago."""
    moment = time.time() - seconds
    for place in (folder / "plan.json", folder):
        if place.exists():
            os.utime(place, (moment, moment))


def an_old(run: Run) -> Run:
    aged(run.folder)
    return run


def test_a_run_that_is_in_no_history_is_listed_and_loaded(bench, path):
    run = an_old(bench.run(single("def step() -> int: return 3\n", outputs={"Output": "int"})))
    history = LocalHistory(path)
    (row,) = history.runs()
    assert (row.id, row.pipeline, row.state) == ("run-1", "test", State.SUCCEEDED)
    ref, pipeline, state = history.load("run-1")
    assert (ref, state) == (run.ref, run.state)
    assert pipeline.graph.tasks.keys() == {"step"}
    assert [row.id for row in History(path).runs()] == ["run-1"], "it is kept"


def test_a_run_is_found_by_its_id_before_it_was_listed(bench, path):
    an_old(bench.run(single("def step(): pass\n")))
    assert LocalHistory(path).find("run") == "run-1"
    with pytest.raises(HistoryError, match="There is no run 'other'"):
        LocalHistory(path).find("other")


def test_an_open_run_is_among_the_open_ones(bench, path):
    run = an_old(bench.start(single("def step(): time.sleep(600)\n")))
    assert LocalHistory(path).open_runs() == ["run-1"]
    bench.engine.cancel(run.ref)
    assert run.wait().state is State.CANCELED


def test_what_the_history_has_of_a_run_stays(bench, path):
    run = an_old(bench.run(single("def step(): pass\n")))
    known = LocalHistory(path)
    known.runs()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE runs SET message = 'mine'")
        connection.commit()
    history = LocalHistory(path)
    history.record(run.ref, known.load("run-1")[1], run.state, {}, again=False)
    assert history.runs()[0].message == "mine"


def test_a_run_that_was_just_begun_is_left_to_who_begins_it(bench, path):
    run = bench.run(single("def step(): pass\n"))
    history = LocalHistory(path)
    aged(run.folder, -600)
    assert history.runs() == []
    aged(run.folder)
    assert [row.id for row in history.runs()] == ["run-1"]


def test_folders_of_no_run_are_passed_over_and_looked_at_once(bench, path, monkeypatch):
    runs = data_dir() / "runs"
    for name, plan in {"empty": "", "damaged": "{", "other": "{}", ".gone.1": "{}"}.items():
        (runs / name).mkdir(parents=True)
        if plan:
            (runs / name / "plan.json").write_text(plan)
        aged(runs / name)
    an_old(bench.run(single("def step(): pass\n")))
    history = LocalHistory(path)
    assert [row.id for row in history.runs()] == ["run-1"]
    monkeypatch.setattr(adoption, "_read", None)
    assert [row.id for row in history.runs()] == ["run-1"]


def test_folders_are_looked_through_again_only_when_there_are_others(bench, path, monkeypatch):
    an_old(bench.run(single("def step(): pass\n")))
    aged(data_dir() / "runs")
    looked = []
    listdir = os.listdir

    def listed(folder):
        looked.append(folder)
        return listdir(folder)

    history = LocalHistory(path)
    monkeypatch.setattr(adoption.os, "listdir", listed)
    for _ in range(3):
        assert [row.id for row in history.runs()] == ["run-1"]
    assert len(looked) == 1
    an_old(bench.run(single("def step(): pass\n")))
    assert {row.id for row in history.runs()} == {"run-1", "run-2"}


def test_many_are_taken_in_by_and_by_the_newest_first(bench, path, monkeypatch):
    for number in range(3):
        run = bench.run(single("def step(): pass\n"))
        aged(run.folder, 1000.0 - number)
    monkeypatch.setattr(adoption, "AT_ONCE", 2)
    history = LocalHistory(path)
    assert {row.id for row in history.runs()} == {"run-2", "run-3"}
    assert {row.id for row in history.runs()} == {"run-1", "run-2", "run-3"}


def test_a_history_that_cannot_be_written_takes_in_nothing_and_is_told(bench, path):
    an_old(bench.run(single("def step(): pass\n")))
    path.write_bytes(b"no database")
    with pytest.raises(HistoryError, match="The file is damaged"):
        LocalHistory(path).runs()
    path.unlink()
    assert [row.id for row in LocalHistory(path).runs()] == ["run-1"], "a new one fills again"


def test_a_run_that_began_without_a_history_is_in_the_next_process(bench, path, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/study.ipynb")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"no database")
    here = Workbench()
    with pytest.warns(HistoryWarning, match="it is in the list of earlier runs once that can be written"):
        run = here.run(single("def step(): pass\n"))
    assert run.wait(300).state == "SUCCEEDED"
    here.close()
    path.unlink()
    aged(Path(run.ref.location))
    there = Workbench()
    assert [(row.id, row.state, row.notebook) for row in there.runs()] == [
        (run.id, State.SUCCEEDED, "/home/ada/study.ipynb")
    ]
    assert there.get("latest").tasks["step"].state == "SUCCEEDED"
    there.close()
