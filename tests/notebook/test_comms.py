"""The comms as a front end uses them, over ZMQ, with real runs on this machine."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from kfp_jupyter.model.run import RunCreated, RunRef, State, Target, apply
from kfp_jupyter.runs.history import History
from tests.notebook.kernel import Comm, Kernel, kernel
from tests.pipelines import churn

RUNS = "kfp_jupyter.runs"
COMMANDS = "kfp_jupyter.commands"
SCHEMA = json.loads((Path(__file__).parents[2] / "kfp_jupyter/model/run.schema.json").read_text())

# A step that goes on until the test lets it, so that nothing here depends on how fast the machine is.
GATED = """%%component
def gated(folder: str, name: str) -> int:
    import os, time
    print("waiting", flush=True)
    while not os.path.exists(os.path.join(folder, name)):
        time.sleep(0.02)
    print("done", flush=True)
    return 1
"""
PIPELINE = """%%pipeline slow(folder: str)
first = gated(folder=folder, name="one")
second = gated(folder=folder, name="two").after(first)
"""


@pytest.fixture
def ready(fresh, tmp_path) -> Kernel:
    """A kernel with a pipeline whose two steps wait for the files `one` and `two`."""
    for cell in (GATED, PIPELINE):
        done = fresh.run(cell)
        assert done.status == "ok", done.traceback
    return fresh


def begin(kernel: Kernel, commands: Comm, folder: Path) -> str:
    started = commands.request("run", pipeline="slow", target="local", arguments={"folder": str(folder)})
    assert "run" in started, started
    return started["run"]


def folded(comm: Comm, run: str) -> dict:
    """Fold what a comm was told of a run, as the front end does."""
    state = None
    for message in list(comm.messages):
        if message["type"] == "run" and message["document"]["run"]["id"] == run:
            state = message["document"]["run"]
        elif message["type"] == "delta" and message["run"] == run and state is not None:
            assert message["base"] <= state["version"]
            if message["version"] > state["version"]:
                tasks = {**state["tasks"], **message["tasks"]}
                state = {**state, **message["fields"], "tasks": tasks, "version": message["version"]}
    return state or {"state": None, "tasks": {}}


def listed(comm: Comm) -> list[tuple[str, str]]:
    """Return the runs and their states as a comm was told them last."""
    told = [message for message in comm.messages if message["type"] == "workbench"]
    return [(row["id"], row["state"]) for row in told[-1]["runs"]]


def test_loading_says_hello_and_an_opened_comm_gets_what_is_known(fresh):
    assert fresh.opened == ["kfp_jupyter.hello"]
    comm = fresh.open(RUNS)
    message = comm.wait(lambda message: message["type"] == "workbench")
    assert message["protocol"] == 1
    assert message["targets"][0] == {"id": "local", "label": "This machine", "kind": "local"}
    assert (message["target"], message["pipelines"], message["runs"]) == ("local", [], [])


def test_before_loading_the_kernel_closes_the_comm(tmp_path):
    with kernel(tmp_path) as bare:
        comm = bare.open(RUNS)
        bare.until(lambda: comm.closed)


def test_a_notebook_s_own_runs_are_told_however_many_others_have_run_since(tmp_path):
    history, pipeline, here = History(tmp_path / "history.sqlite3"), churn(), Target("local")
    for number in range(60):
        created = RunCreated(100.0 + number, f"churn-{number:02}", "churn", here, {}, ("load",))
        ended = replace(apply(None, created), state=State.SUCCEEDED, finished_at=900.0)
        notebook = "/home/ada/mine.ipynb" if number in (3, 55) else "/home/ada/other.ipynb"
        history.record(RunRef(ended.id, here, ""), pipeline, ended, {"notebook": notebook})
    with kernel(tmp_path, JPY_SESSION_NAME="/home/ada/mine.ipynb") as own:
        assert own.run("%load_ext kfp_jupyter").status == "ok"
        message = own.open(RUNS).wait(lambda message: message["type"] == "workbench")
    assert message["notebook"] == "/home/ada/mine.ipynb"
    assert [run["id"] for run in message["runs"]] == [
        *(f"churn-{number:02}" for number in range(59, 9, -1)),
        "churn-03",
    ]
    mine = [run["id"] for run in message["runs"] if run["notebook"] == message["notebook"]]
    assert mine == ["churn-55", "churn-03"]


def test_new_pipelines_and_the_chosen_target_are_told(fresh):
    comm = fresh.open(RUNS)
    comm.wait(lambda message: message["type"] == "workbench")
    fresh.run("from kfp_jupyter import dsl\n@dsl.component\ndef one() -> int:\n    return 1\n")
    fresh.run("@dsl.pipeline\ndef decorated(n: int = 2):\n    'Says one.'\n    one()\n")
    message = comm.wait(lambda message: message["type"] == "workbench" and message["pipelines"])
    (pipeline,) = message["pipelines"]
    assert pipeline["name"] == "decorated"
    assert pipeline["inputs"][0]["default"] == 2


def test_a_run_is_started_watched_and_read_by_comm_alone(ready, tmp_path):
    runs, commands = ready.open(RUNS), ready.open(COMMANDS)
    runs.wait(lambda message: message["type"] == "workbench")
    run = begin(ready, commands, tmp_path)
    # No cell is executed from here on.
    ready.until(lambda: folded(runs, run)["tasks"].get("gated", {}).get("state") == "RUNNING")
    (tmp_path / "one").touch()
    ready.until(lambda: folded(runs, run)["tasks"]["gated-2"]["state"] == "RUNNING")
    assert folded(runs, run)["tasks"]["gated"]["outputs"] == {"Output": 1}
    (tmp_path / "two").touch()
    ready.until(lambda: folded(runs, run)["state"] == "SUCCEEDED")
    document = commands.request("snapshot", run=run)
    jsonschema.validate(document, SCHEMA)
    assert document["run"] == folded(runs, run)
    assert commands.request("pipeline", pipeline="slow")["run"]["id"] == run
    # Told after the run itself.
    ready.until(lambda: listed(runs) == [(run, "SUCCEEDED")])
    bundle = commands.request("bundle", run=run)
    assert bundle["application/vnd.kfp-jupyter.run.v1+json"]["run"]["state"] == "SUCCEEDED"
    assert {"text/html", "image/svg+xml", "text/plain"} <= set(bundle)


def test_logs_come_in_pages_until_they_are_done(ready, tmp_path):
    commands = ready.open(COMMANDS)
    run = begin(ready, commands, tmp_path)
    pages = [{"lines": [], "next": 0, "done": False}]

    def page() -> bool:
        pages.append(commands.request("logs", run=run, task="gated", after=pages[-1]["next"]))
        return "lines" in pages[-1]

    ready.until(lambda: page() and any("waiting" in line for page in pages for line in page["lines"]))
    assert not pages[-1]["done"]
    (tmp_path / "one").touch()
    ready.until(lambda: page() and pages[-1]["done"])
    lines = [line for page in pages for line in page["lines"]]
    assert [line for line in lines if line in ("waiting", "done")] == ["waiting", "done"]
    (tmp_path / "two").touch()


def test_a_run_is_cancelled(ready, tmp_path):
    runs, commands = ready.open(RUNS), ready.open(COMMANDS)
    run = begin(ready, commands, tmp_path)
    ready.until(lambda: folded(runs, run)["tasks"].get("gated", {}).get("state") == "RUNNING")
    assert commands.request("cancel", run=run) == {}
    ready.until(lambda: folded(runs, run)["state"] == "CANCELED")


def test_wrong_commands_are_answered_with_what_where_and_remedy(ready):
    commands = ready.open(COMMANDS)
    for method, params, said in (
        ("run", {"pipeline": "nope"}, "'nope'"),
        ("run", {"pipeline": "slow", "target": "local", "arguments": {}}, "'folder'"),
        ("run", {"pipeline": "slow", "target": "moon", "arguments": {"folder": ""}}, "'moon'"),
        ("snapshot", {"run": "nope"}, "nope"),
        ("use", {"target": "moon"}, "'moon'"),
        ("dance", {}, "'dance'"),
        ("snapshot", {"no": 1}, "no"),
    ):
        error = commands.request(method, **params)["error"]
        assert set(error) == {"what", "where", "remedy"}
        assert said in error["what"], error


def test_commands_are_answered_while_a_cell_runs(ready, tmp_path):
    subshells = ready.subshells
    runs = ready.open(RUNS, ready.create_subshell() if subshells else None)
    commands = ready.open(COMMANDS, ready.create_subshell() if subshells else None)
    runs.wait(lambda message: message["type"] == "workbench")
    busy = ready.start(
        f"import pathlib, time\nwhile not pathlib.Path({str(tmp_path / 'free')!r}).exists():\n"
        "    time.sleep(0.02)\n"
    )
    ready.until(lambda: busy.status == "busy")
    if not subshells:
        # Without subshells the question waits for the cell, and is answered then.
        commands.send({"id": 1, "method": "pipeline", "params": {"pipeline": "slow"}})
        (tmp_path / "free").touch()
        assert "result" in commands.wait(lambda message: message.get("id") == 1)
        ready.finish(busy)
        return
    run = begin(ready, commands, tmp_path)
    ready.until(lambda: folded(runs, run)["tasks"].get("gated", {}).get("state") == "RUNNING")
    # Again, now that the kernel has spoken on its own on the other comm; the cell goes on until it is let.
    assert commands.request("snapshot", run=run)["run"]["id"] == run
    assert busy.status == "busy"
    for name in ("one", "two"):
        (tmp_path / name).touch()
    ready.until(lambda: folded(runs, run)["state"] == "SUCCEEDED")
    assert busy.status == "busy"
    (tmp_path / "free").touch()
    assert ready.finish(busy).status == "ok"
    assert not busy.outputs


def test_several_front_ends_are_told_the_same_and_one_may_leave(ready, tmp_path):
    screens = [ready.open(RUNS) for _ in range(3)]
    commands = ready.open(COMMANDS)
    for screen in screens:
        screen.wait(lambda message: message["type"] == "workbench")
    screens.pop().close()
    run = begin(ready, commands, tmp_path)
    (tmp_path / "one").touch()
    (tmp_path / "two").touch()
    for screen in screens:
        ready.until(lambda screen=screen: folded(screen, run)["state"] == "SUCCEEDED")
    ready.until(lambda: folded(screens[0], run)["version"] == folded(screens[1], run)["version"])
    assert folded(screens[0], run) == folded(screens[1], run)


def test_pages_that_were_reloaded_many_times_leave_only_so_many_comms(fresh):
    comms = [fresh.open(RUNS) for _ in range(30)]
    comms[-1].wait(lambda message: message["type"] == "workbench")
    fresh.until(lambda: comms[0].closed)
    kept = int(fresh.value("len(get_ipython()._kfp_jupyter_session._comms._screens)"))
    assert kept < 30
    assert not comms[-1].closed


def test_after_a_kernel_restart_the_run_is_found_went_on_and_ends(ready, tmp_path):
    runs, commands = ready.open(RUNS), ready.open(COMMANDS)
    run = begin(ready, commands, tmp_path)
    ready.until(lambda: folded(runs, run)["tasks"].get("gated", {}).get("state") == "RUNNING")
    ready.restart()
    assert ready.run("%load_ext kfp_jupyter").status == "ok"
    runs, commands = ready.open(RUNS), ready.open(COMMANDS)
    ready.until(lambda: folded(runs, run)["tasks"].get("gated", {}).get("state") == "RUNNING")
    listed = runs.wait(lambda message: message["type"] == "workbench" and message["runs"])
    assert listed["runs"][0]["id"] == run
    for name in ("one", "two"):
        (tmp_path / name).touch()
    ready.until(lambda: folded(runs, run)["state"] == "SUCCEEDED")
    assert commands.request("snapshot", run=run)["run"]["state"] == "SUCCEEDED"


def test_unloading_closes_every_comm(fresh):
    comm = fresh.open(RUNS)
    comm.wait(lambda message: message["type"] == "workbench")
    fresh.run("%unload_ext kfp_jupyter")
    fresh.until(lambda: comm.closed)
    fresh.run("%load_ext kfp_jupyter")
    assert fresh.opened == ["kfp_jupyter.hello"] * 2
    assert fresh.open(RUNS).wait(lambda message: message["type"] == "workbench")
