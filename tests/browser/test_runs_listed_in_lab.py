"""Which runs the sidebar lists, in a real JupyterLab: those of this notebook, of all, of one pipeline."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from kfp_jupyter.model.run import RunCreated, RunRef, State, Target, apply
from kfp_jupyter.runs.history import History
from tests.browser.conftest import Lab
from tests.browser.workspace import SLOW, Workspace, write_notebook
from tests.pipelines import churn

LOAD = "%load_ext kfp_jupyter"


class Listed(Workspace):
    """A notebook with two runs, of two pipelines, beside one of another notebook."""

    def run(self, name: str) -> Locator:
        """Return the row of the run of a pipeline."""
        return self.panel.locator(".kfp-runs li").filter(has_text=name)

    def expect_runs(self, *names: str) -> None:
        """Wait until the sidebar lists runs of these pipelines of ours, whatever other tests have run."""
        expect(self.run("listed-").locator(".kfp-run-name")).to_have_text(list(names), timeout=SLOW)


@pytest.fixture
def listed(page: Page, lab: Lab, tmp_path: Path) -> Listed:
    workspace = Listed(page, lab, f"{tmp_path.name}.ipynb")
    write_notebook(lab.folder / workspace.name, LOAD)
    history, here, pipeline = (
        History(lab.folder.parent / "kfp-jupyter" / "history.sqlite3"),
        Target("local"),
        churn(),
    )
    mine, other = str(lab.folder / workspace.name), str(lab.folder / "other.ipynb")
    began = time.time()
    for number, (name, notebook) in enumerate([("listed-a", mine), ("listed-b", mine), ("listed-c", other)]):
        created = RunCreated(began + number, f"{tmp_path.name}-{name}", name, here, {}, ("load",))
        ended = replace(apply(None, created), state=State.SUCCEEDED, finished_at=began + number)
        history.record(RunRef(ended.id, here, ""), pipeline, ended, {"notebook": notebook})
    return workspace


def test_the_list_holds_this_notebook_s_runs_all_or_those_of_a_pipeline_and_stays_so(listed: Listed) -> None:
    page, panel = listed.page, listed.panel
    listed.open()
    listed.run_cell(0)
    listed.open_sidebar()
    listed.expect_runs("listed-b", "listed-a")

    # By keyboard: the choice is one stop of the Tab key, and arrow keys choose.
    scope = panel.get_by_role("radiogroup", name="Runs of")
    mine, everything = (scope.get_by_role("radio", name=name) for name in ("This notebook", "All notebooks"))
    expect(mine).to_be_checked(timeout=SLOW)
    mine.focus()
    page.keyboard.press("ArrowRight")
    expect(everything).to_be_focused(timeout=SLOW)
    expect(everything).to_be_checked(timeout=SLOW)
    listed.expect_runs("listed-c", "listed-b", "listed-a")
    expect(listed.run("listed-c")).to_contain_text("other.ipynb", timeout=SLOW)
    expect(listed.run("listed-b")).not_to_contain_text(".ipynb", timeout=SLOW)

    # A page that is loaded again lists what was chosen.
    listed.open()
    listed.open_sidebar()
    listed.expect_runs("listed-c", "listed-b", "listed-a")
    panel.get_by_role("combobox", name="Runs of the pipeline").select_option("listed-a")
    listed.expect_runs("listed-a")
    mine.focus()
    page.keyboard.press("Space")
    expect(mine).to_be_checked(timeout=SLOW)
    listed.expect_runs("listed-a")
    panel.get_by_role("combobox", name="Runs of the pipeline").select_option("All pipelines")
    listed.expect_runs("listed-b", "listed-a")
