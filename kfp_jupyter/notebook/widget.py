"""The live view of one run for front ends without our JupyterLab extension: VS Code, Colab, marimo.

It is the same TypeScript view in one file, which anywidget delivers. Its trait `snapshot` is the run document
as it was when the widget was made, and again when the run has ended; between the two the messages of
`kfp_jupyter.runs` and the requests and answers of `kfp_jupyter.commands` travel as the widget's own messages.
The publisher's thread is the only one that sends or sets anything here; an answer is sent where its question
arrived.

ipywidgets takes a fifth of a second to import, so the class is made when the first widget is.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from kfp_jupyter.model.types import Json

_BUNDLE = Path(__file__).parent.parent / "static" / "widget.js"
_VIEW = "application/vnd.jupyter.widget-view+json"


class RunWidget:
    """A widget that shows one run, as a screen of the publisher.

    Args:
        session: What this kernel's notebook knows; see `kfp_jupyter.notebook.session.Session`.
        document: The run document, with the run written out.
    """

    def __init__(self, session: Any, document: dict[str, Json]) -> None:
        self._run: str = document["run"]["id"]
        self._session = session
        self.widget = _widget_class()(snapshot=document)
        self.widget.on_msg(self._asked)
        self._greeted = False
        session.publisher.join(self)

    def view(self) -> tuple[dict[str, Json], dict[str, Json]]:
        """Return the MIME entry that shows the widget, and its metadata."""
        made = self.widget._repr_mimebundle_()
        data, metadata = made if isinstance(made, tuple) else (made, {})
        return {_VIEW: data[_VIEW]}, metadata

    def send(self, message: dict[str, Json]) -> None:
        """Deliver a message if it is about this run."""
        kind = message["type"]
        if kind == "run":
            about = message["document"]["run"]["id"]
        else:
            about = message["run"] if kind == "delta" else self._run
        if about != self._run:
            return
        self.widget.send(message)
        if kind == "delta":
            ended = message["fields"].get("finished_at") is not None
        elif kind == "run":
            ended = message["document"]["run"]["finished_at"] is not None
        else:
            # It may have ended before this was greeted; then nothing more is told of it.
            state = None if self._greeted else self._session.workbench.store.get(self._run)
            ended = state is not None and state.state.finished
            self._greeted = self._greeted or kind == "workbench"
        if ended:
            # For views that are opened from now on.
            self.widget.snapshot = self._session.document_of(self._run)
            self._session.publisher.leave(self)

    def _asked(self, _widget: Any, content: Json, _buffers: Any) -> None:
        self.widget.send(self._session.commands.answer(content))


@cache
def _widget_class() -> type[Any]:
    import anywidget
    import traitlets

    class RunView(anywidget.AnyWidget):
        _esm = _BUNDLE
        snapshot = traitlets.Dict().tag(sync=True)

    return RunView
