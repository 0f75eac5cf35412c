"""After anything that goes wrong in a step, beside it in the same run and in the next run all is well."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kfp_jupyter.engines.local import mount
from kfp_jupyter.engines.local.lock import is_held
from kfp_jupyter.model.run import State
from tests.engines.local.bench import component, eventually, pipeline, task
from tests.engines.local.test_faults import needs_proc, processes

GOOD = component("def good() -> int:\n    return 1\n", "good", outputs={"Output": "int"})

SAID = "; ".join(
    f"print('::kfp-jupyter:: {line}')"
    for line in (
        '{"error": 5}',
        '{"error": {"frames": 5}}',
        '{"error": {"causes": [1]}}',
        "no JSON",
        "[]",
        '{"metric": {"name": 1}}',
        '{"metric": {"name": "a", "step": "b", "value": []}}',
    )
)
"""What a step may print that begins like a message of the executor."""

BAD = {
    "it does not write its output": (
        "def step(out: OutputPath(int)): pass",
        "MissingOutput",
        "did not write",
    ),
    "it returns what is no JSON": ("def step() -> dict: return {1: {2}}", "BadOutput", "'Output'"),
    "it ends itself": ("def step(): sys.exit(3)", "SystemExit", "3"),
    "it is killed": ("def step(): os.kill(os.getpid(), signal.SIGKILL)", "Killed", "SIGKILL"),
    "it crashes": ("def step():\n    import ctypes\n    ctypes.string_at(0)", "Killed", "SIGSEGV"),
    "it recurs for ever": ("def step(): step()", "RecursionError", "recursion"),
    "it kills all of its group": ("def step(): os.killpg(0, signal.SIGKILL)", "Killed", "SIGKILL"),
    "it removes its folders": (
        "def step(out: OutputPath(int)):\n    __import__('shutil').rmtree(f'{out}/../..')",
        "",
        "",
    ),
    "it closes what it prints to": (
        "def step():\n    os.close(1)\n    os.close(2)\n    raise ValueError('unheard')",
        "",
        "",
    ),
    "it prints what is no text and fails": (
        "def step():\n    os.write(1, bytes(range(256)) * 4096)\n    raise ValueError('\\udcff')",
        "ValueError",
        "",
    ),
    "it leaves a zombie and fails": (
        "def step():\n    if os.fork() == 0: os._exit(0)\n    raise ValueError('left one')",
        "ValueError",
        "left one",
    ),
    "it leaves a child that holds its output": (
        "def step():\n    subprocess.Popen(['sleep', '600'])\n    raise ValueError('left one')",
        "ValueError",
        "left one",
    ),
    "it says what no executor says": (
        f"def step():\n    {SAID}\n    raise ValueError('mine')",
        "ValueError",
        "mine",
    ),
}


@needs_proc
@pytest.mark.parametrize(("body", "type_", "message"), BAD.values(), ids=BAD)
def test_what_a_step_does_wrong_harms_nothing_else(bench, body, type_, message):
    outputs = {"out": "int"} if "out:" in body else {}
    outputs |= {"Output": "dict"} if "-> dict" in body else {"Output": "list"} if "-> list" in body else {}
    bad = component(f"{body}\n", outputs=outputs)
    tasks = [task("step"), task("good"), task("after", "good", after=("good",))]
    run = bench.run(pipeline({"step": bad, "good": GOOD}, *tasks))
    failed = run.state.tasks["step"]
    assert (failed.state, run.state.state) == (State.FAILED, State.FAILED)
    assert failed.error.type == type_ or not type_
    assert failed.error.message
    assert message in failed.error.message
    assert [run.state.tasks[name].outputs for name in ("good", "after")] == [{"Output": 1}] * 2
    assert eventually(lambda: not processes(run.folder) and not is_held(run.folder / "lock"))
    following = bench.run(pipeline({"good": GOOD}, task("good")))
    assert following.state.state is State.SUCCEEDED, following.state


def test_a_folder_that_cannot_be_made_fails_the_task_that_needs_it(bench, tmp_path):
    body = f"def first():\n    while not os.path.exists({str(tmp_path / 'go')!r}): time.sleep(0.01)\n"
    tasks = [task("first"), task("good", after=("first",)), task("other", "first")]
    run = bench.start(pipeline({"first": component(body, "first"), "good": GOOD}, *tasks))
    run.until(lambda state: state.tasks["first"].state is State.RUNNING)
    (run.folder / "artifacts" / "good").write_text("a file where a folder is to be")
    (tmp_path / "go").touch()
    state = run.wait()
    failed = state.tasks["good"]
    assert (failed.state, failed.error.type) == (State.FAILED, "CannotStart")
    assert "The step could not be prepared" in failed.error.message
    assert state.tasks["other"].state is State.SUCCEEDED
    assert bench.run(pipeline({"good": GOOD}, task("good"))).state.state is State.SUCCEEDED


# --- A full disk
# --------------------------------------------------------------------------------------------------------

ON_A_SMALL_DISK = """
import json, os
from pathlib import Path
from kfp_jupyter.engines.base import EngineError
from tests.engines.local.bench import Bench, component, pipeline, single, task

bench, data = Bench(), Path(os.environ["KFP_JUPYTER_DATA"])
said = {}

def told(name, run):
    state = run.state
    tasks = {path: held.message for path, held in state.tasks.items()}
    said[name] = [state.state.value, state.message, tasks]

fills = component(
    "def fills(data: Output[Dataset]):\\n    with open(data.path, 'wb') as file:\\n"
    "        while True:\\n            file.write(bytes(65536))\\n",
    "fills", outputs={"data": "Dataset"},
)
run = bench.run(pipeline({"fills": fills}, task("fills")))
told("a step fills it", run)
for file in (data / "runs").glob("*/artifacts/*/*"):
    file.unlink()
told("the next", bench.run(single("def step(): pass\\n")))

filler = os.open(data / "filler", os.O_CREAT | os.O_WRONLY)
try:
    while True:
        os.write(filler, bytes(4096))
except OSError:
    pass
os.close(filler)
try:
    told("none is started", bench.run(single("def step(): pass\\n")))
except EngineError as error:
    runs = sorted(path.name for path in (data / "runs").iterdir())
    said["none is started"] = [error.what, error.remedy, runs]
(data / "filler").unlink()
told("the last", bench.run(single("def step(): pass\\n")))
print(json.dumps(said))
"""


@pytest.mark.skipif(not mount.can_mount(), reason="this machine has no mount namespaces")
def test_a_full_disk_is_told_and_with_room_again_all_goes_on(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    place = mount.Mount("", str(disk), 8_000_000)
    begin = mount.launcher([place], mount.PROGRAM, tmp_path / "own")
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [*begin, sys.executable, "-c", ON_A_SMALL_DISK],
        env={**os.environ, "KFP_JUPYTER_DATA": str(disk), "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    state, message, _ = said["a step fills it"]
    assert state == "FAILED"
    assert "No space left on device" in message
    assert said["the next"][0] == said["the last"][0] == "SUCCEEDED"
    what, remedy, runs = said["none is started"]
    assert what == "The run could not be prepared: No space left on device."
    assert remedy.startswith("Free some space there")
    assert runs == ["run-1", "run-2"]
