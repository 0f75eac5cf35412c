"""What a cell's checks say of its inputs."""

from __future__ import annotations

import pytest

from kfp_jupyter.cells.cell_capture import captured_cell
from kfp_jupyter.cells.cell_form import read_cell_form
from kfp_jupyter.cells.signature import read_interface_part
from kfp_jupyter.cells.surroundings import notebook_surroundings


def found(line: str, body: str) -> list[tuple[str, int]]:
    form = read_cell_form(read_interface_part(line, {}), body, "Cell In[3]", ())
    cell = captured_cell(form, notebook_surroundings({}), "python:3.11", ())
    return [(finding.code, finding.where.line) for finding in cell.findings]


@pytest.mark.parametrize(
    ("line", "body", "findings"),
    [
        ("f(rows) -> n", "x = 1\nrows.append(1)\nn = len(rows)", [("changed-input", 1)]),
        ("f(rows) -> n", "rows[0] = 1\nn = 2", [("changed-input", 1)]),
        ("f(table) -> n", "table.drop(columns='a', inplace=True)\nn = 2", [("changed-input", 1)]),
        ("f(rows) -> n, rows", "rows.append(1)\nn = len(rows)", []),
        ("f(rows) -> n", "rows = [*rows, 1]\nn = len(rows)", [("changed-input", 1)]),
        ("f(rows) -> n", "n = sorted(rows)", []),
        ("f(rows) -> n", "n = 1", [("unused-input", 1)]),
    ],
)
def test_inputs_are_used_and_not_changed_where_nobody_sees_it(line, body, findings):
    assert found(line, body) == findings
