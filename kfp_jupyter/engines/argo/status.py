"""What a Workflow's status says of its run: a pure reading, and the events between one reading and the next.

Nodes: https://argo-workflows.readthedocs.io/en/latest/fields/#nodestatus. Their times are Argo's: an attempt
starts when its pod is asked for, so waiting for a machine is part of it. Attempts that began and ended
between two readings are told as begun and ended, so that no duration is lost.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from kfp_jupyter.engines.argo.nodes import Node, NodesOutOfReachError, attempts, read_nodes, task_node
from kfp_jupyter.engines.argo.outputs import artifacts_of, inputs_of, outputs_of
from kfp_jupyter.engines.argo.reasons import explained
from kfp_jupyter.engines.argo.record import Record
from kfp_jupyter.engines.argo.taken import taken_over
from kfp_jupyter.model.run import Event, RunChanged, State, TaskChanged, TaskError

UPSTREAM_FAILED = "UpstreamFailed"
RETRYING = "Retrying"

_PHASES = {
    "": State.PENDING,
    "Pending": State.PENDING,
    "Running": State.RUNNING,
    "Succeeded": State.SUCCEEDED,
    "Skipped": State.SKIPPED,
    "Omitted": State.SKIPPED,
    "Failed": State.FAILED,
    "Error": State.FAILED,
}
_STOPPED = re.compile(r"workflow shutdown with strategy|Stopped with strategy")
# What Argo writes over that once the pod has ended, by SIGTERM or SIGKILL; its own message is then lost.
_KILLED = re.compile(r"\bError \(exit code (137|143)\)")
_WORD_FIRST = re.compile(r"([A-Z][A-Za-z]+)(?:: (.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TaskReading:
    """What a status says of one task.

    Attributes:
        now: Its state, as the event that brings it about.
        starts: When each attempt began, first to last.
    """

    now: TaskChanged
    starts: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a status says of a run.

    Attributes:
        run: Its state, as the event that brings it about.
        started: When it began, or None.
        created: When it was posted.
        tasks: The same of its tasks, by path.
    """

    run: RunChanged
    started: float | None
    created: float
    tasks: Mapping[str, TaskReading] = field(default_factory=dict)


def read(workflow: Mapping[str, Any], record: Record, begun: Container[str] = ()) -> Reading:
    """Return what a Workflow says of its run.

    Args:
        workflow: The Workflow.
        record: What is known of its tasks.
        begun: Ids of nodes whose pods are known to run, though the Workflow may not say so yet.
    """
    run = _run(workflow)
    started = _seconds((workflow.get("status") or {}).get("startedAt"))
    created = _seconds(workflow["metadata"].get("creationTimestamp")) or 0.0
    try:
        nodes = read_nodes(workflow)
    except NodesOutOfReachError as error:
        return Reading(replace(run, message=f"{run.message} {error}".strip()), started, created)
    stopped = bool(workflow["spec"].get("shutdown"))
    tasks: dict[str, TaskReading] = {}
    for argo, task in record.tasks.items():
        node = task_node(workflow, nodes, argo)
        if task in record.taken:
            tasks[task] = TaskReading(taken_over(task, record.taken[task], started or created))
        elif node is not None:
            tries = [_running(tried, begun) for tried in attempts(node, nodes)]
            told = _task(task, _running(node, begun), tries, record, stopped=stopped)
            tasks[task] = _closed(told, run) if run.state.finished else told
        elif run.state.finished:
            state = State.CANCELED if run.state is State.CANCELED else State.SKIPPED
            tasks[task] = TaskReading(TaskChanged(run.time, task, state, message="The run ended before it."))
    failed = [task for task, reading in tasks.items() if reading.now.state is State.FAILED]
    if run.state is State.FAILED and not run.message and failed:
        run = replace(run, message=f"Failed: {', '.join(failed)}.")
    return Reading(run, started, created, tasks)


def _closed(task: TaskReading, run: RunChanged) -> TaskReading:
    """Return a task of a run that has ended: Argo may leave it open, as when it gives up the run itself."""
    state = task.now.state
    if state.finished:
        return task
    if run.state is State.SUCCEEDED:
        # All of it is done; only that its outputs are complete was not written.
        closed = State.SUCCEEDED
    elif state is State.PENDING and run.state is not State.CANCELED:
        closed = State.SKIPPED
    else:
        closed = State.CANCELED
    message = "" if closed is State.SUCCEEDED else "The run ended before it."
    return replace(task, now=replace(task.now, time=run.time, state=closed, reason="", message=message))


def _running(node: Node, begun: Container[str]) -> Node:
    if node["phase"] != "Pending" or node["id"] not in begun:
        return node
    return {**node, "phase": "Running", "message": ""}


