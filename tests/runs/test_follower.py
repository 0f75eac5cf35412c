from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import replace
from threading import Event as Stop

import pytest

from kfp_jupyter.engines.base import EngineError, RunGoneError
from kfp_jupyter.model.run import (
    Event,
    RunChanged,
    RunCreated,
    RunRef,
    RunState,
    State,
    Target,
    TaskChanged,
    apply,
)
from kfp_jupyter.runs.follower import DISCONNECTED, GONE, Follower, Followers
from kfp_jupyter.runs.store import RunStore

TOLD: list[Event] = [
    RunCreated(time=1.0, run_id="r1", pipeline="p", target=Target(), arguments={}, tasks=("load",)),
    RunChanged(time=2.0, state=State.RUNNING),
    TaskChanged(time=3.0, task="load", state=State.RUNNING, attempt=1),
    TaskChanged(time=4.0, task="load", state=State.SUCCEEDED),
]
END = RunChanged(time=5.0, state=State.SUCCEEDED)


@pytest.fixture
def store() -> RunStore:
    return RunStore()


def follow(store: RunStore, *events: Event, error: Exception | None = None) -> Follower:
    def tell(stop: Stop) -> Iterator[Event]:
        yield from events
        if error:
            raise error

    follower = Follower(store, "r1", tell)
    follower.start()
    follower.join(60.0)
    assert not follower.following
    return follower


def test_the_events_end_up_in_the_store(store):
    follow(store, *TOLD, END)
    state = store.get("r1")
    assert (state.state, state.tasks["load"].state) == (State.SUCCEEDED, State.SUCCEEDED)
    assert state.reason == ""


def test_a_run_told_again_never_goes_back_on_the_screen(store):
    for event in TOLD:
        store.apply("r1", event)
    shown: list[RunState] = []
    store.subscribe(lambda before, after: shown.append(after))
    follow(store, *TOLD, END)
    assert {state.tasks["load"].state for state in shown} == {State.SUCCEEDED}
    assert shown[-1].state is State.SUCCEEDED


def test_an_engine_that_tells_fewer_events_the_second_time_is_shown_soon(store):
    known = None
    for event in TOLD:
        known = apply(known, event)
    store.put(replace(known, version=50))
    more: queue.Queue[Event] = queue.Queue()

    def tell(stop: Stop) -> Iterator[Event]:
        yield from TOLD[:2]
        yield TaskChanged(time=4.5, task="load", state=State.FAILED, reason="OOMKilled")
        yield more.get(timeout=60.0)

    follower = Follower(store, "r1", tell)
    follower.start()
    state = store.wait("r1", lambda state: state.tasks["load"].reason == "OOMKilled", 60.0)
    assert state.tasks["load"].state is State.FAILED
    assert state.version > 50
    more.put(END)
    follower.join(60.0)


def test_whoever_waits_for_the_engine_to_have_told_all_sees_it_all(store):
    told, more = threading.Event(), [TaskChanged(time=4.5, task="load", state=State.FAILED), END]

    def tell(stop: Stop) -> Iterator[Event]:
        told.wait(30.0)
        yield from TOLD
        stop.wait(30.0)
        yield from more

    ref = RunRef("r1", Target(), "")
    store.apply("r1", TOLD[0])
    followers = Followers(store, lambda ref, stop: tell(stop))
    followers.follow(ref)
    followers.catch_up(["r1"], 0.0)
    assert store.get("r1").state is State.PENDING
    told.set()
    followers.catch_up(["r1", "unknown"], 30.0)
    state = store.get("r1")
    assert (state.state, state.tasks["load"].state) == (State.RUNNING, State.SUCCEEDED)
    followers.close()


def test_an_engine_that_ends_or_fails_keeps_nobody_waiting(store):
    def fail(ref: RunRef, stop: Stop) -> Iterator[Event]:
        raise EngineError("no route to host")

    store.apply("r1", TOLD[0])
    followers = Followers(store, fail)
    followers.follow(RunRef("r1", Target(), ""))
    followers.catch_up(["r1"], 30.0)
    assert store.get("r1").reason == DISCONNECTED
    followers.close()


