"""One line of a list of runs; encoded in full it is the `summary` of the comm message `workbench`."""

from __future__ import annotations

from dataclasses import dataclass

from kfp_jupyter.model.run import RunState, State


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a list of runs shows of one. `target` is its spelling; times are seconds since the epoch."""

    id: str
    pipeline: str
    target: str
    state: State
    created_at: float
    started_at: float | None = None
    finished_at: float | None = None
    message: str = ""


def summary(state: RunState) -> RunSummary:
    """Return the summary of a run."""
    return RunSummary(
        id=state.id,
        pipeline=state.pipeline,
        target=str(state.target),
        state=state.state,
        created_at=state.created_at,
        started_at=state.started_at,
        finished_at=state.finished_at,
        message=state.message,
    )
