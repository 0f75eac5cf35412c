"""Steps and machines that misbehave: a clear error, and an engine that goes on."""

from __future__ import annotations

import json
import os
import resource
import signal
from pathlib import Path

import pytest

from kfp_jupyter.engines.base import EngineError
from kfp_jupyter.engines.local.fork_client import SPAWN_VARIABLE
from kfp_jupyter.engines.local.journal import Journal, state_in
from kfp_jupyter.engines.local.log import SIZE_LIMIT
from kfp_jupyter.model.run import RunChanged, RunCreated, State, Target
from tests.engines.local.bench import component, eventually, gone, pipeline, single, task

needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")


@needs_proc
def test_a_step_that_prints_a_gigabyte_fills_neither_memory_nor_disk(bench, tmp_path):
    run = bench.start(
        single(
            f"""
            def step() -> int:
                block = "".join(f"line {{number:07d}} " + "x" * 80 + chr(10) for number in range(10_000))
                for _ in range(10**9 // len(block)):
                    sys.stdout.write(block)
                print("the last line")
                while not os.path.exists({str(tmp_path / "go")!r}):
                    time.sleep(0.01)
                return 1
            """,
            outputs={"Output": "int"},
        )
    )
    file = run.folder / "supervisor.json"
    log = run.folder / "tasks" / "step" / "1" / "log.txt"
    assert eventually(lambda: log.exists() and log.stat().st_size > SIZE_LIMIT * 0.99, 120)
    status = Path(f"/proc/{json.loads(file.read_text())['pid']}/status").read_text()
    (tmp_path / "go").touch()
    state = run.wait(300)
    assert state.tasks["step"].outputs == {"Output": 1}
    assert int(status.partition("VmHWM:")[2].split()[0]) < 100_000  # kilobytes
    assert log.stat().st_size < SIZE_LIMIT + 10_000
    lines = run.log()
    assert lines[-1] == state.tasks["step"].log_tail[-1] == "the last line"
    (cut,) = [line for line in lines[-30:] if line.startswith("—")]
    assert "bytes are left out here" in cut


@pytest.mark.parametrize(
    ("body", "outputs", "type_", "message"),
    [
        (
            "def step() -> int:\n    pass\n",
            {"Output": "int"},
            "MissingOutput",
            "'Output'",
        ),
        ("def step(out: OutputPath(int)):\n    pass\n", {"out": "int"}, "MissingOutput", "did not write"),
        ("def step() -> dict:\n    return {'a': object()}\n", {"Output": "dict"}, "BadOutput", "JSON"),
        ("def step() -> str:\n    return '\\ud800'\n", {"Output": "str"}, "BadOutput", "surrogate"),
        (
            "def step(out: OutputPath(str)):\n    open(out, 'wb').write(b'\\xff\\xfe')\n",
            {"out": "str"},
            "BadOutput",
            "not UTF-8",
        ),
    ],
    ids=["nothing returned", "not written", "no JSON", "no text", "binary"],
)
def test_an_output_that_cannot_be_used_is_a_clear_error(bench, body, outputs, type_, message):
    failed = bench.run(single(body, outputs=outputs)).state.tasks["step"]
    assert failed.state is State.FAILED
    assert failed.error.type == type_
    assert message in failed.error.message


@needs_proc
def test_a_child_that_the_step_never_waits_for_is_no_trouble(bench):
    body = """
    def step() -> list:
        children = [os.fork() for _ in range(3)]
        if 0 in children:
            os._exit(0)
        return children
    """
    state = bench.run(single(body, outputs={"Output": "list"})).state
    assert state.state is State.SUCCEEDED
    assert eventually(lambda: all(gone(pid) for pid in state.tasks["step"].outputs["Output"]))


def test_a_forked_child_that_returns_from_the_step_commits_nothing_twice(bench):
    body = """
    def step() -> int:
        if os.fork() == 0:
            os._exit(7)
        os.wait()
        return 1
    """
    assert bench.run(single(body, outputs={"Output": "int"})).state.tasks["step"].outputs == {"Output": 1}


