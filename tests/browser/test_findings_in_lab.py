"""What checks find, in a real JupyterLab: drawn in the cells that it is about, and listed with links."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Lab
from tests.browser.workspace import PANEL, SLOW, Workspace, write_notebook

LOAD = "%load_ext kfp_jupyter\nfrom kfp_jupyter import dsl"
HELPER = "def parsed(text):\n    import yaml\n    return yaml.safe_load(text)"
# A character beyond the basic plane stands before the name: Python counts it as one, the browser as two.
WARNED = (
    "%%component\n"
    'def warned(text: str = "🙂", unused: int = 1) -> dict:\n'
    "    list = [text]\n"
    "    return parsed(list[0])"
)
WRONG = "%%component\ndef wrong(n: int) -> int:\n    return n * facter"
LOAD_CELL, HELPER_CELL, WARNED_CELL, WRONG_CELL, CHECK_CELL = range(5)


class Checked(Workspace):
    """A notebook with components that checks find something in."""

    def __init__(self, page: Page, lab: Lab, name: str) -> None:
        super().__init__(page, lab, name)
        write_notebook(lab.folder / name, LOAD, HELPER, WARNED, WRONG, "%kfp check")

    def cell(self, number: int) -> Locator:
        return self.page.locator(".jp-NotebookPanel .jp-CodeCell").nth(number)

    def expect_marked(self, number: int, *texts: str) -> None:
        """Wait until just these texts are underlined in a cell."""
        expect(self.cell(number).locator(".kfp-squiggle")).to_have_text(list(texts), timeout=SLOW)

    def listed(self, number: int) -> Locator:
        """Return the items of the list under a cell."""
        return self.cell(number).locator(".kfp-findings-output li")

    def cursor(self) -> list[int]:
        """Return the active cell, and the line and column of the cursor in it, from 0."""
        place: list[int] = self.page.evaluate(
            f"""() => {{
                 const {{ activeCellIndex, activeCell }} = ({PANEL}).content;
                 const {{ line, column }} = activeCell.editor.getCursorPosition();
                 return [activeCellIndex, line, column];
               }}"""
        )
        return place

    def listen(self) -> None:
        """Keep from now on what is announced to screen readers: the editor takes it away in a moment."""
        self.page.evaluate(
            """() => {
                 window.announced = [];
                 const heard = change => {
                   if (change.target.classList?.contains('cm-announced')) {
                     window.announced.push(...[...change.addedNodes].map(node => node.textContent));
                   }
                 };
                 const observer = new MutationObserver(changes => changes.forEach(heard));
                 observer.observe(document.body, { childList: true, subtree: true });
               }"""
        )

    def expect_announced(self, text: str) -> None:
        script = "text => window.announced.some(said => said.includes(text))"
        self.page.wait_for_function(script, arg=text, timeout=SLOW)

    def type_at(self, number: int, line: int, text: str) -> None:
        """Type a text at the beginning of a line of a cell, as a user does; lines count from 0."""
        self.page.evaluate(
            f"""([number, line]) => {{
                 const notebook = ({PANEL}).content;
                 notebook.activeCellIndex = number;
                 notebook.mode = 'edit';
                 notebook.activeCell.editor.setCursorPosition({{ line, column: 0 }});
                 notebook.activeCell.editor.focus();
               }}""",
            [number, line],
        )
        self.page.keyboard.type(text)


@pytest.fixture
def checked(page: Page, lab: Lab, tmp_path: Path) -> Checked:
    return Checked(page, lab, f"{tmp_path.name}.ipynb")


def test_findings_are_drawn_where_they_are_and_go_with_what_they_are_about(checked: Checked) -> None:
    page = checked.page
    checked.open()
    for number in range(CHECK_CELL + 1):
        checked.run_cell(number)
    # A finding is drawn in the cell that it is about, whichever cell's output tells of it.
    checked.expect_marked(HELPER_CELL, "import yaml")
    checked.expect_marked(WARNED_CELL, "unused", "list")
    checked.expect_marked(WRONG_CELL, "facter")
    expect(checked.cell(WRONG_CELL).locator(".kfp-squiggle.kfp-mod-error")).to_have_count(1)

    # The body of a component cell is Python to the editor: its keywords look as those of any other cell.
    keyword = checked.cell(LOAD_CELL).locator(".cm-line span", has_text="import").first.get_attribute("class")
    assert keyword
    inside = checked.cell(WARNED_CELL).locator(".cm-line span", has_text="return")
    expect(inside.first).to_have_class(keyword)

    # By keyboard from finding to finding, across cells, with a tooltip, and words for a screen reader.
    checked.listen()
    page.evaluate(f"({PANEL}).content.activeCellIndex = {LOAD_CELL}")
    page.locator(".jp-NotebookPanel .jp-Notebook").focus()
    page.keyboard.press("F8")
    expect(page.locator(".kfp-tip")).to_contain_text("--packages PyYAML")
    assert checked.cursor() == [HELPER_CELL, 1, 4]
    page.keyboard.press("F8")
    expect(page.locator(".kfp-tip")).to_contain_text("The input 'unused' is never used.")
    assert checked.cursor() == [WARNED_CELL, 1, WARNED.splitlines()[1].index("unused") + 1]
    checked.expect_announced("Warning: The input 'unused'")
    page.keyboard.press("Shift+F8")
    expect(page.locator(".kfp-tip")).to_contain_text("--packages PyYAML")

    # The list of `%kfp check` leads to each place.
    expect(checked.listed(CHECK_CELL)).to_have_count(4)
    wrong = checked.listed(CHECK_CELL).filter(has_text="facter")
    wrong.get_by_role("button", name="Cell In[4], line 3").click()
    expect(page.locator(".kfp-tip")).to_contain_text("'facter' is not defined")
    assert checked.cursor() == [WRONG_CELL, 2, WRONG.splitlines()[2].index("facter")]

    # Lines above move it; a change of its own line takes it away until that is undone.
    checked.type_at(WRONG_CELL, 2, "    # new\n")
    checked.expect_marked(WRONG_CELL, "facter")
    checked.type_at(WRONG_CELL, 3, "#")
    checked.expect_marked(WRONG_CELL)
    page.keyboard.press("Backspace")
    checked.expect_marked(WRONG_CELL, "facter")

    # A cell that has run again has nothing of its earlier run, in itself and in lists elsewhere.
    mended = WRONG.replace("facter", "2")
    page.evaluate(
        f"([number, text]) => ({PANEL}).content.model.cells.get(number).sharedModel.setSource(text)",
        [WRONG_CELL, mended],
    )
    checked.run_cell(WRONG_CELL)
    checked.expect_marked(WRONG_CELL)
    expect(wrong).to_contain_text("changed since")
    expect(wrong.get_by_role("button")).to_have_count(0)

    # What is saved with the notebook is drawn again, before anything runs.
    checked.save()
    checked.open(idle=False)
    checked.expect_marked(HELPER_CELL, "import yaml")
    checked.expect_marked(WARNED_CELL, "unused", "list")
    checked.expect_marked(WRONG_CELL)
    expect(checked.listed(WARNED_CELL)).to_have_count(3)
