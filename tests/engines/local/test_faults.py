"""Any of a run's processes may be killed at any moment, and nothing is lost.

Each case runs 30 tasks, kills one random process of the run at a random moment, and resumes if need be.
`KFP_JUPYTER_FAULTS` says how many cases there are, from `KFP_JUPYTER_FAULTS_FROM` on.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from kfp_jupyter.engines.local.fork_server import RUN_VARIABLE
from kfp_jupyter.engines.local.lock import is_held
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import Event, RunChanged, RunState, State
from tests.engines.local.bench import Bench, Run, component, eventually, gone, pipeline, task

FIRST = int(os.environ.get("KFP_JUPYTER_FAULTS_FROM", "0"))
CASES = range(FIRST, FIRST + int(os.environ.get("KFP_JUPYTER_FAULTS", "12")))
WIDTH, DEPTH = 5, 6
EVENTS = 2 + 2 * WIDTH * DEPTH
"""About how many events a run has; a moment is told by how many have happened, and a little more time."""

LITTLE_SECONDS = 0.03

STEP = """
def step(number: int, other: int, out: Output[Dataset]) -> int:
    own = os.path.dirname(os.environ["KFP_JUPYTER_RUN"].rstrip("/"))
    for attempt in os.listdir(own):
        if os.path.exists(os.path.join(own, attempt, "output.json")):
            open(os.path.join(own, "again"), "a").write("ran though it was committed")
    with open(out.path, "w") as file:
        file.write(str(number))
    time.sleep(number % 3 / 100)
    print("number", number)
    return number + other
"""

needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")


def layers() -> Pipeline:
    """Return tasks in layers, each of which waits for two of the layer before."""
    step = component(STEP, "step", {"number": "int", "other": "int"}, {"Output": "int", "out": "Dataset"})
    tasks = [task(f"t0-{column}", "step", number=column, other=1) for column in range(WIDTH)]
    for row in range(1, DEPTH):
        for column in range(WIDTH):
            one, other = (f"t{row - 1}-{near % WIDTH}" for near in (column, column + 1))
            tasks.append(task(f"t{row}-{column}", "step", number=(one, "Output"), other=(other, "Output")))
    return pipeline({"step": step}, *tasks)


def right() -> dict[str, int]:
    """Return what the tasks must put out."""
    row = [column + 1 for column in range(WIDTH)]
    outputs = {f"t0-{column}": value for column, value in enumerate(row)}
    for number in range(1, DEPTH):
        row = [row[column] + row[(column + 1) % WIDTH] for column in range(WIDTH)]
        outputs.update({f"t{number}-{column}": value for column, value in enumerate(row)})
    return outputs


def processes(folder: Path) -> dict[int, str]:
    """Return the processes of a run that are alive, and what each is."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes()
            if gone(int(entry.name)) or str(folder).encode() not in command:
                marked = f"{RUN_VARIABLE}={folder}/".encode() in (entry / "environ").read_bytes()
                if marked and not gone(int(entry.name)):
                    found[int(entry.name)] = "child"
            elif b"engines.local.supervisor" in command:
                found[int(entry.name)] = "supervisor"
            else:
                leads = os.getsid(int(entry.name)) == int(entry.name)
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                of_server = b"fork-server" in Path(f"/proc/{parent}/cmdline").read_bytes()
                found[int(entry.name)] = "worker" if leads and of_server else "fork server"
    return found


def follow(run: Run, seconds: float = 300) -> tuple[RunState, list[Event]]:
    state = run.wait(seconds)
    return state, list(run.events)


def consistent(run: Run, state: RunState) -> None:
    """Check that what the state says is what there is."""
    for path, held in state.tasks.items():
        committed = list((run.folder / "tasks" / path).glob("*/output.json"))
        assert len(committed) <= 1, f"{path} was committed more than once"
        if held.state is State.SUCCEEDED:
            assert committed, f"{path} is said to have succeeded"
            assert held.outputs["Output"] == right()[path]
        assert state.state is not State.SUCCEEDED or held.state is State.SUCCEEDED
        assert held.state.finished, f"{path} is {held.state} in a run that has ended"


@needs_proc
@pytest.mark.parametrize("seed", CASES)
def test_a_kill_at_any_moment_loses_nothing(bench: Bench, seed: int, record_property) -> None:
    chance = random.Random(seed)
    run = bench.start(layers(), caching=chance.random() < 0.5)
    seen: list[Event] = []
    watcher = threading.Thread(target=lambda: seen.extend(follow(Run(bench.engine, run.ref))[1]), daemon=True)
    watcher.start()
    moment, journal = chance.randint(0, EVENTS), run.folder / "journal.jsonl"
    while journal.read_bytes().count(b"\n") < moment and is_held(run.folder / "lock"):
        time.sleep(0.001)
    deadline = time.monotonic() + chance.uniform(0, LITTLE_SECONDS if moment > 1 else 1.0)
    while time.monotonic() < deadline:
        time.sleep(0.001)
    alive = sorted(processes(run.folder).items(), key=lambda item: item[1])
    # Workers are many: first what is to be hit, then which of them.
    kinds = sorted({kind for _, kind in alive})
    hit = "nothing, it had ended"
    if kinds:
        hit = chance.choice(kinds)
        pid = chance.choice([pid for pid, kind in alive if kind == hit])
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    record_property("hit", hit)
    state, events = follow(run)
    watcher.join(300)
    assert not watcher.is_alive()
    consistent(run, state)
    assert seen == events[: len(seen)], "who watched all along was told another story"
    resumed = 0
    while state.state is not State.SUCCEEDED:
        assert hit in ("supervisor", "worker", "child", "fork server"), state.message
        assert resumed == 0, "resumed and failed again, though nothing was killed again"
        resumed += 1
        bench.engine.resume(run.ref)
        before = events
        state, events = follow(run)
        assert events[: len(before)] == before, "events were lost"
        consistent(run, state)
    assert {path: held.outputs["Output"] for path, held in state.tasks.items()} == right()
    assert not list(run.folder.glob("tasks/*/again")), "a committed task ran again"
    assert [event.state for event in events if isinstance(event, RunChanged)][-1] is State.SUCCEEDED
    assert eventually(lambda: not processes(run.folder)), processes(run.folder)
    print(f"seed {seed}: {hit}, resumed {resumed} times")  # noqa: T201 (what a long run of it shows)
