"""An engine in this process: tests tell it what happens, and it tells that to whoever follows the run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from kfp_jupyter.engines.base import EngineError, RunOptions
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import ArtifactRecord, Event, RunChanged, RunCreated, RunRef, State, TaskChanged


class FakeEngine:
    """Keeps the events of each run; several workbenches can share it, as kernels share a cluster."""

    def __init__(self) -> None:
        self.submitted: list[tuple[Pipeline, Mapping[str, Any], RunOptions]] = []
        self.told: dict[str, list[Event]] = {}
        self.printed: dict[tuple[str, str], list[str]] = {}
        self.says: tuple[str, ...] = ()
        self.refusal: EngineError | None = None
        self.broken: EngineError | None = None
        self.listeners = 0
        self._news = threading.Condition()

    def tell(self, run_id: str, *events: Event) -> None:
        """Let something happen in a run."""
        with self._news:
            self.told[run_id].extend(events)
            self._news.notify_all()

    def break_down(self, error: EngineError | None) -> None:
        """Fail from now on whoever follows a run; None repairs it."""
        with self._news:
            self.broken = error
            self._news.notify_all()

    def succeed(self, run_id: str) -> None:
        """Let a run and its tasks end well."""
        created = self.told[run_id][0]
        tasks = [TaskChanged(time.time(), path, State.SUCCEEDED, attempt=1) for path in created.tasks]
        self.tell(run_id, *tasks, RunChanged(time.time(), State.SUCCEEDED))

    def notices(self, pipeline: Pipeline, options: RunOptions) -> tuple[str, ...]:
        return self.says

    def submit(self, pipeline: Pipeline, arguments: Mapping[str, Any], options: RunOptions) -> RunRef:
        if self.refusal:
            raise self.refusal
        self.submitted.append((pipeline, arguments, options))
        tasks = tuple(pipeline.graph.tasks)
        now = time.time()
        self.told[options.run_id] = [
            RunCreated(now, options.run_id, pipeline.name, options.target, arguments, tasks, options.notices),
            RunChanged(now, State.RUNNING),
        ]
        return RunRef(options.run_id, options.target, f"fake/{options.run_id}")

    def events(self, ref: RunRef, stop: threading.Event) -> Iterator[Event]:
        with self._news:
            self.listeners += 1
        try:
            number = 0
            while not stop.is_set():
                with self._news:
                    if len(self.told[ref.run_id]) == number and not self.broken:
                        self._news.wait(0.02)
                    if self.broken:
                        raise self.broken
                    new = self.told[ref.run_id][number:]
                for event in new:
                    number += 1
                    yield event
                    if isinstance(event, RunChanged) and event.state.finished:
                        return
        finally:
            with self._news:
                self.listeners -= 1

    def given(self, ref: RunRef, task: str) -> Any:
        return None

    def fetch(self, ref: RunRef, records: Sequence[ArtifactRecord], image: str, tell: Any) -> list[Any]:
        return [EngineError(f"This engine cannot bring {record.uri}.") for record in records]

    def logs(self, ref: RunRef, task: str, stop: threading.Event, *, follow: bool = False) -> Iterator[str]:
        if (ref.run_id, task) not in self.printed:
            raise EngineError(f"There is no log of task {task}.")
        yield from self.printed[ref.run_id, task]

    def resume(self, ref: RunRef) -> None:
        self.tell(ref.run_id, RunChanged(time.time(), State.PENDING, "Resumed"))

    def cancel(self, ref: RunRef) -> None:
        self.tell(ref.run_id, RunChanged(time.time(), State.CANCELED, "Canceled"))


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)
