"""One line of a list of runs; encoded in full it is the `summary` of the comm message `workbench`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from kfp_jupyter.model.run import RunState, State
from kfp_jupyter.model.types import Json

LONGEST = 80
"""How many characters of JSON an argument may have to be listed; a longer one is listed as `LONGER`."""
LONGER = "…"


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a list of runs shows of one.

    `target` is its spelling; times are seconds since the epoch; of `arguments` long values are left out.
    `notebook` is the path of the notebook that it was started from; empty if it is not known.
    """

    id: str
    pipeline: str
    target: str
    state: State
    created_at: float
    started_at: float | None = None
    finished_at: float | None = None
    message: str = ""
    arguments: Mapping[str, Json] = field(default_factory=dict)
    notebook: str = ""


def summary(state: RunState, notebook: str = "") -> RunSummary:
    """Return the summary of a run that was started from `notebook`."""
    return RunSummary(
        id=state.id,
        pipeline=state.pipeline,
        target=str(state.target),
        state=state.state,
        created_at=state.created_at,
        started_at=state.started_at,
        finished_at=state.finished_at,
        message=state.message,
        arguments=listed(state.arguments),
        notebook=notebook,
    )


def listed(arguments: Mapping[str, Json]) -> dict[str, Json]:
    """Return arguments as a list of runs shows them: each short, or `LONGER`."""
    return {name: value if len(json.dumps(value)) <= LONGEST else LONGER for name, value in arguments.items()}
