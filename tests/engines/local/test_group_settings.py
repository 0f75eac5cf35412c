"""What is set for a pipeline in a pipeline as a whole: how it is tried again, and how long it may take."""

from __future__ import annotations

import json
import os
import signal

from kfp_jupyter.engines.local.notices import notices
from kfp_jupyter.model.run import State, TaskChanged
from tests.engines.local.authored import limits
from tests.engines.local.bench import eventually


def test_steps_inherit_how_they_are_tried_again_from_the_nearest_group_that_says_so(bench, tmp_path):
    state = bench.run(limits.inherited.model, folder=str(tmp_path)).state
    marks = {file.stem: len(file.read_text()) for file in tmp_path.glob("*.txt")}
    assert marks == {"own": 2, "never": 1, "inherited": 3, "beside": 1}
    deepest = [path for path in state.tasks if "second-time" in path]
    assert len(deepest) == 3
    assert {state.tasks[path].attempt for path in deepest} == {2}
    assert state.tasks["deep/deepest"].state is State.SUCCEEDED
    assert state.tasks["deep"].state is State.FAILED


def test_what_is_set_for_a_pipeline_in_a_pipeline_needs_no_notice():
    assert not [said for said in notices(limits.inherited.model) if "tried" in said]
    assert not [said for said in notices(limits.limited.model) if "time" in said]


def test_a_resumed_run_goes_on_with_the_steps_of_a_group_that_failed(bench, tmp_path):
    run = bench.run(limits.inherited.model, folder=str(tmp_path))
    bench.engine.resume(run.ref)
    state = run.wait()
    assert state.tasks["deep/deepest/for-loop-2[0]/second-time-2"].attempt == 2
    marks = {file.stem: len(file.read_text()) for file in tmp_path.glob("*.txt")}
    assert marks == {"own": 4, "never": 2, "inherited": 6, "beside": 2}


def test_a_pipeline_that_takes_longer_than_it_may_fails_with_all_that_is_in_it(bench, tmp_path):
    run = bench.run(limits.limited.model, folder=str(tmp_path), jobs=8)
    state = run.state
    path = "exit-handler-1/slow"
    slow = state.tasks[path]
    assert (slow.state, slow.reason, slow.message) == (State.FAILED, "Timeout", "It took longer than 5 s.")
    assert slow.error.type == "Timeout"
    inside = {name: task.state for name, task in state.tasks.items() if name.startswith(f"{path}/")}
    assert set(inside.values()) == {State.CANCELED}
    assert {"exit-handler-1/slow/wait", "exit-handler-1/slow/for-loop-2[2]/counted"} <= set(inside)
    assert (tmp_path / "a.txt").exists()
    assert not (tmp_path / "b.txt").exists()
    assert state.tasks["report"].outputs["Output"] == "FAILED exit-handler-1 It took longer than 5 s."
    assert state.tasks["say"].state is State.SUCCEEDED
    assert state.message.startswith("exit-handler-1/slow failed: Timeout: It took longer than 5 s.")
    told = [event.state for event in run.events if isinstance(event, TaskChanged) and event.task == path]
    assert told == [State.RUNNING, State.CANCELING, State.FAILED]


def test_exit_tasks_of_a_pipeline_that_took_too_long_still_run_and_are_tried_again(bench, tmp_path):
    state = bench.run(limits.limited_handler.model, folder=str(tmp_path)).state
    assert state.tasks["handled/second-time"].state is State.SUCCEEDED
    assert state.tasks["handled/second-time"].attempt == 2
    assert state.tasks["handled/exit-handler-1/wait"].state is State.CANCELED
    assert (state.tasks["handled"].state, state.tasks["handled"].reason) == (State.FAILED, "Timeout")


def test_a_pipeline_that_ends_in_time_is_left_alone(bench, tmp_path):
    (tmp_path / "go").touch()
    (tmp_path / "seen-cleans").touch()
    state = bench.run(limits.in_time.model, folder=str(tmp_path)).state
    assert state.state is State.SUCCEEDED, state
    assert state.tasks["say"].outputs == {"Output": "after"}


def test_a_time_limit_counts_anew_when_its_run_is_resumed(bench, tmp_path):
    run = bench.start(limits.in_time.model, folder=str(tmp_path))
    assert eventually((tmp_path / "handled").exists)
    os.kill(json.loads((run.folder / "supervisor.json").read_text())["pid"], signal.SIGKILL)
    assert run.wait().reason == "Interrupted"
    (tmp_path / "go").touch()
    (tmp_path / "seen-cleans").touch()
    bench.engine.resume(run.ref)
    state = run.wait()
    assert state.state is State.SUCCEEDED, state
    assert state.tasks["handled"].state is State.SUCCEEDED
