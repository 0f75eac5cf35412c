"""What a pipeline, a run or a component looks like under a cell.

One MIME bundle serves every reader: our own type (JupyterLab and Notebook 7 with the extension, live, also in
an untrusted file), the anywidget view (VS Code, Colab, marimo), HTML and SVG (GitHub, nbconvert), text (a
terminal). The document in it is the saved form: a run that has not ended is only named, so that no unfinished
moment is ever kept in a file.

When such a run ends, the front end writes the end into the cell's output; where no front end of ours is
connected (nbclient, VS Code), the kernel updates the display itself.
"""

from __future__ import annotations

import importlib.util
import uuid
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from kfp_jupyter.model.types import Json

if TYPE_CHECKING:
    from kfp_jupyter.model.pipeline import Pipeline
    from kfp_jupyter.model.run import RunState

MIME = "application/vnd.kfp-jupyter.run.v1+json"


def bundle(document: dict[str, Json]) -> dict[str, Json]:
    """Return the MIME bundle (`data`) of a run document in its saved form."""
    from kfp_jupyter.view import html, svg, text

    return {
        MIME: document,
        "text/html": html(document),
        "image/svg+xml": svg(document),
        "text/plain": text(document),
    }


class Displays:
    """Publishes bundles, and remembers those whose run goes on.

    Args:
        session: What this kernel's notebook knows; see `kfp_jupyter.notebook.session.Session`.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        self._told: WeakSet[Any] = WeakSet()
        # The displays of each run that has not ended. The lock is held for single operations on the dict.
        self._open: dict[str, list[str]] = {}
        self._lock = Lock()

    def show(self, pipeline: Pipeline, run: RunState | None = None, display_id: str = "") -> str:
        """Show a pipeline, or one run of it, under the running cell and return the display's id.

        Args:
            pipeline: The pipeline.
            run: The state of the run, or None for the pipeline alone.
            display_id: The display to put it in; empty makes a new one.
        """
        shown = display_id or uuid.uuid4().hex
        open_run = run if run is not None and not run.state.finished else None
        if open_run is not None:
            # From here on the publisher's thread tells of the end.
            store = self._session.publisher.store
            with self._lock:
                self._open.setdefault(open_run.id, []).append(shown)
        data, metadata = self._bundle(pipeline, run)
        self._publish(data, metadata, shown, update=bool(display_id))
        if open_run is not None:
            latest = store.get(open_run.id)
            if latest is not None and latest.state.finished:
                # The end may have been shown before what is shown now.
                return self.show(pipeline, latest, shown)
        return shown

    def show_pipeline(self, made: Any) -> None:
        """Show a `PipelineFunction` that a cell ends with."""
        self.show(made.model)

    def show_run(self, run: Any) -> None:
        """Show a `Run` that a cell ends with; the display follows it to its end."""
        self.show(run.pipeline, run.status)

    def show_component(self, made: Any) -> None:
        """Show the card of a `PythonComponent` that was just made, and below it what its checks warn of."""
        self._session.shell.display_pub.publish(self.component_bundle(made))
        if not self.is_told(made):
            self._session.findings.show(made.findings)

    def component_bundle(self, made: Any, **_: Any) -> dict[str, Json]:
        """Return the MIME bundle of a `PythonComponent`."""
        from kfp_jupyter.notebook.card import card

        return card(made.model, made.defaults)

    def is_told(self, made: Any) -> bool:
        """Say whether a component's warnings were shown before; from now on they were."""
        before = made in self._told
        self._told.add(made)
        return before

    def ended(self, run: RunState) -> None:
        """Put the end of a run into its displays, unless a front end of ours does. Any thread may call."""
        with self._lock:
            waiting = self._open.pop(run.id, [])
        if not waiting or self._session.connected:
            return
        document = self._session.document(run, saved=True)
        for display_id in waiting:
            self._publish(bundle(document), {}, display_id, update=True)

    def _bundle(self, pipeline: Pipeline, run: RunState | None) -> tuple[dict[str, Json], dict[str, Json]]:
        from kfp_jupyter.view import document

        data = bundle(document(pipeline, run, saved=True))
        # A widget's view is useless once its kernel has gone, and hides the HTML then; a live run needs it.
        if run is None or run.state.finished or not self._wants_widget():
            return data, {}
        from kfp_jupyter.notebook.widget import RunWidget

        view, metadata = RunWidget(self._session, document(pipeline, run)).view()
        return {**data, **view}, metadata

    def _wants_widget(self) -> bool:
        if self._session.connected or self._session.headless:
            return False
        return all(importlib.util.find_spec(name) is not None for name in ("ipywidgets", "anywidget"))

    def _publish(
        self, data: dict[str, Json], metadata: dict[str, Json], display_id: str, *, update: bool
    ) -> None:
        publisher = self._session.shell.display_pub
        publisher.publish(data, metadata, transient={"display_id": display_id}, update=update)
