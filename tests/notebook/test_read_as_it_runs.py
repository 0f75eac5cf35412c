"""A notebook that is only read gives the steps that it gives when it runs.

Each case is a notebook whose component `step` takes nothing; it is read from its file, and its source is run
without any of the notebook's names.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from kfp_jupyter.cells.finding import CheckError
from kfp_jupyter.interchange.write import to_yaml
from kfp_jupyter.model.component import PythonStep
from kfp_jupyter.notebook.source import find_components, find_pipeline
from tests.cells.notebooks import commands_of, run_from_manifest
from tests.notebook.kernel import kernel

LOADED = "from kfp_jupyter import component, pipeline"
CALLED = "%%pipeline p\nstep()"


def write(folder: Path, *cells: str) -> Path:
    held = [{"cell_type": "code", "source": text, "metadata": {}, "outputs": []} for text in cells]
    path = folder / "book.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "metadata": {}, "cells": held}), encoding="utf-8")
    return path


def read(path: Path) -> PythonStep:
    (component,) = find_pipeline(path).components.values()
    held = component.implementation
    assert isinstance(held, PythonStep)
    return held


def given(folder: Path, *cells: str):
    """Return what the step gives, read from the file and run as the pipeline's manifest says."""
    manifest = next(yaml.safe_load_all(to_yaml(find_pipeline(write(folder, LOADED, *cells, CALLED)))))
    return run_from_manifest(commands_of(manifest)["step"], {}, folder / "step")


MARKED = "mark = 'p\u2029q\x0cr\x1d'"

