"""Events folded into the state of a run."""

from __future__ import annotations

from typing import Any, cast

import pytest

from kfp_jupyter.model.codec import decode, encode
from kfp_jupyter.model.run import (
    CURVES,
    ArtifactRecord,
    Event,
    IterationsAdded,
    MetricLogged,
    RunChanged,
    RunCreated,
    RunState,
    State,
    Target,
    TaskChanged,
    TaskError,
    UsageMeasured,
    apply,
)
from kfp_jupyter.model.usage import Usage

CREATED = RunCreated(100.0, "r-1", "p", Target(), {"lr": 0.1}, ("load", "train"))


def state_after(*events: Event) -> RunState:
    state = apply(None, CREATED)
    for event in events:
        state = apply(state, event)
    return state


def test_every_known_task_is_pending_from_the_first_event_on() -> None:
    state = state_after()
    assert state.state is State.PENDING
    assert {path: task.state for path, task in state.tasks.items()} == {
        "load": State.PENDING,
        "train": State.PENDING,
    }


def test_times_are_taken_from_the_events() -> None:
    state = state_after(
        RunChanged(101.0, State.RUNNING),
        TaskChanged(102.0, "load", State.RUNNING, attempt=1),
        TaskChanged(105.0, "load", State.SUCCEEDED, outputs={"rows": 3}),
        RunChanged(106.0, State.SUCCEEDED),
    )
    load = state.tasks["load"]
    assert (load.started_at, load.finished_at, load.outputs) == (102.0, 105.0, {"rows": 3})
    assert (state.started_at, state.finished_at) == (101.0, 106.0)


def test_what_a_task_used_is_that_of_its_last_attempt() -> None:
    state = state_after(
        TaskChanged(1.0, "train", State.RUNNING, attempt=1),
        UsageMeasured(2.0, "train", Usage(1.0, 100)),
        TaskChanged(3.0, "train", State.PENDING, reason="Retrying", usage=Usage(1.5, 100)),
    )
    assert state.tasks["train"].usage == Usage(1.5, 100)
    state = apply(state, TaskChanged(4.0, "train", State.RUNNING, attempt=2))
    assert state.tasks["train"].usage is None
    state = apply(state, UsageMeasured(5.0, "train", Usage(0.5, 50)))
    state = apply(state, TaskChanged(6.0, "train", State.CANCELING))
    assert state.tasks["train"].usage == Usage(0.5, 50)


def test_a_further_attempt_starts_the_clock_again_and_forgets_the_error() -> None:
    state = state_after(
        TaskChanged(1.0, "train", State.RUNNING, attempt=1),
        TaskChanged(2.0, "train", State.PENDING, error=TaskError("OSError", "no space"), reason="Retrying"),
        TaskChanged(5.0, "train", State.RUNNING, attempt=2),
    )
    train = state.tasks["train"]
    assert (train.attempt, train.started_at, train.error, train.reason) == (2, 5.0, None, "")


def test_a_task_nobody_announced_is_added() -> None:
    state = state_after(TaskChanged(1.0, "for-loop-1[3]/train", State.RUNNING))
    assert state.tasks["for-loop-1[3]/train"].state is State.RUNNING


def test_a_curve_keeps_one_value_a_step_in_step_order() -> None:
    state = state_after(
        MetricLogged(1.0, "train", "loss", 2, 0.5),
        MetricLogged(2.0, "train", "loss", 1, 0.9),
        MetricLogged(3.0, "train", "loss", 2, 0.4),
    )
    assert state.tasks["train"].curves == {"loss": ((1, 0.9), (2, 0.4))}


def test_a_curve_whose_points_were_missed_comes_with_the_metrics() -> None:
    logged: dict[str, Any] = {
        CURVES: {"loss": [[0, 0.9], [1, 0.5], [2, "NaN"]], "auc": [[0, 0.6]], "odd": [3], "none": 7},
        "loss": 0.5,
    }
    metrics = {"scores": (ArtifactRecord("system.Metrics", metadata=logged),)}
    ended = TaskChanged(2.0, "train", State.SUCCEEDED, artifacts=metrics)
    state = state_after(MetricLogged(1.0, "train", "loss", 0, 0.9), ended)
    assert state.tasks["train"].curves == {"loss": ((0, 0.9), (1, 0.5)), "auc": ((0, 0.6),)}
    assert apply(state, ended).tasks == state.tasks


def test_a_users_own_metadata_under_that_key_is_passed_over() -> None:
    metrics = {"scores": (ArtifactRecord("system.Metrics", metadata={CURVES: "none"}),)}
    state = state_after(TaskChanged(2.0, "train", State.SUCCEEDED, artifacts=metrics))
    assert state.tasks["train"].curves == {}


def test_the_executor_writes_curves_under_that_key() -> None:
    from kfp_jupyter.executor import artifacts

    assert artifacts.CURVES == CURVES


def test_replaying_an_event_changes_nothing_but_the_version() -> None:
    event = TaskChanged(2.0, "load", State.RUNNING, attempt=1)
    once, twice = state_after(event), state_after(event, event)
    assert once.tasks == twice.tasks
    assert twice.version == once.version + 1


def test_the_tasks_of_a_loop_are_added_when_its_items_are_known() -> None:
    added = IterationsAdded(101.0, "for-loop-1", 2, ("train", "inner/load"))
    state = state_after(TaskChanged(101.0, "for-loop-1", State.RUNNING), added)
    assert list(state.tasks) == [
        *("load", "train", "for-loop-1"),
        *("for-loop-1[0]/train", "for-loop-1[0]/inner/load"),
        *("for-loop-1[1]/train", "for-loop-1[1]/inner/load"),
    ]
    assert state.tasks["for-loop-1[1]/train"].state is State.PENDING
    assert list(IterationsAdded(0.0, "each", 2, ("",)).paths()) == ["each[0]", "each[1]"]


def test_iterations_told_again_forget_nothing_of_those_known() -> None:
    state = state_after(
        IterationsAdded(101.0, "l", 1, ("a",)),
        TaskChanged(102.0, "l[0]/a", State.RUNNING, attempt=1),
        IterationsAdded(103.0, "l", 2, ("a",)),
    )
    assert [state.tasks[path].state for path in ("l[0]/a", "l[1]/a")] == [State.RUNNING, State.PENDING]


def test_an_event_is_written_and_read_again() -> None:
    added = IterationsAdded(101.0, "l", 3, ("a", "b/c"))
    assert decode(cast(Any, Event), encode(added)) == added


def test_a_run_must_be_created_first() -> None:
    with pytest.raises(ValueError, match="RunCreated"):
        apply(None, RunChanged(1.0, State.RUNNING))


@pytest.mark.parametrize(
    ("target", "spelling"),
    [
        (Target(), "local"),
        (Target("argo", "kind"), "argo:kind"),
        (Target("argo", "kind", "team-a"), "argo:kind/team-a"),
    ],
)
def test_a_target_is_spelled_as_the_option_takes_it(target: Target, spelling: str) -> None:
    assert str(target) == spelling
