"""Steps that need no process of their own: importers, and those that make and delete claims for volumes.

What stands in for an `Attempt`: it runs in a thread, and says at its end what it has put out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from kfp_jupyter.engines.local.claims import CREATE, delete_claim, is_claim, make_claim
from kfp_jupyter.engines.local.exchange import Given, Product
from kfp_jupyter.engines.local.folder import RunFolder
from kfp_jupyter.engines.local.importing import ImportFailedError, import_artifact
from kfp_jupyter.engines.local.plan import Plan
from kfp_jupyter.model.component import ContainerStep, Implementation, Importer
from kfp_jupyter.model.graph import Task
from kfp_jupyter.model.run import TaskError

Work = Callable[[Callable[[], bool]], Product]
"""Does a step and returns what it puts out; it is given a function that says whether to stop."""


def work_of(step: Implementation, task: Task, given: Given, plan: Plan, folder: RunFolder) -> Work | None:
    """Return what does a step that needs no process of its own; None if it needs one.

    Args:
        step: The step.
        task: The task under its path.
        given: What it gets.
        plan: The run's plan.
        folder: The run's folder.
    """
    if isinstance(step, Importer):
        downloads = Path(plan.data) / "imports"
        return partial(import_artifact, step, given, plan.directory, downloads, folder.imported(task.name))
    if isinstance(step, ContainerStep) and is_claim(step):
        run, data = plan.options.run_id, Path(plan.data)
        if step.image == CREATE:
            again = bool(task.settings.caching) and plan.options.caching
            return lambda _: make_claim(data, run, task.name, given, again=again)
        return lambda _: delete_claim(data, folder.task(task.name) / "deleted.json", given)
    return None


class InProcess:
    """Does a step in a thread of this process.

    Args:
        work: Does it.
        on_end: Called when all is over, with this.

    Attributes:
        stopped: Why it was stopped: `Timeout`, `Canceled`, or empty.
        error: Why it failed; None while it has not.
        product: What it has put out; None if it has not succeeded.
        log_tail: What it printed: nothing.
    """

    def __init__(self, work: Work, on_end: Callable[[InProcess], None]) -> None:
        self.stopped = ""
        self.error: TaskError | None = None
        self.product: Product | None = None
        self.log_tail: tuple[str, ...] = ()
        self._work = work
        self._on_end = on_end

    def start(self) -> None:
        """Start."""
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self, reason: str) -> None:
        """Ask it to end, which it does at the next look."""
        self.stopped = self.stopped or reason

    def kill(self) -> None:
        """Nothing more can be done than to ask."""

    def _run(self) -> None:
        try:
            product = self._work(lambda: bool(self.stopped))
            self.product = None if self.stopped else product
        except ImportFailedError as error:
            self.error = TaskError("CannotImport", str(error))
        except Exception as error:  # noqa: BLE001 (a thread that dies silently would leave the run waiting for ever)
            self.error = TaskError(type(error).__name__, str(error))
        finally:
            self._on_end(self)
