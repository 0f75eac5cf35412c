"""The engine of this machine: starts a supervisor for each run, reads what it leaves in the run's folder."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event as Stop

from kfp_jupyter.engines.base import EngineError, RunGoneError, RunOptions, RunRef
from kfp_jupyter.engines.local.container_check import containers_for, still_there
from kfp_jupyter.engines.local.container_engine import ContainerEngine
from kfp_jupyter.engines.local.ending import reopen, settle
from kfp_jupyter.engines.local.folder import RunFolder
from kfp_jupyter.engines.local.journal import Journal, Tail, events_in, state_in
from kfp_jupyter.engines.local.lock import is_held, take
from kfp_jupyter.engines.local.notices import notices
from kfp_jupyter.engines.local.plan import Plan, read_plan, write_plan
from kfp_jupyter.engines.local.preflight import check, components_to_install
from kfp_jupyter.engines.local.process import started_at
from kfp_jupyter.engines.local.program import executor_file
from kfp_jupyter.model.component import PythonStep
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import ArtifactRecord, Event, RunChanged, RunCreated, State, TaskChanged
from kfp_jupyter.model.types import Json
from kfp_jupyter.paths import data_dir

POLL_SECONDS = 0.03
"""How often a file that may grow is looked at."""

SETTLE_SECONDS = 1.0
"""How long somebody may take to write the end of an interrupted run."""

LEAVE_SECONDS = 30.0
"""How long a supervisor may take to be gone after it has written the end of its run."""

START_SECONDS = 30.0
"""How long a supervisor may take to say which process it is."""


class LocalEngine:
    """Runs pipelines on this machine, each under a supervisor of its own that outlives this process."""

    def notices(self, pipeline: Pipeline, options: RunOptions) -> tuple[str, ...]:
        """Return what does not happen on this machine; see `Engine.notices`."""
        return notices(pipeline, options.local)

    def submit(self, pipeline: Pipeline, arguments: Mapping[str, Json], options: RunOptions) -> RunRef:
        """Start a run.

        Raises:
            EngineError: This machine cannot run it; nothing was started.
        """
        check(pipeline, options.local)
        containers = containers_for(pipeline, options.local)
        data = data_dir()
        folder = RunFolder(data / "runs" / options.run_id)
        try:
            folder.path.mkdir(parents=True)
        except FileExistsError:
            raise EngineError(
                f"There is a run {options.run_id} already.", remedy="Run it under another id."
            ) from None
        except OSError as error:
            raise _unwritable(data, error) from error
        try:
            self._prepare(folder, pipeline, arguments, options, data, containers)
            lock = take(folder.lock)
            if lock is None:
                raise OSError(f"{folder.lock} is locked")
            try:
                self._start(folder, lock)
            finally:
                os.close(lock)
        except BaseException as error:
            # Also an interrupt: a folder without a supervisor would be a run that never runs.
            shutil.rmtree(folder.path, ignore_errors=True)
            if isinstance(error, OSError):
                raise _unwritable(data, error) from error
            raise
        return RunRef(options.run_id, options.target, str(folder.path))

    def events(self, ref: RunRef, stop: Stop) -> Iterator[Event]:
        """Yield what happens, from the run's first event to its end.

        Raises:
            RunGoneError: The run's folder is not there any more.
        """
        folder = self._folder(ref)
        tail = Tail(folder.journal)
        over = False
        while True:
            # Asked before reading: what a supervisor wrote before it ended is read before its end is noticed.
            alive = is_held(folder.lock)
            for event in events_in(tail.lines()):
                yield event
                # A run that was resumed has an end that is not its last.
                if isinstance(event, (RunChanged, RunCreated)):
                    over = isinstance(event, RunChanged) and event.state.finished
            if over:
                return
            if not alive:
                self._folder(ref)
                self._settle(folder)
            elif stop.wait(POLL_SECONDS):
                return

    def logs(self, ref: RunRef, task: str, stop: Stop, *, follow: bool = False) -> Iterator[str]:
        """Yield the lines that a task printed, all attempts; with `follow` until the task has ended.

        Of a task whose result another run made: what was printed there.
        """
        folder = self._folder(ref)
        ends = _Ends(folder, task)
        ended = False
        for attempt in range(1, sys.maxsize):
            log = Tail(folder.attempt(task, attempt) / "log.txt")
            while True:
                # Asked before reading: what was printed before the end is read before the end is noticed.
                ended = ended or not follow or ends.come() or not is_held(folder.lock)
                later = folder.attempt(task, attempt + 1).exists()
                yield from log.lines()
                if ended or later:
                    break
                if stop.wait(POLL_SECONDS):
                    return
            if not later:
                break
        ends.come()
        if ends.cached_from and not folder.attempt(task, 1).exists():
            yield from _log_of(folder, task, ends.cached_from)

    def given(self, ref: RunRef, task: str) -> Json:
        """Return the ExecutorInput of a task's last attempt; None if it made none. See `Engine.given`."""
        attempts = self._folder(ref).task(task)
        made = [int(held.name) for held in attempts.glob("*") if held.name.isdecimal()]
        if not made:
            return None
        return json.loads((attempts / str(max(made)) / "input.json").read_text(encoding="utf-8"))

    def fetch(
        self,
        ref: RunRef,
        records: Sequence[ArtifactRecord],
        image: str,  # noqa: ARG002 (nothing is read in a container)
        tell: Callable[[str], None],  # noqa: ARG002
    ) -> list[Path | EngineError]:
        """Return where each artifact is; all that still are, are here. See `Engine.fetch`."""
        return [_place_of(record, f"run {ref.run_id}") for record in records]

    def cancel(self, ref: RunRef) -> None:
        """Ask the run to end; what runs is stopped. Does nothing if it has ended.

        Raises:
            EngineError: Its supervisor could not be asked.
        """
        folder = self._folder(ref)
        deadline = time.monotonic() + START_SECONDS
        while is_held(folder.lock):
            with contextlib.suppress(FileNotFoundError):
                process = json.loads(folder.supervisor.read_text(encoding="utf-8"))
                if started_at(process["pid"]) == process["started_at"]:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process["pid"], signal.SIGTERM)
                return
            if time.monotonic() > deadline:
                raise EngineError(
                    "The supervisor of the run does not answer.",
                    where=f"run {ref.run_id}",
                    remedy=f"Look into {folder.supervisor_log}.",
                )
            time.sleep(POLL_SECONDS)

    def resume(self, ref: RunRef) -> None:
        """Go on with a run that has ended before all was done. See `Engine.resume`.

        Raises:
            EngineError: It goes on already, or there is nothing left to do.
            RunGoneError: The run's folder is not there any more.
        """
        folder = self._folder(ref)
        lock = self._lock(folder)
        if lock is None:
            raise EngineError(
                "It has not ended.", where=f"run {ref.run_id}", remedy="Wait for its end, or cancel it."
            )
        try:
            state = state_in(folder.journal)
            if state is not None and state.state is State.SUCCEEDED:
                raise EngineError(
                    "It has succeeded, so there is nothing left to do.",
                    where=f"run {ref.run_id}",
                    remedy="To run what was changed since, use `rerun`.",
                )
            plan = read_plan(folder.plan)
            if plan.containers is not None:
                plan = replace(plan, containers=still_there(plan.containers))
            # The programs of an earlier version may have been removed.
            write_plan(folder.plan, replace(plan, executor=str(executor_file(Path(plan.data)))))
            reopen(folder)
            self._start(folder, lock)
        except OSError as error:
            raise _unwritable(folder.path, error) from error
        finally:
            os.close(lock)

    def _lock(self, folder: RunFolder) -> int | None:
        """Take the lock of a run; whoever writes its end, or has just written it, has it for a moment."""
        lock = take(folder.lock)
        for seconds in (SETTLE_SECONDS, LEAVE_SECONDS):
            deadline = time.monotonic() + seconds
            while lock is None and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
                lock = take(folder.lock)
            state = state_in(folder.journal) if lock is None else None
            if state is None or not state.state.finished:
                break
        return lock

    def _settle(self, folder: RunFolder) -> None:
        try:
            settle(folder)
        except OSError as error:
            raise EngineError(
                f"The run was interrupted, and its end could not be written: {error.strerror or error}.",
                where=str(folder.journal),
                remedy="Free some space there, or make it writable; then `%kfp resume` goes on with the run.",
            ) from error

    def _prepare(
        self,
        folder: RunFolder,
        pipeline: Pipeline,
        arguments: Mapping[str, Json],
        options: RunOptions,
        data: Path,
        containers: ContainerEngine | None,
    ) -> None:
        for key, component in pipeline.components.items():
            if isinstance(component.implementation, PythonStep):
                source = folder.source(key)
                source.parent.mkdir(exist_ok=True)
                source.write_text(component.implementation.source.text, encoding="utf-8")
        plan = Plan(
            pipeline=pipeline,
            arguments=arguments,
            options=options,
            directory=_working_directory(folder),
            data=str(data),
            executor=str(executor_file(data)),
            to_install=components_to_install(pipeline, options.local),
            containers=containers,
        )
        write_plan(folder.plan, plan)
        journal = Journal(folder.journal)
        try:
            journal.append(
                RunCreated(
                    time.time(),
                    options.run_id,
                    pipeline.name,
                    options.target,
                    dict(arguments),
                    pipeline.paths(),
                    options.notices,
                )
            )
        finally:
            journal.close()

    def _start(self, folder: RunFolder, lock: int) -> None:
        command = [sys.executable, "-m", "kfp_jupyter.engines.local.supervisor"]
        with folder.supervisor_log.open("ab") as log:
            process = subprocess.Popen(
                [*command, str(folder.path), str(lock)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder.path,
                start_new_session=True,
                pass_fds=[lock],
            )
        # Takes note of its end, or it would stay in the process table as long as this kernel lives.
        threading.Thread(target=process.wait, daemon=True).start()

    def _folder(self, ref: RunRef) -> RunFolder:
        folder = RunFolder(Path(ref.location))
        if not folder.journal.exists():
            raise RunGoneError(
                "The run's folder is not there any more.",
                where=f"run {ref.run_id}",
                remedy=f"It was {ref.location}; run the pipeline again.",
            )
        return folder


def _log_of(folder: RunFolder, task: str, run_id: str) -> Iterator[str]:
    """Yield what a task printed in another run, from which its result was taken."""
    attempts = RunFolder(folder.path.with_name(run_id)).task(task)
    logs = sorted(attempts.glob("*/log.txt"), key=lambda log: int(log.parent.name))
    printed = "what was printed there:" if logs else "its log is not there any more."
    yield f"— the result of run {run_id} was used; {printed} —"
    for log in logs:
        yield from Tail(log).lines()


class _Ends:
    """Whether a task may print any more, as the journal has it; a run that is resumed takes its end back."""

    def __init__(self, folder: RunFolder, task: str) -> None:
        self._journal = Tail(folder.journal)
        self._task = task
        self._task_ended = False
        self._run_ended = False
        self.cached_from = ""

    def come(self) -> bool:
        """Say whether the task, or the run, has ended."""
        for event in events_in(self._journal.lines()):
            if isinstance(event, RunChanged):
                self._run_ended = event.state.finished
            elif isinstance(event, TaskChanged) and event.task == self._task:
                self._task_ended = event.state.finished
                self.cached_from = event.cached_from or self.cached_from
        return self._task_ended or self._run_ended


def _place_of(record: ArtifactRecord, where: str) -> Path | EngineError:
    place = Path(record.path or record.uri)
    if place.exists():
        return place
    remedy = "It was removed, by someone or by `kfp-jupyter gc`. Run the pipeline again."
    return EngineError(f"{record.uri} is not on this machine any more.", where=where, remedy=remedy)


def _working_directory(folder: RunFolder) -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return str(folder.path)


def _unwritable(data: Path, error: OSError) -> EngineError:
    mend = "Free some space there" if error.errno == errno.ENOSPC else "Make that folder writable"
    return EngineError(
        f"The run could not be prepared: {error.strerror or error}.",
        where=str(data),
        remedy=f"{mend}, or set KFP_JUPYTER_DATA to another one.",
    )
