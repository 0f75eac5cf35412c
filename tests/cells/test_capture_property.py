"""What the check lets pass never meets an unknown name in a bare interpreter, whatever cells define.

Notebooks are drawn by chance: definitions that use each other in any order, some names defined and some not,
used in every kind of scope. The bare interpreter is this process's own `exec` with a fresh namespace, which
runs the captured source and calls the component.
"""

from __future__ import annotations

import ast
import sys
import types
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, Phase, event, example, given, settings
from hypothesis import strategies as st

from kfp_jupyter.cells.component import component_from_cell
from kfp_jupyter.cells.finding import CheckError
from kfp_jupyter.cells.history import History, Text
from kfp_jupyter.cells.surroundings import Surroundings
from kfp_jupyter.executor.stubs import offered
from kfp_jupyter.model.component import PythonStep

NAMES = ["a", "b", "c", "d", "e", "f"]

# Expressions that are True whatever their names mean; `{0}` and `{1}` are names.
USES = [
    "({0} is {0})",
    "bool([{0} for _ in range(2)])",
    "all(x is {0} for x in [{0}] if {1} is {1})",
    "(lambda q={0}: {1} is {1} and q is {0})()",
    "bool(f'{{{0} is {0}}} {{{1}!r:>3}}')",
    "(y := {0}) is {0}",
    "bool({{id(k): {0} for k in [{1}]}} or True)",
    "not (False and (y := {0})) and {1} is {1}",
    "({0} is {0} if {1} is {1} else z)",
    "bool(list(map(lambda k: {1} is {1}, [{0}])))",
    "all(p is p for *p, q in [(1, {0})] for r in [{1}] if q is {0})",
]

# How a name may be defined, by other names; each gives a statement at the top level of a cell.
DEFINITIONS = [
    "{n} = 1",
    "{n} = [1, {{'k': (2, None)}}]",
    "import json as {n}",
    "from math import pi as {n}",
    "from collections import OrderedDict as {n}",
    "def {n}(x=None):\n    return {u}",
    "def {n}(x=None):\n  def inner():\n    nonlocal x\n    x = {u}\n    return x\n  return inner()",
    "{n} = lambda x=None: {u}",
    "class {n}:\n    held = 1\n    def method(self):\n        return {u}",
    "class {n}:\n    made = {u}\n    names = [made for _ in range(1)] if False else []",
    "def {n}(x=None):\n  match x:\n    case None: return {u}\n    case [first, *rest]: return first",
    "def {n}(x=None):\n    try:\n        return {u}\n    except ValueError as error:\n        return error",
    "async def {n}(x=None):\n    return {u}",
    "def {n}(x: 'Unknown' = None):\n    local: Unknown = {u}\n    return local",
    "def _wrap(g):\n    return lambda x=None: g(x)\n@_wrap\ndef {n}(x=None):\n    return {u}",
    "try:\n    import nowhere as {n}\nexcept ImportError:\n    {n} = None",
    "class {n}:\n  class Inner:\n    held = {u}\n  def method(self): return self.Inner",
    "def {n}(x=None):\n  class Held:\n    a = {u}\n    b = a\n  return Held.b",
    "for _i in [1]:\n  break\nelse:\n  {n} = 1\n{n} = (2, None)",
    "def _count():\n  global _total\n  _total = ({u},)\ndef {n}(x=None):\n  _count()\n  return _total",
    "from dataclasses import dataclass\n@dataclass\nclass {n}:\n  x: object = 0\n  def method(self): {u}",
    "class {n}:\n  def make(): return {u}\n  made = make()",
    "def _make(): return {u}\nclass {n}:\n  made = _make()",
    "@(lambda made: made if {u} else made)\ndef {n}(x=None): return {u}",
    "{n} = (lambda: {u})()",
    "{n} = sorted([1], key=lambda x: bool({u}))",
    "{n} = {{'k': lambda: {u}}}",
]

# Statements that run before a component's function is defined, in its own cell.
BEFORE = [
    "",
    "{n} = {n}\n",
    "_kept = [{u} for _ in [1]]\n{n} = (9, None)\n",
    "_kept = sorted([1], key=lambda x: bool({u}))\n{n} = (9, None)\n",
    "def _early(): return {u}\n_kept = _early()\n{n} = (9, None)\n",
    "class _Early:\n  def __init__(self): self.x = {u}\n_kept = _Early()\n{n} = (9, None)\n",
    "if False and ({n} := 1): pass\n_kept = {n}\n",
    "try:\n  del {n}\n  {n} = (3,)\nfinally:\n  pass\n",
]

