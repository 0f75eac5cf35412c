"""Going on with a run that has ended."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from kfp_jupyter.engines.base import EngineError
from kfp_jupyter.engines.local.ending import RESUMED
from kfp_jupyter.model.pipeline import Retry, TaskSettings
from kfp_jupyter.model.run import State
from tests.engines.local.bench import component, eventually, gone, pipeline, single, task

# Notes each time that it runs; fails or waits as files say.
NOTE = """
def step(folder: str, me: str, number: int) -> int:
    with open(f"{folder}/{me}.ran", "a") as file:
        file.write("x")
    while os.path.exists(f"{folder}/{me}.wait"):
        time.sleep(0.01)
    if os.path.exists(f"{folder}/{me}.fail"):
        raise RuntimeError("not yet")
    return number + 1
"""


@pytest.fixture
def chain(tmp_path):
    """A chain of three tasks; and a function that says how often each ran."""
    note = component(NOTE, "step", {"folder": "str", "me": "str", "number": "int"}, {"Output": "int"})
    settings = TaskSettings(retry=Retry(1), caching=False)
    flow = pipeline(
        {"step": note},
        task("a", "step", folder=str(tmp_path), me="a", number=0, settings=settings),
        task("b", "step", folder=str(tmp_path), me="b", number=("a", "Output"), settings=settings),
        task("c", "step", folder=str(tmp_path), me="c", number=("b", "Output"), settings=settings),
    )

    def ran() -> dict[str, int]:
        return {file.stem: len(file.read_text()) for file in sorted(tmp_path.glob("*.ran"))}

    return flow, ran


def test_a_failed_run_goes_on_with_what_failed(bench, tmp_path, chain):
    flow, ran = chain
    (tmp_path / "b.fail").touch()
    run = bench.run(flow)
    assert run.state.state is State.FAILED
    assert ran() == {"a": 1, "b": 2}
    (tmp_path / "b.fail").unlink()
    before = list(run.events)
    bench.engine.resume(run.ref)
    state = run.wait()
    assert state.state is State.SUCCEEDED
    assert state.tasks["c"].outputs == {"Output": 3}
    assert ran() == {"a": 1, "b": 3, "c": 1}
    assert state.tasks["b"].attempt == 3
    # Told as one story, from the same reference.
    assert run.events[: len(before)] == before
    told = [event.reason for event in run.events if getattr(event, "reason", "") == RESUMED]
    assert told == [RESUMED]
    assert run.log("a") == []


def test_a_resumed_task_may_be_tried_as_often_as_ever(bench, tmp_path, chain):
    flow, ran = chain
    (tmp_path / "a.fail").touch()
    run = bench.run(flow)
    bench.engine.resume(run.ref)
    assert run.wait().state is State.FAILED
    assert ran() == {"a": 4}


def test_what_was_committed_but_not_told_does_not_run_again(bench, tmp_path, chain):
    flow, ran = chain
    (tmp_path / "b.wait").touch()
    run = bench.start(flow)
    assert eventually(lambda: ran().get("b"))
    supervisor = json.loads((run.folder / "supervisor.json").read_text())["pid"]
    # It cannot tell any more of what happens, until it is killed.
    os.kill(supervisor, signal.SIGSTOP)
    (tmp_path / "b.wait").unlink()
    assert eventually((run.folder / "tasks" / "b" / "1" / "output.json").exists)
    os.kill(supervisor, signal.SIGKILL)
    interrupted = run.wait()
    assert (interrupted.state, interrupted.reason) == (State.FAILED, "Interrupted")
    assert interrupted.tasks["b"].state is State.FAILED
    bench.engine.resume(run.ref)
    assert run.wait().state is State.SUCCEEDED
    assert ran() == {"a": 1, "b": 1, "c": 1}


def test_a_killed_run_goes_on_though_nobody_saw_its_end(bench, tmp_path, chain):
    flow, ran = chain
    (tmp_path / "b.wait").touch()
    run = bench.start(flow)
    assert eventually(lambda: ran().get("b"))
    supervisor = json.loads((run.folder / "supervisor.json").read_text())["pid"]
    os.kill(supervisor, signal.SIGKILL)
    assert eventually(lambda: gone(supervisor))
    with (run.folder / "journal.jsonl").open("a") as file:
        file.write('{"kind": "TaskCha')  # what a full disk leaves
    bench.engine.resume(run.ref)
    # Not before: the first attempt, which is killed soon after the supervisor, could still come to its end.
    assert eventually(lambda: ran()["b"] == 2)
    (tmp_path / "b.wait").unlink()
    state = run.wait()
    assert (state.state, state.tasks["c"].outputs) == (State.SUCCEEDED, {"Output": 3})
    assert ran() == {"a": 1, "b": 2, "c": 1}


def test_a_canceled_run_goes_on(bench, tmp_path, chain):
    flow, ran = chain
    (tmp_path / "b.wait").touch()
    run = bench.start(flow)
    assert eventually(lambda: ran().get("b"))
    bench.engine.cancel(run.ref)
    assert run.wait().state is State.CANCELED
    (tmp_path / "b.wait").unlink()
    bench.engine.resume(run.ref)
    assert run.wait().state is State.SUCCEEDED


def test_a_run_that_goes_on_or_has_succeeded_is_not_resumed(bench, tmp_path, chain):
    flow, _ = chain
    (tmp_path / "a.wait").touch()
    run = bench.start(flow)
    with pytest.raises(EngineError, match="It has not ended"):
        bench.engine.resume(run.ref)
    (tmp_path / "a.wait").unlink()
    assert run.wait().state is State.SUCCEEDED
    assert eventually(lambda: gone(json.loads((run.folder / "supervisor.json").read_text())["pid"]))
    with pytest.raises(EngineError, match="nothing left to do"):
        bench.engine.resume(run.ref)


def test_the_artifacts_of_what_had_succeeded_are_given_on(bench, tmp_path):
    make = component(
        "def make(out: Output[Dataset]):\n    open(out.path, 'w').write('rows')\n    out.metadata['n'] = 1\n",
        "make",
        outputs={"out": "Dataset"},
    )
    use = component(
        f"""
        def use(data: Input[Dataset]) -> str:
            assert os.path.exists({str(tmp_path / "go")!r})
            return open(data.path).read() + str(data.metadata)
        """,
        "use",
        {"data": "Dataset"},
        {"Output": "str"},
    )
    run = bench.run(pipeline({"make": make, "use": use}, task("make"), task("use", data=("make", "out"))))
    assert run.state.state is State.FAILED
    (tmp_path / "go").touch()
    bench.engine.resume(run.ref)
    assert run.wait().tasks["use"].outputs == {"Output": "rows{'n': 1}"}


def test_a_log_is_followed_over_the_end_that_was_taken_back(bench, tmp_path):
    run = bench.run(
        single(
            f"""
            def step():
                print("here")
                assert os.path.exists({str(tmp_path / "go")!r})
            """
        )
    )
    (tmp_path / "go").touch()
    bench.engine.resume(run.ref)
    assert run.log(follow=True).count("here") == 2
    assert Path(run.folder / "tasks" / "step" / "2").exists()
