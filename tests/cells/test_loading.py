"""What a step needs to load values of the notebook's own classes."""

from __future__ import annotations

import dataclasses
import json
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from kfp_jupyter.cells import references as noticed
from kfp_jupyter.cells.loading import classes_in
from kfp_jupyter.cells.references import Reference, pickled
from kfp_jupyter.cells.serializers import choice
from kfp_jupyter.notebook.source import find_pipeline
from kfp_jupyter.workbench import Workbench
from tests.notebook.kernel import kernel

SETTINGS = "limit = 2.0\n\nclass Scaled:\n    def __init__(self, by):\n        self.by = by\n"
DEFINITIONS = """\
import dataclasses
from collections import namedtuple
from scaling import Scaled
Point = namedtuple('Point', 'x y')
@dataclasses.dataclass
class Stats:
    mean: float
    at: Point
def doubled(x):
    return 2 * x
"""
MAKES = """\
%%component make(n: int = 3) -> things, plain
class Note:
    def __init__(self, text):
        self.text = text
things = {'stats': [Stats(n / 2, Point(1, n))], 'note': Note('hi'), 'by': Scaled(n), 'apply': doubled}
plain = list(range(n))
"""
USES = """\
%%component use(things, plain) -> said: str
held = things['stats'][0]
said = f"{held.mean} {held.at.y} {things['note'].text} {things['by'].by} {things['apply'](5)} {len(plain)}"
"""
CELLS = ("%load_ext kfp_jupyter", DEFINITIONS, MAKES, USES)


class Own(BaseEstimator):
    def fit(self, x, y=None):
        return self

    def transform(self, x):
        return x


@dataclasses.dataclass
class Pair:
    left: object
    right: object


Place = namedtuple("Place", "x y")


def halved(x):
    return x / 2


def here(value: object) -> set[str]:
    return {held.name for held in pickled(value).references if held.module == __name__}


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (3, set()),
        ({"a": [Pair(Place(1, 2), halved)]}, {"Pair", "Place", "halved"}),
        (make_pipeline(Own(), FunctionTransformer(halved)), {"Own", "halved"}),
        ([Own, Pair], {"Own", "Pair"}),
        ((Place(1, 2), (x for x in "ab"), Pair(1, 2)), {"Place"}),
    ],
    ids=["plain", "nested", "estimators", "classes", "what cannot be pickled"],
)
def test_a_value_refers_to_classes_and_functions(value, names):
    assert here(value) == names


def test_what_speaks_against_storing_a_value_is_said():
    assert pickled({"a": [Pair(1, 2)]}).problem == ""
    assert "generator" in pickled({"a": (x for x in "ab")}).problem
    assert "lambda" in pickled([lambda: 1]).problem


def test_bulk_data_is_not_looked_at(monkeypatch):
    monkeypatch.setattr(noticed, "LIMIT", 10_000)
    assert here([np.zeros(1_000_000), Pair(1, 2)]) == {"Pair"}
    assert here([b"0" * 200_000, Pair(1, 2)]) == set()
    assert Reference("numpy", "ndarray") in pickled(np.zeros(3)).references


def test_packages_are_those_of_all_that_a_value_refers_to():
    held = choice(Pair(np.zeros(1), make_pipeline(FunctionTransformer(halved))))
    assert (held.format, held.packages) == ("pickle", ("scikit-learn",))


def test_a_text_says_which_classes_its_values_may_have():
    text = (
        "class A: pass\nif True:\n    class B: pass\nP = namedtuple('P', 'x')\nx = list()\n"
        "def called(): pass\ndef handed(): pass\ncalled()\nkeep(handed)\n"
        "kind = type(x)\nT = type('T', (), {})\n"
    )
    assert list(classes_in([text])) == ["A", "B", "P", "handed", "T"]


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "scaling.py").write_text(SETTINGS)
    return tmp_path


def written(folder: Path, *texts: str) -> Path:
    path = folder / "flow.ipynb"
    cells = [{"cell_type": "code", "source": text} for text in texts]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}))
    return path


def test_values_of_the_notebooks_classes_pass_between_cells_that_ran(folder):
    with kernel(folder) as made:
        for cell in (*CELLS, "%%pipeline flow --auto --wait -p n=4"):
            done = made.run(cell, allow_stdin=False)
            assert done.status == "ok", done.traceback
        run = "__import__('kfp_jupyter.workbench').workbench.current().get('latest')"
        assert made.value(f"{run}.tasks['use'].outputs['said']") == "2.0 4 hi 4 10 4"


def test_values_of_the_notebooks_classes_pass_between_cells_that_were_only_read(folder, monkeypatch):
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(folder / "data"))
    pipeline = find_pipeline(written(folder, *CELLS, "%%pipeline flow --auto"))
    bench = Workbench()
    try:
        run = bench.run(pipeline, {"n": 4}).wait(300)
        assert run.state == "SUCCEEDED", run.logs()
        assert run.tasks["use"].outputs["said"] == "2.0 4 hi 4 10 4"
    finally:
        bench.close()


def test_steps_that_were_only_read_install_what_they_import_and_what_their_inputs_come_from(folder):
    path = written(
        folder,
        "import numpy as np",
        "%%component make() -> rows\nrows = np.eye(2)",
        "%%component add(rows) -> total: float\ntotal = float(rows.sum())",
        "%%component show(total)\nprint(total)",
        "%%component own(rows) -> size: int --packages pandas\nsize = len(rows)",
        "%%pipeline flow --auto",
    )
    components = find_pipeline(path).components
    packages = {name: held.implementation.packages for name, held in components.items()}
    assert packages == {
        "comp-make": ("numpy",),
        "comp-add": ("numpy",),
        "comp-show": (),
        "comp-own": ("pandas", "numpy"),
    }


def test_a_class_that_is_only_guessed_and_cannot_be_brought_refuses_nothing(folder):
    path = written(
        folder,
        "%%component make() -> pairs\nBase = next(iter([object]))\nclass Odd(Base):\n    pass\n"
        "class Even:\n    pass\npairs = {(1, 2): Even()}",
        "%%component count(pairs) -> size: int\nsize = len(pairs)",
        "%%pipeline flow --auto",
    )
    source = find_pipeline(path).components["comp-count"].implementation.source.text
    assert "class Even" in source
    assert "Odd" not in source
    assert "Base" not in source
