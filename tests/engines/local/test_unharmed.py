"""After anything that goes wrong in a step, beside it in the same run and in the next run all is well."""

from __future__ import annotations

import pytest

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
