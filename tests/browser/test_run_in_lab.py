"""The main job in a real JupyterLab: cells, a graph, a live run from the sidebar, metrics, the saved file."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import WAIT, Lab
from tests.browser.workspace import PANEL, SLOW, Workspace, write_notebook

LOAD = """
%load_ext kfp_jupyter
from kfp_jupyter.dsl import ClassificationMetrics, Dataset, Input, Metrics, Output
"""
PREPARE = """
%%component
def prepare(gate: str, data: Output[Dataset]):
    with open(data.path, "w") as file:
        file.write("1 2 3")
"""
# The test decides when the step ends: it waits for a file. Every step gets its name, so that none is cached.
TRAIN = """
%%component
def train(
    data: Input[Dataset], gate: str, scores: Output[Metrics], report: Output[ClassificationMetrics]
) -> float:
    import os, time
    print("waiting at the gate", flush=True)
    while not os.path.exists(gate):
        time.sleep(0.05)
    scores.log_metric("accuracy", 0.875)
    report.log_confusion_matrix(["cat", "dog"], [[7, 1], [2, 9]])
    report.log_roc_curve([0.0, 0.1, 1.0], [0.0, 0.9, 1.0], [1.0, 0.5, 0.0])
    return 0.875
"""
FINISH = """
%%component
def finish(accuracy: float, gate: str):
    print(f"accuracy was {accuracy}")
"""
PIPELINE = """
%%pipeline gated(gate: str = "{gate}")
trained = train(data=prepare(gate=gate).outputs["data"], gate=gate)
finish(accuracy=trained.outputs["Output"], gate=gate)
"""
BUSY = """
import os, time
while not os.path.exists("{busy}"):
    time.sleep(0.05)
"""
PIPELINE_CELL, BUSY_CELL = 4, 5


class Gated(Workspace):
    """A notebook whose run waits at a gate, and whose last cell keeps the kernel busy."""

    def __init__(self, page: Page, lab: Lab, folder: Path, name: str) -> None:
        super().__init__(page, lab, name)
        self.gate = folder / "gate"
        self.busy = folder / "busy"
        cells = [LOAD, PREPARE, TRAIN, FINISH, PIPELINE.format(gate=self.gate), BUSY.format(busy=self.busy)]
        write_notebook(lab.folder / name, *cells)


@pytest.fixture
def gated(page: Page, lab: Lab, tmp_path: Path) -> Iterator[Gated]:
    workspace = Gated(page, lab, tmp_path, f"{tmp_path.name}.ipynb")
    yield workspace
    workspace.gate.touch()
    workspace.busy.touch()


def run_documents(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the run documents in a notebook's outputs."""
    mime = "application/vnd.kfp-jupyter.run.v1+json"
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    return [output["data"][mime] for output in outputs if mime in output.get("data", {})]


def test_a_run_is_live_from_the_sidebar_while_a_cell_keeps_the_kernel_busy(gated: Gated) -> None:
    gated.open()
    gated.run_all()
    gated.expect_states(prepare="NONE", train="NONE", finish="NONE")
    gated.open_sidebar()
    gated.button("Run locally").click()
    gated.expect_states(prepare="SUCCEEDED", train="RUNNING", finish="PENDING")
    gated.task("train").click()
    expect(gated.output).to_contain_text("waiting at the gate", timeout=SLOW)
    gated.gate.touch()
    gated.expect_states(prepare="SUCCEEDED", train="SUCCEEDED", finish="SUCCEEDED")
    # Nothing of this needed the kernel's main thread: the cell is still running.
    expect(gated.prompt(BUSY_CELL)).to_have_text("[*]:")
    expect(gated.output.locator(".kfp-metrics").last).to_contain_text("0.875")
    expect(gated.output).to_contain_text("AUC")
    expect(gated.output).to_contain_text("cat")


def test_a_page_reload_in_the_middle_of_a_run_shows_it_again_and_live(gated: Gated) -> None:
    gated.busy.touch()
    gated.open()
    gated.run_all()
    gated.open_sidebar()
    gated.button("Run locally").click()
    gated.expect_states(train="RUNNING")
    gated.save()
    gated.open()
    gated.expect_states(prepare="SUCCEEDED", train="RUNNING", finish="PENDING")
    gated.gate.touch()
    gated.expect_states(train="SUCCEEDED", finish="SUCCEEDED")


