"""The workbench: what this kernel (or command line) knows. Magics, comms and the CLI are thin over it.

It coordinates, and delegates the rest:

    components, pipelines   kept here by name; defining one again replaces it
    targets                 kfp_jupyter.engines.targets
    starting a run          an engine; `runs.recorder` keeps it in `runs.history`
    following runs          `runs.follower`, a thread for each open run, into `runs.store`
    handles                 kfp_jupyter.run
    logs for screens        kfp_jupyter.runs.logs

Nothing here waits for a cluster: runs known from the history show as last seen, and are followed again in a
thread of their own when somebody asks for them.
"""

from __future__ import annotations

import atexit
import logging
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from threading import Event as Stop
from threading import RLock, Thread

from kfp_jupyter.engines import targets as target_places
from kfp_jupyter.engines.base import Engine, EngineError, LocalOptions, RunOptions
from kfp_jupyter.engines.kubeconfig import read_kubeconfig
from kfp_jupyter.engines.local.adoption import LocalHistory
from kfp_jupyter.engines.targets import LOCAL
from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.model.component import Component
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import RunChanged, RunCreated, RunRef, State, Target, TaskRun
from kfp_jupyter.model.types import Json
from kfp_jupyter.paths import data_dir
from kfp_jupyter.run import Run
from kfp_jupyter.runs.commit import git_commit
from kfp_jupyter.runs.database import HistoryError
from kfp_jupyter.runs.follower import DISCONNECTED, Followers
from kfp_jupyter.runs.history import COMMIT, NOTEBOOK, History
from kfp_jupyter.runs.known import KnownRuns
from kfp_jupyter.runs.logs import LogBook, lines_or_tail
from kfp_jupyter.runs.recorder import Recorder
from kfp_jupyter.runs.run_id import new_run_id
from kfp_jupyter.runs.store import RunStore
from kfp_jupyter.runs.summary import RunSummary, summary

LATEST = "latest"
"""Names the newest run wherever a run's id is asked for."""

_LOG = logging.getLogger(__name__)


class UnknownPipelineError(KfpJupyterError):
    """A name that no pipeline of this notebook has."""


class HistoryWarning(UserWarning):
    """A run is not kept in the history; it goes on all the same."""


