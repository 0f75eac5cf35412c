"""A step of a run that was begun and has not ended."""

from __future__ import annotations

from dataclasses import dataclass

from kfp_jupyter.engines.local.attempt import Attempt
from kfp_jupyter.engines.local.exchange import Given
from kfp_jupyter.engines.local.flow import Step
from kfp_jupyter.model.pipeline import Task


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
    attempt: Attempt | None = None
