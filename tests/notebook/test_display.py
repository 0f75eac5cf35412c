"""What stands under a cell: while a run goes on, when it has ended, with and without a front end of ours."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from tests.notebook.kernel import Cell, Kernel
from tests.notebook.test_comms import COMMANDS, GATED, RUNS, listed

RUN_MIME = "application/vnd.kfp-jupyter.run.v1+json"
WIDGET_MIME = "application/vnd.jupyter.widget-view+json"
SCHEMA = json.loads((Path(__file__).parents[2] / "kfp_jupyter/model/run.schema.json").read_text())
FAILING = "%%component\n\ndef fails(n: int) -> int:\n    return 1 // (n - n)\n"


@pytest.fixture
def ready(fresh) -> Kernel:
    for cell in (GATED, FAILING):
        done = fresh.run(cell)
        assert done.status == "ok", done.traceback
    return fresh


def gated_cell(folder: Path, options: str) -> str:
    return f"%%pipeline slow(folder: str = {str(folder)!r}) {options}\ngated(folder=folder, name='one')\n"


def last(kernel: Kernel, cell: Cell) -> dict:
    """Return what the cell's only display holds now, updates included."""
    (display,) = [
        output["transient"]["display_id"] for output in cell.outputs if output["type"] == "display_data"
    ]
    return kernel.displays[display]


def test_a_started_run_is_shown_at_once_and_no_unfinished_moment_is_written(ready, tmp_path):
    cell = ready.run(gated_cell(tmp_path, "--run"), allow_stdin=False)
    assert cell.status == "ok", cell.traceback
    bundle = last(ready, cell)
    document = bundle[RUN_MIME]
    jsonschema.validate(document, SCHEMA)
    assert set(document["run"]) == {"id"}
    for text in (bundle["text/html"], bundle["image/svg+xml"], bundle["text/plain"]):
        assert "RUNNING" not in text.upper()
    # Nobody of ours is connected: the kernel writes the end itself, long after the cell.
    (tmp_path / "one").touch()
    ready.until(lambda: last(ready, cell)[RUN_MIME]["run"].get("state") == "SUCCEEDED")
    jsonschema.validate(last(ready, cell)[RUN_MIME], SCHEMA)
    assert ready.value("1 + 1") == "2"


def test_waiting_blocks_until_the_end_and_leaves_the_finished_graph(ready, tmp_path):
    (tmp_path / "one").touch()
    cell = ready.run(gated_cell(tmp_path, "--wait"), allow_stdin=False)
    assert cell.status == "ok", cell.traceback
    # Before the cell was over, not after it: a program that executes notebooks keeps what it saw until then.
    assert last(ready, cell)[RUN_MIME]["run"]["state"] == "SUCCEEDED"
    assert last(ready, cell)[RUN_MIME]["run"]["tasks"]["gated"]["outputs"] == {"Output": 1}


def test_waiting_for_a_run_that_fails_is_an_error_with_the_cells_own_line(ready):
    cell = ready.run("%%pipeline bad --wait\nfails(n=1)\n", allow_stdin=False)
    assert cell.status == "error"
    assert last(ready, cell)[RUN_MIME]["run"]["state"] == "FAILED"
    place = ready.value("fails.model.implementation.source.fragments[-1].file")
    assert "ZeroDivisionError" in cell.traceback
    assert f"{place}, line 4" in cell.traceback
    assert "task fails" in cell.traceback
    assert "kfp_jupyter/" not in cell.traceback
    error = last(ready, cell)[RUN_MIME]["run"]["tasks"]["fails"]["error"]
    assert (error["file"], error["line"]) == (place, 4)


def test_an_interrupt_ends_the_waiting_and_not_the_run(ready, tmp_path):
    cell = ready.start(gated_cell(tmp_path, "--wait"), allow_stdin=False)
    ready.until(
        lambda: cell.outputs and "run" in last(ready, cell)[RUN_MIME] and last(ready, cell)[RUN_MIME]["run"]
    )
    ready.interrupt()
    ready.finish(cell)
    assert cell.status == "ok", cell.traceback
    assert "goes on" in cell.stdout
    (tmp_path / "one").touch()
    ready.until(lambda: last(ready, cell)[RUN_MIME]["run"].get("state") == "SUCCEEDED")


def test_a_front_end_of_ours_is_left_to_write_the_end(ready, tmp_path):
    runs = ready.open(RUNS)
    runs.wait(lambda message: message["type"] == "workbench")
    cell = ready.run(gated_cell(tmp_path, "--run"))
    assert WIDGET_MIME not in last(ready, cell)
    run = last(ready, cell)[RUN_MIME]["run"]["id"]
    (tmp_path / "one").touch()
    # Told after whoever writes ends of runs was asked to.
    ready.until(lambda: listed(runs) == [(run, "SUCCEEDED")])
    ready.run("pass")
    assert set(last(ready, cell)[RUN_MIME]["run"]) == {"id"}
    kept = ready.open(COMMANDS).request("bundle", run=run)
    assert kept[RUN_MIME]["run"]["state"] == "SUCCEEDED"


