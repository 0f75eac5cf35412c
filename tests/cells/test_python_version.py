"""What an image's Python does not know is told at its own line, also where Python names a later one."""

from __future__ import annotations

import sys

import pytest

from kfp_jupyter.cells.names import analyse
from kfp_jupyter.cells.python_version import check_version
from kfp_jupyter.model.component import Fragment, Source

CASES = {
    "a match": ("x = 1\nmatch x:\n    case 1:\n        y = 2\nz = 3\n", "3.9", 2),
    "a match in a function, after a text of several lines": (
        "def f(x):\n    '''a\n    b'''\n    match x:\n        case 1:\n            return 2\n",
        "3.8",
        4,
    ),
    "a walrus under a decorator": ("@a\n@b\ndef f():\n    if (n := 1):\n        return n\n", "3.7", 4),
    "a module": ("import sys\n\nimport tomllib\n", "3.10", 3),
    "a name of a module, used below": ("import math\n\ny = (\n    math.cbrt(8)\n)\n", "3.10", 4),
    "a hint": ("x: int = 1\ndef f(\n    a: int,\n    b: int | None = None,\n): ...\n", "3.9", 4),
}
if sys.version_info < (3, 13):
    # Later ones have forgotten that this is new.
    CASES["a with in parentheses"] = (
        "with open(x) as g:\n    pass\nwith (\n    open(x) as f,\n    open(y) as g,\n):\n    pass\nz = 1\n",
        "3.8",
        3,
    )
if sys.version_info >= (3, 11):
    CASES["an except of groups"] = (
        "try:\n    x = 1\nexcept* ValueError:\n    pass\ny = 1\n",
        "3.10",
        3,
    )


@pytest.mark.parametrize(("text", "version", "line"), CASES.values(), ids=CASES)
def test_the_line_is_that_of_the_syntax(text, version, line):
    source = Source((Fragment("import kfp\n", "kfp_jupyter"), Fragment(text, "Cell In[1]", 2)))
    (found,) = check_version(source, analyse(source.text), f"python:{version}")
    assert (found.where.cell, found.where.line) == ("Cell In[1]", line + 1)
    assert list(check_version(source, analyse(source.text), "python:3.13")) == []
