from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from kfp_jupyter import dsl
from kfp_jupyter.cells.notebook import NotebookError
from kfp_jupyter.dsl.notebook_step import notebook_pipeline
from kfp_jupyter.model.types import ParameterType
from tests.executor.conftest import step  # noqa: F401 - a fixture


def notebook(path: Path, *cells: str, tag: int | None = None, kernel: str = "python3") -> Path:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    made.metadata["kernelspec"] = {"name": kernel, "display_name": kernel}
    made.cells[0]["outputs"] = [nbformat.v4.new_output("stream", text="x" * 3_000_000)]
    if tag is not None:
        made.cells[tag].metadata["tags"] = ["parameters"]
    nbformat.write(made, path)
    return path


PARAMETERS = "rate = 0.5\nrounds: int = 3\nnames = ['a']\nfast = True\nnothing = None\nlater = len('abc')"


def test_the_inputs_are_what_the_tagged_cell_assigns(tmp_path):
    made = dsl.notebook_step(notebook(tmp_path / "Train it.ipynb", "1", PARAMETERS, tag=1))
    assert made.name == "train-it"
    assert [(spec.name, spec.type, spec.default) for spec in made.model.inputs] == [
        ("rate", ParameterType.DOUBLE, 0.5),
        ("rounds", ParameterType.INTEGER, 3),
        ("names", ParameterType.LIST, ["a"]),
        ("fast", ParameterType.BOOLEAN, True),
    ]
    assert [spec.name for spec in made.model.outputs] == ["executed_notebook", "page"]
    # What the notebook has printed before does not travel with it.
    assert len(made.model.implementation.source.text) < 20_000


def test_it_runs_with_other_values_and_keeps_the_executed_notebook_and_its_page(tmp_path, step):  # noqa: F811
    path = notebook(
        tmp_path / "n.ipynb", "word = 'a'\nn = 1", "print('it says', word * n)", tag=0, kernel="not-here"
    )
    model = dsl.notebook_step(path).model
    outputs = {"executed_notebook": "system.Artifact", "page": "system.HTML"}
    source, given = model.implementation.source.text, {"n": 3, "word": "b"}
    ended = step.run(source, "n", parameters=given, outputs=outputs, flags=("-u",))
    assert ended.code == 0, ended.stderr
    assert "it says bbb" in ended.lines
    executed = json.loads(Path(ended.artifacts["executed_notebook"][0]["uri"]).read_text())
    tags = [cell["metadata"].get("tags") for cell in executed["cells"]]
    assert tags == [["parameters"], ["injected-parameters"], None]
    assert "it says bbb" in Path(ended.artifacts["page"][0]["uri"]).read_text()


def test_a_parameter_called_like_an_output_is_refused(tmp_path):
    path = notebook(tmp_path / "n.ipynb", "page = 1", tag=0)
    with pytest.raises(NotebookError, match=r"n.ipynb, cell 1.*'page'"):
        dsl.notebook_step(path)
    with pytest.raises(NotebookError, match="not valid Python"):
        dsl.notebook_step(notebook(tmp_path / "n.ipynb", "rate = ", tag=0))


def test_as_a_pipeline_its_parameters_are_the_notebooks(tmp_path):
    pipeline = notebook_pipeline(notebook(tmp_path / "study.ipynb", PARAMETERS, tag=0))
    assert (pipeline.name, list(pipeline.graph.tasks)) == ("study", ["study"])
    assert [spec.name for spec in pipeline.inputs] == ["rate", "rounds", "names", "fast"]
