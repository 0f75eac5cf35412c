"""Making room, and what must stay."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from kfp_jupyter.cli.command import main
from kfp_jupyter.engines.base import EngineError
from kfp_jupyter.engines.local.cache import Cache
from kfp_jupyter.engines.local.lock import is_held
from kfp_jupyter.engines.local.upkeep import collect
from kfp_jupyter.model.pipeline import TaskSettings
from kfp_jupyter.model.run import State
from tests.engines.local.bench import component, eventually, pipeline, single, task

CACHED = TaskSettings()
DAY = 86_400


def aged(run, days: float) -> None:
    """Let a run have ended so long ago."""
    before = time.time() - days * DAY
    os.utime(run.folder / "journal.jsonl", (before, before))


def test_old_runs_go_with_their_results_and_new_ones_stay(bench, tmp_path):
    make = component(
        "def make(n: int, out: Output[Dataset]):\n    open(out.path, 'w').write('x' * 100_000)\n",
        "make",
        {"n": "int"},
        {"out": "Dataset"},
    )
    old, new = (
        bench.run(pipeline({"make": make}, task("make", n=number, settings=CACHED))) for number in (1, 2)
    )
    aged(old, 40)
    aged(new, 20)
    data = tmp_path / "data"
    assert eventually(lambda: collect(data, 30 * DAY, dry_run=True).runs == ["run-1"])
    assert old.folder.exists()
    removed = collect(data, 30 * DAY)
    assert (removed.runs, removed.results) == (["run-1"], 1)
    assert removed.size > 100_000
    assert not old.folder.exists()
    assert new.folder.exists()
    assert [file.name for file in (data / "runs").iterdir()] == ["run-2"]
    # The one that stayed is still good for later runs.
    assert bench.run(pipeline({"make": make}, task("make", n=2, settings=CACHED))).state.tasks["make"].cached
    assert collect(data, 30 * DAY).runs == []


def test_what_was_brought_of_clusters_goes_when_it_was_not_asked_for_long(tmp_path):
    data = tmp_path / "data"
    for name, days in (("run-1", 40), ("run-2", 20)):
        place = data / "fetched" / name / f"{name}-load-1" / "data"
        place.parent.mkdir(parents=True)
        place.write_text("x" * 100)
        used = time.time() - days * DAY
        os.utime(data / "fetched" / name, (used, used))
    removed = collect(data, 30 * DAY)
    assert (removed.fetched, removed.size) == (1, 100)
    assert [folder.name for folder in (data / "fetched").iterdir()] == ["run-2"]


def test_a_run_that_goes_on_is_never_removed(bench, tmp_path):
    run = bench.start(single("def step(): time.sleep(600)\n"))
    run.until(lambda state: state.tasks["step"].state is State.RUNNING)
    aged(run, 400)
    assert collect(tmp_path / "data", 0).runs == []
    bench.engine.cancel(run.ref)
    assert run.wait().state is State.CANCELED


def test_what_a_run_that_goes_on_has_used_stays_and_so_does_what_newer_runs_used(bench, tmp_path):
    data, go = tmp_path / "data", tmp_path / "go"
    make = component(
        "def make(out: Output[Dataset]):\n    open(out.path, 'w').write('x')\n",
        "make",
        {},
        {"out": "Dataset"},
    )
    first, other = (
        bench.run(pipeline({"make": make}, task(name, "make", settings=settings)))
        for name, settings in (("make", CACHED), ("other", TaskSettings(cache_key="other")))
    )
    for run in (first, other):
        assert eventually(lambda run=run: not is_held(run.folder / "lock"))
        aged(run, 40)
    wait = component(
        f"def wait(data: Input[Dataset]):\n    while not os.path.exists({str(go)!r}): time.sleep(0.01)\n",
        "wait",
        {"data": "Dataset"},
    )
    tasks = [task("make", settings=CACHED), task("wait", data=("make", "out"))]
    run = bench.start(pipeline({"make": make, "wait": wait}, *tasks))
    run.until(lambda state: state.tasks["wait"].state is State.RUNNING)
    assert run.state.tasks["make"].cached_from == first.folder.name
    for name in ("environments/used", "executor/old"):
        (data / name).mkdir(parents=True)
    assert collect(data, 0).runs == [other.folder.name]
    assert [held.name for held in (data / "environments").iterdir()] == ["used"]
    assert (data / "executor" / "old").exists()
    go.touch()
    assert run.wait().state is State.SUCCEEDED
    # Its result is one that a run of today has used.
    assert eventually(lambda: not is_held(run.folder / "lock"))
    assert collect(data, 30 * DAY).runs == []
    assert first.folder.exists()


def test_downloads_go_when_no_importer_asked_for_them_for_long(tmp_path):
    data = tmp_path / "data"
    for name, days in (("old", 40), ("new", 20)):
        place = data / "imports" / name / "file"
        place.parent.mkdir(parents=True)
        place.write_text("x" * 100)
        used = time.time() - days * DAY
        os.utime(place.parent, (used, used))
    removed = collect(data, 30 * DAY)
    assert (removed.downloads, removed.size) == (1, 100)
    assert [folder.name for folder in (data / "imports").iterdir()] == ["new"]


def test_what_somebody_who_was_killed_had_begun_to_remove_is_removed(bench, tmp_path):
    run = bench.run(single("def step(): pass\n"))
    assert eventually(lambda: not is_held(run.folder / "lock"))
    half = run.folder.with_name(f".{run.folder.name}.4711")
    run.folder.rename(half)
    data = tmp_path / "data"
    assert collect(data, 30 * DAY, dry_run=True).runs == []
    assert half.exists()
    assert collect(data, 30 * DAY).runs == []
    assert not half.exists()


def test_several_may_make_room_at_once(bench, tmp_path):
    for number in range(12):
        (tmp_path / "data" / "runs" / f"run-{number}" / "artifacts").mkdir(parents=True)
        (tmp_path / "data" / "runs" / f"run-{number}" / "journal.jsonl").touch()
    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(collect, tmp_path / "data", 0) for _ in range(4)]
    assert sorted(name for held in done for name in held.result().runs) == sorted(
        f"run-{number}" for number in range(12)
    )
    assert list((tmp_path / "data" / "runs").iterdir()) == []


def test_results_that_cannot_be_forgotten_are_an_error_not_a_trace(tmp_path):
    folder = tmp_path / "cache"
    (folder / "a.json").mkdir(parents=True)
    with pytest.raises(EngineError, match="could not be removed") as caught:
        Cache(folder).clear()
    assert str(folder) in caught.value.where


def test_unused_environments_and_programs_go(tmp_path):
    data = tmp_path / "data"
    before = time.time() - 40 * DAY
    for name in ("environments/old", "environments/new", "executor/old"):
        (data / name).mkdir(parents=True)
    for name in ("environments/old/ready", "environments/new/ready"):
        (data / name).touch()
    os.utime(data / "environments" / "old" / "ready", (before, before))
    os.utime(data / "executor" / "old", (before, before))
    removed = collect(data, 30 * DAY)
    assert removed.environments == 1
    assert not (data / "environments" / "old").exists()
    assert (data / "environments" / "new").exists()
    # What this version needs was made meanwhile, and stays.
    assert len(list((data / "executor").iterdir())) == 1


def test_the_command_line_says_what_it_removes(bench, capsys):
    run = bench.run(single("def step(): pass\n", CACHED))
    aged(run, 2)
    assert eventually(lambda: "1 runs" in told("gc", "--older-than", "1d", "--dry-run", capsys=capsys))
    assert "1 runs" not in told("gc", capsys=capsys)
    said = told("gc", "--older-than", "36h", capsys=capsys)
    assert "Removed the artifacts and logs of run run-1." in said
    assert "1 runs, 0 environments, 1 cached results" in said
    assert told("cache", "clear", capsys=capsys) == "Forgot 0 cached results.\n"


def told(*words: str, capsys) -> str:
    assert main(words) == 0
    return str(capsys.readouterr().out)
