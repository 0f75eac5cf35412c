"""A watch goes on whatever happens to the connection and the server, and tells each state once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Event as Stop
from threading import Thread
from typing import Any

import pytest

from kfp_jupyter.engines.argo.connection import connect
from kfp_jupyter.engines.argo.errors import ForbiddenError, RunGoneError
from kfp_jupyter.engines.argo.watch import Lost, Patience, Watch
from kfp_jupyter.engines.base import EngineError
from tests.cluster import TestCluster
from tests.engines.argo.conftest import IMPATIENT, TARGET


class Pauses(Stop):
    """A stop that keeps for how long it was waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout or 0.0)
        return super().wait(timeout)


class Watcher:
    """Watches one Workflow in a thread and keeps what it was told."""

    def __init__(self, name: str, patience: Patience) -> None:
        self.steps: list[int] = []
        self.lost: list[str] = []
        self.error: EngineError | None = None
        self.stop = Pauses()
        cluster = connect(TARGET)
        self._watch = Watch(cluster, cluster.namespace, name, patience)
        self.thread = Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            for held in self._watch.follow(self.stop):
                if isinstance(held, Lost):
                    self.lost.append(held.reason)
                elif held is not None:
                    self.steps.append(held["spec"]["step"])
        except EngineError as error:
            self.error = error


@pytest.fixture
def quiet(cluster: TestCluster) -> TestCluster:
    """A cluster whose controller leaves Workflows alone, with one in it."""
    cluster.faults.controller_stopped = True
    item = {"metadata": {"name": "run", "labels": {}}, "spec": {"step": 0}}
    cluster.store.create("workflows", cluster.namespace, item)
    return cluster


@pytest.fixture
def patience() -> Patience:
    """How long the watcher waits: no machine is so busy that it takes a living server for a silent one."""
    return replace(IMPATIENT, silence=60.0)


@pytest.fixture
def watcher(quiet: TestCluster, patience: Patience) -> Iterator[Watcher]:
    started = Watcher("run", patience)
    quiet.wait(lambda: started.steps == [0])
    yield started
    started.stop.set()
    started.thread.join(60)
    assert not started.thread.is_alive()


@pytest.fixture
def step(quiet: TestCluster, watcher: Watcher) -> Callable[..., None]:
    """Return `step(n)`: change the Workflow and see that the watcher is told, once."""

    def change(number: int, *, wait: bool = True) -> None:
        def write(item: dict[str, Any]) -> None:
            item["spec"]["step"] = number

        quiet.store.update("workflows", quiet.namespace, "run", write)
        if wait:
            quiet.wait(lambda: number in watcher.steps)
            assert watcher.steps.count(number) == 1

    return change


def watches(cluster: TestCluster) -> int:
    return sum("watch=true" in line for line in cluster.server.requests)


def lists(cluster: TestCluster) -> int:
    return sum("workflows?fieldSelector" in line and "watch" not in line for line in cluster.server.requests)


def test_changes_come_as_they_are_made(watcher: Watcher, step: Callable[..., None]) -> None:
    for number in range(1, 6):
        step(number)
    assert watcher.steps == [0, 1, 2, 3, 4, 5]


def test_a_dropped_connection_is_taken_up_where_it_was_lost(
    quiet: TestCluster, watcher: Watcher, step: Callable[..., None]
) -> None:
    step(1)
    quiet.server.drop_connections()
    step(2, wait=False)
    step(3)
    assert watcher.steps == [0, 1, 2, 3]
    assert lists(quiet) == 1


def test_a_version_that_is_too_old_is_listed_again(
    quiet: TestCluster, watcher: Watcher, step: Callable[..., None]
) -> None:
    step(1)
    quiet.store.expire()
    quiet.server.drop_connections()
    step(2)
    assert lists(quiet) == 2
    step(3)


def test_a_version_that_expires_while_watching(
    quiet: TestCluster, watcher: Watcher, step: Callable[..., None]
) -> None:
    quiet.store.expire()
    quiet.wait(lambda: lists(quiet) == 2)
    step(1)
    assert watcher.steps == [0, 1]


