"""A step of a run that was begun and has not ended; and how a run's failures are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kfp_jupyter.engines.local.attempt import Attempt
from kfp_jupyter.engines.local.exchange import Given
from kfp_jupyter.engines.local.in_process import InProcess
from kfp_jupyter.engines.local.step import Step
from kfp_jupyter.engines.trouble import summary
from kfp_jupyter.model.pipeline import Task
from kfp_jupyter.model.run import TaskError

MOST_NAMED = 5
"""How many of the further tasks that failed the run's message names."""


@dataclass(slots=True)
class Underway:
    """A step that was begun and has not ended.

    Attributes:
        step: The step.
        task: Its task under its path, with its settings resolved.
        given: What it gets.
        before: How many attempts were made before this run was resumed.
        attempts: How many were made since.
        attempt: The last of them.
    """

    step: Step
    task: Task
    given: Given
    before: int
    attempts: int = 0
    attempt: Attempt | InProcess | None = None


def told(failures: Mapping[str, TaskError]) -> str:
    """Return what is said of a run in which tasks failed; there is at least one."""
    (name, error), *others = failures.items()
    named = ", ".join(other for other, _ in others[:MOST_NAMED])
    more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
    also = f" Also failed: {named}{more}." if others else ""
    return f"{name} failed: {summary(error).rstrip('.')}.{also}"
