"""A notebook in JupyterLab as a test drives it: opened, run, looked at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Lab

#: The notebook's panel, whatever has the focus.
PANEL = "[...window.jupyterapp.shell.widgets('main')].find(widget => widget.context?.model?.cells)"
#: Milliseconds that something may take which involves a kernel's start or a run.
SLOW = 300_000


def write_notebook(path: Path, *cells: str) -> None:
    """Write a notebook of code cells."""
    body: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": cell.strip("\n"),
        }
        for number, cell in enumerate(cells)
    ]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    notebook = {"cells": body, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook), encoding="utf-8")


class Workspace:
    """One page that shows one notebook."""

    def __init__(self, page: Page, lab: Lab, name: str) -> None:
        self.page = page
        self.lab = lab
        self.name = name
        self.output = page.locator(".jp-NotebookPanel .kfp-output").first
        self.panel = page.locator(".kfp-sidebar")

    def open(self, *, idle: bool = True) -> None:
        """Load JupyterLab afresh and open the notebook; by default wait for its kernel."""
        self.page.goto(f"{self.lab.url}/lab?reset")
        self.page.wait_for_function("window.jupyterapp?.commands.hasCommand('docmanager:open')")
        self.page.evaluate("path => window.jupyterapp.commands.execute('docmanager:open', {path})", self.name)
        expect(self.page.locator(".jp-NotebookPanel")).to_be_visible()
        if idle:
            self.wait_for_kernel("idle")

    def wait_for_kernel(self, status: str) -> None:
        script = f"status => ({PANEL})?.sessionContext.session?.kernel?.status === status"
        self.page.wait_for_function(script, arg=status, timeout=SLOW)

    def prompt(self, number: int) -> Locator:
        """Return a cell's prompt: `[*]:` while the cell waits or runs."""
        return self.page.locator(".jp-NotebookPanel .jp-InputPrompt").nth(number)

    def run_all(self) -> None:
        """Start to run every cell; does not wait for the last."""
        self.page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")

    def run_cell(self, number: int) -> None:
        """Run one cell and wait for its end."""
        self.page.evaluate(
            f"""async number => {{
                 ({PANEL}).content.activeCellIndex = number;
                 await window.jupyterapp.commands.execute('notebook:run-cell');
               }}""",
            number,
        )

    def restart_kernel(self) -> None:
        self.page.evaluate(f"({PANEL}).sessionContext.session.kernel.restart()")
        self.wait_for_kernel("idle")

    def save(self) -> dict[str, Any]:
        """Save the notebook and return what is then in the file."""
        self.page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
        self.page.wait_for_function(f"!({PANEL}).context.model.dirty")
        saved: dict[str, Any] = json.loads((self.lab.folder / self.name).read_text(encoding="utf-8"))
        return saved

    def open_sidebar(self) -> None:
        self.page.evaluate("window.jupyterapp.shell.activateById('kfp-jupyter-sidebar')")
        expect(self.panel).to_be_visible()

    def task(self, path: str) -> Locator:
        """Return a task's card in the notebook's output."""
        return self.output.locator(f'[data-task="{path}"]')

    def expect_states(self, **states: str) -> None:
        """Wait until tasks show these states; `NONE` is that of a task that has no run."""
        for name, state in states.items():
            card = self.task(name.replace("_", "-"))
            expect(card).to_have_attribute("data-state", state, timeout=SLOW)

    def button(self, name: str) -> Locator:
        return self.panel.get_by_role("button", name=name, exact=True)
