"""Results of earlier runs, and several processes that use them at once."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from kfp_jupyter.engines.local.cache import Cache, beside
from kfp_jupyter.engines.local.exchange import Product
from kfp_jupyter.engines.local.lock import take
from kfp_jupyter.model.pipeline import TaskSettings
from kfp_jupyter.model.run import State
from tests.engines.local.bench import component, eventually, gone, pipeline, single, task

CACHED = TaskSettings()

# Notes each execution; slow enough that others come meanwhile.
NOTE = """
def step(folder: str, number: int, out: Output[Dataset]) -> int:
    with open(f"{folder}/ran", "a") as file:
        file.write(f"{number} ")
    time.sleep(0.2)
    with open(out.path, "w") as file:
        file.write(str(number))
    return number + 1
"""


def chain(folder: Path):
    """Return three cached tasks in a row."""
    outputs = {"Output": "int", "out": "Dataset"}
    note = component(NOTE, "step", {"folder": "str", "number": "int"}, outputs)
    first = task("t0", "step", folder=str(folder), number=0, settings=CACHED)
    more = [
        task(f"t{n}", "step", folder=str(folder), number=(f"t{n - 1}", "Output"), settings=CACHED)
        for n in (1, 2)
    ]
    return pipeline({"step": note}, first, *more)


PROGRAM = """
import sys
from pathlib import Path
from tests.engines.local.bench import Bench
from tests.engines.local.test_cache import chain
bench = Bench()
bench.count = 10 * int(sys.argv[2])
state = bench.start(chain(Path(sys.argv[1]))).wait(300)
assert state.tasks["t2"].outputs == {"Output": 3}, state
print(*(held.cached_from or "ran" for held in state.tasks.values()))
"""


def test_processes_that_run_the_same_at_once_execute_each_task_once(bench, tmp_path):
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(tmp_path)]
    started = [
        subprocess.Popen([*command, str(number)], stdout=subprocess.PIPE, text=True, cwd=root)
        for number in range(3)
    ]
    told = [process.communicate(timeout=300)[0].split() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0]
    assert sorted((tmp_path / "ran").read_text().split()) == ["0", "1", "2"]
    # Each task ran in one of the runs, and the others say which.
    for column in zip(*told, strict=True):
        ran = [place for place, word in enumerate(column) if word == "ran"]
        assert len(ran) == 1
        assert {word for word in column if word != "ran"} == {f"run-{10 * ran[0] + 1}"}
    assert not list((tmp_path / "data" / "cache").glob("*.lock"))


def test_tasks_of_one_run_that_are_the_same_execute_once(bench, tmp_path):
    note = component(NOTE, "step", {"folder": "str", "number": "int"}, {"Output": "int", "out": "Dataset"})
    same = [task(f"t{n}", "step", folder=str(tmp_path), number=7, settings=CACHED) for n in range(4)]
    state = bench.run(pipeline({"step": note}, *same), jobs=4).state
    assert [held.outputs for held in state.tasks.values()] == [{"Output": 8}] * 4
    assert (tmp_path / "ran").read_text() == "7 "
    assert sum(held.cached for held in state.tasks.values()) == 3


def test_who_waits_runs_itself_when_the_other_fails_or_dies(bench, tmp_path):
    body = f"""
    def step() -> int:
        with open({str(tmp_path / "ran")!r}, "a") as file:
            print(os.getpid(), file=file)
        while not os.path.exists({str(tmp_path / "go")!r}):
            time.sleep(0.01)
        return 1
    """
    flow = single(body, CACHED, outputs={"Output": "int"})
    first = bench.start(flow)
    assert eventually((tmp_path / "ran").exists)
    second = bench.start(flow)
    second.until(lambda state: state.state is State.RUNNING)
    pid = int((first.folder / "supervisor.json").read_text().split('"pid": ')[1].split(",")[0])
    os.kill(pid, 9)
    assert eventually(lambda: len((tmp_path / "ran").read_text().split()) == 2)
    (tmp_path / "go").touch()
    state = second.wait()
    assert (state.state, state.tasks["step"].cached) == (State.SUCCEEDED, False)


def test_a_run_that_waits_for_another_can_be_canceled(bench, tmp_path):
    body = f"def step():\n    open({str(tmp_path / 'ran')!r}, 'w')\n    time.sleep(600)\n"
    flow = single(body, CACHED)
    first = bench.start(flow)
    assert eventually((tmp_path / "ran").exists)
    second = bench.start(flow)
    second.until(lambda state: state.state is State.RUNNING)
    bench.engine.cancel(second.ref)
    state = second.wait()
    assert state.tasks["step"].message == "It was canceled before it ran."
    bench.engine.cancel(first.ref)
    assert first.wait().state is State.CANCELED


def test_a_result_is_used_again_as_long_as_nothing_has_changed(bench):
    body = """
    def make(n: int, out: Output[Dataset], metrics: Output[Metrics]) -> int:
        with open(out.path, "w") as file:
            file.write(str(n))
        metrics.log_metric("n", n, step=0)
        return n

    def use(data: Input[Dataset]) -> str:
        return open(data.path).read()
    """
    outputs = {"Output": "int", "out": "Dataset", "metrics": "Metrics"}
    components = {
        "make": component(body, "make", {"n": "int"}, outputs),
        "use": component(body, "use", {"data": "Dataset"}, {"Output": "str"}),
    }

    def flow(n):
        cached = TaskSettings()
        return pipeline(
            components,
            task("make", n=n, settings=cached),
            task("use", data=("make", "out"), settings=cached),
        )

    first = bench.run(flow(1)).state
    again = bench.run(flow(1))
    assert {held.cached_from for held in first.tasks.values()} == {""}
    assert {held.cached_from for held in again.state.tasks.values()} == {"run-1"}
    for name, held in again.state.tasks.items():
        assert held.outputs == first.tasks[name].outputs
        assert held.curves == first.tasks[name].curves
    assert first.tasks["make"].curves["n"] == ((0, 1),)
    # Another argument, a run without caching, and results that are not what they were.
    assert not bench.run(flow(2)).state.tasks["make"].cached
    assert not bench.run(flow(1), caching=False).state.tasks["make"].cached
    Path(first.tasks["make"].artifacts["out"][0].path).write_text("changed")
    changed = bench.run(flow(1)).state
    assert (changed.tasks["make"].cached, changed.tasks["use"].outputs["Output"]) == (False, "1")


def test_what_is_written_beside_an_output_is_said_and_never_cached(bench):
    body = """
    def step(out: Output[Model]):
        with open(out.path + ".npz", "w") as file:
            file.write("arrays")
    """
    flow = single(body, CACHED, outputs={"out": "Model"})
    first, again = bench.run(flow), bench.run(flow)
    assert not again.state.tasks["step"].cached
    assert "but to ['out.npz']" in first.log()[-1]


def test_the_log_of_a_cached_task_is_that_of_the_run_it_comes_from(bench):
    flow = single("def step():\n    print('made here')\n", CACHED)
    bench.run(flow)
    again = bench.run(flow)
    assert again.state.tasks["step"].cached_from == "run-1"
    assert again.log() == ["— the result of run run-1 was used; what was printed there: —", "made here"]


def test_a_cleared_cache_has_nothing(bench, tmp_path):
    flow = single("def step(): pass\n", CACHED)
    bench.run(flow)
    cache = Cache(tmp_path / "data" / "cache")
    assert cache.clear() == 1
    assert cache.clear() == 0
    assert not bench.run(flow).state.tasks["step"].cached


def test_a_lease_is_one_processs_and_ends_with_it(tmp_path):
    cache = Cache(tmp_path)
    lease = cache.lease("key")
    assert lease is not None
    assert cache.lease("key") is None
    cache.give_back("key", lease)
    code = (
        "import sys\nfrom pathlib import Path\nfrom kfp_jupyter.engines.local.cache import Cache\n"
        "assert Cache(Path(sys.argv[1])).lease('key')\nprint('has it', flush=True)\nsys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    assert other.stdout.readline() == b"has it\n"
    assert cache.lease("key") is None
    other.kill()
    other.communicate()
    assert gone(other.pid)
    lease = cache.lease("key")
    assert lease is not None
    cache.give_back("key", lease)


def test_a_lease_is_given_back_though_its_file_cannot_be_removed(tmp_path):
    cache = Cache(tmp_path)
    lease = cache.lease("key")
    assert lease is not None
    (tmp_path / "key.lock").rename(tmp_path / "held")
    (tmp_path / "key.lock").mkdir()
    with pytest.raises(OSError, match=r"key\.lock"):
        cache.give_back("key", lease)
    other = take(tmp_path / "held")
    assert other is not None, "who waits for it gets it"
    os.close(other)


def test_what_lies_beside_is_told_from_other_outputs(tmp_path):
    for name in ("model.npz", "data.v2", "model"):
        (tmp_path / name).touch()
    uris = [str(tmp_path / name) for name in ("model", "data", "data.v2")]
    assert [beside(Path(uri), uris) for uri in uris] == [[], [], []]
    (tmp_path / "data.csv").touch()
    assert beside(tmp_path / "data", uris) == [tmp_path / "data.csv"]


def test_a_cache_that_cannot_be_written_is_no_reason_to_fail(bench, tmp_path):
    bench.run(single("def step(): pass\n"))
    (tmp_path / "data" / "cache").write_text("a file")
    assert bench.run(single("def step(): pass\n", CACHED)).state.state is State.SUCCEEDED
    Cache(tmp_path / "data" / "cache").keep("key", "run", Product())
