"""Takes the pictures of the README: `python -m pytest tests/browser/screenshots.py` writes docs/images/."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Lab
from tests.browser.workspace import PANEL, Workspace

ROOT = Path(__file__).parents[2]
PIPELINE_CELL = 10
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


@pytest.mark.parametrize("theme", THEMES)
def test_take_pictures_of_the_quickstart(theme: str, lab: Lab, browser: Browser) -> None:
    name = f"quickstart-{theme}.ipynb"
    shutil.copy(ROOT / "notebooks" / "quickstart.ipynb", lab.folder / name)
    context = browser.new_context(viewport={"width": 1360, "height": 1240}, device_scale_factor=1.25)
    workspace = Workspace(context.new_page(), lab, name)
    page = workspace.page
    workspace.open()
    set_theme = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"
    page.evaluate(set_theme, THEMES[theme])
    page.evaluate(f"({PANEL}).content.activeCellIndex = {PIPELINE_CELL + 1}")
    page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-above')")
    workspace.open_sidebar()
    workspace.expect_states(choose="NONE")
    # Another number of rounds, or the second picture would show nothing but a cache.
    workspace.panel.get_by_label("rounds").fill(str(100 + list(THEMES).index(theme)))
    workspace.button("Run locally").click()
    workspace.expect_states(train_boosting="RUNNING")
    if theme == "dark":
        workspace.expect_states(choose="SUCCEEDED")
    cell = page.locator(".jp-NotebookPanel .jp-Cell").nth(PIPELINE_CELL)
    cell.evaluate("node => node.scrollIntoView({block: 'start'})")
    page.screenshot(path=ROOT / "docs" / "images" / f"run-{theme}.png")
    context.close()