# Most names have a meaning from the start, so that many notebooks pass.
simple = st.lists(st.sampled_from(NAMES), unique=True, min_size=4).map(
    lambda names: [f"{name} = ({index}, None)" for index, name in enumerate(names)]
)

# Runs what a name stands for: a function, a coroutine, a class and its method.
CALL = """
def _call(held):
    try:
        made = held()
    except (TypeError, RecursionError):
        return
    if hasattr(made, "send"):
        try: made.send(None)
        except StopIteration: pass
        finally: made.close()
    if hasattr(made, "method"):
        made.method()
"""

uses = st.builds(str.format, st.sampled_from(USES), st.sampled_from(NAMES), st.sampled_from(NAMES))
cells = st.builds(
    lambda form, name, use: form.format(n=name, u=use),
    st.sampled_from(DEFINITIONS),
    st.sampled_from(NAMES),
    uses,
)

befores = st.builds(
    lambda form, name, use: form.format(n=name, u=use), st.sampled_from(BEFORE), st.sampled_from(NAMES), uses
)


def _read(use: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(use)) if isinstance(node, ast.Name)}


def component(notebook: list[str], body: list[str], before: str = "") -> PythonStep | None:
    """Run a notebook's cells and return the step of a component after them; None if it is refused."""
    module = types.ModuleType("__main__")
    kept = sys.modules["__main__"]
    sys.modules["__main__"] = module
    try:
        texts = []
        for number, text in enumerate(notebook, start=1):
            file = f"Cell In[{number}]"
            # A cell may fail in the notebook; the next ones run all the same.
            with suppress(NameError):
                exec(compile(text, file, "exec", dont_inherit=True), module.__dict__)
            texts.append(Text(text + "\n", file))
        cell = CALL + "def step(n: int) -> bool:\n" + "".join(f"    assert {use}\n" for use in body)
        called = "".join(f"    _call({name})\n" for name in NAMES if any(name in _read(use) for use in body))
        around = Surroundings(module.__dict__, History(tuple(texts)))
        made = component_from_cell(
            f"{before}{cell}{called}    return True\n", 2, "Cell In[9]", module.__dict__, around=around
        )
    except CheckError:
        return None
    finally:
        sys.modules["__main__"] = kept
    assert isinstance(made.implementation, PythonStep)
    return made.implementation


def run_bare(step: PythonStep) -> Any:
    """Run a step's source with no names but what every step has."""
    stub = types.ModuleType("stub")
    stub.__dict__.update(offered())
    text = step.source.text
    for line in (
        "import kfp, kfp_jupyter\n",
        "from kfp_jupyter import dsl\n",
        "from kfp_jupyter.dsl import *\n",
    ):
        assert line in text
        text = text.replace(line, "\n", 1)
    names = {"__name__": "__main__", **offered()}
    exec(compile(text, "step.py", "exec", dont_inherit=True), names)
    return names["step"](1)


# Without the phase that explains a failure, for which every line of every example is traced.
@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
@given(simple, st.lists(cells, max_size=8), st.lists(uses, min_size=1, max_size=3), befores)
@example(
    ["a = (0, None)"],
    ["class a:\n  class Inner:\n    held = (lambda q=a: b is b and q is a)()", "b = 1"],
    ["(a is a)"],
    "",
)
@example(["c = 1"], ["a = 1", "def b(x=None):\n    return (a is a)"], ["(b is b)"], "")
def test_what_the_check_lets_pass_knows_all_its_names_in_a_bare_interpreter(first, notebook, body, before):
    # What the cell itself runs reads names that are there, or the notebook's own cell fails too.
    if any(name in _read(before) for name in set(NAMES) - {text[0] for text in first}):
        before = ""
    step = component([*first, *notebook], body, before)
    event("passed" if step is not None else "refused")
    if step is not None:
        assert run_bare(step) is True


def test_the_property_is_about_notebooks_that_pass_and_some_that_do_not():
    assert component(["a = 1"], ["(a is a)"]) is not None
    assert component(["a = 1"], ["(b is b)"]) is None
