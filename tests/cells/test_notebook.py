from __future__ import annotations

import json

import pytest

from kfp_jupyter.cells.notebook import CodeCell, NotebookError, read_notebook


def notebook(*cells: dict[str, object], nbformat: int = 4) -> str:
    return json.dumps({"nbformat": nbformat, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)})


def code(source: object) -> dict[str, object]:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": []}


def test_code_cells_are_read_with_their_magics_and_their_places(tmp_path):
    path = tmp_path / "n.ipynb"
    path.write_text(
        notebook(
            {"cell_type": "markdown", "source": "%%component in prose"},
            code(["x = 1\n", "y = 2"]),
            code("%%component train --cpu 2\ndef train(): ...\n"),
            code("%%pipeline\n"),
            code("%%bash"),
        )
    )
    cells = read_notebook(path)
    assert cells == [
        CodeCell(2, "", "", "x = 1\ny = 2"),
        CodeCell(3, "component", "train --cpu 2", "def train(): ...\n"),
        CodeCell(4, "pipeline", "", ""),
        CodeCell(5, "bash", "", ""),
    ]
    assert cells[1].place("n.ipynb") == "n.ipynb, cell 3"


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"cells": 3}', notebook(nbformat=3), "\ud800".encode("utf-16", "surrogatepass")]
)
def test_what_is_no_notebook_is_refused_with_its_path(tmp_path, text):
    path = tmp_path / "n.ipynb"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(NotebookError, match="not a notebook") as raised:
        read_notebook(path)
    assert raised.value.where == str(path)


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(NotebookError, match="No such file"):
        read_notebook(tmp_path / "none.ipynb")