def test_a_kernel_restart_in_the_middle_of_a_run_does_not_stop_it(gated: Gated) -> None:
    gated.busy.touch()
    gated.open()
    gated.run_all()
    gated.open_sidebar()
    gated.button("Run locally").click()
    gated.expect_states(train="RUNNING")
    gated.restart_kernel()
    gated.run_cell(0)
    gated.expect_states(prepare="SUCCEEDED", train="RUNNING", finish="PENDING")
    gated.gate.touch()
    gated.expect_states(train="SUCCEEDED", finish="SUCCEEDED")
    expect(gated.panel.locator(".kfp-runs li").first).to_contain_text("gated")


def test_a_run_is_canceled_from_the_sidebar(gated: Gated) -> None:
    gated.busy.touch()
    gated.open()
    gated.run_all()
    gated.open_sidebar()
    gated.button("Run locally").click()
    gated.expect_states(train="RUNNING")
    gated.panel.locator(".kfp-runs").get_by_role("button", name="Cancel").first.click()
    gated.expect_states(prepare="SUCCEEDED", train="CANCELED")


def test_a_run_on_the_cluster_is_live_too(gated: Gated) -> None:
    gated.busy.touch()
    gated.open()
    gated.run_all()
    gated.open_sidebar()
    gated.button("Run on cluster").click()
    gated.expect_states(prepare="SUCCEEDED", train="RUNNING")
    gated.gate.touch()
    gated.expect_states(train="SUCCEEDED", finish="SUCCEEDED")
    expect(gated.output).to_contain_text("test-cluster")
    expect(gated.output.locator(".kfp-metrics").last).to_contain_text("0.875")


def test_the_saved_notebook_tells_the_end_of_its_run(gated: Gated, browser: Browser) -> None:
    gated.busy.touch()
    gated.open()
    gated.run_all()
    gated.open_sidebar()
    gated.button("Run locally").click()
    gated.expect_states(train="RUNNING")
    unfinished = gated.save()
    assert [document["run"] for document in run_documents(unfinished)] == [None]

    gated.gate.touch()
    gated.expect_states(train="SUCCEEDED", finish="SUCCEEDED")
    # The end is written into the cell's output when it has been asked for.
    gated.page.wait_for_function(
        f"""() => {{
             const output = ({PANEL}).content.model.cells.get({PIPELINE_CELL}).outputs.get(0).toJSON();
             return output.data['application/vnd.kfp-jupyter.run.v1+json'].run?.state === 'SUCCEEDED';
           }}""",
        timeout=SLOW,
    )
    saved = gated.save()
    [document] = run_documents(saved)
    assert document["run"]["state"] == "SUCCEEDED"
    assert {task["state"] for task in document["run"]["tasks"].values()} == {"SUCCEEDED"}
    assert "RUNNING" not in json.dumps(saved["cells"][PIPELINE_CELL]["outputs"])

    # Another file, which nobody has signed, in another browser: no kernel is asked, and nothing is trusted.
    saved["metadata"]["note"] = "a stranger's file"
    stranger = f"stranger-{gated.name}"
    (gated.lab.folder / stranger).write_text(json.dumps(saved), encoding="utf-8")
    context = browser.new_context()
    context.set_default_timeout(WAIT)
    try:
        reader = Workspace(context.new_page(), gated.lab, stranger)
        reader.open()
        reader.expect_states(prepare="SUCCEEDED", train="SUCCEEDED", finish="SUCCEEDED")
        expect(reader.output.locator(".kfp-metrics").last).to_contain_text("0.875")
        assert reader.page.evaluate(f"({PANEL}).content.model.cells.get(4).trusted") is False
    finally:
        context.close()

    page = gated.lab.folder / "converted.html"
    convert = [sys.executable, "-m", "nbconvert", "--to", "html", "--output", page.name, stranger]
    subprocess.run(convert, cwd=gated.lab.folder, check=True, capture_output=True)
    html = page.read_text(encoding="utf-8")
    assert "0.875" in html
    assert "succeeded" in html.lower()
