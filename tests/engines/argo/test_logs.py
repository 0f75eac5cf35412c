"""What tasks printed, from their pods: live, across lost connections, and after the pod is gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event as Stop
from threading import Thread

import pytest

from kfp_jupyter.engines.argo import ArgoEngine
from kfp_jupyter.engines.base import EngineError
from kfp_jupyter.model.run import State
from tests.cluster import TestCluster
from tests.engines.argo.conftest import Followed
from tests.engines.argo.pipelines import TEXT, component, pipeline, task

Start = Callable[..., Followed]

OTHER = component("other", "def other():\n    print('done')\n")


def test_logs_of_an_unknown_task_name_the_known_ones(start: Start, engine: ArgoEngine) -> None:
    run = start(pipeline("p", (OTHER,), (task("other"),)))
    with pytest.raises(EngineError, match="It has: other"):
        list(engine.logs(run.ref, "nothing", Stop()))
    run.join()


def test_a_following_log_comes_while_the_task_runs_and_survives_lost_connections(
    start: Start, engine: ArgoEngine, cluster: TestCluster, tmp_path: Path
) -> None:
    flags = [tmp_path / "1", tmp_path / "2"]
    talk = component(
        "talk",
        """
        def talk(folder: str):
            import os, time
            for number in (1, 2):
                for line in range(20):
                    print(number, line, flush=True)
                while not os.path.exists(f"{folder}/{number}"):
                    time.sleep(0.02)
            print("end")
        """,
        {"folder": TEXT},
    )
    run = start(pipeline("p", (talk,), (task("talk", folder=str(tmp_path)),)))
    lines = engine.logs(run.ref, "talk", Stop(), follow=True)
    got = [next(lines) for _ in range(20)]
    assert got == [f"1 {line}" for line in range(20)]
    cluster.server.drop_connections()
    flags[0].touch()
    got = [next(lines) for _ in range(20)]
    assert got == [f"2 {line}" for line in range(20)]
    cluster.go_down()
    cluster.come_back()
    flags[1].touch()
    assert list(lines) == ["end"]
    assert run.join().state is State.SUCCEEDED


def test_following_a_log_outlasts_an_outage_before_the_pod_runs_and_while_it_does(
    start: Start, engine: ArgoEngine, cluster: TestCluster, tmp_path: Path
) -> None:
    wait = component(
        "wait",
        """
        def wait(flag: str):
            import os, time
            print("begun", flush=True)
            while not os.path.exists(flag):
                time.sleep(0.02)
        """,
        {"flag": TEXT},
    )
    cluster.faults.controller_stopped = True
    run = start(pipeline("p", (wait,), (task("wait", flag=str(tmp_path / "flag")),)))
    got: list[str] = []
    thread = Thread(target=lambda: got.extend(engine.logs(run.ref, "wait", Stop(), follow=True)), daemon=True)
    thread.start()
    cluster.wait(lambda: any("/workflows/run-0" in line for line in cluster.server.requests))
    refused = {("get", "workflows"), ("watch", "workflows"), ("get", "pods/log"), ("get", "pods")}
    for _ in range(2):
        cluster.go_down()
        cluster.wait(lambda: run.state)
        cluster.faults.forbidden |= refused
        cluster.server.requests.clear()
        cluster.come_back()
        cluster.wait(lambda: len(cluster.server.requests) > 3)
        cluster.faults.forbidden.clear()
        cluster.faults.controller_stopped = False
        cluster.wait(lambda: any("/log?" in line for line in cluster.server.requests))
    (tmp_path / "flag").touch()
    thread.join(60)
    assert not thread.is_alive()
    assert got == ["begun"]
    assert run.join().state is State.SUCCEEDED


def test_the_log_of_a_removed_pod_is_said_to_be_gone(
    start: Start, engine: ArgoEngine, cluster: TestCluster
) -> None:
    run = start(pipeline("p", (OTHER,), (task("other"),)))
    run.join()
    (pod,) = cluster.store.list("pods")
    cluster.store.delete("pods", cluster.namespace, pod["metadata"]["name"])
    (line,) = engine.logs(run.ref, "other", Stop())
    assert line.startswith(f"[kfp-jupyter] The pod {pod['metadata']['name']} is not in the cluster any more")
