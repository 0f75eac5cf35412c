"""Graphs in graphs: pipelines in pipelines, conditions, loops, exit handlers; each a real run."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from kfp_jupyter.engines.base import EngineError
from kfp_jupyter.model.graph import Trigger
from kfp_jupyter.model.run import GROUP_FAILED, IterationsAdded, State, TaskChanged
from kfp_jupyter.view.document import document
from kfp_jupyter.view.text import text
from tests.engines.local.authored import flows
from tests.engines.local.bench import eventually


def outputs(state):
    """Return the single output of each task that succeeded, by path, without groups."""
    return {
        path: task.outputs["Output"]
        for path, task in state.tasks.items()
        if task.attempt and "Output" in task.outputs
    }


def states(state):
    return {path: task.state.value for path, task in state.tasks.items()}


def test_a_pipeline_in_a_pipeline_runs_and_gives_out_what_its_tasks_did(bench):
    run = bench.run(flows.nested.model, text="abcd")
    assert run.state.state is State.SUCCEEDED, run.state
    told = run.events[0].tasks
    assert told[:4] == ("counted", "counted/writing", "counted/writing/write", "counted/add")
    assert tuple(run.state.tasks) == told
    assert outputs(run.state) == {
        "counted/writing/write": 4,
        "counted/add": 6,
        "writing/write": 7,
        "read": "default",
        "counted-2/writing/write": 5,
        "counted-2/add": 11,
        "say": "after",
    }
    group = run.state.tasks["counted/writing"]
    assert (group.state, group.outputs) == (State.SUCCEEDED, {"length": 4})
    assert group.artifacts["data"][0].metadata == {"text": "abcd"}
    assert group.inputs == {"text": "abcd"}
    assert run.state.tasks["counted-2"].outputs == {"Output": 11}


def test_optional_inputs_of_a_pipeline_may_be_left_out(bench):
    state = bench.run(flows.left_out.model).state
    assert state.tasks["maybe/optional"].outputs == {"Output": "None None"}
    assert state.tasks["maybe-2/optional"].outputs == {"Output": "3 {'text': 'x'}"}


@pytest.mark.parametrize(
    ("side", "n", "chosen", "ran"),
    [("heads", 3, "H", {"condition-2", "condition-3"}), ("heads", 2, "H", {"condition-3"}),
     ("tails", 3, "T", {"condition-4"}), ("edge", 3, "E", {"condition-5"})],
)  # fmt: skip
def test_of_branches_the_first_true_one_runs_and_gives_its_value(bench, side, n, chosen, ran):
    state = bench.run(flows.branches.model, side=side, n=n).state
    assert state.state is State.SUCCEEDED, state
    groups = {path.rpartition("/")[2]: task for path, task in state.tasks.items() if "condition-" in path}
    branches = {name: task for name, task in groups.items() if name.startswith("condition-")}
    succeeded = {name for name, task in branches.items() if task.state is State.SUCCEEDED}
    assert succeeded == ran | {"condition-branches-1"}
    assert state.tasks["say-5"].outputs == {"Output": chosen}


def test_a_condition_that_does_not_hold_skips_its_tasks_and_what_depends_on_them(bench):
    state = bench.run(flows.skipped.model).state
    assert state.state is State.SUCCEEDED
    group = state.tasks["condition-1"]
    assert (group.state, group.reason) == (State.SKIPPED, "Condition")
    assert group.message == "Its condition does not hold: n == 5 (n = 1)."
    assert states(state) == {**dict.fromkeys(state.tasks, "SKIPPED"), "say-3": "SUCCEEDED"}
    assert state.tasks["condition-1/writing/write"].message == "Not run because condition-1 was skipped."


def test_what_waits_for_a_skipped_group_is_skipped_too(bench):
    skipped = flows.skipped.model
    tasks = {**skipped.graph.tasks}
    tasks["after"] = replace(tasks["say-3"], name="after", after=("condition-1",))
    tasks["last"] = replace(tasks["say-3"], name="last", after=("after",))
    state = bench.run(replace(skipped, graph=replace(skipped.graph, tasks=tasks))).state
    assert state.state is State.SUCCEEDED
    for name in ("after", "last"):
        task = state.tasks[name]
        assert (task.state, task.reason) == (State.SKIPPED, "UpstreamSkipped")
        assert task.message == "Not run because condition-1 was skipped."


def test_loops_run_their_body_for_each_item(bench):
    run = bench.run(flows.loops.model, limit=4)
    state = run.state
    assert state.state is State.SUCCEEDED, state
    assert "for-loop-2[0]/add" not in run.events[0].tasks
    assert [state.tasks[f"for-loop-2[{i}]/add"].outputs["Output"] for i in range(3)] == [2, 4, 6]
    assert state.tasks["total"].outputs == {"Output": 12}
    assert state.tasks["for-loop-2"].inputs == {"pipelinechannel--loop-item-param-1": [1, 2, 3]}
    dynamic = state.tasks["for-loop-3"]
    assert dynamic.inputs == {"pipelinechannel--upto-Output": [0, 1, 2, 3]}
    assert dynamic.outputs == {"pipelinechannel--add-2-Output": [1, 2, 3, 4]}
    skipped, ran = state.tasks["for-loop-3[1]/condition-4"], state.tasks["for-loop-3[3]/condition-4/say-2"]
    assert (skipped.state, skipped.reason) == (State.SKIPPED, "Condition")
    assert ran.outputs == {"Output": "big4"}
    assert [state.tasks[f"for-loop-5[{i}]/add-3"].outputs["Output"] for i in range(2)] == [11, 22]
    added = [event for event in run.events if isinstance(event, IterationsAdded)]
    assert {event.loop: event.count for event in added} == {"for-loop-2": 3, "for-loop-3": 4, "for-loop-5": 2}


def test_a_loop_runs_no_more_items_at_once_than_it_may(bench):
    run = bench.run(flows.loops.model, limit=6, jobs=8)
    assert run.state.state is State.SUCCEEDED
    open_, most = set(), 0
    for event in run.events:
        if isinstance(event, TaskChanged) and event.task.startswith("for-loop-3["):
            iteration = event.task.partition("/")[0]
            if event.state is State.RUNNING:
                open_.add(iteration)
            # The last task of an iteration that runs; smaller items skip it.
            elif event.task.endswith("/condition-4") and event.state.finished:
                open_.discard(iteration)
            most = max(most, len(open_))
    assert most == 2


def test_a_loop_over_an_empty_list_succeeds_with_empty_lists(bench):
    state = bench.run(flows.loops.model, limit=0).state
    assert state.state is State.SUCCEEDED
    assert state.tasks["for-loop-3"].outputs == {"pipelinechannel--add-2-Output": []}
    assert not any(path.startswith("for-loop-3[") for path in state.tasks)


def test_loops_in_loops_collect_lists_of_lists_and_join_artifacts(bench):
    state = bench.run(flows.loops_in_loops.model).state
    assert state.state is State.SUCCEEDED, state
    assert state.tasks["flat"].inputs == {"table": [[2, 3], [2, 3]]}
    assert state.tasks["flat"].outputs == {"Output": [2, 3, 2, 3]}
    assert state.tasks["for-loop-1[1]/for-loop-3[0]/say"].outputs == {"Output": "y1"}
    assert [state.tasks[f"for-loop-1[{i}]/total"].outputs["Output"] for i in range(2)] == [5, 5]
    assert state.tasks["join"].outputs == {"Output": "x+y"}


def test_parts_of_items_are_looped_over(bench):
    state = bench.run(flows.parts_of_items.model).state
    assert state.state is State.SUCCEEDED, state
    values = outputs(state)
    assert values["for-loop-1[0]/for-loop-2[1]/add"] == 3
    assert (values["for-loop-1[0]/total"], values["for-loop-1[1]/total"]) == (3, 0)


def test_a_loop_over_artifacts_gives_each_to_an_iteration(bench):
    state = bench.run(flows.over_artifacts.model).state
    assert state.state is State.SUCCEEDED, state
    loop = next(path for path in state.tasks if path.startswith("for-loop-") and "/" not in path)
    assert [state.tasks[f"{loop}[{i}]/read"].outputs["Output"] for i in range(2)] == ["p", "q"]
    assert state.tasks["join"].outputs == {"Output": "p+q"}


def test_what_is_no_list_cannot_be_looped_over(bench):
    state = bench.run(flows.parts_of_items.model, table=[{"inner": "word"}]).state
    assert state.state is State.FAILED
    failed = state.tasks["for-loop-1[0]/for-loop-2"]
    assert (failed.state, failed.reason) == (State.FAILED, "BadArgument")
    assert "table-loop-item-subvar-inner" in failed.message
    assert "no list" in failed.message


def test_an_exit_task_runs_and_is_told_how_its_handler_ended(bench):
    state = bench.run(flows.handled.model).state
    assert state.state is State.SUCCEEDED
    assert state.tasks["report"].outputs == {"Output": "SUCCEEDED exit-handler-1 None"}
    state = bench.run(flows.handled.model, text="broken").state
    assert state.state is State.FAILED
    assert state.message.startswith("exit-handler-1/condition-2/fail failed: ValueError: broken")
    said = state.tasks["report"].outputs["Output"]
    assert said.startswith("FAILED exit-handler-1 ValueError: broken")
    assert state.tasks["exit-handler-1/say-2"].state is State.SUCCEEDED
    handler = state.tasks["exit-handler-1"]
    assert handler.message.startswith("exit-handler-1/condition-2/fail failed: ValueError: broken")


def test_a_pipeline_may_be_the_exit_task(bench):
    state = bench.run(flows.pipeline_at_the_end.model).state
    assert state.state is State.FAILED
    assert state.tasks["at-the-end/condition-1/say"].outputs == {"Output": "FAILED"}


def test_a_failure_can_be_ignored_by_what_comes_after(bench):
    state = bench.run(flows.failure_ignored.model).state
    assert state.state is State.FAILED
    assert state.tasks["say"].outputs == {"Output": ""}
    assert state.tasks["report"].outputs["Output"].startswith("FAILED fail ValueError: bad")
    assert (state.tasks["say-2"].state, state.tasks["say-2"].reason) == (State.SKIPPED, "UpstreamFailed")


def test_a_failure_inside_fails_the_groups_around_it_and_nothing_beside(bench):
    state = bench.run(flows.failures_inside.model).state
    failed = {path for path, task in state.tasks.items() if task.state is State.FAILED}
    where = "for-loop-1[1]/condition-2"
    assert failed == {"for-loop-1", where, f"{where}/fail"}
    assert state.tasks["for-loop-1"].message.startswith(f"{where}/fail failed: ValueError: b")
    assert states(state) | {
        "for-loop-1[0]/condition-2": "SKIPPED",
        "for-loop-1[0]/condition-2/fail": "SKIPPED",
        "for-loop-1[0]/say-2": "SUCCEEDED",
        "for-loop-1[1]/say-2": "SUCCEEDED",
        f"{where}/say": "SKIPPED",
        "say-3": "SUCCEEDED",
        "say-4": "SKIPPED",
    } == states(state)
    assert state.tasks["say-4"].message == f"Not run because {where}/fail failed."
    assert state.message.startswith(f"{where}/fail failed: ValueError: b")


def test_values_of_the_run_stand_in_texts_lists_and_settings(bench):
    state = bench.run(flows.texts.model, name="zoë", n=2).state
    assert state.state is State.SUCCEEDED, state
    assert json.loads(state.tasks["show"].outputs["Output"]) == [
        ["zoë", "3", ["2"]], {"k": "zoë!", "n": "2"}, "zoë-2-3"
    ]  # fmt: skip
    assert state.tasks["variable"].outputs == {"Output": "Hi variable"}


def test_placeholders_of_the_run_and_the_task(bench):
    run = bench.run(flows.placeholders.model)
    shown = json.loads(run.state.tasks["show"].outputs["Output"])
    root = str(run.folder / "artifacts")
    assert shown[:2] == [["run-1", "run-1"], {"task": "show", "root": root}]
    assert Path(shown[2]).name == "output.json"
    given = json.loads(run.state.tasks["say"].outputs["Output"])
    assert given["outputs"]["outputFile"].startswith(str(run.folder))


def test_steps_of_loops_are_cached_one_by_one(bench):
    assert bench.run(flows.loops.model, limit=2).state.state is State.SUCCEEDED
    state = bench.run(flows.loops.model, limit=3).state
    assert state.state is State.SUCCEEDED
    cached = {path: task.cached for path, task in state.tasks.items() if "for-loop-3[" in path}
    assert [cached[f"for-loop-3[{i}]/add-2"] for i in range(3)] == [True, True, False]
    assert state.tasks["for-loop-3"].outputs == {"pipelinechannel--add-2-Output": [1, 2, 3]}


def test_a_canceled_run_still_cleans_up(bench, tmp_path):
    run = bench.start(flows.cleaned_up.model, folder=str(tmp_path), caching=False)
    assert eventually((tmp_path / "a").exists)
    bench.engine.cancel(run.ref)
    assert eventually((tmp_path / "cleans").exists)
    (tmp_path / "go").touch()
    state = run.wait()
    assert state.state is State.CANCELED
    ended = {"exit-handler-1", "exit-handler-1/for-loop-3", *(
        f"exit-handler-1/for-loop-3[{index}]/{name}" for index in range(2) for name in ("wait-2", "say")
    )}  # fmt: skip
    assert {path for path, task in state.tasks.items() if task.state is State.CANCELED} >= ended
    assert state.tasks["wait"].outputs == {"Output": "cleans"}
    assert not (tmp_path / "b").exists()


def test_canceled_a_second_time_cleaning_up_ends_too(bench, tmp_path):
    run = bench.start(flows.cleaned_up.model, folder=str(tmp_path), caching=False)
    assert eventually((tmp_path / "a").exists)
    bench.engine.cancel(run.ref)
    assert eventually((tmp_path / "cleans").exists)
    bench.engine.cancel(run.ref)
    state = run.wait()
    assert state.tasks["wait"].state is State.CANCELED
    assert all(task.state.finished for task in state.tasks.values())


def test_retries_and_time_limits_hold_in_groups(bench, tmp_path):
    state = bench.run(flows.tried_again.model, folder=str(tmp_path)).state
    assert [state.tasks[f"for-loop-2[{i}]/second-time"].attempt for i in range(2)] == [2, 2]
    assert [state.tasks[f"for-loop-2[{i}]/second-time"].outputs for i in range(2)] == [
        {"Output": "a"}, {"Output": "b"}
    ]  # fmt: skip
    where = "for-loop-2[1]/condition-3/wait"
    assert state.tasks[where].error.type == "Timeout"
    assert state.message == f"{where} failed: Timeout: It took longer than 1 s."


def test_a_run_may_not_take_longer_than_its_pipeline_says(bench, tmp_path):
    state = bench.run(flows.too_long.model, folder=str(tmp_path)).state
    assert (state.state, state.reason) == (State.FAILED, "DeadlineExceeded")
    assert state.message == "It took longer than 1 s."
    assert state.tasks["condition-1/wait"].state is State.CANCELED


def test_what_is_not_understood_is_refused_before_the_run(bench):
    skipped = flows.skipped.model
    tasks = {**skipped.graph.tasks}
    tasks["condition-1"] = replace(tasks["condition-1"], trigger=Trigger("size(inputs) > 2"))
    with pytest.raises(EngineError, match="'size' is unknown") as caught:
        bench.start(replace(skipped, graph=replace(skipped.graph, tasks=tasks)))
    assert caught.value.where == "task condition-1"


def test_a_value_that_is_not_of_its_type_fails_the_task_that_gets_it(bench):
    table = [{"inner": [1, "many"]}]
    state = bench.run(flows.parts_of_items.model, table=table).state
    failed = state.tasks["for-loop-1[0]/for-loop-2[1]/add"]
    assert (failed.state, failed.attempt, failed.error.type) == (State.FAILED, 0, "BadArgument")
    assert failed.error.message == "The argument 'a' is 'many', not int."


def test_the_journal_of_a_killed_run_says_which_iterations_there_were(bench, tmp_path):
    run = bench.start(flows.cleaned_up.model, folder=str(tmp_path), caching=False)
    assert eventually((tmp_path / "a").exists)
    os.kill(json.loads((run.folder / "supervisor.json").read_text())["pid"], signal.SIGKILL)
    state = run.wait()
    assert (state.state, state.reason) == (State.FAILED, "Interrupted")
    assert state.tasks["exit-handler-1/for-loop-3[0]/wait-2"].reason == "Interrupted"
    assert state.tasks["exit-handler-1/for-loop-3[1]/wait-2"].state is State.SKIPPED


def test_the_error_of_a_run_is_that_of_the_innermost_task(bench):
    state = bench.run(flows.handled.model, text="broken").state
    failed = [task for task in state.tasks.values() if task.state is State.FAILED]
    assert [task.reason for task in failed] == [GROUP_FAILED, GROUP_FAILED, "ValueError"]
    lines = text(document(flows.handled.model, state)).splitlines()
    assert len([line for line in lines if line.startswith("✗") and "ValueError: broken" in line]) == 1
