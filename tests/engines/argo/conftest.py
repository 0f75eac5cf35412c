"""A test cluster, an engine for it, and a run followed to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Event as Stop
from threading import Thread
from typing import Any

import pytest

from kfp_jupyter.engines.argo import ArgoEngine
from kfp_jupyter.engines.argo.watch import Patience
from kfp_jupyter.engines.base import RunOptions
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import Event, RunRef, RunState, Target, apply
from tests.cluster import TestCluster

IMPATIENT = Patience(silence=0.6, first_pause=0.05, longest_pause=0.3, refusal=60.0)
TARGET = Target("argo", TestCluster.context)


@dataclass
class Followed:
    """A run whose events are folded by a thread of its own."""

    ref: RunRef
    engine: ArgoEngine
    events: list[Event] = field(default_factory=list)
    state: RunState | None = None
    error: Exception | None = None
    stop: Stop = field(default_factory=Stop)
    thread: Thread | None = None

    def start(self) -> Followed:
        self.thread = Thread(target=self._follow, daemon=True)
        self.thread.start()
        return self

    def join(self, seconds: float = 300) -> RunState:
        assert self.thread is not None
        self.thread.join(seconds)
        assert not self.thread.is_alive(), f"still following: {self.state}"
        if self.error is not None:
            raise self.error
        assert self.state is not None
        return self.state

    def task_state(self, task: str) -> str:
        return self.state.tasks[task].state.value if self.state and task in self.state.tasks else ""

    def _follow(self) -> None:
        try:
            for event in self.engine.events(self.ref, self.stop):
                self.events.append(event)
                self.state = apply(self.state, event)
        except Exception as error:  # noqa: BLE001 (raised again by join)
            self.error = error


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[TestCluster]:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with TestCluster() as started:
        monkeypatch.setenv("KUBECONFIG", started.kubeconfig)
        yield started


@pytest.fixture
def engine(cluster: TestCluster) -> ArgoEngine:
    return ArgoEngine(TARGET, patience=IMPATIENT)


@pytest.fixture
def start(engine: ArgoEngine) -> Iterator[Callable[..., Followed]]:
    """Return `start(pipeline, arguments, **options)`: submit a run and follow it."""
    runs: list[Followed] = []

    def begin(pipeline: Pipeline, arguments: Mapping[str, Any] | None = None, **options: Any) -> Followed:
        run_id = options.pop("run_id", f"run-{len(runs)}")
        ref = engine.submit(pipeline, arguments or {}, RunOptions(run_id, TARGET, **options))
        runs.append(Followed(ref, engine).start())
        return runs[-1]

    yield begin
    for run in runs:
        run.stop.set()
