"""Where a task's artifact lies in a cluster's store: its key names its Workflow, its pod and its output."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

# `KEY/OF/WORKFLOW/POD/OUTPUT`, where the pod's name begins with the Workflow's; before it perhaps `s3://bucket/`.
_STORED = re.compile(r"(?:([a-z][a-z0-9+.-]*://[^/]+)/)?((?:[^/]+/)*([^/]+)/(\3-[^/]+)/([^/]+))")


@dataclass(frozen=True, slots=True)
class Stored:
    """A place in the store.

    Attributes:
        root: The store, such as `s3://bucket`; empty if it was not known when the run was started.
        key: The key below it.
        place: `WORKFLOW/POD/OUTPUT`, what no other artifact shares with it.
    """

    root: str
    key: str
    place: Path

    @property
    def name(self) -> str:
        """The output's name."""
        return self.place.name


def stored_at(uri: str) -> Stored | None:
    """Return where the artifact of a URI lies in the store; None if it is not one that a step left there."""
    found = _STORED.fullmatch(uri)
    if found is None or ".." in uri.split("/"):
        return None
    root, key, workflow, pod, output = found.groups()
    return Stored(root or "", key, Path(workflow, pod, output))