def test_a_run_that_was_resumed_does_not_end_where_it_had_ended_before(store):
    failed = RunChanged(time=5.0, state=State.FAILED)
    on = [RunChanged(time=6.0, state=State.PENDING, reason="Resumed"), RunChanged(6.1, State.RUNNING)]
    known = None
    for event in [*TOLD, failed, on[0]]:
        known = apply(known, event)
    store.put(known)
    shown: list[RunState] = []
    store.subscribe(lambda before, after: shown.append(after))
    follow(store, *TOLD, failed, *on, RunChanged(time=7.0, state=State.SUCCEEDED))
    assert [state.state for state in shown] == [State.PENDING, State.RUNNING, State.SUCCEEDED]


def test_an_end_that_is_told_with_fewer_events_is_an_end(store):
    known = None
    for event in TOLD:
        known = apply(known, event)
    store.put(replace(known, version=50))
    follow(store, *TOLD[:2], END)
    assert store.get("r1").state is State.SUCCEEDED


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (EngineError("It is forbidden.", remedy="Log in again."), "It is forbidden. Log in again."),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
        (None, "The engine said no more"),
    ],
)
def test_an_engine_that_fails_leaves_the_run_as_last_seen_with_a_note(store, error, said):
    follow(store, *TOLD, error=error)
    state = store.get("r1")
    assert (state.state, state.reason) == (State.RUNNING, DISCONNECTED)
    assert said in state.message


def test_a_run_that_is_gone_has_failed(store):
    waiting = replace(TOLD[0], tasks=("load", "train", "report"))
    told = [waiting, *TOLD[1:], TaskChanged(time=6.0, task="train", state=State.RUNNING, attempt=1)]
    follow(store, *told, error=RunGoneError("The workflow is not there any more."))
    state = store.get("r1")
    assert (state.state, state.reason, state.finished_at) == (State.FAILED, GONE, 6.0)
    assert state.message == "The workflow is not there any more. How the run ended is not known."
    assert {path: task.state.value for path, task in state.tasks.items()} == {
        "load": "SUCCEEDED", "train": "FAILED", "report": "SKIPPED",
    }  # fmt: skip


def test_following_again_takes_the_note_away(store):
    follow(store, *TOLD, error=EngineError("no route to host"))
    follow(store, *TOLD, END)
    state = store.get("r1")
    assert (state.state, state.reason, state.message) == (State.SUCCEEDED, "", "")


def test_stopping_ends_the_thread_and_leaves_the_run_alone(store):
    def tell(stop: Stop) -> Iterator[Event]:
        yield from TOLD
        stop.wait(60.0)

    follower = Follower(store, "r1", tell)
    follower.start()
    store.wait("r1", lambda state: state.tasks["load"].state.finished, 60.0)
    follower.stop()
    follower.join(60.0)
    assert not follower.following
    assert store.get("r1").reason == ""


def test_whoever_wants_a_run_followed_when_it_hears_that_it_is_not_is_heard(store):
    """The thread that tells it is still there then."""
    ref, told = RunRef("r1", Target(), ""), []

    def tell(_ref: RunRef, stop: Stop) -> Iterator[Event]:
        told.append(stop)
        yield from TOLD
        if len(told) == 1:
            raise EngineError("The cluster does not answer.")
        yield END

    followers = Followers(store, tell)

    def changed(_before: RunState | None, after: RunState) -> None:
        if after.reason == DISCONNECTED:
            followers.follow(ref)

    store.apply("r1", TOLD[0])
    store.subscribe(changed)
    followers.follow(ref)
    assert store.wait("r1", lambda state: state.state.finished, 60.0).state is State.SUCCEEDED
    followers.close()


def test_a_run_that_goes_on_before_its_follower_has_noticed_its_end_is_followed_again(store):
    ref, over, told = RunRef("r1", Target(), ""), threading.Event(), []
    failed = RunChanged(time=5.0, state=State.FAILED)
    resumed = RunChanged(time=6.0, state=State.PENDING, reason="Resumed")

    def tell(_ref: RunRef, stop: Stop) -> Iterator[Event]:
        told.append(stop)
        yield from (*TOLD, failed)
        if len(told) == 1:
            over.wait(60.0)
            return
        yield from (resumed, replace(END, time=7.0))

    followers = Followers(store, tell)
    store.apply("r1", TOLD[0])
    followers.follow(ref)
    store.wait("r1", lambda state: state.state is State.FAILED, 60.0)
    # As the workbench resumes a run.
    store.apply("r1", RunChanged(6.0, State.PENDING))
    followers.follow(ref)
    over.set()
    ended = store.wait("r1", lambda state: state.state.finished or state.reason == DISCONNECTED, 60.0)
    assert (ended.state, ended.reason) == (State.SUCCEEDED, "")
    followers.close()
