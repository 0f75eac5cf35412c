from __future__ import annotations

import logging
import threading

import pytest

from kfp_jupyter.model.run import MetricLogged, RunChanged, RunCreated, RunState, State, Target, TaskChanged
from kfp_jupyter.runs.store import RunStore

CREATED = RunCreated(
    time=1.0, run_id="r1", pipeline="p", target=Target(), arguments={"lr": 0.1}, tasks=("load", "train")
)


@pytest.fixture
def store() -> RunStore:
    return RunStore()


def test_events_are_folded_into_the_state_of_their_run(store):
    store.apply("r1", CREATED)
    store.apply("r1", RunChanged(time=2.0, state=State.RUNNING))
    store.apply("r1", TaskChanged(time=3.0, task="load", state=State.RUNNING, attempt=1))
    state = store.get("r1")
    assert (state.state, state.tasks["load"].state, state.tasks["train"].state) == (
        "RUNNING",
        "RUNNING",
        "PENDING",
    )
    assert state.version == 3
    assert store.all() == [state]


def test_an_event_of_an_unknown_run_is_refused(store):
    with pytest.raises(ValueError, match="RunCreated"):
        store.apply("r1", RunChanged(time=2.0, state=State.RUNNING))
    assert store.get("r1") is None


def test_versions_grow_even_when_an_older_state_is_put(store):
    first = store.apply("r1", CREATED)
    store.apply("r1", RunChanged(time=2.0, state=State.RUNNING))
    assert store.put(first).version == 3
    assert store.apply("r1", CREATED).version == 4


def test_a_subscriber_gets_each_change_with_the_state_before(store):
    seen = []
    stop = store.subscribe(lambda before, after: seen.append((before, after)))
    first = store.apply("r1", CREATED)
    second = store.apply("r1", RunChanged(time=2.0, state=State.RUNNING))
    stop()
    store.apply("r1", RunChanged(time=3.0, state=State.SUCCEEDED))
    assert seen == [(None, first), (first, second)]


def test_putting_the_same_state_again_tells_nobody(store):
    state = store.apply("r1", CREATED)
    seen = []
    store.subscribe(lambda before, after: seen.append(after))
    store.put(state)
    assert seen == []


def test_a_failing_subscriber_is_logged_and_does_not_stop_the_others(store, caplog):
    seen = []

    def fail(before: RunState | None, after: RunState) -> None:
        raise OSError("screen is gone")

    store.subscribe(fail)
    store.subscribe(lambda before, after: seen.append(after.id))
    with caplog.at_level(logging.ERROR):
        store.apply("r1", CREATED)
    assert seen == ["r1"]
    assert "screen is gone" in caplog.text


def test_a_change_made_by_a_subscriber_reaches_everyone_after_the_one_it_answers(store):
    orders: tuple[list[int], list[int]] = ([], [])

    def answer(before: RunState | None, after: RunState) -> None:
        orders[0].append(after.version)
        if before is None:
            store.apply("r1", RunChanged(time=2.0, state=State.RUNNING))

    store.subscribe(answer)
    store.subscribe(lambda before, after: orders[1].append(after.version))
    store.apply("r1", CREATED)
    assert orders == ([1, 2], [1, 2])


def test_an_interrupt_while_a_subscriber_is_called_loses_no_later_change(store):
    seen = []

    def interrupted(before: RunState | None, after: RunState) -> None:
        if before is None:
            raise KeyboardInterrupt

    store.subscribe(interrupted)
    store.subscribe(lambda before, after: seen.append(after.state))
    with pytest.raises(KeyboardInterrupt):
        store.apply("r1", CREATED)
    store.apply("r1", RunChanged(time=2.0, state=State.SUCCEEDED))
    assert seen == [State.SUCCEEDED]
    assert store.wait("r1", lambda state: state.state.finished, 60.0) is store.get("r1")


def test_waiting_returns_when_the_condition_holds(store):
    store.apply("r1", CREATED)
    writer = threading.Thread(target=store.apply, args=("r1", RunChanged(time=2.0, state=State.SUCCEEDED)))
    writer.start()
    state = store.wait("r1", lambda state: state.state.finished, 60.0)
    writer.join()
    assert state is not None
    assert state.state is State.SUCCEEDED


def test_waiting_gives_up_with_the_state_as_it_is(store):
    state = store.apply("r1", CREATED)
    assert store.wait("r1", lambda state: state.state.finished, 0.01) is state
    assert store.wait("r2", lambda state: True, 0.01) is None


def test_writers_in_several_threads_lose_nothing(store):
    store.apply("r1", CREATED)
    versions = []
    store.subscribe(lambda before, after: versions.append(after.version))

    def write(task: str) -> None:
        for step in range(200):
            store.apply("r1", MetricLogged(time=2.0, task=task, name="loss", step=step, value=1.0))

    writers = [threading.Thread(target=write, args=(task,)) for task in ("load", "train")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    state = store.get("r1")
    assert [len(state.tasks[task].curves["loss"]) for task in ("load", "train")] == [200, 200]
    assert versions == list(range(2, 402))
