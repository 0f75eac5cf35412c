"""Runs on this machine: a supervisor process a run, a process a task, and a folder that tells all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kfp_jupyter.engines.local.engine import LocalEngine

__all__ = ["LocalEngine"]


def __getattr__(name: str) -> Any:
    # The supervisor is in this package too, and starts faster without what only the engine needs.
    if name == "LocalEngine":
        from kfp_jupyter.engines.local.engine import LocalEngine

        return LocalEngine
    raise AttributeError(name)
