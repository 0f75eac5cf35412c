"""The engine for clusters with Argo Workflows, put together from this folder's parts.

It keeps nothing about a run: a Workflow says all that is needed to read it (`record`), so a run is found
again from any kernel. One connection, made at first use, serves all runs of a target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event as Stop
from threading import Lock
from typing import Any

from kfp_jupyter.engines.argo.connection import Cluster, connect
from kfp_jupyter.engines.argo.errors import ClusterError, RequestError, RunGoneError
from kfp_jupyter.engines.argo.failure import in_place
from kfp_jupyter.engines.argo.fetch import fetch
from kfp_jupyter.engines.argo.manifest import Installation, workflow
from kfp_jupyter.engines.argo.names import workflow_name
from kfp_jupyter.engines.argo.outage import Outage
from kfp_jupyter.engines.argo.pods import AttemptPod, PodGoneError, attempt_pods, pod_lines
from kfp_jupyter.engines.argo.reader import Waiting
from kfp_jupyter.engines.argo.record import Record, read_record
from kfp_jupyter.engines.argo.status import read
from kfp_jupyter.engines.argo.story import Story
from kfp_jupyter.engines.argo.submission import artifact_root, submit
from kfp_jupyter.engines.argo.watch import Patience, Watch
from kfp_jupyter.engines.base import EngineError, RunOptions
from kfp_jupyter.executor.markers import parse
from kfp_jupyter.model.component import Component
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import ArtifactRecord, Event, RunRef, Target
from kfp_jupyter.model.types import Json

_ASK_SECONDS = 2.0


class ArgoEngine:
    """Runs pipelines on one cluster.

    Args:
        target: The kubeconfig's context and the namespace; see `connection.connect`.
        service_account: The account that the pods run as; empty means the namespace's default.
        instance_id: The `instanceID` of the controller; empty means one without.
        patience: How long a watch waits for what.
        waiting: How long bringing an artifact waits for what.
    """

    def __init__(
        self,
        target: Target,
        *,
        service_account: str = "",
        instance_id: str = "",
        patience: Patience | None = None,
        waiting: Waiting | None = None,
    ) -> None:
        self._target = target
        self._installation = Installation(service_account, instance_id)
        self._patience = patience or Patience()
        self._waiting = waiting or Waiting()
        self._cluster: Cluster | None = None
        # Making the connection takes about a second, mostly importing; two threads must not do it twice.
        self._connecting = Lock()

    def notices(self, pipeline: Pipeline, options: RunOptions) -> tuple[str, ...]:
        """Return what is not done on a cluster; see `Engine.notices`."""
        said = []
        if options.caching and any(task.settings.caching for task in pipeline.graph.tasks.values()):
            said.append(f"Nothing is cached on Argo yet: every {'other ' if options.taken else ''}task runs.")
        if options.local.containers or options.local.in_containers:
            said.append(
                "Where containers run is chosen for this machine only: on Argo every task runs in its image."
            )
        return tuple(said)

    def submit(self, pipeline: Pipeline, arguments: Mapping[str, Json], options: RunOptions) -> RunRef:
        """Start a run; see `Engine.submit`."""
        # Before anything is asked of the cluster: what the pipeline needs may not be possible at all.
        workflow(pipeline, arguments, options, self._installation)
        cluster = self._connected()
        installation = replace(self._installation, artifact_root=artifact_root(cluster))
        location = submit(cluster, workflow(pipeline, arguments, options, installation))
        return RunRef(options.run_id, options.target, location)

    def events(self, ref: RunRef, stop: Stop) -> Iterator[Event]:
        """Yield what happens; see `Engine.events`.

        A failed task's error and the end of its log are read from its pod, once; so are the points of curves
        while a task runs.
        """
        cluster, name = self._place(ref)
        watch = Watch(cluster, cluster.namespace, name, self._patience)
        story = Story(ref, cluster)
        try:
            for held in watch.follow(stop):
                yield from story.news(held) if isinstance(held, Mapping) else story.silence(held)
                if story.finished:
                    return
        finally:
            story.close()

    def logs(self, ref: RunRef, task: str, stop: Stop, *, follow: bool = False) -> Iterator[str]:
        """Yield the lines that a task printed; see `Engine.logs`.

        Later attempts begin with a line that says so. A pod that has been removed has taken its log with it.
        """
        cluster, name = self._place(ref)
        record = read_record(self._workflow(cluster, name))
        if task not in record.tasks.values():
            raise EngineError(
                f"The run {ref.run_id} has no task {task!r}.",
                remedy=f"It has: {', '.join(record.tasks.values())}.",
            )
        if task in record.taken:
            yield from self._logs_of_earlier(ref, record, task, stop)
            return
        number, outage = 0, Outage(self._patience.refusal) if follow else None
        while not stop.is_set():
            try:
                held = self._workflow(cluster, name)
                pods = attempt_pods(cluster, held, record, task)
            except ClusterError as error:
                if outage is None or not outage.passes(error):
                    raise
                stop.wait(_ASK_SECONDS)
                continue
            for pod in pods[number:]:
                number += 1
                if number > 1:
                    yield f"--- attempt {number} ---"
                lines = pod_lines(cluster, pod, stop, follow=follow and not pod.ended, outage=outage)
                yield from _shown(lines, pod, record.component(task))
            reading = read(held, record)
            now = reading.tasks.get(task)
            ended = reading.run.state.finished or (now is not None and now.now.state.finished)
            if ended or not follow:
                return
            stop.wait(_ASK_SECONDS)

    def _logs_of_earlier(self, ref: RunRef, record: Record, task: str, stop: Stop) -> Iterator[str]:
        """Yield what a task printed in the run that made the result that stands for it here."""
        run_id = record.taken[task].cached_from
        namespace = ref.location.partition("/")[0]
        location = f"{namespace}/{workflow_name(run_id, record.pipeline)}"
        try:
            yield from self.logs(RunRef(run_id, ref.target, location), task, stop)
        except RunGoneError:
            yield f"[kfp-jupyter] It ran in {run_id}, which is not in the cluster any more, nor is its log."

    def given(self, ref: RunRef, task: str) -> Json:  # noqa: ARG002
        """Return None: the run's state tells its parameters, `fetch` brings its artifacts."""
        return None

    def fetch(
        self, ref: RunRef, records: Sequence[ArtifactRecord], image: str, tell: Callable[[str], None]
    ) -> list[Path | EngineError]:
        """Return where each artifact is on this machine, or why it cannot be brought; see `Engine.fetch`."""
        cluster, name = self._place(ref)
        about = (cluster, self._installation, name, records)
        return fetch(*about, image=image, tell=tell, waiting=self._waiting)

    def resume(self, ref: RunRef) -> None:
        """Refuse: a Workflow that has ended stays ended; see `Engine.resume`."""
        raise EngineError(
            "A run on a cluster cannot be resumed.",
            where=f"run {ref.run_id}",
            remedy="`rerun` runs again, in a new run, what failed and what follows from it.",
        )

    def cancel(self, ref: RunRef) -> None:
        """Stop a run; see `Engine.cancel`.

        By `shutdown: Stop` rather than `Terminate`: both end every running step at once, but only with `Stop`
        do exit handlers still run, as KFP's exit tasks do when a run is terminated there.
        """
        cluster, name = self._place(ref)
        held = self._workflow(cluster, name)
        if read(held, read_record(held)).run.state.finished:
            return
        path = f"{_path(cluster)}/{name}"
        try:
            cluster.request("PATCH", path, body={"spec": {"shutdown": "Stop"}})
        except RequestError as error:
            if error.status != 404:
                raise
            raise RunGoneError(ref.location) from error

    def _connected(self) -> Cluster:
        with self._connecting:
            if self._cluster is None:
                self._cluster = connect(self._target)
            return self._cluster

    def _place(self, ref: RunRef) -> tuple[Cluster, str]:
        namespace, _, name = ref.location.partition("/")
        return self._connected().within(namespace), name

    def _workflow(self, cluster: Cluster, name: str) -> dict[str, Any]:
        try:
            return cluster.get(f"{_path(cluster)}/{name}")
        except RequestError as error:
            if error.status != 404:
                raise
            raise RunGoneError(f"{cluster.namespace}/{name}") from error


def _shown(lines: Iterator[str | None], pod: AttemptPod, component: Component | None) -> Iterator[str]:
    """Yield the lines of one attempt for people: markers hidden, places of tracebacks in the user's terms."""
    try:
        for line in lines:
            text = None if line is None else parse(line)[0]
            if text is not None:
                yield in_place(text, component)
    except PodGoneError:
        yield f"[kfp-jupyter] The pod {pod.name} is not in the cluster any more, and its log with it."


def _path(cluster: Cluster) -> str:
    return f"/apis/argoproj.io/v1alpha1/namespaces/{cluster.namespace}/workflows"
