from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from kfp_jupyter.engines.base import EngineError
from kfp_jupyter.model.run import (
    ArtifactRecord,
    IterationsAdded,
    RunChanged,
    State,
    Target,
    TaskChanged,
    TaskError,
)
from kfp_jupyter.run import ConnectionLostError, Run, RunFailedError
from kfp_jupyter.run.task import NoSuchNameError
from kfp_jupyter.workbench import Workbench
from tests.fake_engine import FakeEngine, until
from tests.pipelines import churn

MODEL = ArtifactRecord("system.Model", "s3://b/model", "/data/model", {"framework": "sklearn"})
METRICS = ArtifactRecord(
    "system.Metrics", "s3://b/metrics", "", {"auc": 0.9, "n": 3, "ok": True, "by": "ada"}
)
TRAINED = [
    TaskChanged(100.0, "train", State.RUNNING, attempt=2, inputs={"rows": 3, "lr": 0.1}),
    TaskChanged(
        102.5,
        "train",
        State.SUCCEEDED,
        outputs={"accuracy": 0.8},
        artifacts={"model": (MODEL,), "metrics": (METRICS,), "parts": (MODEL,)},
    ),
]


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def workbench(tmp_path, engine) -> Iterator[Workbench]:
    bench = Workbench(tmp_path, lambda target: engine)
    yield bench
    bench.close()


@pytest.fixture
def run(workbench) -> Run:
    return workbench.run(churn())


@pytest.fixture
def trained(run, engine) -> Run:
    engine.tell(run.id, *TRAINED)
    until(lambda: run.tasks["train"].state is State.SUCCEEDED)
    return run


def test_a_run_tells_what_it_is(run):
    assert run.id.startswith("churn-")
    assert run.arguments == {"lr": 0.1}
    assert run.target == Target("local")
    assert run.status.id == run.id
    until(lambda: repr(run) == f"<Run {run.id}: RUNNING, 0 of 3 tasks done, local>")


def test_tasks_are_found_by_kfps_name_and_by_pythons(run):
    assert list(run.tasks) == ["load", "train", "train-2"]
    assert run.tasks["train-2"].name == run.tasks["train_2"].name == "train-2"
    with pytest.raises(NoSuchNameError, match="The tasks are: load, train, train-2") as raised:
        run.tasks["train_3"]
    assert isinstance(raised.value, KeyError)
    assert run.tasks.get("nope") is None


def test_a_task_tells_its_state_times_and_values(trained):
    task = trained.tasks["train"]
    assert (task.state, task.attempt, task.cached, task.error) == ("SUCCEEDED", 2, False, None)
    assert (task.started_at, task.finished_at, task.duration) == (100.0, 102.5, 2.5)
    assert dict(task.inputs) == {"rows": 3, "lr": 0.1}
    assert task.outputs["accuracy"] == 0.8
    assert repr(task) == "<Task train: SUCCEEDED in 2.5 s>"
    assert trained.tasks["load"].duration is None


def test_an_artifact_tells_where_it_is_and_a_list_output_is_a_tuple(trained):
    artifacts = trained.tasks["train"].artifacts
    assert (artifacts["model"].path, artifacts["model"].uri) == ("/data/model", "s3://b/model")
    assert artifacts["model"].metadata["framework"] == "sklearn"
    assert artifacts["parts"] == (artifacts["model"],)


def test_an_unknown_output_names_those_there_are(trained):
    task = trained.tasks["train"]
    with pytest.raises(NoSuchNameError, match=r"task train: .*The outputs are: accuracy"):
        task.outputs["acuracy"]
    with pytest.raises(NoSuchNameError, match=r"\.artifacts\['model'\]"):
        task.outputs["model"]
    with pytest.raises(NoSuchNameError, match=r"\.outputs\['accuracy'\]"):
        task.artifacts["accuracy"]


def test_metrics_are_the_numbers_of_the_metrics_artifacts(trained):
    assert trained.metrics == {"train": {"auc": 0.9, "n": 3}}
    assert trained.tasks["train"].metrics == {"auc": 0.9, "n": 3}


def test_the_pipelines_outputs_are_those_of_its_tasks(run, trained):
    model = trained.tasks["train"].artifacts["model"]
    assert trained.outputs == {"accuracy": 0.8, "model": model, "lr": 0.1, "kind": "tree"}


def test_outputs_of_tasks_that_have_not_ended_are_left_out(run):
    assert run.outputs == {"lr": 0.1, "kind": "tree"}


def test_waiting_ends_with_the_run(run, engine):
    engine.succeed(run.id)
    assert run.wait() is run
    assert run.state is State.SUCCEEDED


def test_waiting_with_a_limit_returns_the_run_as_it_is(run):
    assert run.wait(0.01).state in (State.PENDING, State.RUNNING)


def test_a_failed_run_raises_only_if_asked_to(run, engine):
    error = TaskError("ValueError", "no rows", "Cell In[3]", 4, "Traceback …")
    engine.tell(
        run.id,
        TaskChanged(9.0, "train", State.FAILED, attempt=1, error=error),
        RunChanged(9.5, State.FAILED, "TaskFailed"),
    )
    assert run.wait(300).state == "FAILED"
    with pytest.raises(RunFailedError) as raised:
        run.wait(300, raise_on_failure=True)
    assert raised.value.where == f"run {run.id}, task train, Cell In[3], line 4"
    assert raised.value.what == "ValueError: no rows."
    assert run.tasks["train"].error == error


