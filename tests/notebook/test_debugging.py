"""A failed step in the notebook again: `%kfp debug`, the new cell, the mended cell, `%kfp rerun`."""

from __future__ import annotations

from tests.notebook.test_comms import COMMANDS

LOAD = """%%component
def load(rows: int, data: Output[Dataset]):
    with open(data.path, "w") as file:
        file.write("x" * rows)
"""
TRAIN = """%%component
def train(data: Input[Dataset], parts: int) -> float:
    with open(data.path) as file:
        size = len(file.read())
    return size / parts
"""
STUDY = """%%pipeline study(parts: int = 0)
data = load(rows=4).outputs["data"]
train(data=data, parts=parts)
"""


def texts_of_new_cells(kernel, cell):
    payload = kernel.replies[cell.request]["content"]["payload"]
    return [held["text"] for held in payload if held["source"] == "set_next_input"]


def test_a_failed_step_is_debugged_mended_and_rerun(fresh):
    for text in (LOAD, TRAIN, STUDY):
        done = fresh.run(text)
        assert done.status == "ok", done.traceback
    failed = fresh.run("%kfp run study --wait --no-cache")
    assert failed.ename == "RunFailedError"

    brought = fresh.run("%kfp debug")
    assert brought.status == "ok", brought.traceback
    (text,) = texts_of_new_cells(fresh, brought)
    assert "parts = 0\n" in brought.stdout
    assert "The next cell runs train of run study-" in brought.stdout
    # The inputs are there before the cell is run, and the component still is the component.
    assert fresh.value("open(data.path).read()") == "xxxx"
    assert fresh.value("type(train).__name__") == "PythonComponent"

    again = fresh.run(text)
    assert again.ename == "ZeroDivisionError"
    assert "return size / parts" in again.traceback
    assert fresh.value("type(train).__name__") == "PythonComponent"

    # Nothing was changed so far, and a run that goes on has the code that it was started with.
    assert "`%kfp rerun` takes your changes" not in fresh.run("%kfp resume --wait").stdout
    mended = fresh.run(TRAIN.replace("size / parts", "size / max(parts, 1)"))
    assert mended.status == "ok", mended.traceback
    resumed = fresh.run("%kfp resume --wait")
    assert resumed.ename == "RunFailedError"
    assert "`%kfp rerun` takes your changes" in resumed.stdout
    rerun = fresh.run("%kfp rerun --wait --no-cache")
    assert rerun.status == "ok", rerun.traceback
    assert "Taken over from run study-" in rerun.stdout
    assert "load. Run again: train." in rerun.stdout
    (bundle,) = [held for held in rerun.bundles if "application/vnd.kfp-jupyter.run.v1+json" in held]
    state = "__import__('kfp_jupyter.workbench').workbench.current().get('latest')"
    assert fresh.value(f"[(t.state.value, t.cached, t.outputs) for t in {state}.tasks.values()]") == (
        "[('SUCCEEDED', True, {}), ('SUCCEEDED', False, {'Output': 4.0})]"
    )
    assert bundle

    nothing = fresh.run("%kfp rerun")
    assert nothing.ename == "RerunError"
    assert "Nothing was changed since this run" in nothing.traceback


def test_a_component_under_a_decorator_is_debugged_and_rerun_too(fresh):
    text = "from kfp_jupyter import dsl\n@dsl.component\ndef half(n: int) -> float:\n    return n / 0\n"
    assert fresh.run(text).status == "ok"
    assert fresh.run("%%pipeline halves\nhalf(n=3)\n").status == "ok"
    assert fresh.run("%kfp run halves --wait").ename == "RunFailedError"
    (code,) = texts_of_new_cells(fresh, fresh.run("%kfp debug latest half"))
    assert fresh.run(code).ename == "ZeroDivisionError"
    # Where the component itself is called, only the user's own frames are shown.
    called = fresh.run("half(n=4)")
    assert called.ename == "ZeroDivisionError"
    assert "n / 0" in called.traceback
    assert "direct_call" not in called.traceback
    assert fresh.run(text.replace("n / 0", "n / 2")).status == "ok"
    rerun = fresh.run("%kfp rerun latest --wait")
    assert rerun.status == "ok", rerun.traceback


def test_a_front_end_gets_the_code_and_starts_the_rerun_while_a_cell_runs(fresh, tmp_path):
    for text in (LOAD, TRAIN, STUDY):
        assert fresh.run(text).status == "ok"
    assert fresh.run("%kfp run study --wait --no-cache").ename == "RunFailedError"
    mended = TRAIN.replace("size / parts", "size / max(parts, 1)")
    assert fresh.run(mended).status == "ok"
    comm = fresh.open(COMMANDS, fresh.create_subshell() if fresh.subshells else None)
    gate = tmp_path / "gate"
    busy = None
    if fresh.subshells:
        busy = fresh.start(f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)")
    row = "__import__('kfp_jupyter.workbench').workbench.current().runs(1)[0].id"
    failed = comm.request("pipeline", pipeline="study")["run"]["id"]

    code = comm.request("debug", run=failed, task="train")["text"]
    assert code.startswith("# Debug: train, which failed in run study-")
    refused = comm.request("debug", run=failed, task="nothing")
    assert "nothing" in refused["error"]["what"]
    started = comm.request("rerun", run=failed)
    assert "load. Run again: train." in started["told"][0]
    fresh.until(lambda: comm.request("snapshot", run=started["run"])["run"]["state"] == "SUCCEEDED")
    assert "Nothing was changed" in comm.request("rerun", run=started["run"])["error"]["what"]
    gate.touch()
    if busy is not None:
        assert fresh.finish(busy).status == "ok"

    # The cell of a debugged task takes the component's name only while it runs.
    assert fresh.value(row) == started["run"]
    assert fresh.run(code).ename == "ZeroDivisionError"
    assert fresh.value("type(train).__name__") == "PythonComponent"


def test_without_a_failed_run_debug_says_so(fresh):
    told = fresh.run("%kfp debug")
    assert told.ename == "RerunError"
    assert "There is no run yet." in told.traceback
