"""Names for runs: readable, sortable by time, and fit to name a Kubernetes object."""

from __future__ import annotations

import os
import re
import time

_LONGEST = 63


def new_run_id(pipeline: str) -> str:
    """Return a new id, `<pipeline>-<yyyymmdd>-<hhmmss>-<4 hex digits>`, in local time.

    It is a DNS label (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/), so at most
    63 lower-case letters, digits and dashes; a long pipeline name is cut.
    """
    suffix = time.strftime("-%Y%m%d-%H%M%S-") + os.urandom(2).hex()
    name = re.sub("[^a-z0-9]+", "-", pipeline.lower())[: _LONGEST - len(suffix)].strip("-")
    return (name or "run") + suffix
