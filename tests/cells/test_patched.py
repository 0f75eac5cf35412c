"""A module that a cell has changed is the original in a step, and that is said."""

from __future__ import annotations

import json
import sys
import types

import pytest

from kfp_jupyter.cells.component import component_from_cell
from kfp_jupyter.notebook.source import find_components
from tests.cells.ran import ran

STEP = "def step() -> str:\n    return str(patchable.load())\n"


@pytest.fixture(autouse=True)
def patchable(monkeypatch):
    """A module that is installed, as far as capture can see, with one in it, a class, and an object."""
    module, inner = types.ModuleType("patchable"), types.ModuleType("patchable.inner")
    module.load = inner.save = print
    module.inner, module.options = inner, types.SimpleNamespace(rows=1)
    module.Frame = type("Frame", (), {"__module__": "patchable", "sort": print})
    monkeypatch.setitem(sys.modules, "patchable", module)
    monkeypatch.setitem(sys.modules, "patchable.inner", inner)


def live(*cells: str) -> list[str]:
    """Run cells, of which the last is a component, and return what is said of changed modules."""
    found = []
    around = ran(*cells[:-1])
    component_from_cell(cells[-1], 2, "Cell In[9]", around.namespace, around=around, tell=found.append)
    return [f"{held.where}: {held.what}" for held in found if held.code == "patched-module"]


def said(where: str, target: str, module: str) -> str:
    return f"{where}: `{target}` is set here, and in a step {module!r} is as it was installed."


@pytest.mark.parametrize(
    ("patch", "target", "module"),
    [
        ("patchable.load = len", "patchable.load", "patchable"),
        ("if patchable:\n    patchable.load = len", "patchable.load", "patchable"),
        ("setattr(patchable, 'load', len)", "patchable.load", "patchable"),
        ("patchable.inner.save = len", "patchable.inner.save", "patchable.inner"),
        ("setattr(patchable.inner, 'save', len)", "patchable.inner.save", "patchable.inner"),
        ("patchable.Frame.sort = len", "patchable.Frame.sort", "patchable.Frame"),
    ],
)
def test_what_a_cell_sets_of_a_module_is_said_with_its_line(patch, target, module):
    line = 3 if patch.startswith("if") else 2
    assert live("import patchable", f"x = 1\n{patch}", STEP) == [
        said(f"Cell In[2], line {line}", target, module)
    ]


@pytest.mark.parametrize(
    ("imported", "read", "told"),
    [
        ("import patchable as p", "p.load()", ["p.load"]),
        ("from patchable import inner as p", "p.save()", ["p.load"]),
        ("from patchable import Frame as p", "p()", ["p.load"]),
    ],
)
def test_the_name_that_the_cell_gives_a_module_is_taken(imported, read, told):
    found = live(imported, "p.load = len", STEP.replace("patchable.load()", read))
    assert [held.split("`")[1] for held in found] == told


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (["patchable.load = len"], "another module is used"),
        (["patchable.options.rows = 2"], "an object of a module"),
        (["patchable.options.rows: int = 2", "patchable.options.columns: int"], "an object of a module"),
        (["def change():\n    patchable.load = len\nchange"], "not at the level of a cell"),
        (["before = patchable.load", "patchable.load = len", "patchable.load = before"], "put back"),
        (["class Held: ...\nHeld.patchable = 1\nheld = Held()\nheld.load = 2"], "an object of one's own"),
        (["patchable = __import__('types').SimpleNamespace(load=len)\npatchable.load = sum"], "no module"),
    ],
)
def test_nothing_is_said_of_what_the_step_does_not_miss(cells, why):
    step = STEP.replace("patchable.load()", "1") if why in ("another module is used", "no module") else STEP
    assert live("import patchable\nimport json", *cells, step) == [], why


def test_nothing_is_said_if_the_component_sets_it_itself():
    assert (
        live("import patchable", "patchable.load = len", STEP.replace(":\n", ":\n    patchable.load = len\n"))
        == []
    )
    assert live("import patchable", "patchable.load = len", f"patchable.load = len\n{STEP}") == []


def test_an_import_of_something_else_from_the_module_is_nothing():
    step = "from patchable import Frame\ndef step() -> str:\n    return str(Frame())\n"
    assert live("import patchable", "patchable.load = len", step) == []
    step = step.replace("Frame", "load")
    assert live("import patchable", "patchable.load = len", step) == [
        said("Cell In[2], line 1", "patchable.load", "patchable")
    ]


def test_a_notebook_that_is_only_read_says_it_too(tmp_path):
    cells = [
        "import json, os.path, xml.dom as dom\nfrom kfp_jupyter import component",
        "class object_of_ones_own:\n    x = ''",
        "json.dumps = str\nos.path.sep = ':'\ndom.Node = None\nobject_of_ones_own.dumps = 1",
        "@component\ndef one() -> str:\n    return json.dumps(1)",
        "@component\ndef two() -> str:\n    return os.path.join(dom.__name__, object_of_ones_own.x)",
    ]
    path = tmp_path / "book.ipynb"
    held = [{"cell_type": "code", "source": text, "metadata": {}, "outputs": []} for text in cells]
    path.write_text(json.dumps({"nbformat": 4, "metadata": {}, "cells": held}), encoding="utf-8")
    errors = []
    one, two = find_components(path, errors.append)
    assert errors == []
    told = [[(held.where.line, held.what.split("`")[1]) for held in made.findings] for made in (one, two)]
    assert told == [[(1, "json.dumps")], [(2, "os.path.sep"), (3, "dom.Node")]]