def test_a_step_that_takes_all_files_and_closes_its_own_harms_nobody(bench):
    greedy = component(
        """
        def greedy() -> int:
            held = []
            try:
                while True:
                    held.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                pass
            for one in held:
                os.close(one)
            return len(held)
        """,
        "greedy",
        outputs={"Output": "int"},
    )
    closes = component("def closes():\n    os.closerange(0, 64)\n", "closes")
    after = component("def after(): print('fine')\n", "after")
    tasks = [task("greedy"), task("closes"), task("after", after=("greedy", "closes"))]
    run = bench.run(pipeline({"greedy": greedy, "closes": closes, "after": after}, *tasks))
    assert run.state.state is State.SUCCEEDED, run.state
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert run.state.tasks["greedy"].outputs["Output"] <= limit
    assert run.log("after") == ["fine"]


@pytest.mark.parametrize(
    "closes",
    [
        "sys.stdout.close()",
        "sys.stdout.close(); sys.stderr.close()",
        "sys.stdout = sys.stderr = None",
        "sys.__stdout__.close()",
    ],
)
@pytest.mark.parametrize("spawns", [False, True], ids=["fork", "spawn"])
def test_a_step_may_close_what_it_prints_to(bench, monkeypatch, closes, spawns):
    if spawns:
        monkeypatch.setenv(SPAWN_VARIABLE, "1")
    ends = component(
        f"""
        def ends(metrics: Output[Metrics]) -> int:
            print("said")
            {closes}
            metrics.log_metric("loss", 0.5, step=1)
            return 1
        """,
        "ends",
        outputs={"metrics": "Metrics", "Output": "int"},
    )
    fails = component(f"def fails():\n    {closes}\n    raise ValueError('heard')\n", "fails")
    run = bench.run(pipeline({"ends": ends, "fails": fails}, task("ends"), task("fails")))
    ended, failed = run.state.tasks["ends"], run.state.tasks["fails"]
    assert (ended.state, ended.outputs) == (State.SUCCEEDED, {"Output": 1})
    assert ended.curves == {"loss": ((1.0, 0.5),)}
    assert run.log("ends") == ["said"]
    assert (failed.error.type, failed.error.message, failed.error.line) == ("ValueError", "heard", 4)


def test_a_journal_that_cannot_be_written_ends_the_run_and_says_why(bench, tmp_path):
    run = bench.start(
        single(
            f"""
            def step():
                open({str(tmp_path / "began")!r}, "w").close()
                while not os.path.exists({str(tmp_path / "go")!r}):
                    time.sleep(0.01)
            """
        )
    )
    # That it runs is told before it is started.
    assert eventually((tmp_path / "began").exists)
    pid = json.loads((run.folder / "supervisor.json").read_text())["pid"]
    committed = run.folder / "tasks" / "step" / "1" / "output.json"
    # It hears nothing of the step's end before the end cannot be written.
    os.kill(pid, signal.SIGSTOP)
    (tmp_path / "go").touch()
    assert eventually(committed.exists)
    # From now on none of its files may grow further: what a full disk is to it.
    size = (run.folder / "journal.jsonl").stat().st_size
    assert (run.folder / "supervisor.log").stat().st_size == 0
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size + 10, resource.RLIM_INFINITY))
    os.kill(pid, signal.SIGCONT)
    state = run.wait()
    assert (state.state, state.reason) == (State.FAILED, "Interrupted")
    assert "The run's supervisor failed: OSError: [Errno 27] File too large" in state.message
    # With room again it goes on; what was committed is not done again.
    before = committed.stat().st_mtime_ns
    bench.engine.resume(run.ref)
    assert run.wait().state is State.SUCCEEDED
    assert committed.stat().st_mtime_ns == before


def test_an_end_that_cannot_be_written_is_an_error_with_a_remedy(bench, monkeypatch):
    run = bench.start(single("def step(): time.sleep(600)\n"))
    run.until(lambda state: state.tasks["step"].state is State.RUNNING)
    pid = json.loads((run.folder / "supervisor.json").read_text())["pid"]

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Journal, "append", full)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(EngineError, match=r"No space left on device\. Free some space there"):
        run.wait()
    monkeypatch.undo()


def test_an_event_that_was_written_in_part_does_not_spoil_the_next(tmp_path):
    path = tmp_path / "journal"
    journal = Journal(path)
    journal.append(RunCreated(1.0, "run", "flow", Target(), {}, ("step",)))
    size = path.stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            journal.append(RunChanged(2.0, State.RUNNING))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    journal.append(RunChanged(3.0, State.SUCCEEDED))
    journal.close()
    state = state_in(path)
    assert state is not None
    assert (state.state, state.finished_at, state.started_at) == (State.SUCCEEDED, 3.0, None)
