"""Whole runs over real HTTP, with the real client, in a test cluster whose steps really run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event as Stop

import pytest

from kfp_jupyter.engines.argo import ArgoEngine
from kfp_jupyter.engines.argo.errors import ManifestError, RunGoneError
from kfp_jupyter.engines.base import LocalOptions, RunOptions
from kfp_jupyter.model.pipeline import Retry, TaskOutput, TaskSettings
from kfp_jupyter.model.run import MetricLogged, RunChanged, RunCreated, State, TaskChanged
from kfp_jupyter.model.types import ParameterType
from tests.cluster import TestCluster
from tests.engines.argo.conftest import IMPATIENT, TARGET, Followed
from tests.engines.argo.pipelines import (
    INT,
    METRICS,
    TEXT,
    component,
    pipeline,
    task,
    training,
)
from tests.engines.argo.test_manifest import container

Start = Callable[..., Followed]


def test_a_training_runs_with_values_artifacts_and_metrics(start: Start, cluster: TestCluster) -> None:
    run = start(training(), {"rows": 10, "rate": 0.25})
    state = run.join()
    assert state.state is State.SUCCEEDED
    assert {task: held.state.value for task, held in state.tasks.items()} == dict.fromkeys(
        state.tasks, "SUCCEEDED"
    )
    load, evaluate = state.tasks["load"], state.tasks["evaluate"]
    assert load.inputs == {"rows": 10}
    assert load.outputs == {"rows": 10, "title": "it's {{title}} & 'quotes' é😀"}
    assert load.artifacts["data"][0].metadata == {"columns": ["x", "even"]}
    assert load.artifacts["data"][0].type == "system.Dataset"
    assert evaluate.outputs == {"Output": 2.5}
    metrics = evaluate.artifacts["metrics"][0]
    assert (metrics.type, metrics.metadata["accuracy"]) == ("system.Metrics", 2.5)
    assert evaluate.curves["loss"] == ((0, 1.0), (1, 0.5), (2, pytest.approx(1 / 3)))
    model = cluster.folder / "repository" / state.tasks["train-2"].artifacts["model"][0].uri
    assert model.read_text() == "10 0.5 {'a': {'b': ['{{x}}', \"it's\"]}} {{workflow.name}}"


def test_events_begin_with_the_creation_and_end_with_the_end(start: Start) -> None:
    run = start(training(), {"rows": 3, "rate": 0.5})
    run.join()
    first, last = run.events[0], run.events[-1]
    assert isinstance(first, RunCreated)
    assert (first.run_id, first.pipeline, first.arguments) == (
        "run-0",
        "small-training",
        {"rows": 3, "rate": 0.5},
    )
    assert first.tasks == ("load", "train", "train-2", "evaluate", "evaluate-2")
    assert isinstance(last, RunChanged)
    assert last.state is State.SUCCEEDED
    for name in first.tasks:
        told = [held.state for held in run.events if isinstance(held, TaskChanged) and held.task == name]
        assert told[-2:] == [State.RUNNING, State.SUCCEEDED]


def test_a_run_that_has_ended_is_read_again_from_the_cluster_alone(start: Start) -> None:
    run = start(training(), {"rows": 3, "rate": 0.5})
    state = run.join()
    again = Followed(run.ref, ArgoEngine(TARGET)).start().join()
    assert replace(again, version=0) == replace(state, version=0)
    assert any(isinstance(held, MetricLogged) for held in run.events)


FAIL = component(
    "fail",
    """
    def check(rows):
        raise ValueError(f"no rows in {rows!r}")

    def fail(rows: list) -> int:
        print("about to fail")
        check(rows)
    """,
    {"rows": ParameterType.LIST},
    {"Output": INT},
    cell="Cell In[7]",
    first_line=3,
)
USE = component("use", "def use(number: int): ...\n", {"number": INT})
OTHER = component("other", "def other():\n    print('done')\n")


def test_a_failure_names_the_cell_skips_what_needs_it_and_nothing_else(start: Start) -> None:
    given = pipeline(
        "failing",
        (FAIL, USE, OTHER),
        (
            task("fail", rows=[]),
            task("use", number=TaskOutput("fail", "Output")),
            task("other"),
            task("last", "other", after=("use",)),
        ),
    )
    state = start(given).join()
    fail = state.tasks["fail"]
    assert (state.state, state.message) == (State.FAILED, "Failed: fail.")
    assert fail.state is State.FAILED
    assert fail.error is not None
    assert (fail.error.type, fail.error.message) == ("ValueError", "no rows in []")
    assert (fail.error.file, fail.error.line) == ("Cell In[7]", 4)
    assert 'File "Cell In[7]", line 8, in fail' in fail.error.traceback
    assert fail.log_tail[0] == "about to fail"
    assert fail.log_tail[-1] == "ValueError: no rows in []"
    assert not any("::kfp-jupyter::" in line for line in fail.log_tail)
    for name in ("use", "last"):
        assert (state.tasks[name].state, state.tasks[name].reason) == (State.SKIPPED, "UpstreamFailed")
    assert state.tasks["other"].state is State.SUCCEEDED


def test_a_failed_attempt_is_tried_again(start: Start, engine: ArgoEngine, tmp_path: Path) -> None:
    flaky = component(
        "flaky",
        """
        def flaky(folder: str) -> int:
            import os
            made = len(os.listdir(folder))
            open(os.path.join(folder, str(made)), "w").close()
            print("attempt", made + 1)
            if made < 2:
                raise RuntimeError("not yet")
            return made
        """,
        {"folder": TEXT},
        {"Output": INT},
    )
    settings = TaskSettings(retry=Retry(3, 0.1, 1))
    run = start(
        pipeline(
            "p",
            (flaky, USE),
            (
                task("flaky", settings=settings, folder=str(tmp_path)),
                task("use", number=TaskOutput("flaky", "Output")),
            ),
        )
    )
    state = run.join()
    assert state.state is State.SUCCEEDED
    assert (state.tasks["flaky"].attempt, state.tasks["flaky"].outputs) == (3, {"Output": 2})
    begun = [
        held.attempt
        for held in run.events
        if isinstance(held, TaskChanged) and held.task == "flaky" and held.state is State.RUNNING
    ]
    assert list(dict.fromkeys(begun)) == [1, 2, 3]
    lines = list(engine.logs(run.ref, "flaky", Stop()))
    assert lines[0] == "attempt 1"
    assert [line for line in lines if line.startswith(("attempt", "---"))] == [
        "attempt 1", "--- attempt 2 ---", "attempt 2", "--- attempt 3 ---", "attempt 3",
    ]  # fmt: skip


def test_when_no_retries_are_left_the_last_attempts_error_is_told(start: Start) -> None:
    state = start(
        pipeline("p", (FAIL,), (task("fail", settings=TaskSettings(retry=Retry(1)), rows=[1]),))
    ).join()
    fail = state.tasks["fail"]
    assert (fail.state, fail.attempt) == (State.FAILED, 2)
    assert fail.error is not None
    assert fail.error.message == "no rows in [1]"


WAIT = component(
    "wait",
    """
    def wait(flag: str):
        import os, time
        print("waiting", flush=True)
        while not os.path.exists(flag):
            time.sleep(0.02)
        print("waited")
    """,
    {"flag": TEXT},
)


def test_cancel_ends_what_runs_and_starts_nothing_more(
    start: Start, engine: ArgoEngine, cluster: TestCluster, tmp_path: Path
) -> None:
    run = start(
        pipeline(
            "p", (WAIT, OTHER), (task("wait", flag=str(tmp_path / "never")), task("other", after=("wait",)))
        )
    )
    cluster.wait(lambda: run.task_state("wait") == "RUNNING")
    engine.cancel(run.ref)
    state = run.join()
    assert state.state is State.CANCELED
    assert {held.state for held in state.tasks.values()} == {State.CANCELED}
    assert State.FAILED not in {held.state for held in run.events if isinstance(held, TaskChanged)}
    assert cluster.workflow("run-0")["spec"]["shutdown"] == "Stop"
    told = [held.state for held in run.events if isinstance(held, RunChanged)]
    assert told[-1] is State.CANCELED
    pods = cluster.controller.pods.values()
    cluster.wait(lambda: all(pod.phase in ("Succeeded", "Failed") for pod in pods))


def test_cancel_of_an_ended_run_does_nothing(start: Start, engine: ArgoEngine, cluster: TestCluster) -> None:
    run = start(pipeline("p", (OTHER,), (task("other"),)))
    run.join()
    engine.cancel(run.ref)
    assert "shutdown" not in cluster.workflow("run-0")["spec"]
    cluster.store.delete("workflows", cluster.namespace, "run-0")
    with pytest.raises(RunGoneError, match="team-a/run-0"):
        engine.cancel(run.ref)


def test_a_timeout_fails_the_attempt_with_its_reason(start: Start) -> None:
    never = task("wait", settings=TaskSettings(timeout_seconds=1), flag="/nowhere/never")
    state = start(pipeline("p", (WAIT,), (never,))).join()
    assert (state.tasks["wait"].state, state.tasks["wait"].reason) == (State.FAILED, "Timeout")
    assert state.tasks["wait"].error is not None
    assert state.tasks["wait"].error.type == "Timeout"


def test_a_pending_pod_shows_the_clusters_own_reason(start: Start, cluster: TestCluster) -> None:
    cluster.faults.pending["other"] = "Unschedulable: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
    run = start(pipeline("p", (OTHER,), (task("other"),)))
    held = cluster.wait(lambda: run.state and run.state.tasks["other"].reason and run.state.tasks["other"])
    assert (held.state, held.reason) == (State.PENDING, "Unschedulable")
    assert held.message == "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
    cluster.faults.pending.clear()
    assert run.join().tasks["other"].reason == ""


def test_a_workflow_that_nobody_picks_up_says_so(
    start: Start, cluster: TestCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kfp_jupyter.engines.argo.story.PICKED_UP_SECONDS", 0.1)
    cluster.faults.controller_stopped = True
    run = start(pipeline("p", (OTHER,), (task("other"),)))
    cluster.wait(lambda: run.state and "No Argo controller" in run.state.message)
    assert run.state is not None
    assert run.state.state is State.PENDING
    cluster.faults.controller_stopped = False
    state = run.join()
    assert (state.state, state.message) == (State.SUCCEEDED, "")


@pytest.mark.parametrize("packing", ["gzip", "offloaded"])
def test_a_large_runs_nodes_are_unpacked_or_said_to_be_out_of_reach(
    start: Start, engine: ArgoEngine, cluster: TestCluster, packing: str
) -> None:
    cluster.faults.packing = packing
    run = start(pipeline("p", (OTHER,), (task("other"),)))
    state = run.join()
    assert state.state is State.SUCCEEDED
    assert list(engine.logs(run.ref, "other", Stop())) == ["done"]
    if packing == "gzip":
        assert state.tasks["other"].state is State.SUCCEEDED
    else:
        assert "database" in state.message


def test_a_container_takes_and_gives_bare_texts(start: Start) -> None:
    state = start(container(), {"text": 'say "it\'s"'}).join()
    assert state.state is State.SUCCEEDED, state
    assert state.tasks["copy"].outputs == {"said": 'say "it\'s"', "number": 3}
    assert state.tasks["copy"].artifacts["made"][0].type == "system.Artifact"
    assert state.tasks["read"].outputs == {"Output": 'say "it\'s"|4|rows'}


def test_what_a_container_writes_reaches_a_python_step_as_it_is(start: Start) -> None:
    text = "'''quoted''' it's { {x}} \x7f \u2028 \\u0027 <&>"
    state = start(container(), {"text": text}).join()
    assert state.state is State.SUCCEEDED, state
    assert state.tasks["read"].outputs == {"Output": f"{text}|4|rows"}


def test_points_of_a_curve_come_while_the_task_runs(
    start: Start, cluster: TestCluster, tmp_path: Path
) -> None:
    train = component(
        "train",
        """
        def train(metrics: Output[Metrics], flag: str):
            import os, time
            for step in range(5):
                metrics.log_metric("loss", 1 / (step + 1), step=step)
            while not os.path.exists(flag):
                time.sleep(0.02)
        """,
        {"flag": TEXT},
        {"metrics": METRICS},
    )
    run = start(pipeline("p", (train,), (task("train", flag=str(tmp_path / "flag")),)))
    cluster.wait(lambda: run.state and len(run.state.tasks["train"].curves.get("loss", ())) == 5)
    assert run.task_state("train") == "RUNNING"
    (tmp_path / "flag").touch()
    assert run.join().tasks["train"].curves["loss"][4] == (4, 0.2)


def test_a_task_is_told_to_run_before_argo_writes_it_and_its_curve_begins(
    start: Start, cluster: TestCluster, tmp_path: Path
) -> None:
    train = component(
        "train",
        """
        def train(metrics: Output[Metrics], flag: str):
            import os, time
            metrics.log_metric("loss", 1, step=0)
            while not os.path.exists(flag):
                time.sleep(0.02)
        """,
        {"flag": TEXT},
        {"metrics": METRICS},
    )
    cluster.faults.requeue_seconds = 600
    run = start(pipeline("p", (train,), (task("train", flag=str(tmp_path / "flag")),)))
    cluster.wait(lambda: run.task_state("train") == "RUNNING")
    (node,) = (
        held for held in cluster.workflow("run-0")["status"]["nodes"].values() if held["type"] == "Pod"
    )
    assert node["phase"] == "Pending"
    cluster.wait(lambda: run.state and run.state.tasks["train"].curves.get("loss"))
    (tmp_path / "flag").touch()
    cluster.faults.requeue_seconds = 0
    assert run.join().tasks["train"].state is State.SUCCEEDED


def test_whoever_may_not_list_pods_is_told_what_argo_writes(start: Start, cluster: TestCluster) -> None:
    cluster.faults.forbidden.add(("list", "pods"))
    cluster.faults.requeue_seconds = 1.5
    state = start(pipeline("p", (OTHER,), (task("other"),))).join()
    assert any("/pods?labelSelector" in line for line in cluster.server.requests)
    assert state.tasks["other"].state is State.SUCCEEDED


TAKE = component("take", "def take(text: str): ...\n", {"text": TEXT})
GIVE = component(
    "give", 'def give(length: int) -> str:\n    return "<" * length\n', {"length": INT}, {"Output": TEXT}
)


def test_what_a_pod_cannot_carry_is_refused_or_explained(start: Start) -> None:
    fits = start(pipeline("p", (TAKE,), (task("take", text="x" * 40_000),))).join()
    assert fits.state is State.SUCCEEDED
    with pytest.raises(ManifestError, match="in its pod"):
        start(pipeline("p", (TAKE,), (task("take", text="x" * 60_000),)))
    given = (task("give", length=60_000), task("take", text=TaskOutput("give", "Output")))
    take = start(pipeline("p", (GIVE, TAKE), given)).join().tasks["take"]
    assert (take.state, take.reason) == (State.FAILED, "TooLarge")


def test_notices_say_that_nothing_is_cached(engine: ArgoEngine) -> None:
    given = pipeline("p", (OTHER,), (task("other"),))
    assert "cached" in engine.notices(given, RunOptions("r", TARGET))[0]
    assert engine.notices(given, RunOptions("r", TARGET, caching=False)) == ()


def test_notices_say_what_is_chosen_for_this_machine_only(engine: ArgoEngine) -> None:
    given = pipeline("p", (OTHER,), (task("other"),))
    options = RunOptions("r", TARGET, caching=False, local=LocalOptions(containers="host"))
    (said,) = engine.notices(given, options)
    assert "on Argo every task runs in its image" in said


def test_following_ends_when_asked_to_though_nothing_happens(start: Start, cluster: TestCluster) -> None:
    cluster.faults.controller_stopped = True
    run = start(pipeline("p", (OTHER,), (task("other"),)))
    cluster.wait(lambda: run.state)
    run.stop.set()
    assert run.join(60).state is State.PENDING


def test_an_engine_for_another_namespace_posts_there(cluster: TestCluster) -> None:
    target = replace(TARGET, namespace="default")
    engine = ArgoEngine(target, patience=IMPATIENT)
    ref = engine.submit(pipeline("p", (OTHER,), (task("other"),)), {}, RunOptions("here", target))
    assert ref.location == "default/here"
    assert Followed(ref, engine).start().join().state is State.SUCCEEDED
