"""What changed between two states of a run, as the comm message `delta` (docs/architecture.md, "Comms").

States share what did not change, so tasks are compared by identity: finding the one that changed among a
thousand costs a thousand pointer comparisons and encodes one task.

A screen may be at a state between the two, which it has asked for. How the run stands is therefore told
always: what had changed and was taken back would not be told as a change.
"""

from __future__ import annotations

from dataclasses import fields, replace

from kfp_jupyter.model.run import RunState
from kfp_jupyter.model.types import Json
from kfp_jupyter.view.document import run_document, task_document

_STANDS = ("state", "reason", "message", "started_at", "finished_at")
_FIELDS = tuple(item.name for item in fields(RunState) if item.name not in ("id", "tasks", "version"))


def delta(before: RunState, after: RunState) -> dict[str, Json]:
    """Return the message that brings a screen from `before` to `after`, two states of the same run.

    The tasks that `after` does not have any more cannot be said in a delta; runs never lose tasks.
    """
    run = run_document(replace(after, tasks={}))
    return {
        "type": "delta",
        "run": after.id,
        "version": after.version,
        "base": before.version,
        "fields": {
            name: run[name]
            for name in _FIELDS
            if name in _STANDS or getattr(after, name) != getattr(before, name)
        },
        "tasks": {
            path: task_document(task)
            for path, task in after.tasks.items()
            if task is not before.tasks.get(path)
        },
    }
