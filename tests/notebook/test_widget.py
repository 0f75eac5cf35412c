"""The widget as a screen: it keeps its run's end for views to come, and asks for no more then."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from kfp_jupyter.model.run import RunChanged, RunCreated, State, Target
from kfp_jupyter.notebook import widget
from kfp_jupyter.runs.store import RunStore
from kfp_jupyter.view.delta import delta
from kfp_jupyter.view.document import document
from tests.notebook.test_publisher import PIPELINE


class View:
    """A widget without a front end."""

    def __init__(self, snapshot):
        self.snapshot = snapshot
        self.sent = []

    def on_msg(self, callback):
        pass

    def send(self, message):
        self.sent.append(message["type"])


class Publisher:
    def __init__(self):
        self.screens = []

    def join(self, screen):
        self.screens.append(screen)

    def leave(self, screen):
        self.screens.remove(screen)


@pytest.fixture
def session(monkeypatch):
    monkeypatch.setattr(widget, "_widget_class", lambda: View)
    store = RunStore()
    store.apply("r1", RunCreated(1.0, "r1", "p", Target(), {}, ("train",)))
    return SimpleNamespace(
        publisher=Publisher(),
        workbench=SimpleNamespace(store=store),
        document_of=lambda run: document(PIPELINE, store.get(run)),
    )


def shown(session) -> widget.RunWidget:
    return widget.RunWidget(session, session.document_of("r1"))


def test_it_keeps_the_end_and_leaves(session):
    made = shown(session)
    made.send({"type": "workbench"})
    store = session.workbench.store
    before = store.get("r1")
    running = store.apply("r1", RunChanged(2.0, State.RUNNING))
    made.send(delta(before, running))
    assert session.publisher.screens == [made]
    made.send(delta(running, store.apply("r1", RunChanged(3.0, State.SUCCEEDED))))
    assert made.widget.snapshot["run"]["state"] == "SUCCEEDED"
    assert session.publisher.screens == []
    assert made.widget.sent == ["workbench", "delta", "delta"]


def test_a_run_that_is_told_at_its_end_only_is_kept_too(session):
    made = shown(session)
    session.workbench.store.apply("r1", RunChanged(3.0, State.FAILED))
    made.send({"type": "run", "document": session.document_of("r1")})
    assert made.widget.snapshot["run"]["state"] == "FAILED"
    assert session.publisher.screens == []


def test_a_run_that_ended_before_the_widget_was_greeted_is_not_waited_for(session):
    made = shown(session)
    session.workbench.store.apply("r1", RunChanged(3.0, State.SUCCEEDED))
    made.send({"type": "workbench"})
    assert made.widget.snapshot["run"]["state"] == "SUCCEEDED"
    assert session.publisher.screens == []


def test_the_last_change_is_sent_though_the_list_of_runs_tells_of_the_end_before(session):
    made = shown(session)
    made.send({"type": "workbench"})
    store = session.workbench.store
    before = store.get("r1")
    ended = store.apply("r1", RunChanged(3.0, State.SUCCEEDED))
    made.send({"type": "workbench"})
    made.send(delta(before, ended))
    assert made.widget.sent == ["workbench", "workbench", "delta"]
    assert session.publisher.screens == []
