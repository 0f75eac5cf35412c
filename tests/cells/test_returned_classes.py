"""The class of what a function returns travels with it, with all that it is made of."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from kfp_jupyter.cells.component import component_from_function
from tests.cells.test_capture_property import run_bare

BEGIN = (
    "from typing import NamedTuple, TypedDict, Optional\nimport dataclasses\n"
    "from dataclasses import dataclass, field\n"
)

CLASSES = {
    "a named tuple": ("class Out(NamedTuple):\n    a: int\n    b: str = 'x'\n", "Out(a=n)"),
    "a dataclass": (
        "@dataclass\nclass Out:\n    a: int\n    b: list = field(default_factory=list)\n",
        "Out(n)",
    ),
    "a dataclass by its module": ("@dataclasses.dataclass(frozen=True)\nclass Out:\n    a: int\n", "Out(n)"),
    "a typed dict": ("class Out(TypedDict, total=False):\n    a: int\n", "Out(a=n)"),
    "a class that is made of another": (
        "C = 3\n@dataclass\nclass B:\n  a: int\n  c: int = C\n@dataclass\nclass Out(B):\n  b: int = 2\n",
        "Out(n)",
    ),
    "a named tuple that a call makes": ("Out = NamedTuple('Out', [('a', int)])\n", "Out(n)"),
    "a class with a method that calls a helper": (
        "def twice(n): return 2 * n\n@dataclass\nclass Out:\n  a: int\n  def b(self): return twice(self.a)\n",
        "Out(n)",
    ),
}
HINTS = {
    "itself": ("Out", ""),
    "its name": ("'Out'", ""),
    "perhaps none": ("Optional[Out]", ""),
    "hints that are not evaluated": ("Optional[Out]", "from __future__ import annotations\n"),
}


@pytest.mark.parametrize(("hint", "future"), HINTS.values(), ids=HINTS)
@pytest.mark.parametrize("what", CLASSES)
def test_it_travels_with_the_function(what, hint, future, tmp_path, monkeypatch):
    text, made = CLASSES[what]
    path = tmp_path / "returned_of_a_test.py"
    path.write_text(f"{future}{BEGIN}{text}\ndef step(n: int) -> {hint}:\n    return {made}\n")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, path.stem, module)
    spec.loader.exec_module(module)
    component = component_from_function(module.step)
    source = component.implementation.source.text
    assert source.count(text.splitlines()[-1]) == 1
    assert component.outputs[0].name == "a"
    given = run_bare(component.implementation)
    assert (given["a"] if isinstance(given, dict) else given.a) == 1
