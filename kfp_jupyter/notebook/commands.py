"""What a front end may ask: the methods of `kfp_jupyter.commands` (docs/architecture.md, "Comms").

Both ways to ask, the commands comm and a widget's own messages, come here. A request is answered where it
arrived, inside its handler: on ipykernel 7 that is a subshell's thread, at work while the main thread runs a
cell, so nothing here touches the user's namespace, and the workbench below is safe for threads. An error
becomes the answer's `error`, whatever it was.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.model.types import Json
from kfp_jupyter.notebook.failures import describe

_LOG = logging.getLogger(__name__)


class CommandError(KfpJupyterError):
    """A front end asked for something that does not exist."""


class Commands:
    """Answers requests from the workbench.

    Args:
        session: What this kernel's notebook knows; see `kfp_jupyter.notebook.session.Session`.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        self._methods: Mapping[str, Callable[..., Json]] = {
            "snapshot": self._snapshot,
            "pipeline": self._pipeline,
            "run": self._run,
            "cancel": self._cancel,
            "use": self._use,
            "logs": self._logs,
            "bundle": self._bundle,
            "debug": self._debug,
            "rerun": self._rerun,
        }

    def answer(self, request: Mapping[str, Json]) -> dict[str, Json]:
        """Carry out `{id, method, params}` and return `{id, result}` or `{id, error}`. Never raises."""
        number = request.get("id")
        try:
            name = request["method"]
            method = self._methods.get(name)
            if method is None:
                raise CommandError(
                    f"There is no command {name!r}.",
                    remedy="Install the same version of kfp_jupyter for the kernel and for JupyterLab.",
                )
            return {"id": number, "result": method(**request.get("params", {}))}
        except KfpJupyterError as error:
            return {"id": number, "error": describe(error)}
        except Exception as error:  # noqa: BLE001 - a request without an answer leaves a button waiting
            _LOG.exception("a command failed: %s", request)
            return {"id": number, "error": describe(error)}

    def _snapshot(self, run: str) -> Json:
        return self._session.document_of(run)

    def _pipeline(self, pipeline: str) -> Json:
        bench = self._session.workbench
        return bench.document(bench.pipeline(pipeline))

    def _run(self, pipeline: str, target: str = "", arguments: Mapping[str, Json] | None = None) -> Json:
        # What the target will not do stands in the run's view, which the front end opens.
        run = self._session.workbench.run(
            pipeline, arguments, target=target or None, labels=self._session.labels, tell=lambda _notice: None
        )
        return {"run": run.id}

    def _cancel(self, run: str) -> Json:
        self._session.workbench.get(run).cancel()
        return {}

    def _use(self, target: str) -> Json:
        self._session.workbench.use(target)
        self._session.changed()
        return {}

    def _logs(self, run: str, task: str, after: Json = 0) -> Json:
        lines, reached, done = self._session.workbench.log_lines(run, task, after)
        return {"lines": lines, "next": reached, "done": done}

    def _bundle(self, run: str) -> Json:
        from kfp_jupyter.notebook.display import bundle

        return bundle(self._session.document_of(run, saved=True))

    def _debug(self, run: str, task: str) -> Json:
        from kfp_jupyter.notebook.debugging import brought

        return {"text": brought(self._session, run, task).noted}

    def _rerun(self, run: str) -> Json:
        from kfp_jupyter.repair.rerun import rerun

        told: list[str] = []
        bench = self._session.workbench
        made = rerun(
            bench,
            bench.get(run),
            components=self._session.components,
            labels=self._session.labels,
            tell=told.append,
        )
        return {"run": made.id, "told": told}
