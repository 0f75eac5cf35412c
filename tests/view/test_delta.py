from __future__ import annotations

import json
from dataclasses import replace

from kfp_jupyter.model.codec import encode
from kfp_jupyter.model.run import MetricLogged, RunChanged, RunCreated, State, Target, TaskChanged, apply
from kfp_jupyter.view.delta import delta

CREATED = RunCreated(
    time=1.0, run_id="r1", pipeline="p", target=Target(), arguments={}, tasks=("load", "train")
)
# How the run stands is told with every change.
STANDS = {"state": "PENDING", "reason": "", "message": "", "started_at": None, "finished_at": None}


def test_only_what_changed_is_in_the_delta():
    first = apply(None, CREATED)
    second = apply(first, TaskChanged(time=2.0, task="train", state=State.RUNNING, attempt=1))
    message = delta(first, second)
    assert message["fields"] == STANDS
    assert list(message["tasks"]) == ["train"]
    assert message["tasks"]["train"]["state"] == "RUNNING"
    assert (message["run"], message["base"], message["version"]) == ("r1", 1, 2)


def test_the_runs_own_fields_are_in_the_delta():
    first = apply(None, CREATED)
    second = apply(first, RunChanged(time=2.0, state=State.RUNNING))
    assert delta(first, second)["fields"] == {**STANDS, "state": "RUNNING", "started_at": 2.0}
    assert delta(first, second)["tasks"] == {}


def test_a_document_updated_by_deltas_equals_the_last_state():
    states = [apply(None, CREATED)]
    for event in (
        RunChanged(time=2.0, state=State.RUNNING),
        TaskChanged(time=3.0, task="load", state=State.RUNNING, attempt=1),
        MetricLogged(time=4.0, task="load", name="rows", step=1, value=5.0),
        TaskChanged(time=5.0, task="for-loop-1[0]/train", state=State.FAILED, reason="Timeout"),
        RunChanged(time=6.0, state=State.FAILED, message="load failed"),
    ):
        states.append(apply(states[-1], event))
    shown = json.loads(json.dumps(encode(states[0], full=True)))
    for before, after in ((states[0], states[2]), (states[2], states[5])):
        message = json.loads(json.dumps(delta(before, after)))
        assert shown["version"] == message["base"]
        shown.update(
            message["fields"], version=message["version"], tasks={**shown["tasks"], **message["tasks"]}
        )
    assert shown == json.loads(json.dumps(encode(states[-1], full=True)))


def test_a_document_that_was_asked_for_in_between_is_brought_to_the_last_state_too():
    first = apply(apply(None, CREATED), RunChanged(time=2.0, state=State.RUNNING))
    # What a screen asked for was so for a moment only: the states that are sent have it not.
    between = replace(first, reason="Disconnected", message="No answer.", version=3)
    last = apply(replace(first, version=3), TaskChanged(time=5.0, task="load", state=State.RUNNING))
    message = json.loads(json.dumps(delta(first, last)))
    shown = json.loads(json.dumps(encode(between, full=True)))
    assert message["base"] < shown["version"] < message["version"]
    shown.update(message["fields"], version=message["version"], tasks={**shown["tasks"], **message["tasks"]})
    assert shown == json.loads(json.dumps(encode(last, full=True)))
