"""Cancelling, killing, and what is left of processes."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from kfp_jupyter.engines.local.lock import is_held
from kfp_jupyter.engines.local.process import started_at
from kfp_jupyter.model.pipeline import Retry, TaskSettings
from kfp_jupyter.model.run import State
from tests.engines.local.bench import Bench, component, eventually, gone, pipeline, single, task

# Starts a child of its own, tells both ids, and goes on for ever.
FAMILY = """
def step():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print("family", os.getpid(), child.pid, flush=True)
    time.sleep(600)
"""


def family(run) -> list[int]:
    """Return the process ids that the step told, once it has."""
    told: list[int] = []

    def has_told() -> bool:
        lines = [line for line in run.log() if line.startswith("family ")]
        told[:] = [int(word) for word in lines[0].split()[1:]] if lines else []
        return bool(told)

    assert eventually(has_told), run.log()
    return told


def supervisor(run) -> int:
    """Return the supervisor's process id, once it has told it."""
    file = run.folder / "supervisor.json"
    assert eventually(file.exists)
    return json.loads(file.read_text())["pid"]


def test_cancel_ends_the_step_and_its_children(bench):
    nothing = component("def nothing(): pass\n", "nothing")
    flow = pipeline(
        {"step": component(FAMILY), "nothing": nothing},
        task("step"),
        task("later", "nothing", after=("step",)),
        task("done", "nothing"),
    )
    run = bench.start(flow)
    pids = family(run)
    run.until(lambda state: state.tasks["done"].state is State.SUCCEEDED)
    bench.engine.cancel(run.ref)
    state = run.wait()
    assert state.state is State.CANCELED
    states = {name: held.state for name, held in state.tasks.items()}
    assert states == {"step": State.CANCELED, "later": State.CANCELED, "done": State.SUCCEEDED}
    assert eventually(lambda: all(gone(pid) for pid in pids))
    told = [getattr(event, "state", None) for event in run.events]
    assert told.index(State.CANCELING) < told.index(State.CANCELED)
    # Once more does nothing.
    bench.engine.cancel(run.ref)
    assert run.wait() == state


def test_a_step_that_will_not_end_is_killed(bench):
    stubborn = FAMILY.replace("def step():", "def step():\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    run = bench.start(single(stubborn))
    pids = family(run)
    bench.engine.cancel(run.ref)
    assert run.wait().tasks["step"].state is State.CANCELED
    assert eventually(lambda: all(gone(pid) for pid in pids))


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_a_child_that_left_the_group_is_ended_too(bench):
    escaped = FAMILY.replace('600)"]', '600)"], start_new_session=True')
    run = bench.start(single(escaped))
    pids = family(run)
    bench.engine.cancel(run.ref)
    run.wait()
    assert eventually(lambda: all(gone(pid) for pid in pids))


def test_a_run_can_be_canceled_before_its_supervisor_is_up(bench):
    run = bench.start(single("def step(): time.sleep(600)\n"))
    bench.engine.cancel(run.ref)
    assert run.wait().state is State.CANCELED


def test_a_wait_for_the_next_attempt_can_be_canceled(bench):
    settings = TaskSettings(retry=Retry(3, backoff_seconds=600), caching=False)
    run = bench.start(single("def step(): raise OSError\n", settings))
    run.until(lambda state: state.tasks["step"].reason == "Retrying")
    bench.engine.cancel(run.ref)
    assert run.wait().tasks["step"].state is State.CANCELED


def test_a_killed_supervisor_is_noticed_and_takes_its_workers_along(bench):
    nothing = component("def nothing(): pass\n", "nothing")
    flow = pipeline(
        {"step": component(FAMILY), "nothing": nothing},
        task("step"),
        task("later", "nothing", after=("step",)),
    )
    run = bench.start(flow)
    pids = family(run)
    os.kill(supervisor(run), signal.SIGKILL)
    state = run.wait()
    assert (state.state, state.reason) == (State.FAILED, "Interrupted")
    assert "killed, or the machine was restarted" in state.message
    assert (state.tasks["step"].state, state.tasks["step"].reason) == (State.FAILED, "Interrupted")
    assert state.tasks["later"].state is State.SKIPPED
    assert eventually(lambda: all(gone(pid) for pid in pids))
    # Whoever asks later is told the same.
    assert run.wait() == state
    bench.engine.cancel(run.ref)


def test_a_supervisor_that_fails_says_why(bench):
    run = bench.start(single("def step(): time.sleep(600)\n"))
    os.kill(supervisor(run), signal.SIGKILL)
    (run.folder / "supervisor.log").write_text("Traceback ...\nOSError: no space left\n")
    assert run.wait().message.startswith("The run's supervisor failed: OSError: no space left")


def test_what_a_step_leaves_running_does_not_hold_the_run_up(bench):
    leaves = FAMILY.replace("    time.sleep(600)\n", "")
    run = bench.start(single(leaves))
    pids = family(run)
    assert run.wait().state is State.SUCCEEDED
    assert eventually(lambda: all(gone(pid) for pid in pids))


def test_a_run_is_found_again_by_its_reference_alone(bench):
    run = bench.start(
        single("def step() -> int:\n    print('hello')\n    return 1\n", outputs={"Output": "int"})
    )
    again = Bench()
    found = type(run)(again.engine, again.ref(run.folder))
    assert found.wait().tasks["step"].outputs == {"Output": 1}
    assert found.log() == ["hello"]


def test_the_supervisor_ends_with_its_run_and_drops_the_lock(bench):
    run = bench.start(single("def step(): pass\n"))
    pid = supervisor(run)
    run.wait()
    assert eventually(lambda: gone(pid))
    assert eventually(lambda: not is_held(run.folder / "lock"))
    assert (run.folder / "supervisor.log").read_text() == ""


def test_a_process_id_used_again_is_not_the_process(bench):
    assert started_at(os.getpid())
    assert started_at(os.getpid()) == started_at(os.getpid())
    # The machine's first process is older than this one by more than a clock tick.
    assert started_at(os.getpid()) != started_at(1)
    run = bench.start(single("def step(): time.sleep(600)\n"))
    file = run.folder / "supervisor.json"
    pid = supervisor(run)
    told = file.read_text()
    file.write_text(json.dumps({"pid": pid, "started_at": "another time"}))
    bench.engine.cancel(run.ref)
    assert not gone(pid)
    file.write_text(told)
    bench.engine.cancel(run.ref)
    assert run.wait().state is State.CANCELED