def changes(before: Reading | None, after: Reading) -> Iterator[Event]:
    """Yield the events from one reading to the next; that a run has ended is the last."""
    was = before.run if before else None
    begun = was is not None and was.state is not State.PENDING
    if after.run.state.finished and not begun and after.started is not None:
        yield RunChanged(after.started, State.RUNNING)
    if after.run != was and not after.run.state.finished:
        yield after.run
    for task, reading in after.tasks.items():
        known = before.tasks.get(task) if before else None
        if reading != known:
            yield from _task_changes(known, reading)
    if after.run != was and after.run.state.finished:
        yield after.run


def _task_changes(known: TaskReading | None, reading: TaskReading) -> Iterator[Event]:
    now = reading.now
    told = known.now.attempt if known else 0
    if known and known.now.state is State.PENDING and known.now.reason != RETRYING:
        # Its attempt was announced, not begun.
        told -= 1
    for number, started in enumerate(reading.starts, start=1):
        last = number == len(reading.starts)
        # What `now` says itself, or what is still to come, is not told beforehand.
        if number > told and not (
            last and now.state in (State.PENDING, State.RUNNING) and now.reason != RETRYING
        ):
            yield TaskChanged(started, now.task, State.RUNNING, attempt=number)
    yield now


def _run(workflow: Mapping[str, Any]) -> RunChanged:
    status = workflow.get("status") or {}
    state = _PHASES.get(status.get("phase") or "", State.RUNNING)
    created = _seconds(workflow["metadata"].get("creationTimestamp")) or 0.0
    started = _seconds(status.get("startedAt")) or created
    message = str(status.get("message") or "")
    if workflow["spec"].get("shutdown"):
        if not state.finished:
            return RunChanged(started, State.CANCELING)
        if state is State.FAILED:
            return RunChanged(_seconds(status.get("finishedAt")) or started, State.CANCELED)
    if state is State.PENDING:
        return RunChanged(created, state, message=message)
    if not state.finished:
        return RunChanged(started, state, message=message)
    return RunChanged(_seconds(status.get("finishedAt")) or started, state, *explained(message))


def _task(task: str, node: Node, tries: list[Node], record: Record, *, stopped: bool) -> TaskReading:
    last = tries[-1] if tries else node
    component = record.component(task)
    state, reason, message = _state(node, last, stopped)
    # A pod that was stopped before it ran has no exit code; nor has one that is still on its way down.
    ran = tries[:-1] if state is State.CANCELED and not _exit_code(last) else tries
    starts = tuple(_seconds(held.get("startedAt")) or 0.0 for held in ran)
    time = (
        (_seconds(node.get("finishedAt")) if state.finished else None)
        or _seconds(last.get("startedAt"))
        or 0.0
    )
    now = TaskChanged(
        time,
        task,
        state,
        attempt=len(tries),
        reason=reason,
        message=message,
        error=TaskError(reason or "Failed", message) if state is State.FAILED else None,
        inputs=inputs_of(last, component),
    )
    if state is not State.SUCCEEDED:
        return TaskReading(now, starts)
    now = replace(
        now,
        outputs=outputs_of(last, component),
        artifacts=artifacts_of(last, component, record.artifact_root),
    )
    return TaskReading(now, starts)


def _state(node: Node, last: Node, stopped: bool) -> tuple[State, str, str]:
    """Return a task's state with its reason and message."""
    state = _PHASES.get(node["phase"], State.RUNNING)
    message = str(last.get("message") or node.get("message") or "")
    if node["phase"] == "Omitted":
        return state, UPSTREAM_FAILED, "A task before it failed."
    if state is State.FAILED and (_was_stopped(last, stopped) or _was_stopped(node, stopped)):
        return _ending(last), "", ""
    if state is State.FAILED:
        return state, *explained(message)
    if state is State.SUCCEEDED and last.get("taskResultSynced") is False:
        # Its outputs are still on their way.
        return State.RUNNING, "", ""
    if node["type"] == "Retry" and state is State.RUNNING:
        ended = _PHASES.get(last["phase"], State.RUNNING) if last is not node else State.PENDING
        if ended is State.FAILED and stopped:
            # No attempt follows; whether that was the last one anyway is written at the next look of Argo's.
            return _ending(last) if _was_stopped(last, stopped) else State.CANCELING, "", ""
        if ended is State.FAILED:
            return State.PENDING, RETRYING, f"{message}. {node.get('message') or ''}".strip(". ") + "."
        state = ended if ended is State.PENDING else state
    if state is State.PENDING:
        word = _WORD_FIRST.fullmatch(message)
        return (state, word.group(1), word.group(2) or "") if word else (state, "", message)
    return state, "", "" if state is State.SUCCEEDED else message


def _was_stopped(node: Node, stopped: bool) -> bool:
    message = str(node.get("message") or "")
    return bool(_STOPPED.search(message) or (stopped and _KILLED.search(message)))


def _ending(last: Node) -> State:
    """Return the state of a task whose attempt was stopped: its pod may take a while to end."""
    return State.CANCELING if last.get("taskResultSynced") is False else State.CANCELED


def _exit_code(node: Node) -> str:
    return str((node.get("outputs") or {}).get("exitCode") or "")


def _seconds(text: str | None) -> float | None:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() if text else None