def test_a_task_of_a_loop_has_a_name_that_people_read_and_finds_it(workbench, engine):
    from kfp_jupyter import dsl

    @dsl.component
    def fit(rate: float):
        pass

    @dsl.pipeline
    def looped():
        with dsl.ParallelFor([0.1, 0.3]) as rate:
            fit(rate=rate)

    run = workbench.run(looped.model)
    paths = [f"for-loop-2[{index}]/fit" for index in range(2)]
    error = TaskError("ValueError", "too high", "Cell In[3]", 4, "Traceback …")
    engine.tell(
        run.id,
        IterationsAdded(2.0, "for-loop-2", 2, ("fit",)),
        TaskChanged(3.0, paths[0], State.SUCCEEDED, attempt=1, inputs={"rate": 0.1}),
        TaskChanged(4.0, paths[1], State.FAILED, attempt=1, inputs={"rate": 0.3}, error=error),
        RunChanged(5.0, State.FAILED, "TaskFailed"),
    )
    run.wait(10)
    engine.printed = {(run.id, path): ["epoch 1"] for path in paths}
    assert [run.task_names()[path] for path in paths] == ["fit #0 · rate 0.1", "fit #1 · rate 0.3"]
    assert run.logs() == "[fit #0 · rate 0.1] epoch 1\n[fit #1 · rate 0.3] epoch 1\n"
    for name in (paths[1], "fit #1", "fit #1 · rate 0.3"):
        assert run.tasks[name].name == paths[1]
    with pytest.raises(NoSuchNameError, match="The tasks are"):
        run.tasks["fit #2"]
    failure = run.failure()
    assert failure.where == f"run {run.id}, task fit #1 · rate 0.3, Cell In[3], line 4"
    # Commands take the path.
    assert f"`%kfp logs {run.id} {paths[1]}`" in failure.remedy


def test_a_canceled_run_ends(run, engine):
    run.cancel()
    with pytest.raises(RunFailedError, match="The run was canceled"):
        run.wait(300, raise_on_failure=True)
    told = len(engine.told[run.id])
    run.cancel()
    assert len(engine.told[run.id]) == told, "canceling what has ended does nothing"


def test_waiting_for_a_run_that_cannot_be_followed_says_so_and_can_be_repeated(run, engine):
    engine.break_down(EngineError("No route to host."))
    with pytest.raises(ConnectionLostError, match="No route to host"):
        run.wait(300)
    engine.break_down(None)
    engine.succeed(run.id)
    assert run.wait(300).state == "SUCCEEDED"


def test_the_states_of_a_run_can_be_watched_to_the_end(run, engine):
    seen = []
    for state in run.states(0.01):
        if not seen:
            engine.succeed(run.id)
        seen.append(state.state)
    assert seen[0] in (State.PENDING, State.RUNNING)
    assert seen[-1] is State.SUCCEEDED
    assert seen.count(State.SUCCEEDED) == 1


def test_watching_a_run_that_cannot_be_followed_says_so(run, engine):
    engine.break_down(EngineError("No route to host."))
    with pytest.raises(ConnectionLostError, match="No route to host"):
        list(run.states(0.01))


def test_an_interrupt_ends_the_waiting_and_not_the_run(run, engine, monkeypatch):
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run._store._changed, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt, match=f"run {run.id} goes on") as caught:
        run.wait()
    # What a notebook shows: that, and no line of ours.
    assert len(caught.value._render_traceback_()) == 1
    monkeypatch.undo()
    engine.succeed(run.id)
    assert run.wait(300).state == "SUCCEEDED"


def test_logs_hide_what_the_executor_says_to_the_engine(trained, engine):
    engine.printed[trained.id, "train"] = ["epoch 1", '::kfp-jupyter:: {"metric": {}}', "epoch 2"]
    assert trained.tasks["train"].logs() == "epoch 1\nepoch 2\n"
    assert trained.logs("train") == "epoch 1\nepoch 2\n"
    assert trained.logs() == "[train] epoch 1\n[train] epoch 2\n"


def test_a_log_that_is_gone_is_the_end_that_was_kept_or_an_error(run, engine):
    engine.tell(run.id, TaskChanged(9.0, "load", State.SUCCEEDED, attempt=1, log_tail=("the end",)))
    until(lambda: run.tasks["load"].state.finished)
    assert run.logs("load") == "the end\n"
    with pytest.raises(EngineError, match="no log of task train-2"):
        run.logs("train_2")


def test_two_handles_of_a_run_say_the_same(run, workbench, engine):
    other = workbench.get(run.id)
    waiting = threading.Thread(target=other.wait, args=(60,))
    waiting.start()
    engine.succeed(run.id)
    run.wait(300)
    waiting.join(60)
    assert other.status is run.status
    assert time.time() - other.status.finished_at < 60
