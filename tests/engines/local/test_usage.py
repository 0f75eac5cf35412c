"""What steps use of the machine is seen while they run, and known when they have ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kfp_jupyter.engines.local import meter
from kfp_jupyter.engines.local.journal import Journal
from kfp_jupyter.engines.local.process_usage import spent
from kfp_jupyter.model.pipeline import Resources, Retry, TaskSettings
from kfp_jupyter.model.run import RunChanged, State, TaskChanged, UsageMeasured
from kfp_jupyter.model.usage import Usage
from tests.engines.local.bench import component, pipeline, single, task

MEGABYTE = 1_000_000

# Uses some processor time, and has some memory; the child that it leaves behind has a session of its own.
HUNGRY = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        held = b"x" * 150_000_000
        os.write(1, b"child\\n")
        time.sleep(600)
    os.wait()
    os._exit(0)
held = b"x" * 100_000_000
begin = time.process_time()
while time.process_time() < begin + 0.3:
    pass
os.write(1, b"parent\\n")
time.sleep(600)
"""


@pytest.fixture
def hungry():
    command = [sys.executable, "-c", HUNGRY]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    told = {process.stdout.readline(), process.stdout.readline()}
    assert told == {b"child\n", b"parent\n"}
    yield process
    for pid in children(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.kill()
    process.wait()
    process.stdout.close()


def children(root: int) -> list[int]:
    """Return the ids of all that descend from a process, the nearest first."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]


def test_a_process_counts_with_all_that_it_has_started(hungry):
    found = spent([hungry.pid])[hungry.pid]
    assert len(children(hungry.pid)) == 2
    assert 0.3 <= found.cpu_seconds < 30
    assert 250 * MEGABYTE < found.memory_bytes < 350 * MEGABYTE, "what they share is there once"


def test_processes_of_others_do_not_count(hungry):
    own = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    try:
        found = spent([hungry.pid, own.pid])
        assert found[own.pid].memory_bytes < 60 * MEGABYTE
        assert found[hungry.pid].memory_bytes > 250 * MEGABYTE
    finally:
        own.communicate()
    assert spent([own.pid]) == {}, "it is gone"


def test_a_step_that_ran_tells_what_it_used(bench):
    body = """
    def step():
        held = b"x" * 100_000_000
        end = time.process_time() + 0.3
        while time.process_time() < end:
            pass
    """
    settings = TaskSettings(caching=False, resources=Resources(cpu_limit="500m", memory_limit="50M"))
    run = bench.run(single(body, settings))
    usage = run.state.tasks["step"].usage
    assert usage is not None
    assert 0.3 <= usage.cpu_seconds < 30
    assert 100 * MEGABYTE < usage.memory_bytes < 200 * MEGABYTE
    assert (usage.cpu_limit, usage.memory_limit) == (0.5, 50 * MEGABYTE)
    assert usage.over_memory


def test_a_running_step_tells_what_it_uses_by_now(bench, tmp_path):
    body = f"""
    def step():
        child = subprocess.Popen([sys.executable, "-c", {HUNGRY!r}], stdout=subprocess.DEVNULL)
        while not os.path.exists({str(tmp_path / "enough")!r}):
            time.sleep(0.05)
        child.kill()
        child.wait()
    """
    run = bench.start(single(body))

    def tells(state) -> bool:
        usage = state.tasks["step"].usage
        return usage is not None and usage.cpu_seconds >= 0.3 and usage.memory_bytes > 250 * MEGABYTE

    running = run.until(tells)
    assert running.tasks["step"].state is State.RUNNING
    (tmp_path / "enough").touch()
    ended = run.wait().tasks["step"].usage
    assert ended is not None
    assert ended.memory_bytes >= running.tasks["step"].usage.memory_bytes, "more than any one process had"


def test_a_failed_attempt_tells_what_it_used_and_the_next_begins_anew(bench):
    settings = TaskSettings(caching=False, retry=Retry(1))
    run = bench.run(single("def step():\n    raise ValueError('no')\n", settings))
    told = [event for event in run.events if isinstance(event, TaskChanged)]
    assert [(event.state, event.usage is not None) for event in told] == [
        (State.RUNNING, False),
        (State.PENDING, True),
        (State.RUNNING, False),
        (State.FAILED, True),
    ]


def test_a_step_whose_result_was_taken_used_nothing(bench):
    flow = pipeline(
        {"step": component("def step(): return 1\n", outputs={"Output": "int"})},
        task("step", settings=TaskSettings()),
    )
    assert bench.run(flow).state.tasks["step"].usage is not None
    taken = bench.run(flow).state.tasks["step"]
    assert taken.cached
    assert taken.usage is None


def test_what_hardly_changes_is_not_told_again():
    told = Usage(10.0, 100 * MEGABYTE)
    for other, news in [
        (Usage(10.9, 105 * MEGABYTE), False),
        (Usage(11.1, 100 * MEGABYTE), True),
        (Usage(10.0, 111 * MEGABYTE), True),
        (Usage(10.0, 50 * MEGABYTE), False),
    ]:
        assert other.differs(told, meter.NEWS) is news
    assert not Usage(0.09, 900_000).differs(Usage(0.0, 0), meter.NEWS), "next to nothing"


def test_measurements_alone_are_not_flushed_to_the_disk(tmp_path, monkeypatch):
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append(UsageMeasured(time.time(), "step", Usage(1.0, 1)), durable=False)
    journal.commit()
    assert flushed == []
    journal.append(RunChanged(time.time(), State.RUNNING))
    journal.append(UsageMeasured(time.time(), "step", Usage(2.0, 1)), durable=False)
    journal.commit()
    assert len(flushed) == 1
    journal.close()
    assert len((tmp_path / "journal.jsonl").read_text().splitlines()) == 3
