"""Marker lines: what the executor says in the log stream while a step runs, each a line of its own."""

from __future__ import annotations

import json
import os
from typing import Any

PREFIX = "::kfp-jupyter:: "


def emit(message: dict[str, Any]) -> None:
    """Write a marker line to standard output, whatever the step has made of `sys.stdout`, also closed."""
    os.write(1, (PREFIX + json.dumps(message) + "\n").encode())


def emit_metric(name: str, step: float, value: float) -> None:
    """Tell one point of a metric's curve."""
    emit({"metric": {"name": name, "step": step, "value": value}})
