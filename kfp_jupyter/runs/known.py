"""The runs that this process has met, with their pipelines; others are looked up in the history.

Several kernels and command lines may have the same run before them. Each follows it as long as it is open,
and takes its end for the last word; but any of them may have the run go on. So whoever asks for an ended run
here is given what the history has, if somebody else has written that since.
"""

from __future__ import annotations

from contextlib import suppress
from threading import RLock

from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import RunRef
from kfp_jupyter.runs.database import HistoryError
from kfp_jupyter.runs.history import History
from kfp_jupyter.runs.recorder import Recorder
from kfp_jupyter.runs.store import RunStore


class KnownRuns:
    """The runs by id. Safe to use from several threads.

    Args:
        history: Where runs are looked up.
        store: Where their states are put.
        recorder: Who keeps their changes from then on.
    """

    def __init__(self, history: History, store: RunStore, recorder: Recorder) -> None:
        self._history = history
        self._store = store
        self._recorder = recorder
        self._known: dict[str, tuple[RunRef, Pipeline]] = {}
        self._notebooks: dict[str, str] = {}
        # Main thread and comm handlers may ask for the same run at once; held while it is loaded.
        self._lock = RLock()

    def add(self, ref: RunRef, pipeline: Pipeline, notebook: str = "") -> None:
        """Know a run that was started here, from `notebook`."""
        self._known[ref.run_id] = ref, pipeline
        self._notebooks[ref.run_id] = notebook

    def notebook_of(self, run_id: str) -> str:
        """Return the notebook from which a run was started here; empty for any other run."""
        return self._notebooks.get(run_id, "")

    def find(self, text: str) -> tuple[RunRef, Pipeline]:
        """Return a run, and have its present state in the store; `text` is as for `History.find`.

        Raises:
            HistoryError: There is no such run, or more than one.
        """
        with self._lock:
            run_id = text if text in self._known else self._id(text)
            if run_id not in self._known or self._went_on(run_id):
                ref, pipeline, state = self._history.load(run_id)
                self._recorder.resume(self._store.put(state))
                # Of a run that was met already the pipeline stays the same object.
                self._known.setdefault(run_id, (ref, pipeline))
            return self._known[run_id]

    def _id(self, text: str) -> str:
        try:
            return self._history.find(text)
        except HistoryError:
            # A run that the history could not keep is still known here.
            here = self._here(text) if self._recorder.problem is not None else []
            if not here:
                raise
            return here[0]

    def _here(self, text: str) -> list[str]:
        """Return the run that a text means among those known here, if it is one."""
        names = (text, text.replace("_", "-"))
        named = [run_id for run_id, (_, pipeline) in self._known.items() if pipeline.name in names]
        begun = [run_id for run_id in self._known if text and run_id.startswith(text)]
        # Those of one pipeline are in the order of their time, which stands in their ids.
        return sorted(named)[-1:] or (begun if len(begun) == 1 else [])

    def _went_on(self, run_id: str) -> bool:
        """Say whether a run has another end than the one that was kept from here, or none any more."""
        kept = self._recorder.kept(run_id)
        if kept is None or not kept.state.finished or self._recorder.problem is not None:
            return False
        with suppress(HistoryError):
            return self._history.finished_at(run_id) != kept.finished_at
        return False
