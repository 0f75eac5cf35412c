"""Whether a task is still to come."""

from __future__ import annotations

from enum import Enum


class TaskState(str, Enum):
    """KFP's states of a task as an object of Python; the state of its run is another matter."""

    FUTURE = "FUTURE"
    FINAL = "FINAL"