def test_a_restarted_server_is_found_again(
    quiet: TestCluster, watcher: Watcher, step: Callable[..., None]
) -> None:
    quiet.go_down()
    step(1, wait=False)
    quiet.wait(lambda: any("connection refused" in reason for reason in watcher.lost))
    quiet.come_back()
    step(2)


@pytest.mark.parametrize("patience", [IMPATIENT])
def test_a_silent_watch_is_given_up_when_it_has_missed_something(
    quiet: TestCluster, watcher: Watcher, step: Callable[..., None]
) -> None:
    quiet.faults.silent = True
    step(1)
    assert any(line.endswith("/workflows/run") for line in quiet.server.requests)
    quiet.faults.silent = False
    step(2)


def test_a_server_that_is_busy_is_asked_again(
    quiet: TestCluster, watcher: Watcher, step: Callable[..., None]
) -> None:
    quiet.faults.unavailable = True
    quiet.server.drop_connections()
    quiet.wait(lambda: any("503" in reason for reason in watcher.lost))
    quiet.faults.unavailable = False
    step(1)


def test_a_watch_that_ends_in_time_goes_on(
    quiet: TestCluster, watcher: Watcher, monkeypatch: pytest.MonkeyPatch, step: Callable[..., None]
) -> None:
    monkeypatch.setattr("kfp_jupyter.engines.argo.watch.WATCH_SECONDS", 1)
    quiet.server.drop_connections()
    before = watches(quiet)
    quiet.wait(lambda: watches(quiet) >= before + 3)
    step(1)
    assert lists(quiet) == 1


def test_a_deleted_workflow_ends_the_watch(quiet: TestCluster, watcher: Watcher) -> None:
    quiet.store.delete("workflows", quiet.namespace, "run")
    watcher.thread.join(60)
    assert isinstance(watcher.error, RunGoneError)


@pytest.mark.parametrize("patience", [IMPATIENT])
def test_a_workflow_deleted_behind_a_silent_watch_ends_it(quiet: TestCluster, watcher: Watcher) -> None:
    quiet.faults.silent = True
    quiet.store.delete("workflows", quiet.namespace, "run")
    watcher.thread.join(60)
    assert isinstance(watcher.error, RunGoneError)


@pytest.mark.parametrize("patience", [replace(IMPATIENT, refusal=2.0)])
def test_a_permission_that_is_taken_away_ends_the_watch(quiet: TestCluster, watcher: Watcher) -> None:
    quiet.faults.forbidden |= {("watch", "workflows"), ("get", "workflows")}
    quiet.server.drop_connections()
    watcher.thread.join(60)
    assert isinstance(watcher.error, ForbiddenError)


def test_a_server_that_refuses_everybody_after_its_start_is_asked_again(
    quiet: TestCluster, watcher: Watcher, step: Callable[..., None]
) -> None:
    quiet.go_down()
    quiet.wait(lambda: watcher.lost)
    quiet.faults.forbidden |= {("watch", "workflows"), ("get", "workflows")}
    quiet.come_back()
    quiet.wait(lambda: any("may not watch" in reason for reason in watcher.lost))
    quiet.faults.forbidden.clear()
    step(1)


def test_pauses_do_not_grow_while_a_server_is_only_busy(quiet: TestCluster, watcher: Watcher) -> None:
    quiet.faults.busy = True
    quiet.server.drop_connections()
    quiet.wait(lambda: sum("429" in reason for reason in watcher.lost) >= 20)
    quiet.faults.busy = False
    # The loss itself may have doubled the first one.
    assert max(watcher.stop.seconds) < 2 * IMPATIENT.first_pause * 1.4


def test_stopping_takes_no_longer_than_a_moment(watcher: Watcher) -> None:
    watcher.stop.set()
    watcher.thread.join(60)
    assert not watcher.thread.is_alive()
