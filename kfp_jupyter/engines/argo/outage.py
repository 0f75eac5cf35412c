"""Which errors of a cluster pass by themselves, for whoever follows a run through them."""

from __future__ import annotations

import time

from kfp_jupyter.engines.argo.errors import (
    ForbiddenError,
    NotLoggedInError,
    RequestError,
    UnreachableError,
)

REFUSAL_SECONDS = 60.0
"""An API server that has just been started refuses everybody until it has read its roles."""


class Outage:
    """Knows when the cluster was lost last.

    Args:
        refusal_seconds: For how long after a loss a refusal is taken for one that passes.
    """

    def __init__(self, refusal_seconds: float = REFUSAL_SECONDS) -> None:
        self._refusal_seconds = refusal_seconds
        self._lost_at: float | None = None

    def lost(self) -> None:
        """Note that a connection broke."""
        self._lost_at = time.monotonic()

    def passes(self, error: Exception) -> bool:
        """Say whether it is worth asking again."""
        if isinstance(error, (ForbiddenError, NotLoggedInError)):
            return self._lost_at is not None and time.monotonic() - self._lost_at < self._refusal_seconds
        if isinstance(error, RequestError) and error.status != 429 and error.status < 500:
            return False
        if not isinstance(error, (RequestError, UnreachableError, ConnectionError)):
            return False
        self.lost()
        return True