CASES = {
    "a function under %%time": (
        ("%%time\nimport math\ndef root(n):\n    return math.sqrt(n)",),
        "@component\ndef step() -> float:\n    return root(4)",
        2.0,
    ),
    "a component under %%time": (
        (),
        "%%time\n@component\ndef step() -> float:\n    return 3.0",
        3.0,
    ),
    "an async component's helpers": (
        ("async def three():\n    return 3",),
        "@component\ndef step() -> int:\n    import asyncio\n    return asyncio.run(three())",
        3,
    ),
    "all of a module of Python's": (
        ("from math import *",),
        "@component\ndef step() -> float:\n    return floor(2.5) + pow(2, 3)",
        10.0,
    ),
    "a function that hides Python's own": (
        ("def sum(values):\n    return 100",),
        "@component\ndef step() -> int:\n    return sum([1])",
        100,
    ),
    "functions that singledispatch knows": (
        (
            "from functools import singledispatch\n@singledispatch\ndef show(x):\n    return 'other'",
            "@show.register\ndef _(x: int):\n    return 'int'",
        ),
        "@component\ndef step() -> str:\n    return show(1)",
        "int",
    ),
    "an instance of a dataclass": (
        (
            "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass Conf:\n    rate: float = 0.5",
            "CONF = Conf(rate=0.25)",
        ),
        "@component\ndef step() -> float:\n    return CONF.rate",
        0.25,
    ),
    "a table of functions": (
        ("import math\nMODELS = {'a': lambda: math.floor(1.5), 'b': lambda: max([2, 3])}",),
        "@component\ndef step() -> list:\n    return [make() for make in MODELS.values()]",
        [1, 3],
    ),
    "hints that an earlier cell has made text": (
        (
            "from __future__ import annotations",
            "class Node:\n    def link(self, other: Node) -> Missing:\n        return 5",
        ),
        "@component\ndef step(n: 'int' = 1) -> 'int':\n    return Node().link(None)",
        5,
    ),
    "lines that end as Windows ends them": (
        ("BASE = 4\r\n",),
        "@component\r\ndef step() -> int:\r\n    text = '''x\r\ny'''\r\n    return BASE + len(text)\r\n",
        7,
    ),
    "form feeds and separators": (
        (
            "ONE = 1\n\x0c\ndef one():\n    return ONE\nMARK = 'a\u2028b\x85'",
            "'\u2028'\n\x0c\ndef two():\n    return one() + 1",
        ),
        f"x = 1\n\x0c\n@component\ndef step() -> int:\n    {MARKED}\n    return two() + len(mark + MARK)",
        12,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_step_that_is_read_gives_what_it_gives_in_the_notebook(tmp_path, case):
    cells, step, result = CASES[case]
    assert given(tmp_path, *cells, step) == result


def test_an_async_component_is_one_also_where_the_notebook_is_only_read(tmp_path):
    path = write(tmp_path, LOADED, "@component\nasync def step() -> int:\n    return 3", CALLED)
    assert read(path).source.text.rstrip().endswith("async def step() -> int:\n    return 3")


def test_all_of_a_local_package_is_what_its_modules_bind_or_list(tmp_path):
    package = tmp_path / "starred_package"
    package.mkdir()
    (package / "__init__.py").write_text("__all__ = ['scale', 'MOST']\nfrom .core import scale\nMOST = 9\n")
    (package / "core.py").write_text("from .facts import *\n\ndef scale(n):\n    return n * K\n")
    (package / "facts.py").write_text("K = 3\n_HIDDEN = 4\n")
    star = "from starred_package import *\nfrom starred_package.core import *"
    cell = "@component\ndef step() -> int:\n    return scale(2) + MOST + K"
    text = read(write(tmp_path, LOADED, star, cell, CALLED)).source.text
    assert "from starred_package import MOST" in text
    assert "from starred_package.core import K" in text
    path = write(tmp_path, LOADED, star, cell.replace("K", "_HIDDEN"), CALLED)
    with pytest.raises(CheckError, match="The name '_HIDDEN' is not defined"):
        find_pipeline(path)


def test_a_local_module_in_another_encoding_travels_as_its_text(tmp_path):
    text = "# -*- coding: latin-1 -*-\nNAME = 'José'\n"
    (tmp_path / "legacy_names.py").write_bytes(text.encode("latin-1"))
    cell = "from legacy_names import NAME\n@component\ndef step() -> str:\n    return NAME"
    assert "José" in read(write(tmp_path, LOADED, cell, CALLED)).source.text


@pytest.mark.parametrize(
    "change",
    ["CONFIG['rate'] = 0.5", "CONFIG['layers'].append(3)", "CONFIG.update(rate=1)", "del CONFIG['rate']"],
)
def test_a_literal_that_a_cell_changes_is_not_taken_as_it_was_first(tmp_path, change):
    cell = "@component\ndef step() -> float:\n    return CONFIG['rate']"
    path = write(tmp_path, LOADED, "CONFIG = {'rate': 0.1, 'layers': [1]}", change, cell, CALLED)
    told = []
    find_components(path, told.append)
    assert "which book.ipynb, cell 3 changes" in str(told[0]).replace(f"{tmp_path}/", "")
    assert "cell 4, line 3" in told[0].where


def test_a_literal_that_a_later_cell_changes_is_taken_as_it_is_where_the_component_stands(tmp_path):
    cell = "@component\ndef step() -> float:\n    return CONFIG['rate']"
    assert given(tmp_path, "CONFIG = {'rate': 0.1}", cell, "CONFIG['rate'] = 2") == 0.1


def test_a_cell_with_separators_in_its_texts_is_a_component_in_a_kernel(tmp_path):
    with kernel(tmp_path) as book:
        assert book.run("from kfp_jupyter import component").status == "ok"
        cell = f"x = 1\n\x0c\n@component\ndef step(n: int) -> int:\n    {MARKED}\n    return n + len(mark)"
        outcome = book.run(cell)
        assert outcome.status == "ok", outcome.traceback
        assert book.value("step(n=1)") == "7"
        assert book.value("'\\u2029' in step.model.implementation.source.text") == "True"
        book.run("from __future__ import annotations")
        book.run("class Node:\n    def link(self, other: Node) -> Missing:\n        return 5")
        outcome = book.run("@component\ndef linked() -> int:\n    return Node().link(None)")
        assert outcome.status == "ok", outcome.traceback
        book.run("from enum import IntFlag\nclass May(IntFlag):\n    READ = 1\n    WRITE = 2\nBOTH = May(3)")
        outcome = book.run("@component\ndef flags() -> int:\n    return int(BOTH)")
        assert outcome.status == "ok", outcome.traceback
        book.run("MODELS = {'low': lambda: min(4, 2), 'high': lambda: max(4, 2)}")
        outcome = book.run("@component\ndef made() -> int:\n    return MODELS['high']()")
        assert outcome.status == "ok", outcome.traceback
        assert book.value("'max(4, 2)' in made.model.implementation.source.text") == "True"
