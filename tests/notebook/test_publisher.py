"""The publisher: bursts become few messages, nobody misses anything, and nothing goes wrong silently."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from kfp_jupyter.model.component import Component, Fragment, PythonStep, Source
from kfp_jupyter.model.pipeline import Graph, Pipeline, Task
from kfp_jupyter.model.run import MetricLogged, RunChanged, RunCreated, State, Target, TaskChanged, apply
from kfp_jupyter.notebook.publisher import Publisher
from kfp_jupyter.runs.store import RunStore
from kfp_jupyter.view.document import document, pipeline_document, run_document

STEP = PythonStep(Source((Fragment("def train():\n    pass\n", "Cell In[1]", 2),)), "train", "python:3.11")
PIPELINE = Pipeline(
    "p", (), (), {"comp": Component("train", (), (), STEP)}, Graph({"train": Task("train", "comp")})
)


class Facts:
    """Answers the publisher as the session does, from one pipeline."""

    def __init__(self, store: RunStore) -> None:
        self.store = store
        self.broken = False
        self.elsewhere = None
        self.meanwhile: dict[str, Callable[[], object]] = {}

    def happens(self, where):
        """Let happen, once, what a test wants to happen just there."""
        self.meanwhile.pop(where, lambda: None)()

    def workbench_message(self, *, targets):
        self.happens("workbench")
        runs = [{"id": state.id, "state": state.state.value} for state in self.store.all()]
        return {"type": "workbench", "pipelines": [pipeline_document(PIPELINE)], "runs": runs}

    def document(self, run, *, saved=False):
        self.happens("document")
        if self.broken:
            raise RuntimeError("no document today")
        return document(PIPELINE, run, saved=saved)

    def reconnect(self):
        pass

    def look_around(self):
        if self.elsewhere is not None:
            self.store.put(self.elsewhere)


class Screen:
    """Folds what it gets, as the front end does."""

    def __init__(self) -> None:
        self.messages = []
        self.runs = {}

    def send(self, message):
        message = json.loads(json.dumps(message, allow_nan=False))
        self.messages.append(message)
        if message["type"] == "run":
            self.runs[message["document"]["run"]["id"]] = message["document"]["run"]
        if message["type"] == "delta":
            run = self.runs[message["run"]]
            assert message["base"] == run["version"]
            self.runs[message["run"]] = {
                **run,
                **message["fields"],
                "tasks": {**run["tasks"], **message["tasks"]},
                "version": message["version"],
            }

    def listed(self):
        """The runs and their states in the last `workbench` message."""
        told = [message["runs"] for message in self.messages if message["type"] == "workbench"]
        return {run["id"]: run["state"] for run in told[-1]} if told else {}

    def count(self, kind):
        return sum(message["type"] == kind for message in self.messages)


class Dead:
    def send(self, message):
        raise OSError("the page has gone")


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def store():
    return RunStore()


@pytest.fixture
def facts(store):
    return Facts(store)


@pytest.fixture
def ended():
    return []


@pytest.fixture
def publisher(store, facts, ended):
    publisher = Publisher(store, facts, ended.append)
    yield publisher
    publisher.stop()


def begin(store, run="r1"):
    store.apply(run, RunCreated(1.0, run, "p", Target(), {}, ("train",)))
    store.apply(run, RunChanged(2.0, State.RUNNING))


def test_a_burst_of_events_becomes_a_few_deltas_and_loses_nothing(publisher, store):
    screen = Screen()
    publisher.join(screen)
    until(lambda: screen.count("workbench") == 1)
    # Before the first of all that becomes a delta.
    started = time.monotonic()
    begin(store)
    for step in range(1000):
        store.apply("r1", MetricLogged(3.0, "train", "loss", step, 1 / (step + 1)))
    until(lambda: "r1" in screen.runs and screen.runs["r1"]["version"] == store.get("r1").version)
    rounds = (time.monotonic() - started) / 0.1
    assert screen.count("delta") <= rounds + 1
    assert screen.runs["r1"] == json.loads(json.dumps(run_document(store.get("r1"))))


def test_a_screen_that_joins_late_gets_the_live_run_and_then_only_what_fits_to_it(publisher, store):
    begin(store)
    screen = Screen()
    publisher.join(screen)
    until(lambda: "r1" in screen.runs)
    store.apply("r1", TaskChanged(4.0, "train", State.SUCCEEDED, outputs={"accuracy": 0.9}))
    until(lambda: screen.runs["r1"]["tasks"]["train"]["state"] == "SUCCEEDED")
    assert screen.runs["r1"] == json.loads(json.dumps(run_document(store.get("r1"))))
    assert screen.messages[0]["type"] == "workbench"


def test_several_screens_see_the_same(publisher, store):
    screens = [Screen(), Screen(), Screen()]
    for screen in screens:
        publisher.join(screen)
    until(lambda: all(screen.count("workbench") for screen in screens))
    begin(store)
    store.apply("r1", RunChanged(5.0, State.SUCCEEDED))
    for screen in screens:
        until(lambda screen=screen: screen.runs.get("r1", {}).get("state") == "SUCCEEDED")


def test_what_others_do_is_seen_when_nothing_happens_here(publisher, store, facts, monkeypatch):
    monkeypatch.setattr("kfp_jupyter.notebook.publisher._GLANCE", 0.02)
    screen = Screen()
    publisher.join(screen)
    until(lambda: screen.count("workbench") == 1)
    begin(store)
    ended = store.apply("r1", RunChanged(3.0, State.FAILED))
    until(lambda: screen.runs.get("r1", {}).get("state") == "FAILED")
    facts.elsewhere = replace(ended, state=State.PENDING, finished_at=None)
    until(lambda: screen.runs["r1"]["state"] == "PENDING")
    assert screen.count("run") == 1, "its change was told as such"


def test_what_others_do_is_seen_also_when_something_always_happens_here(publisher, store, facts, monkeypatch):
    monkeypatch.setattr("kfp_jupyter.notebook.publisher._GLANCE", 0.02)

    def ring():
        facts.meanwhile["workbench"] = ring
        publisher.refresh()

    ring()
    screen = Screen()
    publisher.join(screen)
    facts.elsewhere = apply(None, RunCreated(1.0, "r1", "p", Target(), {}, ("train",)))
    until(lambda: "r1" in screen.runs)


def test_a_screen_that_is_gone_does_not_disturb_the_others(publisher, store):
    screen = Screen()
    publisher.join(Dead())
    publisher.join(screen)
    begin(store)
    until(lambda: screen.runs.get("r1", {}).get("state") == "RUNNING")
    assert publisher.failure is None


def test_a_screen_that_leaves_before_it_was_greeted_is_not_told_anything(publisher, store, facts):
    watching, leaving = Screen(), Screen()
    publisher.join(watching)
    until(lambda: watching.count("workbench") == 1)

    def come_and_go():
        # In one round a run is told and a screen greeted; that screen leaves between the two.
        facts.meanwhile["document"] = lambda: publisher.leave(leaving)
        publisher.join(leaving)
        store.apply("r2", RunCreated(1.0, "r2", "p", Target(), {}, ("train",)))

    facts.meanwhile["document"] = come_and_go
    begin(store)
    until(lambda: "r2" in watching.listed())
    store.apply("r2", RunChanged(5.0, State.SUCCEEDED))
    until(lambda: watching.listed()["r2"] == "SUCCEEDED")
    assert leaving.messages == []


def test_a_run_that_begins_while_a_screen_is_greeted_is_told_to_the_others_too(publisher, store, facts):
    first, second = Screen(), Screen()
    publisher.join(first)
    until(lambda: first.count("workbench") == 1)
    facts.meanwhile["workbench"] = lambda: begin(store)
    publisher.join(second)
    until(lambda: "r1" in second.runs)
    until(lambda: second.listed() == {"r1": "RUNNING"})
    assert first.runs == second.runs


def test_a_screen_whose_greeting_failed_gets_the_workbench_later(publisher, facts, monkeypatch):
    monkeypatch.setattr("kfp_jupyter.notebook.publisher._GLANCE", 0.02)
    first, second = Screen(), Screen()
    publisher.join(first)
    until(lambda: first.count("workbench") == 1)

    def fail():
        raise OSError("no kubeconfig today")

    facts.meanwhile["workbench"] = fail
    publisher.join(second)
    until(lambda: second.count("error") == 1 or second.count("workbench"))
    until(lambda: second.count("workbench") >= 1)


def test_the_workbench_is_sent_again_only_when_it_changed(publisher, store):
    screen = Screen()
    publisher.join(screen)
    begin(store)
    until(lambda: screen.listed() == {"r1": "RUNNING"})
    told = screen.count("workbench")
    store.apply("r1", MetricLogged(3.0, "train", "loss", 1, 0.5))
    publisher.refresh()
    until(lambda: screen.runs.get("r1", {}).get("version") == store.get("r1").version)
    store.apply("r1", RunChanged(5.0, State.FAILED))
    until(lambda: screen.listed() == {"r1": "FAILED"})
    assert screen.count("workbench") == told + 1


def test_a_failure_is_shown_and_the_thread_goes_on(publisher, store, facts):
    screen = Screen()
    publisher.join(screen)
    until(lambda: screen.count("workbench") == 1)
    facts.broken = True
    # One change only: of another that came in a round of its own the screen would be told what changed.
    store.apply("r1", RunCreated(1.0, "r1", "p", Target(), {}, ("train",)))
    until(lambda: screen.count("error") == 1)
    told = next(message["error"] for message in screen.messages if message["type"] == "error")
    assert told["what"] == "RuntimeError: no document today"
    assert isinstance(publisher.failure, RuntimeError)
    facts.broken = False
    begin(store, "r2")
    until(lambda: "r2" in screen.runs)


def test_the_end_of_a_run_is_told_once(publisher, store, ended):
    begin(store)
    store.apply("r1", RunChanged(5.0, State.SUCCEEDED))
    until(lambda: len(ended) == 1)
    store.apply("r1", TaskChanged(6.0, "train", State.SUCCEEDED, log_tail=("late",)))
    screen = Screen()
    publisher.join(screen)
    until(lambda: screen.count("workbench") == 1)
    assert [state.id for state in ended] == ["r1"]


def test_the_end_of_a_run_that_nobody_saw_go_on_is_told_anew(publisher, store, ended):
    begin(store)
    failed = store.apply("r1", RunChanged(5.0, State.FAILED))
    until(lambda: len(ended) == 1)
    # It was resumed and has ended within one round.
    store.put(replace(failed, state=State.SUCCEEDED, finished_at=9.0))
    until(lambda: len(ended) == 2)
    assert ended[1].state is State.SUCCEEDED


def test_the_end_of_a_run_is_told_though_its_document_cannot_be_made(publisher, store, facts, ended):
    facts.broken = True
    created = apply(None, RunCreated(1.0, "r1", "p", Target(), {}, ("train",)))
    store.put(replace(created, state=State.SUCCEEDED, finished_at=5.0))
    until(lambda: len(ended) == 1)
    assert isinstance(publisher.failure, RuntimeError)


def test_after_stop_there_is_no_thread_and_nothing_is_sent(publisher, store):
    screen = Screen()
    publisher.join(screen)
    until(lambda: screen.count("workbench") == 1)
    thread = publisher._thread
    publisher.stop()
    publisher.stop()
    begin(store)
    thread.join(60)
    assert not thread.is_alive()
    assert screen.count("run") == 0
