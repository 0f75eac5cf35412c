"""What is loaded in one shell, and how its parts find each other.

It delegates everything:

    magics      what a user types                  publisher   the thread that tells of changes
    comms       what front ends open               displays    what stands under cells
    commands    what front ends ask                workbench   what is known: pipelines, runs, targets
    cells       what ran in which cell

The publisher is made when the first front end or the first live display asks for it; until then nothing
listens and no thread runs.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.model.types import Json
from kfp_jupyter.notebook.cells import NotebookCells
from kfp_jupyter.notebook.commands import Commands
from kfp_jupyter.notebook.comms import PROTOCOL, Comms
from kfp_jupyter.notebook.display import Displays

if TYPE_CHECKING:
    from kfp_jupyter.model.component import Component
    from kfp_jupyter.model.run import RunState
    from kfp_jupyter.notebook.findings import Findings
    from kfp_jupyter.notebook.publisher import Publisher
    from kfp_jupyter.runs.summary import RunSummary
    from kfp_jupyter.workbench import Workbench

# Runs in the list that front ends get: so many of all, and of the notebook's own.
_LISTED = 50


class Session:
    """The parts that `%load_ext kfp_jupyter` puts into a shell.

    Args:
        shell: The IPython shell.
    """

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.commands = Commands(self)
        self.displays = Displays(self)
        self.cells = NotebookCells(shell)
        self._comms: Comms | None = None
        self._publisher: Publisher | None = None
        # The first need for the publisher may come from the main thread and a subshell's at once.
        self._making = Lock()
        self._targets: list[Json] = []
        self.matcher: Any = None
        # Components by the names that code of debugged tasks takes; see `kfp_jupyter.notebook.debugging`.
        self.debugged: dict[str, Any] = {}

    @cached_property
    def workbench(self) -> Workbench:
        """What this kernel knows."""
        from kfp_jupyter.workbench import current

        return current()

    @cached_property
    def findings(self) -> Findings:
        """What checks have found in this notebook."""
        from kfp_jupyter.notebook.findings import Findings

        return Findings(self)

    @property
    def publisher(self) -> Publisher:
        """The thread that tells screens; made when first asked for."""
        from kfp_jupyter.notebook.publisher import Publisher

        with self._making:
            if self._publisher is None:
                self._publisher = Publisher(self.workbench.store, self, self.displays.ended)
            return self._publisher

    @property
    def problems(self) -> list[str]:
        """Sentences on what went wrong in the background."""
        failure = self._publisher.failure if self._publisher is not None else None
        return [f"Live updates failed: {type(failure).__name__}: {failure}"] if failure is not None else []

    @property
    def connected(self) -> bool:
        """True if a front end with our JupyterLab extension is connected."""
        return self._comms is not None and self._comms.connected

    @property
    def headless(self) -> bool:
        """True if nobody looks: a terminal, or a program that executes the notebook and answers no prompt."""
        kernel = getattr(self.shell, "kernel", None)
        if kernel is None:
            return True
        return not kernel.get_parent().get("content", {}).get("allow_stdin", True)

    def start(self) -> None:
        """Register everything in the shell."""
        from kfp_jupyter.notebook.registration import register

        # Without a handler, logging prints warnings, from any thread and so into whichever cell ran last.
        logging.getLogger("kfp_jupyter").addHandler(logging.NullHandler())
        register(self)
        kernel = getattr(self.shell, "kernel", None)
        if kernel is not None and hasattr(kernel, "comm_manager"):
            self._comms = Comms(kernel.comm_manager, lambda: self.publisher, self.commands)
            self._comms.start()
        self.cells.start()
        self.shell.events.register("post_run_cell", self._cell_ended)
        atexit.register(self.stop)

    def stop(self) -> None:
        """Take everything back and end the thread. Safe to call twice."""
        from kfp_jupyter.notebook.registration import unregister

        atexit.unregister(self.stop)
        unregister(self)
        self.cells.stop()
        self.shell.events.unregister("post_run_cell", self._cell_ended)
        if self._comms is not None:
            self._comms.stop()
            self._comms = None
        if self._publisher is not None:
            self._publisher.stop()
            self._publisher = None

    def changed(self) -> None:
        """Say that pipelines or the target in use may have changed."""
        if self._publisher is not None:
            self._publisher.refresh()

    def say(self, text: str) -> None:
        """Print a text under the running cell. Only the thread that runs cells may."""
        sys.stdout.write(f"{text}\n")

    def say_of_cells(self, pipeline: Any) -> None:
        """Say what is worth knowing of a pipeline that was linked by data: notes, and cells edited since."""
        for note in pipeline.notes:
            self.say(note)
        for step in self.cells.stale(self.notebook):
            self.say(
                f"The cell of {step.name!r} ({step.place}) was edited since it ran: run it again, or the "
                "pipeline has it as it was."
            )

    def show_table(self, head: tuple[str, ...], rows: list[tuple[str, ...]], otherwise: str) -> None:
        """Show a table under the running cell, or a sentence if it has no rows."""
        from kfp_jupyter.notebook.line import table

        if rows:
            self.shell.display_pub.publish(table(head, rows))
        else:
            self.say(otherwise)

    # --- What screens are told ---

    def workbench_message(self, *, targets: bool) -> dict[str, Json]:
        """Return the `workbench` message; with `targets` after looking for targets anew."""
        from kfp_jupyter.model.codec import encode
        from kfp_jupyter.view.document import pipeline_document

        bench = self.workbench
        if targets or not self._targets:
            self._targets = [encode(place, full=True) for place in bench.targets()]
        return {
            "type": "workbench",
            "protocol": PROTOCOL,
            "pipelines": [pipeline_document(pipeline) for pipeline in list(bench.pipelines.values())],
            "targets": self._targets,
            "target": str(bench.target),
            "notebook": self.notebook,
            "runs": [encode(row, full=True) for row in self._listed_runs()],
        }

    def _listed_runs(self) -> list[RunSummary]:
        """Return the newest runs, and the newest of this notebook, which others may have crowded out."""
        rows = self.workbench.runs(_LISTED)
        if len(rows) < _LISTED or not self.notebook:
            return rows
        own = self.workbench.runs(_LISTED, notebook=self.notebook)
        both = {row.id: row for row in (*rows, *own)}
        return sorted(both.values(), key=lambda row: row.created_at, reverse=True)

    def document(self, run: RunState, *, saved: bool = False) -> dict[str, Json]:
        """Return the RunDocument of that state of a run."""
        from kfp_jupyter.view.document import document

        return document(self.workbench.pipeline_of(run.id), run, saved=saved)

    def document_of(self, run_id: str, *, saved: bool = False) -> dict[str, Json]:
        """Return the RunDocument of a run as it is now; an open one is followed from now on."""
        return self.document(self.workbench.get(run_id).status, saved=saved)

    def reconnect(self) -> None:
        """Take up again the runs that had not ended when the kernel was restarted."""
        self.workbench.reconnect()

    def look_around(self) -> None:
        """Take up the runs that other kernels and command lines have begun, or gone on with, since."""
        self.workbench.reconnect(lost=False)

    @property
    def components(self) -> dict[str, Component]:
        """The notebook's components as they are now, by name; also those that a decorator made."""
        written = sys.modules.get("kfp_jupyter.dsl.python_component")
        if written is None:
            return {}
        values = [held for name, held in list(self.shell.user_ns.items()) if not name.startswith("_")]
        return {held.model.name: held.model for held in values if isinstance(held, written.PythonComponent)}

    @property
    def labels(self) -> dict[str, str]:
        """What is kept with the runs of this notebook."""
        from kfp_jupyter.runs.history import NOTEBOOK

        path = self.notebook
        return {NOTEBOOK: path} if path else {}

    @property
    def notebook(self) -> str:
        """The notebook's path as Jupyter Server or VS Code tells it; empty if neither does."""
        told = os.environ.get("JPY_SESSION_NAME") or self.shell.user_ns.get("__vsc_ipynb_file__")
        return str(told) if told else ""

    @property
    def pipeline_name(self) -> str:
        """The name of a pipeline that has none: the notebook's."""
        return Path(self.notebook).stem or "pipeline"

    def _cell_ended(self, result: Any) -> None:
        if self.debugged:
            from kfp_jupyter.notebook.debugging import give_back

            give_back(self, result.info.raw_cell or "")
        # Pipelines and the target in use also change through the Python API, in any cell.
        self._find_pipelines()
        if "kfp_jupyter.dsl.python_component" in sys.modules or isinstance(
            result.error_in_exec, KfpJupyterError
        ):
            self.findings.cell_ended(result)
        self.changed()

    def _find_pipelines(self) -> None:
        """Register the notebook's pipelines that were written with the decorator."""
        written = sys.modules.get("kfp_jupyter.dsl.pipeline_function")
        if written is None:
            return
        for name, value in list(self.shell.user_ns.items()):
            if isinstance(value, written.PipelineFunction) and not name.startswith("_"):
                model = value.model
                if self.workbench.pipelines.get(model.name) is not model:
                    self.workbench.add_pipeline(model)