def test_a_handle_at_the_end_of_a_cell_is_shown_and_followed_to_its_end(ready, tmp_path):
    ready.run(gated_cell(tmp_path, ""))
    cell = ready.run("run = slow.run()\nrun", allow_stdin=False)
    assert cell.status == "ok", cell.traceback
    assert set(last(ready, cell)[RUN_MIME]["run"]) == {"id"}
    (tmp_path / "one").touch()
    ready.until(lambda: last(ready, cell)[RUN_MIME]["run"].get("state") == "SUCCEEDED")
    ended = ready.run("run", allow_stdin=False)
    assert last(ready, ended)[RUN_MIME]["run"]["state"] == "SUCCEEDED"


def test_another_front_end_gets_a_live_widget_that_asks_and_is_told(ready, tmp_path):
    cell = ready.run(gated_cell(tmp_path, "--run"))
    bundle = last(ready, cell)
    model = bundle[WIDGET_MIME]["model_id"]
    # Speak as the widget's view does, on ipywidgets' own comm.
    from tests.notebook.kernel import Comm

    view = Comm.__new__(Comm)
    view.kernel, view.id, view.subshell, view.messages, view.closed = ready, model, None, [], False
    ready.comms[model] = view
    run = bundle[RUN_MIME]["run"]["id"]
    view.send({"method": "custom", "content": {"id": 7, "method": "snapshot", "params": {"run": run}}})

    def said() -> list[dict]:
        return [message["content"] for message in view.messages if message.get("method") == "custom"]

    ready.until(lambda: any(message.get("id") == 7 for message in said()))
    answer = next(message for message in said() if message.get("id") == 7)
    assert answer["result"]["run"]["id"] == run
    (tmp_path / "one").touch()
    ready.until(lambda: any(message.get("fields", {}).get("state") == "SUCCEEDED" for message in said()))
    ready.until(lambda: any("snapshot" in message.get("state", {}) for message in view.messages))
    # The end is plain HTML: a widget's view would be dead in the saved file.
    ready.until(lambda: WIDGET_MIME not in last(ready, cell))


def test_the_line_magic_runs_lists_shows_prints_and_compiles(ready, tmp_path):
    (tmp_path / "one").touch()
    ready.run(gated_cell(tmp_path, ""))
    cell = ready.run("%kfp run slow --wait", allow_stdin=False)
    assert cell.status == "ok", cell.traceback
    run = last(ready, cell)[RUN_MIME]["run"]["id"]
    listed = ready.run("%kfp runs").bundles[0]["text/plain"]
    assert run in listed
    assert "SUCCEEDED" in listed
    for line in ("%kfp show", f"%kfp show {run}", "%kfp show latest"):
        assert ready.run(line).bundles[0][RUN_MIME]["run"]["id"] == run
    assert ready.run("%kfp show slow").bundles[0][RUN_MIME]["run"] is None
    assert "waiting" in ready.run(f"%kfp logs {run} gated").stdout
    assert ready.run("%kfp logs --follow").stdout.count("[gated] done") == 1
    assert "had ended already" in ready.run("%kfp cancel latest").stdout
    written = ready.run(f"%kfp compile slow -o {tmp_path / 'slow.yaml'}")
    assert written.status == "ok", written.traceback
    assert "pipelineInfo" in (tmp_path / "slow.yaml").read_text()


def test_what_this_machine_will_not_do_is_said_before_the_run(ready):
    ready.run("%%component --cpu 2\n\ndef counts(n: int) -> int:\n    return n\n")
    for code in ("%%pipeline limited --run\ncounts(n=1)\n", "%kfp run limited"):
        cell = ready.run(code, allow_stdin=False)
        assert cell.stdout == "Not enforced on this machine: the CPU limit of counts.\n", cell.traceback


def test_the_line_magic_cancels(ready, tmp_path):
    ready.run(gated_cell(tmp_path, "--run"), allow_stdin=False)
    assert "asked to end" in ready.run("%kfp cancel latest").stdout
    ready.until(lambda: "CANCELED" in ready.run("%kfp runs").bundles[0]["text/plain"])


def test_a_program_that_executes_notebooks_stops_at_an_error_of_ours(tmp_path, monkeypatch):
    import nbclient
    import nbformat

    monkeypatch.setenv("KFP_JUPYTER_DATA", str(tmp_path / "data"))
    sources = [
        "%load_ext kfp_jupyter",
        "%%component\ndef one() -> int:\n    return 1\n",
        "%%pipeline good --wait\none()\n",
        "%%pipeline wrong\none(n=1)\n",
        "print('never')",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    client = nbclient.NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}})
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="has no argument 'n'"):
        client.execute()
    (shown,) = notebook.cells[2].outputs
    assert shown["data"][RUN_MIME]["run"]["state"] == "SUCCEEDED"
    assert WIDGET_MIME not in shown["data"]
    assert "widgets" not in notebook.metadata
    assert notebook.cells[4].outputs == []
