"""The handle of one run: what `pipeline.run(…)` returns.

A handle holds no state of its own. It reads the store, so two handles of a run always say the same, and a
handle stays right while the run goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event as Stop

from kfp_jupyter.engines.base import Engine, EngineError
from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.model.pipeline import Constant, Pipeline, PipelineInput, TaskOutput
from kfp_jupyter.model.run import GROUP_FAILED, ArtifactRecord, RunRef, RunState, State, Target
from kfp_jupyter.model.types import Json
from kfp_jupyter.run.artifact import reading_image
from kfp_jupyter.run.task import RunTask, Tasks
from kfp_jupyter.runs.follower import DISCONNECTED
from kfp_jupyter.runs.logs import lines_or_tail
from kfp_jupyter.runs.metrics import run_metrics
from kfp_jupyter.runs.store import RunStore

_LOG = logging.getLogger(__name__)


class RunFailedError(KfpJupyterError):
    """A run that was waited for did not succeed."""


class WaitInterrupted(KeyboardInterrupt):
    """Somebody interrupted the waiting for a run; the run goes on."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows instead of our frames."""
        return [f"\x1b[31mKeyboardInterrupt\x1b[0m: {self}"]


class ConnectionLostError(KfpJupyterError):
    """The engine cannot be asked any more how a run goes on; the run itself is not touched by that."""


