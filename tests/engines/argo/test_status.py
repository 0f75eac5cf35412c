"""A Workflow's status read as a run: states, reasons, attempts, in the shapes Argo writes them."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from kfp_jupyter.engines.argo.manifest import workflow
from kfp_jupyter.engines.argo.names import node_id
from kfp_jupyter.engines.argo.record import read_record
from kfp_jupyter.engines.argo.status import Reading, changes, read
from kfp_jupyter.engines.base import RunOptions
from kfp_jupyter.model.run import RunChanged, State, Target, TaskChanged
from tests.cluster.reconciliation import NO_CONFIG_MAPS
from tests.engines.argo.pipelines import component, pipeline, task

ONE = component("one", "def one(): ...\n")
PIPELINE = pipeline("p", (ONE,), (task("one"), task("two", "one", after=("one",))))
RECORD = read_record(workflow(PIPELINE, {}, RunOptions("run", Target("argo"))))


def held(phase: str = "Running", *nodes: dict[str, Any], shutdown: str = "", **status: Any) -> dict[str, Any]:
    ended = {"finishedAt": "2026-11-22T10:01:00Z"} if phase in ("Succeeded", "Failed", "Error") else {}
    return {
        "metadata": {"name": "run", "creationTimestamp": "2026-11-22T09:59:00Z"},
        "spec": {"shutdown": shutdown} if shutdown else {},
        "status": {
            "phase": phase,
            "startedAt": "2026-11-22T10:00:00Z",
            "nodes": {item["id"]: item for item in nodes},
            **ended,
            **status,
        },
    }


def node(name: str, phase: str, message: str = "", type_: str = "Pod", **more: Any) -> dict[str, Any]:
    ended = phase not in ("Pending", "Running")
    return {
        "id": node_id("run", f"run.{name}"),
        "name": f"run.{name}",
        "type": type_,
        "phase": phase,
        "startedAt": "2026-11-22T10:00:10Z",
        "finishedAt": "2026-11-22T10:00:20Z" if ended else None,
        **({"message": message} if message else {}),
        **more,
    }


def now(workflow: dict[str, Any], name: str = "one") -> TaskChanged:
    return read(workflow, RECORD).tasks[name].now


@pytest.mark.parametrize(
    ("given", "state"),
    [
        (held(""), State.PENDING),
        (held("Pending"), State.PENDING),
        (held("Running"), State.RUNNING),
        (held("Succeeded"), State.SUCCEEDED),
        (held("Failed"), State.FAILED),
        (held("Error"), State.FAILED),
        (held("Running", shutdown="Stop"), State.CANCELING),
        (held("Failed", shutdown="Terminate"), State.CANCELED),
        (held("Succeeded", shutdown="Stop"), State.SUCCEEDED),
    ],
)
def test_a_runs_state(given: dict[str, Any], state: State) -> None:
    assert read(given, RECORD).run.state is state


def test_a_workflow_without_a_status_is_pending_since_its_creation() -> None:
    given = held()
    del given["status"]
    reading = read(given, RECORD)
    assert reading.run == RunChanged(1795341540.0, State.PENDING)
    assert reading.tasks == {}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (node("one", "Pending"), (State.PENDING, "", "")),
        (
            node("one", "Pending", "Unschedulable: 0/3 nodes are available: 3 Insufficient cpu."),
            (State.PENDING, "Unschedulable", "0/3 nodes are available: 3 Insufficient cpu."),
        ),
        (node("one", "Pending", "PodInitializing"), (State.PENDING, "PodInitializing", "")),
        (
            node("one", "Pending", 'ImagePullBackOff: Back-off pulling image "x"'),
            (State.PENDING, "ImagePullBackOff", 'Back-off pulling image "x"'),
        ),
        (node("one", "Running"), (State.RUNNING, "", "")),
        (node("one", "Succeeded"), (State.SUCCEEDED, "", "")),
        (node("one", "Succeeded", taskResultSynced=False), (State.RUNNING, "", "")),
        (
            node("one", "Skipped", "when 'false' evaluated false", "Skipped"),
            (State.SKIPPED, "", "when 'false' evaluated false"),
        ),
        (
            node("one", "Omitted", "omitted: depends condition not met", "Skipped"),
            (State.SKIPPED, "UpstreamFailed", "A task before it failed."),
        ),
        (node("one", "Failed", "main: Error (exit code 1)"), (State.FAILED, "", "main: Error (exit code 1)")),
        (
            node("one", "Failed", "main: OOMKilled (exit code 137)"),
            (State.FAILED, "OutOfMemory", "main: OOMKilled (exit code 137)"),
        ),
        (
            node(
                "one", "Error", "Pod failed before main container starts due to ErrImagePull: no such image"
            ),
            (
                State.FAILED,
                "ErrImagePull",
                "Pod failed before main container starts due to ErrImagePull: no such image",
            ),
        ),
        (
            node("one", "Failed", "Pod was active on the node longer than the specified deadline"),
            (State.FAILED, "Timeout", "Pod was active on the node longer than the specified deadline"),
        ),
        (node("one", "Error", "pod deleted"), (State.FAILED, "PodDeleted", "pod deleted")),
        (node("one", "Failed", "workflow shutdown with strategy:  Stop"), (State.CANCELED, "", "")),
    ],
)
def test_a_tasks_state_and_reason(given: dict[str, Any], expected: tuple[State, str, str]) -> None:
    told = now(held("Running", given))
    assert (told.state, told.reason, told.message) == expected
    assert (told.error is not None) is (told.state is State.FAILED)


STOPPED = "workflow shutdown with strategy:  Stop"


@pytest.mark.parametrize("message", [STOPPED, "main: Error (exit code 143)", "main: Error (exit code 137)"])
def test_what_a_stopped_run_ended_is_cancelled_whatever_argo_says_of_its_pod(message: str) -> None:
    for phase in ("Running", "Failed"):
        told = now(held(phase, node("one", "Failed", message), shutdown="Stop"))
        assert (told.state, told.error, told.message) == (State.CANCELED, None, "")


def test_what_is_being_stopped_is_cancelled_once_its_pod_has_ended() -> None:
    going = node("one", "Failed", STOPPED, taskResultSynced=False, finishedAt=None)
    assert now(held("Running", going, shutdown="Stop")).state is State.CANCELING
    one, child = retried("Running", "", "Failed")
    child |= {"message": STOPPED, "taskResultSynced": False}
    assert now(held("Running", one, child, shutdown="Stop")).state is State.CANCELING


def test_what_failed_by_itself_stays_failed_when_the_run_is_stopped() -> None:
    for message in ("main: Error (exit code 1)", "main: OOMKilled (exit code 137)"):
        given = held(
            "Failed",
            node("one", "Failed", message),
            node("two", "Omitted", type_="Skipped"),
            shutdown="Stop",
        )
        assert now(given).state is State.FAILED
        assert (now(given, "two").state, now(given, "two").reason) == (State.SKIPPED, "UpstreamFailed")


def test_a_signal_that_nobody_sent_by_a_stop_is_a_failure() -> None:
    assert now(held("Failed", node("one", "Failed", "main: Error (exit code 143)"))).state is State.FAILED


@pytest.mark.parametrize(
    ("message", "reason", "remedy"),
    [
        (NO_CONFIG_MAPS, "TooLarge", "as artifacts"),
        ("wait: Error (exit code 64): timed out", "OutputsNotSaved", "artifact store is up"),
    ],
)
def test_what_argo_says_in_its_own_terms_is_explained(message: str, reason: str, remedy: str) -> None:
    told = now(held("Running", node("one", "Error", message)))
    assert (told.state, told.reason) == (State.FAILED, reason)
    assert remedy in told.message
    assert told.message.endswith(f"Argo says: {message}")


def test_what_never_began_in_a_stopped_run_is_cancelled() -> None:
    given = held("Failed", node("one", "Failed", STOPPED), shutdown="Stop")
    assert now(given, "two").state is State.CANCELED


def test_a_pod_that_never_ran_is_cancelled_without_having_run() -> None:
    pending = read(held("Running", node("one", "Pending")), RECORD)
    stopped = held("Running", node("one", "Failed", STOPPED), shutdown="Stop")
    assert told(pending, stopped) == ["CANCELING", "one CANCELED 1"]
    ran = node("one", "Failed", "main: Error (exit code 143)", outputs={"exitCode": "143"})
    assert told(None, held("Failed", ran, shutdown="Stop"))[1:3] == ["one RUNNING 1", "one CANCELED 1"]


def test_what_never_began_in_a_failed_run_is_skipped() -> None:
    given = held("Failed", node("one", "Failed", "main: Error (exit code 1)"))
    assert now(given, "two").state is State.SKIPPED
    assert read(given, RECORD).run.message == "Failed: one."


@pytest.mark.parametrize(
    ("run", "given", "state"),
    [
        ("Error", node("one", "Pending"), State.SKIPPED),
        ("Error", node("one", "Running"), State.CANCELED),
        ("Succeeded", node("one", "Succeeded", taskResultSynced=False), State.SUCCEEDED),
    ],
)
def test_a_run_that_has_ended_leaves_no_task_open(run: str, given: dict[str, Any], state: State) -> None:
    told = now(held(run, given, message="workflow is longer than maximum allowed size"))
    assert (told.state, told.time) == (state, 1795341660.0)


def retried(phase: str, message: str, *phases: str) -> list[dict[str, Any]]:
    children = [
        node(
            f"one({number})",
            held_phase,
            "main: Error (exit code 1)" if held_phase == "Failed" else "",
            nodeFlag={"retried": True},
        )
        for number, held_phase in enumerate(phases)
    ]
    return [node("one", phase, message, "Retry", children=[child["id"] for child in children]), *children]


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        (retried("Running", "", "Pending"), (State.PENDING, 1, "")),
        (retried("Running", "", "Running"), (State.RUNNING, 1, "")),
        (retried("Running", "Backoff for 10 seconds", "Failed"), (State.PENDING, 1, "Retrying")),
        (retried("Running", "", "Failed", "Running"), (State.RUNNING, 2, "")),
        (retried("Succeeded", "", "Failed", "Succeeded"), (State.SUCCEEDED, 2, "")),
        (retried("Failed", "No more retries left", "Failed", "Failed"), (State.FAILED, 2, "")),
        (retried("Failed", "Stopped with strategy 'Stop'", "Failed"), (State.CANCELED, 1, "")),
    ],
)
def test_attempts_are_counted_and_the_last_one_tells(
    nodes: list[dict[str, Any]], expected: tuple[State, int, str]
) -> None:
    told = now(held("Running", *nodes))
    assert (told.state, told.attempt, told.reason) == expected


def test_a_stopped_run_waits_for_no_further_attempt() -> None:
    waiting = held("Running", *retried("Running", "Backoff for 10 seconds", "Failed"), shutdown="Stop")
    assert now(waiting).state is State.CANCELING
    one, child = retried("Running", "", "Failed")
    child["message"] = STOPPED
    assert now(held("Running", one, child, shutdown="Stop")).state is State.CANCELED


def test_nodes_of_a_large_workflow_are_unpacked() -> None:
    given = held("Running", node("one", "Running"))
    nodes = json.dumps(given["status"].pop("nodes")).encode()
    given["status"]["compressedNodes"] = base64.b64encode(gzip.compress(nodes)).decode()
    assert now(given).state is State.RUNNING


@pytest.mark.parametrize(
    "status",
    [
        {"offloadNodeStatusVersion": "fnv:1"},
        {"compressedNodes": base64.b64encode(b"\x28\xb5\x2f\xfd....").decode()},
    ],
)
def test_nodes_out_of_reach_are_said_to_be_so(status: dict[str, str]) -> None:
    reading = read(held("Running", **status), RECORD)
    assert (reading.run.state, reading.tasks) == (State.RUNNING, {})
    assert reading.run.message


def told(before: Reading | None, after: dict[str, Any]) -> list[str]:
    return [
        f"{event.task} {event.state.value} {event.attempt}"
        if isinstance(event, TaskChanged)
        else event.state.value
        for event in changes(before, read(after, RECORD))
        if isinstance(event, (TaskChanged, RunChanged))
    ]


def test_what_began_and_ended_between_two_readings_is_told_as_both() -> None:
    assert told(None, held("Failed", *retried("Failed", "", "Failed", "Failed"))) == [
        "RUNNING", "one RUNNING 1", "one RUNNING 2", "one FAILED 2", "two SKIPPED 0", "FAILED",
    ]  # fmt: skip


def test_only_what_changed_is_told() -> None:
    first = read(held("Running", *retried("Running", "", "Running")), RECORD)
    assert told(first, held("Running", *retried("Running", "", "Running"))) == []
    assert told(first, held("Running", *retried("Running", "Backoff", "Failed"))) == ["one PENDING 1"]
    waiting = read(held("Running", *retried("Running", "Backoff", "Failed")), RECORD)
    assert told(waiting, held("Running", *retried("Running", "", "Failed", "Pending"))) == ["one PENDING 2"]
    pending = read(held("Running", *retried("Running", "", "Failed", "Pending")), RECORD)
    assert told(pending, held("Running", *retried("Succeeded", "", "Failed", "Succeeded"))) == [
        "one RUNNING 2", "one SUCCEEDED 2",
    ]  # fmt: skip


def test_times_are_argos() -> None:
    events = list(changes(None, read(held("Running", node("one", "Succeeded")), RECORD)))
    assert [event.time for event in events] == [1795341600.0, 1795341610.0, 1795341620.0]
