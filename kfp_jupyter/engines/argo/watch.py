"""Following one Workflow: list, then watch from there, and again from where it was lost.

What can happen to a watch on a real cluster, and what is done:

- it ends by its own time limit: go on from the last version; - the version is too old (410), or the server's
cache lags (504), or it says ERROR: list again; - the connection drops, or the server restarts (5xx, and then
refusals for a while) or is busy (429): wait and go on from the last version; - the connection is silent
though alive, as while a server drains, or dead without a word: the object is asked for from time to time, and
if it has changed meanwhile, that watch is given up.

Nobody is told an object twice in a row, and no event's type is trusted: only the object counts.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from threading import Event as Stop
from typing import Any

from kfp_jupyter.engines.argo.connection import Cluster
from kfp_jupyter.engines.argo.errors import ClusterError, RequestError, RunGoneError
from kfp_jupyter.engines.argo.lines import Lines
from kfp_jupyter.engines.argo.outage import REFUSAL_SECONDS, Outage

Workflow = Mapping[str, Any]

WATCH_SECONDS = 120
"""How long the server is asked to keep a watch open."""

TICK_SECONDS = 0.5
"""How often a waiting consumer gets a word, and may stop."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a watch waits, in seconds.

    Attributes:
        silence: Without news for so long, the object is asked for.
        first_pause: Before the first attempt to connect again; doubled with each further one.
        longest_pause: What these pauses grow to.
        refusal: After a connection was lost, a refusal (401, 403) is final only when it lasts for so long.
    """

    silence: float = 15.0
    first_pause: float = 0.5
    longest_pause: float = 5.0
    refusal: float = REFUSAL_SECONDS


@dataclass(frozen=True, slots=True)
class Lost:
    """The cluster cannot be reached at the moment; it is tried again.

    Attributes:
        reason: A sentence that says why.
        seconds: For how long that has been so.
    """

    reason: str
    seconds: float


class Watch:
    """Follows one Workflow.

    Args:
        cluster: Where it is.
        namespace: The Workflow's namespace.
        name: Its name.
        patience: How long to wait for what.
    """

    def __init__(self, cluster: Cluster, namespace: str, name: str, patience: Patience | None = None) -> None:
        self._cluster = cluster
        self._path = f"/apis/argoproj.io/v1alpha1/namespaces/{namespace}/workflows"
        self._namespace = namespace
        self._name = name
        self._patience = patience or Patience()
        self._version = ""
        self._told = ""
        self._lost_since = 0.0
        self._pause = self._patience.first_pause
        self._outage = Outage(self._patience.refusal)

    def follow(self, stop: Stop) -> Iterator[Workflow | Lost | None]:
        """Yield the Workflow, again whenever it changes, and None while nothing happens, until `stop` is set.

        Raises:
            RunGoneError: It is not there, or not any more.
            ClusterError: It may not be read, or the credentials do not hold any more.
        """
        while not stop.is_set():
            yield from self._turn(stop)

    def _turn(self, stop: Stop) -> Iterator[Workflow | Lost | None]:
        began = time.monotonic()
        try:
            if not self._version:
                yield from self._list()
            yield from self._watch(stop)
            self._lost_since = 0.0
            if time.monotonic() - began < self._patience.first_pause:
                # A server on its way down ends each watch at once.
                stop.wait(self._patience.first_pause)
        except (ClusterError, ConnectionError) as error:
            status = error.status if isinstance(error, RequestError) else 0
            if status in (410, 504):
                self._version = ""
            if status == 410:
                return
            if not self._outage.passes(error):
                raise
            yield from self._wait(stop, str(error), longer=status != 429)

    def _list(self) -> Iterator[Workflow]:
        found = self._cluster.get(self._path, {"fieldSelector": f"metadata.name={self._name}"})
        self._version = found["metadata"]["resourceVersion"]
        items = found.get("items") or []
        if not items:
            raise self._gone()
        yield from self._news(items[0])

    def _watch(self, stop: Stop) -> Iterator[Workflow | None]:
        query = {
            "watch": "true",
            "fieldSelector": f"metadata.name={self._name}",
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        lines = Lines(self._cluster.stream(self._path, query, WATCH_SECONDS + 15.0))
        heard = time.monotonic()
        try:
            while not stop.is_set():
                line = lines.next(TICK_SECONDS)
                if line is not None:
                    self._lost_since, self._pause = 0.0, self._patience.first_pause
                    heard = time.monotonic()
                    yield from self._event(json.loads(line) if line else {})
                    continue
                if time.monotonic() - heard > self._patience.silence:
                    heard = time.monotonic()
                    found = self._cluster.get(f"{self._path}/{self._name}")
                    if found["metadata"]["resourceVersion"] != self._told:
                        # This watch has missed a change: it is dead, or its version is from before a restore.
                        self._version = ""
                        yield from self._news(found)
                        return
                yield None
        except EOFError:
            return
        except RequestError as error:
            raise self._gone() if error.status == 404 else error from None
        finally:
            lines.close()

    def _event(self, event: Mapping[str, Any]) -> Iterator[Workflow]:
        type_, held = event.get("type"), event.get("object", {})
        if type_ == "ERROR":
            code = int(held.get("code") or 500)
            raise RequestError(code, str(held.get("reason", "")), str(held.get("message", "")), {})
        if type_ == "DELETED":
            yield from self._news(held)
            raise self._gone()
        self._version = held.get("metadata", {}).get("resourceVersion") or self._version
        if type_ in ("ADDED", "MODIFIED"):
            yield from self._news(held)

    def _news(self, workflow: Workflow) -> Iterator[Workflow]:
        version = workflow["metadata"]["resourceVersion"]
        if version != self._told:
            self._told = version
            yield workflow

    def _wait(self, stop: Stop, reason: str, *, longer: bool) -> Iterator[Lost]:
        now = time.monotonic()
        self._lost_since = self._lost_since or now
        yield Lost(reason, now - self._lost_since)
        stop.wait(self._pause * random.uniform(0.7, 1.3))
        if longer:
            self._pause = min(self._pause * 2, self._patience.longest_pause)

    def _gone(self) -> ClusterError:
        return RunGoneError(f"{self._namespace}/{self._name}")