class Run:
    """One run of a pipeline.

    Args:
        ref: The engine's handle.
        pipeline: What runs.
        store: Where the run's state is.
        engine: Gives the engine; asked when something has to be got from it.
        follow: Makes sure that the run is followed; called before waiting.
    """

    def __init__(
        self,
        ref: RunRef,
        pipeline: Pipeline,
        store: RunStore,
        engine: Callable[[], Engine],
        follow: Callable[[], None],
    ) -> None:
        self.ref = ref
        self.pipeline = pipeline
        self._store = store
        self._engine = engine
        self._follow = follow

    @property
    def id(self) -> str:
        """The run's id; its beginning is enough to find it again, if no other begins so."""
        return self.ref.run_id

    @property
    def status(self) -> RunState:
        """All that is known of the run at this moment."""
        state = self._store.get(self.id)
        if state is None:
            raise ConnectionLostError(
                f"Run {self.id} is not known here any more.", remedy="Find it again by its id."
            )
        return state

    @property
    def state(self) -> State:
        """The run's state, one of KFP's names; it compares equal to the name: `run.state == "SUCCEEDED"`."""
        return self.status.state

    @property
    def target(self) -> Target:
        """Where it runs."""
        return self.ref.target

    @property
    def arguments(self) -> dict[str, Json]:
        """The pipeline's arguments, with the defaults."""
        return dict(self.status.arguments)

    @property
    def tasks(self) -> Tasks:
        """The tasks by KFP's name (`train-2`); the Python spelling (`train_2`) and the shown name do too."""
        return Tasks(tuple(self.status.tasks), self._task, self.task_names)

    @property
    def metrics(self) -> dict[str, dict[str, float]]:
        """The scalar metrics so far: `{task: {name: value}}`."""
        return run_metrics(self.status)

    @property
    def outputs(self) -> dict[str, Json]:
        """What the pipeline gave out so far: parameters as values, artifacts as their records."""
        given: dict[str, Json] = {}
        for name, value in self.pipeline.graph.outputs.items():
            if isinstance(value, Constant):
                given[name] = value.value
            elif isinstance(value, PipelineInput):
                given[name] = self.status.arguments.get(value.name)
            elif isinstance(value, TaskOutput):
                task = self._task(value.task)
                for held in (task.outputs, task.artifacts):
                    if value.output in held:
                        given[name] = held[value.output]
        return given

    def wait(self, timeout: float | None = None, *, raise_on_failure: bool = False) -> Run:
        """Wait until the run has ended, and return it.

        An interrupt (Ctrl-C, the notebook's stop button) ends the waiting only; the run goes on.

        Args:
            timeout: The longest to wait, in seconds; the run is then returned as it is. None: no limit.
            raise_on_failure: Raise if it ended without success.

        Raises:
            RunFailedError: It failed or was canceled, and `raise_on_failure` is set.
            ConnectionLostError: The engine cannot be asked any more; waiting again tries it again.
            WaitInterrupted: It was interrupted.
        """
        try:
            self._follow()
            self._store.wait(self.id, _told_all, timeout)
        except KeyboardInterrupt:
            raise WaitInterrupted(f"Not waiting any longer; run {self.id} goes on.") from None
        status = self._followed_status()
        if raise_on_failure and status.state in (State.FAILED, State.CANCELED):
            raise self.failure()
        return self

    def states(self, interval: float = 0.2) -> Iterator[RunState]:
        """Yield the run's state every `interval` seconds, and at once when it has ended, which is the last.

        Raises:
            ConnectionLostError: The engine cannot be asked any more.
        """
        self._follow()
        while True:
            self._store.wait(self.id, _told_all, interval)
            status = self._followed_status()
            yield status
            if status.state.finished:
                return

    def cancel(self) -> None:
        """Ask the run to end; what runs is stopped. Does nothing if it has ended.

        Raises:
            EngineError: It could not be asked.
        """
        if not self.status.state.finished:
            self._engine().cancel(self.ref)

    def logs(self, task: str | None = None) -> str:
        """Return what a task printed so far, or what all printed, each line with its task's name before it.

        Raises:
            NoSuchNameError: There is no such task.
            EngineError: The log is not there any more.
        """
        if task is not None:
            return self.tasks[task].logs()
        names = self.task_names()
        texts = [(names[path], held.logs()) for path, held in self.tasks.items() if held.attempt]
        return "".join(f"[{name}] {line}\n" for name, text in texts for line in text.splitlines())

    def task_names(self) -> dict[str, str]:
        """Return what people read for each task, by its path: `train #2 · rate 0.3` of a task in a loop."""
        from kfp_jupyter.view.document import document
        from kfp_jupyter.view.task_names import task_labels

        return task_labels(document(self.pipeline, self.status))

    def given(self, task: str) -> Json:
        """Return what a task got, as KFP's ExecutorInput; None where only its parameters are known.

        Raises:
            NoSuchNameError: There is no such task.
            EngineError: It cannot be read.
        """
        return self._engine().given(self.ref, self.tasks[task].name)

    def fetch(
        self, records: Sequence[ArtifactRecord], *, task: str = "", tell: Callable[[str], None] = _LOG.info
    ) -> list[Path | EngineError]:
        """Return where each artifact is on this machine, brought if need be, or why it cannot be.

        Args:
            records: Artifacts of the run.
            task: A task whose image may read them in a cluster; empty means any.
            tell: Called with sentences on how far it is.
        """
        if not records:
            return []
        try:
            return self._engine().fetch(self.ref, records, reading_image(self.pipeline, task), tell)
        except EngineError as error:
            return [error for _ in records]

    def _followed_status(self) -> RunState:
        status = self.status
        if not status.state.finished and status.reason == DISCONNECTED:
            raise ConnectionLostError(
                f"The connection to the run was lost: {status.message}",
                where=f"run {self.id}",
                remedy="The run itself is not touched by that; `run.wait()` tries again.",
            )
        return status

    def _task(self, path: str) -> RunTask:
        return RunTask(
            path,
            self.pipeline,
            lambda: self.status.tasks[path],
            lambda: self._log_lines(path),
            lambda records: self.fetch(records, task=path),
        )

    def _log_lines(self, path: str) -> list[str]:
        lines = self._engine().logs(self.ref, path, Stop())
        return list(lines_or_tail(lines, self.status.tasks[path].log_tail))

    def failure(self) -> RunFailedError:
        """Return why the run failed or was canceled, as the error that `wait` raises of it."""
        status = self.status
        if status.state is State.CANCELED:
            return RunFailedError("The run was canceled.", where=f"run {self.id}", remedy="Run it again.")
        # A group fails for a task inside it, which says more.
        fell = [path for path, task in status.tasks.items() if task.state is State.FAILED]
        inner = (path for path in fell if status.tasks[path].reason != GROUP_FAILED)
        first = next(inner, next(iter(fell), None))
        failed = self.tasks[first] if first is not None else None
        if failed is None:
            why = status.message or status.reason or "no task of it did"
            return RunFailedError(
                f"The run failed: {why.rstrip('.')}.", where=f"run {self.id}", remedy="Run it again."
            )
        error = failed.error
        why = f"{error.type}: {error.message}" if error else failed.message or failed.reason or "failed"
        place = f", {error.file}, line {error.line}" if error and error.file else ""
        return RunFailedError(
            f"{why.rstrip('.')}.",
            where=f"run {self.id}, task {self.task_names().get(failed.name, failed.name)}{place}",
            remedy=f"`%kfp logs {self.id} {failed.name}` or `run.logs({failed.name!r})` shows its log.",
        )

    def __repr__(self) -> str:
        """Return one line: the id, the state, how many tasks are done, and where."""
        status = self.status
        done = sum(task.state.finished for task in status.tasks.values())
        told = status.state.value + (f" ({status.reason})" if status.reason else "")
        return f"<Run {self.id}: {told}, {done} of {len(status.tasks)} tasks done, {self.target}>"


def _told_all(state: RunState) -> bool:
    return state.state.finished or state.reason == DISCONNECTED
