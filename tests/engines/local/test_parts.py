"""The parts of the engine that need no process."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from kfp_jupyter.engines.local.folder import folder_name
from kfp_jupyter.engines.local.journal import Journal, Tail, events_in
from kfp_jupyter.engines.local.lock import is_held, take
from kfp_jupyter.engines.local.schedule import Links, Schedule
from kfp_jupyter.model.graph import Trigger, TriggerStrategy
from kfp_jupyter.model.run import ArtifactRecord, MetricLogged, RunChanged, State, TaskChanged, TaskError
from tests.engines.local.bench import component, pipeline, task


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("train", "train"),
        ("for-loop-1[3]/train", "for-loop-1[3]%2Ftrain"),
        ("..", "%2E."),
        ("a b", "a%20b"),
        ("é", "%C3%A9"),
        ("100%", "100%25"),
    ],
)
def test_a_name_becomes_a_folder_that_every_file_system_takes(name, folder):
    assert folder_name(name) == folder


def test_long_names_stay_apart():
    one, other = folder_name("x" * 300 + "1"), folder_name("x" * 300 + "2")
    assert one != other
    assert len(one) == len(other) == 120


def test_events_come_back_from_the_journal_as_they_were(tmp_path):
    journal = Journal(tmp_path / "journal")
    events = [
        TaskChanged(
            1.0,
            "train",
            State.FAILED,
            attempt=2,
            error=TaskError("ValueError", "no\n{{data}}", "Cell In[1]", 3, "…"),
            outputs={"a": [1, {"b": None}]},
            artifacts={"m": (ArtifactRecord("system.Model", "/m", "/m", {"x": 1}),)},
            log_tail=("one", "two"),
        ),
        MetricLogged(2.0, "train", "loss", 0.0, 0.5),
        RunChanged(3.0, State.FAILED, "TaskFailed", "train failed"),
    ]
    for event in events:
        journal.append(event)
    assert list(events_in(Tail(tmp_path / "journal").lines())) == events


def test_a_torn_line_is_passed_over_and_the_journal_goes_on(tmp_path):
    path = tmp_path / "journal"
    tail = Tail(path)
    assert list(tail.lines()) == []
    Journal(path).append(RunChanged(1.0, State.RUNNING))
    with path.open("a") as file:
        file.write('{"kind": "RunCh')
    assert len(list(tail.lines())) == 1
    Journal(path).append(RunChanged(2.0, State.SUCCEEDED))
    assert [event.time for event in events_in(tail.lines())] == [2.0]


def test_a_lock_has_one_holder_and_any_number_who_ask(tmp_path):
    path = tmp_path / "lock"
    assert not is_held(path)
    descriptor = take(path)
    assert descriptor is not None
    assert take(path) is None
    assert is_held(path)
    assert is_held(path)
    os.close(descriptor)
    assert not is_held(path)


def test_a_diamond_is_scheduled_from_the_top(tmp_path):
    nothing = component("def nothing(): pass\n", "nothing")
    graph = pipeline(
        {"nothing": nothing},
        task("end", "nothing", after=("left", "right")),
        task("left", "nothing", after=("top",)),
        task("right", "nothing", after=("top",)),
        task("top", "nothing"),
        task("lonely", "nothing"),
    ).graph
    links = Links(graph)
    assert links.first == ("top", "lonely")
    schedule = Schedule(links)
    assert list(schedule.ended("top", succeeded=True)) == ["left", "right"]
    assert list(schedule.ended("left", succeeded=False)) == ["end"]
    assert list(schedule.ended("right", succeeded=True)) == []
    assert list(schedule.ended("lonely", succeeded=False)) == []
    assert list(schedule.ended("end", succeeded=False)) == []
    assert schedule.open == 0


def test_a_task_that_ignores_failures_is_due_when_all_it_waits_for_has_ended():
    nothing = component("def nothing(): pass\n", "nothing")
    patient = replace(
        task("end", "nothing", after=("a", "b")), trigger=Trigger(strategy=TriggerStrategy.COMPLETED)
    )
    graph = pipeline({"nothing": nothing}, task("a", "nothing"), task("b", "nothing"), patient).graph
    schedule = Schedule(Links(graph))
    assert list(schedule.ended("a", succeeded=False)) == []
    assert list(schedule.ended("b", succeeded=False)) == ["end"]
