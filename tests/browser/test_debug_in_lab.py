"""A failed step in a real JupyterLab: its error, `%kfp debug`, the mended cell, a rerun of what is left."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Lab
from tests.browser.workspace import PANEL, SLOW, Workspace, write_notebook

LOAD = """
%load_ext kfp_jupyter
from kfp_jupyter.dsl import Dataset, Input, Output
"""
# Every step writes its name down, so that nobody has to be believed about which of them ran.
PREPARE = """
%%component
def prepare(ledger: str, numbers: Output[Dataset]):
    with open(ledger, "a") as file:
        file.write("prepare ")
    with open(numbers.path, "w") as file:
        file.write("6 0 3")
"""
DIVIDE = """
%%component
def divide(numbers: Input[Dataset], ledger: str, by: int = 12) -> float:
    with open(ledger, "a") as file:
        file.write("divide ")
    with open(numbers.path) as file:
        held = [int(text) for text in file.read().split()]
    return sum(by / number for number in held)
"""
WRONG_LINE = 7
FINISH = """
%%component
def finish(total: float, ledger: str):
    with open(ledger, "a") as file:
        file.write("finish ")
"""
PIPELINE = """
%%pipeline divided(ledger: str = "{ledger}") --run --no-cache
divided = divide(numbers=prepare(ledger=ledger).outputs["numbers"], ledger=ledger)
finish(total=divided.outputs["Output"], ledger=ledger)
"""
DIVIDE_CELL, PIPELINE_CELL, DEBUG_CELL, NEW_CELL, RERUN_CELL = 2, 4, 5, 6, 7


class Study(Workspace):
    """A notebook with a step that fails."""

    def __init__(self, page: Page, lab: Lab, ledger: Path, name: str) -> None:
        super().__init__(page, lab, name)
        self.ledger = ledger
        pipeline = PIPELINE.format(ledger=ledger)
        # The cell that `%kfp debug` makes comes before the last.
        write_notebook(
            lab.folder / name, LOAD, PREPARE, DIVIDE, FINISH, pipeline, "%kfp debug", "%kfp rerun --no-cache"
        )

    def ran(self) -> list[str]:
        """Return the steps that have run since this was asked last."""
        names = self.ledger.read_text(encoding="utf-8").split()
        self.ledger.write_text("", encoding="utf-8")
        return names

    def text_of(self, cell: int) -> str:
        text: str = self.page.evaluate(
            f"number => ({PANEL}).content.model.cells.get(number).sharedModel.source", cell
        )
        return text

    def write(self, cell: int, text: str) -> None:
        self.page.evaluate(
            f"([number, text]) => ({PANEL}).content.model.cells.get(number).sharedModel.setSource(text)",
            [cell, text],
        )

    def output_of(self, cell: int) -> Workspace:
        """Return the notebook as seen through the output of one cell."""
        seen = Workspace(self.page, self.lab, self.name)
        seen.output = (
            self.page.locator(".jp-NotebookPanel .jp-CodeCell").nth(cell).locator(".jp-Cell-outputWrapper")
        )
        return seen


@pytest.fixture
def study(page: Page, lab: Lab, tmp_path: Path) -> Study:
    return Study(page, lab, tmp_path / "ledger", f"{tmp_path.name}.ipynb")


def test_a_failed_step_is_debugged_mended_and_only_what_is_left_runs_again(study: Study) -> None:
    study.open()
    for cell in range(PIPELINE_CELL + 1):
        study.run_cell(cell)
    first = study.output_of(PIPELINE_CELL)
    first.expect_states(prepare="SUCCEEDED", divide="FAILED", finish="SKIPPED")
    assert study.ran() == ["prepare", "divide"]

    # The error stands at its node, with the line of the cell that the step was written in.
    first.task("divide").click()
    expect(first.output).to_contain_text("ZeroDivisionError")
    expect(first.output).to_contain_text(f"Cell In[{DIVIDE_CELL + 1}], line {WRONG_LINE}")

    # Debug: the step is in a new cell, and fails there as it did, in the kernel and on the real numbers.
    study.run_cell(DEBUG_CELL)
    study.page.wait_for_function(f"({PANEL}).content.model.cells.length === {RERUN_CELL + 1}", timeout=SLOW)
    code = study.text_of(NEW_CELL)
    assert code.startswith("# Debug: divide, which failed in run divided-")
    assert "numbers = Dataset(name='numbers', uri='" in code
    study.run_cell(NEW_CELL)
    shown = study.output_of(NEW_CELL).output
    expect(shown).to_contain_text("ZeroDivisionError")
    expect(shown).to_contain_text("sum(by / number for number in held)")
    study.write(NEW_CELL, code.replace("for number in held)", "for number in held if number)"))
    study.run_cell(NEW_CELL)
    expect(shown).to_contain_text("6.0")
    assert study.ran() == ["divide", "divide"]

    # Fix it where it was written; rerun: what the change has not touched is taken over.
    mended = study.text_of(DIVIDE_CELL).replace("for number in held)", "for number in held if number)")
    study.write(DIVIDE_CELL, mended)
    study.run_cell(DIVIDE_CELL)
    study.run_cell(RERUN_CELL)
    again = study.output_of(RERUN_CELL)
    again.expect_states(prepare="CACHED", divide="SUCCEEDED", finish="SUCCEEDED")
    assert study.ran() == ["divide", "finish"]
    again.task("prepare").click()
    expect(again.output).to_contain_text("Result of run divided-")
    expect(again.output).to_contain_text("Run again: divide, finish.")


def test_the_buttons_of_a_failed_task_debug_it_and_rerun_what_was_mended(study: Study) -> None:
    study.open()
    for cell in range(PIPELINE_CELL + 1):
        study.run_cell(cell)
    shown = study.output_of(PIPELINE_CELL)
    shown.expect_states(divide="FAILED")
    rerun = shown.output.get_by_role("button", name="Rerun changed")
    expect(rerun).to_be_enabled(timeout=SLOW)
    study.ran()

    # The place of the error leads to its cell.
    shown.output.get_by_role("button", name=f"Cell In[{DIVIDE_CELL + 1}], line {WRONG_LINE}").click()
    study.page.wait_for_function(f"({PANEL}).content.activeCellIndex === {DIVIDE_CELL}")

    # The step comes into a new cell below the run, whatever cell is active.
    shown.output.get_by_role("button", name="Debug in notebook").click()
    new = PIPELINE_CELL + 1
    study.page.wait_for_function(f"({PANEL}).content.activeCellIndex === {new}", timeout=SLOW)
    assert study.text_of(new).startswith("# Debug: divide, which failed in run divided-")
    study.run_cell(new)
    expect(study.output_of(new).output).to_contain_text("ZeroDivisionError")
    assert study.ran() == ["divide"]

    # Mended where it was written, the run goes on in the same place, and that is what is saved.
    study.write(DIVIDE_CELL, study.text_of(DIVIDE_CELL).replace("in held)", "in held if number)"))
    study.run_cell(DIVIDE_CELL)
    rerun.click()
    shown.expect_states(prepare="CACHED", divide="SUCCEEDED", finish="SUCCEEDED")
    expect(shown.output).to_contain_text("Run again: divide, finish.")
    assert study.ran() == ["divide", "finish"]
    shown.task("prepare").click()
    debug = shown.output.get_by_role("button", name="Debug in notebook")
    expect(debug).to_be_disabled()
    expect(debug).to_have_attribute("title", re.compile("It did not run: its result is that of run divided-"))
    study.page.wait_for_function(
        f"""() => {{
             const output = ({PANEL}).content.model.cells.get({PIPELINE_CELL}).outputs.get(0).toJSON();
             return output.data['application/vnd.kfp-jupyter.run.v1+json'].run.state === 'SUCCEEDED';
           }}""",
        timeout=SLOW,
    )