class Workbench:
    """What one process knows of components, pipelines, runs and targets. Safe to use from several threads.

    Args:
        data: The folder for the history; None means the user's.
        engine_for: Gives the engine of a target.

    Attributes:
        store: The runs known in this process.
        history: The runs of this user.
        followers: Those who bring news of open runs into the store.
        target: Where runs run if nothing else is said.
        components: The components, by name.
        pipelines: The pipelines, by name.
        files: Where each was written: `{("component" or "pipeline", name): "Cell In[3]"}`.
    """

    def __init__(
        self, data: Path | None = None, engine_for: Callable[[Target], Engine] = target_places.engine_for
    ) -> None:
        self.store = RunStore()
        self.history: History = LocalHistory((data or data_dir()) / "history.sqlite3")
        self.target = LOCAL
        self.components: dict[str, Component] = {}
        self.pipelines: dict[str, Pipeline] = {}
        self.files: dict[tuple[str, str], str] = {}
        self._recorder = Recorder(self.history, self.store)
        self._engine_for = engine_for
        # Main thread, comm handlers, followers and the reconnecting thread meet here; each holds it for a
        # look into the dicts, or while it makes an engine, so that there is only one of it.
        self._lock = RLock()
        self._engines: dict[Target, Engine] = {}
        self._known = KnownRuns(self.history, self.store, self._recorder)
        self.followers = Followers(self.store, lambda ref, stop: self._engine(ref.target).events(ref, stop))
        self._reconnecting: Thread | None = None
        self._history_warned = False
        self._unread: HistoryError | None = None

    def add_component(self, name: str, component: Component, file: str = "") -> None:
        """Remember a component, written in the cell or file `file`; one of the same name is replaced."""
        self.components[name] = component
        self.files["component", name] = file

    def add_pipeline(self, pipeline: Pipeline, file: str = "") -> None:
        """Remember a pipeline, written in the cell or file `file`; one of the same name is replaced."""
        self.pipelines[pipeline.name] = pipeline
        self.files["pipeline", pipeline.name] = file

    def targets(self) -> list[target_places.Place]:
        """Return the targets to choose from: this machine, then the kubeconfig's contexts."""
        return target_places.places()

    def use(self, text: str) -> Target:
        """Make a target the one where runs run if nothing else is said.

        Raises:
            TargetError: The text names none.
        """
        self.target = target_places.parse_target(text)
        return self.target

    @property
    def history_problem(self) -> HistoryError | None:
        """Why the history could not be read or written when that was last tried; None if it could."""
        return self._recorder.problem or self._unread

    def notes(self) -> list[str]:
        """Return sentences on what does not work here, such as a kubeconfig that cannot be read."""
        problem = self.history_problem
        return [*read_kubeconfig().problems, *([str(problem)] if problem else [])]

    def run(
        self,
        pipeline: Pipeline | str,
        arguments: Mapping[str, Json] | None = None,
        *,
        target: Target | str | None = None,
        caching: bool = True,
        jobs: int = 0,
        labels: Mapping[str, str] | None = None,
        tell: Callable[[str], None] = _LOG.warning,
        taken: Mapping[str, TaskRun] | None = None,
        local: LocalOptions | None = None,
    ) -> Run:
        """Start a run and return its handle at once.

        Args:
            pipeline: The pipeline, or the name of one that is known here.
            arguments: Its arguments; the others have their defaults.
            target: Where to run; None means the target in use.
            caching: False ignores earlier results.
            jobs: The most tasks at once; 0 means the engine's default.
            labels: Facts to keep with the run; see `kfp_jupyter.runs.history` for the names it knows.
            tell: Called, before anything starts, with each sentence on what the target will not do of what is
                asked. They stay with the run too, as `run.status.notices`.
            taken: Results of an earlier run that stand for these tasks; see `kfp_jupyter.repair.rerun`.
            local: What is otherwise than usual on this machine; None means nothing.

        Raises:
            ArgumentError: An argument is missing, unknown or of the wrong type.
            TargetError: The text names no target.
            EngineError: It cannot run there; nothing was started.
        """
        from kfp_jupyter.model.check import bind_arguments

        if isinstance(pipeline, str):
            pipeline = self.pipeline(pipeline)
        bound = bind_arguments(pipeline, arguments or {})
        chosen = target_places.parse_target(target) if isinstance(target, str) else target or self.target
        where = target_places.named(chosen)
        # Jupyter Server tells its kernels the path of their notebook.
        notebook = os.environ.get("JPY_SESSION_NAME", "")
        kept = {NOTEBOOK: notebook, COMMIT: git_commit(Path.cwd()), **(labels or {})}
        given = (kept, (), taken or {}, local or LocalOptions())
        try:
            options = RunOptions(new_run_id(pipeline.name), where, caching, jobs, *given)
            engine = self._engine(where)
            options = replace(options, notices=engine.notices(pipeline, options))
            for notice in options.notices:
                tell(notice)
            ref = engine.submit(pipeline, bound, options)
        except EngineError as error:
            error.where = error.where or f"pipeline {pipeline.name}, target {where}"
            raise
        tasks = pipeline.paths()
        about = (ref.run_id, pipeline.name, ref.target, bound, tasks, options.notices)
        created = RunCreated(time.time(), *about)
        self._known.add(ref, pipeline, kept[NOTEBOOK])
        self._recorder.record(ref, pipeline, self.store.apply(ref.run_id, created), kept)
        self.followers.follow(ref)
        self._warn_of_history()
        return self._handle(ref, pipeline)

    def get(self, text: str) -> Run:
        """Return the run that `text` means; an open one is followed from now on.

        Args:
            text: An id, a pipeline's name for its newest run, the beginning of an id, or `latest`.

        Raises:
            HistoryError: There is no such run, or more than one.
        """
        if text == LATEST:
            newest = self.runs(1)
            if not newest:
                start = "Start one: `%kfp run PIPELINE` in a notebook, `kfp-jupyter run FILE` in a shell."
                raise self._unread or HistoryError("There is no run yet.", remedy=start)
            text = newest[0].id
        ref, pipeline = self._found(text)
        self.followers.follow(ref)
        return self._handle(ref, pipeline)

    def resume(self, text: str) -> Run:
        """Go on with an ended run, from what had succeeded in it; return its handle. `text` is as for `get`.

        Raises:
            HistoryError: There is no such run, or more than one.
            EngineError: It has not ended, or all of it succeeded, or its engine cannot do that.
        """
        run = self.get(text)
        self._engine(run.ref.target).resume(run.ref)
        with suppress(HistoryError):
            self.history.reopen(run.id)
        self.store.apply(run.id, RunChanged(time.time(), State.PENDING))
        self.followers.follow(run.ref)
        return run

    def runs(self, limit: int = 50, *, pipeline: str = "", notebook: str = "") -> list[RunSummary]:
        """Return the newest runs, newest first, of one pipeline or notebook if named.

        Those that this process does not follow are as they were last seen.
        """
        try:
            rows = {row.id: row for row in self.history.runs(limit, pipeline=pipeline, notebook=notebook)}
            self._unread = None
        except HistoryError as error:
            self._unread = error
            rows = {}
            notebook = ""
        for state in self.store.all():
            row = rows.get(state.id)
            unlisted = row is None and not notebook and pipeline in ("", state.pipeline)
            # Of a run that has ended here and is open in the history somebody else knows more.
            kept = state.state.finished and self._recorder.kept(state.id) is state
            newer = row is not None and not row.state.finished and not kept
            if unlisted or newer:
                started_from = row.notebook if row else self._known.notebook_of(state.id)
                rows[state.id] = summary(state, started_from)
        return sorted(rows.values(), key=lambda row: row.created_at, reverse=True)[:limit]

    def reconnect(self, *, lost: bool = True) -> None:
        """Take up again, in the background, the runs that had not ended when they were last seen.

        Args:
            lost: Also those whose engine did not answer; else only what others began, or went on with, since.
        """
        with self._lock:
            if self._reconnecting is None or not self._reconnecting.is_alive():
                work = partial(self._reconnect, lost=lost)
                self._reconnecting = Thread(target=work, name="kfp-jupyter reconnect", daemon=True)
                self._reconnecting.start()

    def pipeline(self, name: str) -> Pipeline:
        """Return the pipeline of that name.

        Raises:
            UnknownPipelineError: None has it.
        """
        if name not in self.pipelines:
            from kfp_jupyter.model.check import unknown_name

            raise UnknownPipelineError(
                f"There is no pipeline {name!r}.", remedy=unknown_name("pipelines", name, self.pipelines)
            )
        return self.pipelines[name]

    def pipeline_of(self, run_id: str) -> Pipeline:
        """Return the pipeline that a run runs, as it was when the run was started.

        Raises:
            HistoryError: There is no such run.
        """
        return self._found(run_id)[1]

    def document(self, shown: str | Pipeline) -> dict[str, Json]:
        """Return the run document of a run (by id), or of a pipeline with its latest run.

        A pipeline that was changed since its latest run is shown without one.

        Raises:
            HistoryError: There is no such run.
        """
        from kfp_jupyter.view.document import document

        if isinstance(shown, str):
            ref, pipeline = self._found(shown)
            return document(pipeline, self.store.get(ref.run_id))
        for latest in self.runs(1, pipeline=shown.name):
            ref, pipeline = self._found(latest.id)
            if pipeline == shown:
                return document(shown, self.store.get(ref.run_id))
        return document(shown, None)

    def log_lines(self, run_id: str, task: str, after: int = 0) -> tuple[list[str], int, bool]:
        """Return what a task printed from a cursor on (0 at first), the next cursor, and if that was all.

        Raises:
            HistoryError: There is no such run.
        """
        ref, _ = self._found(run_id)
        held = self.store.task(ref.run_id, task)
        return self._log_book.read(ref, task, after, held.attempt if held else 0)

    def close(self) -> None:
        """End all threads; runs go on."""
        self.followers.close()
        if "_log_book" in self.__dict__:
            self._log_book.close()
        self._recorder.close()

    @cached_property
    def _log_book(self) -> LogBook:
        return LogBook(self._printed)

    def _printed(self, ref: RunRef, task: str, stop: Stop) -> Iterator[str]:
        held = self.store.task(ref.run_id, task)
        lines = self._engine(ref.target).logs(ref, task, stop, follow=True)
        yield from lines_or_tail(lines, held.log_tail if held else ())

    def _engine(self, target: Target) -> Engine:
        with self._lock:
            if target not in self._engines:
                self._engines[target] = self._engine_for(target)
            return self._engines[target]

    def _handle(self, ref: RunRef, pipeline: Pipeline) -> Run:
        return Run(
            ref, pipeline, self.store, partial(self._engine, ref.target), partial(self.followers.follow, ref)
        )

    def _found(self, text: str) -> tuple[RunRef, Pipeline]:
        """Return a run by its id or the beginning of it; one that others have go on is followed."""
        ref, pipeline = self._known.find(text)
        state = self.store.get(ref.run_id)
        # Whose engine does not answer is tried again when a person asks, not with every line of a log.
        if state is not None and state.reason != DISCONNECTED:
            self.followers.follow(ref)
        return ref, pipeline

    def _reconnect(self, *, lost: bool) -> None:
        known = {state.id for state in self.store.all() if not state.state.finished}
        found: set[str] = set()
        try:
            found.update(self.history.open_runs())
        except HistoryError as error:
            _LOG.warning("runs of earlier sessions are not found again: %s", error)
        for run_id in found | known if lost else found - known:
            self._try_again(run_id)

    def _try_again(self, run_id: str) -> None:
        try:
            self.get(run_id)
        except KfpJupyterError as error:
            _LOG.warning("run %s is not found again: %s", run_id, error)

    def _warn_of_history(self) -> None:
        if self._recorder.problem is not None and not self._history_warned:
            self._history_warned = True
            said = "The run goes on; it is in the list of earlier runs once that can be written."
            warnings.warn(HistoryWarning(f"{said} {self._recorder.problem}"), stacklevel=3)


_current: Workbench | None = None
_making = RLock()  # two threads may ask for the first time at once; held while an empty workbench is made


def current() -> Workbench:
    """Return this process's workbench; the first call makes it."""
    global _current  # noqa: PLW0603 - one kernel has one memory
    with _making:
        if _current is None:
            _current = Workbench()
        return _current


@atexit.register  # so that a run whose end this process has seen has ended in the history too
def close_current() -> None:
    """Close this process's workbench, if there is one; the next call of `current` makes another."""
    global _current  # noqa: PLW0603 - see `current`
    with _making:
        if _current is not None:
            _current.close()
            _current = None
