"""The names that a text reads from outside and those that it binds."""

from __future__ import annotations

import argparse
import ast
import asyncio
import dataclasses
import inspect
import json
import string
import symtable
import sys
import textwrap
import typing

import pytest

from kfp_jupyter.cells.names import analyse

CASES = {
    "nothing of its own": ("x = 1\nprint(x)", ""),
    "a name before it is bound": ("print(x)\nx = 1", "x"),
    "a name bound from itself": ("x = x + 1", "x"),
    "an augmented assignment": ("total += 1", "total"),
    "a tuple target": ("a, (b, *c) = d\na, b, c", "d"),
    "a deleted name": ("x = 1\ndel x\nx", "x"),
    "deleting what is not here": ("del frame", "frame"),
    "a function that is called later": ("def f(): return late\nlate = 1", ""),
    "a function's locals": ("def f(a, *b, c=d, **e):\n    g = a\n    return b, c, e, g, h", "d h"),
    "a local that is bound below its use": ("def f():\n    print(x)\n    x = 1", ""),
    "a closure": ("def f(a):\n    def g():\n        return a, outer\n    return g", "outer"),
    "nonlocal": ("def f():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1\n    return g", ""),
    "global": ("def f():\n    global n\n    n = 1\n    return n", "n?"),
    "global that is only changed": ("def f():\n    global n\n    n += 1", "n"),
    "a decorator": ("@wrap(level)\ndef f(): ...", "wrap level"),
    "a default": ("def f(a=b): ...", "b"),
    "a lambda's default and body": ("f = lambda a, b=c: a + b + d", "c d"),
    "a comprehension": ("[x + y for x in xs if x > z]", "xs y z"),
    "nested comprehensions": ("{a: [b for b in c(a)] for a in d for c in e}", "d e"),
    "a comprehension's first source is outer": ("x = [x for x in x]", "x"),
    "a walrus in a comprehension, which may go through nothing": ("[y := x for x in xs]\ny", "xs y?"),
    "a walrus after `and`": ("if a and (b := c):\n    b\nelse:\n    b", "a b? c"),
    "a walrus after `or`": ("if not (a or (b := c)):\n    b\nb", "a b? c"),
    "a walrus in a choice": ("x = (b := 1) if (c := 2) else d\nb, c", "b? d"),
    "the `else` of a loop that breaks": ("for i in s:\n    break\nelse:\n    x = 1\nx", "s x?"),
    "what a try deletes before it fails": ("x = 1\ntry:\n    del x\nexcept E:\n    x\nx = 2", "E x?"),
    "a class inside a class": ("class A:\n    x = 1\n    class B:\n        y = x", "x"),
    "what a class binds too, in a function": (
        "def f(x):\n    class A:\n        x = x\n    return A",
        "x",
    ),
    "a hint after its value": ("x: type(x) = 1", ""),
    "a lambda in a hint that is not evaluated": ("def f():\n    x: (lambda: g)() = 1", ""),
    "a function that is called before its names are bound": (
        "def f(): return late\ny = f()\nlate = 1",
        "late?",
    ),
    "a lambda that may be called before its names are bound": (
        "y = sorted(xs, key=lambda x: x * scale)\nscale = 2",
        "xs scale?",
    ),
    "a lambda that is called at once": ("y = (lambda x: x * scale)(z)\nscale = 2", "z scale"),
    "a lambda that is called at once, in a class of its own name": (
        "class A:\n    class B:\n        x = (lambda q=c: A and (lambda: d)())(e)\nd = 1",
        "c e A d",
    ),
    "a lambda that is called when a function is": ("def f(): return (lambda: late)()\nlate = 1", ""),
    "a lambda with a name": ("f = lambda: late\nlate = 1\nf()", ""),
    "a method that is called before its names are bound": (
        "class A:\n    def m(self): return late\nA().m()\nlate = 1",
        "late?",
    ),
    "a function that calls another": (
        "def f(): return late\ndef g(): return f()\ng()\nlate = 1",
        "late?",
    ),
    "a walrus in a function": (
        "def f(n):\n    if (m := n) and any((k := i) for i in m):\n        return k",
        "",
    ),
    "a class body": ("class A(B, metaclass=C):\n    x = 1\n    y = x\n    z = w", "B C w"),
    "a class's names are not its methods'": ("class A:\n    x = 1\n    def f(self):\n        return x", "x"),
    "nor its comprehensions'": ("class A:\n    x = 1\n    y = [x for _ in range(x)]", "x"),
    "a class body before it binds": ("class A:\n    x = x", "x"),
    "a private name": ("class A:\n    def f(self):\n        return __secret", "_A__secret"),
    "super needs nothing": ("class A:\n    def f(self):\n        return super().f(), __class__", ""),
    "f-strings": ("f'{a!r:>{width}} {{b}} {c[\"d\"]=}'", "a width c"),
    "a nested f-string": ("f\"{f'{a}'}\"", "a"),
    "match": (
        "match a:\n case [b, *c]: c\n case {'k': d, **e}: e\n case P(x=f) | Q(f): f\n case g if h(g): K",
        "a P Q h K",
    ),
    "with and async": (
        "async def f():\n async with a as b, c(b) as d:\n  async for e in d:\n   await g(e)",
        "a c g",
    ),
    "an exception's name": (
        "try: ...\nexcept E as e: print(e)\ne",
        "E e",
    ),
    "import and as": ("import a.b, c as d\nfrom e import f as g\na.b, d, g, c, f", "c f"),
    "a relative import": ("from . import a\nfrom .b import c\na, c", ""),
    "one branch": ("if a:\n    b = 1\nb", "a b?"),
    "both branches": ("if a:\n    b = 1\nelse:\n    b = 2\nb", "a"),
    "a branch that leaves": ("for i in a:\n    if i: b = 1\n    else: continue\n    b", "a"),
    "a loop may not run": ("for i in a:\n    b = i\nb, i", "a b? i?"),
    "a loop's second time": ("while a:\n    print(b)\n    b = 1", "a b"),
    "try and except": ("try:\n    import a\nexcept ImportError:\n    a = None\na", ""),
    "try and raise": ("try:\n    import a\nexcept ImportError as e:\n    raise Oops from e\na", "Oops"),
    "try and finally": ("try:\n    a = 1\nfinally:\n    b = 1\na, b", ""),
    "try and pass": ("try:\n    import a\nexcept ImportError:\n    pass\na", "a?"),
    "hints": ("def f(a: A, *b: 'B[C]') -> Optional['D']: ...\nx: E\ny: 'F' = 1", "A B* C* Optional D* E F*"),
    "literals are no hints": (
        "def f(a: Literal['x'], b: typing.Annotated['T', 'y', z]): ...",
        "Literal typing T* z",
    ),
    "a function's variable is not evaluated": ("def f():\n    a: Unknown = 1", "Unknown*"),
    "hints as text": ("from __future__ import annotations\ndef f(a: A) -> B[C]: ...", "A* B* C*"),
    "a hint that is also called": ("def f(a: 'A'): return A(a)", "A"),
    "no hint of text that is not one": ("def f(a: 'not a hint'): ...", ""),
}


def spelled(text):
    """Return the names read: `?` is maybe, `*` is never evaluated."""
    reads = analyse(text).reads.values()
    return {use.name + "?" * use.maybe + "*" * use.postponed for use in reads}


@pytest.mark.parametrize(("text", "reads"), CASES.values(), ids=CASES)
def test_what_is_read_from_outside(text, reads):
    assert spelled(text) == set(reads.split())


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("def f[T: Bound](a: T) -> T: return a", "Bound"),
        ("class A[T](Base[T]):\n    x: T", "Base"),
        ("type Pair[T] = tuple[T, Other]", "Other"),
        ("try: ...\nexcept* E as e: print(e)", "E"),
    ],
)
def test_newer_syntax_is_read_where_python_has_it(text, reads):
    needed = (3, 11) if "except*" in text else (3, 12)
    if sys.version_info < needed:
        with pytest.raises(SyntaxError):
            analyse(text)
    else:
        assert spelled(text) == {reads}


def test_a_use_says_where_when_and_how():
    use = analyse("def f():\n    é = 1; config['a'] = data\nconfig\ndata.x += 1").reads
    assert [(name, use[name].line) for name in use] == [("config", 2), ("data", 2)]
    assert [place.line for place in use["config"].places] == [2, 3]
    assert use["data"].places[0].column == len("    é = 1; config['a'] = ".encode())
    assert use["config"].eager
    assert use["config"].changed
    assert use["data"].changed
    assert not analyse("def f(): return a").reads["a"].eager


def test_what_python_provides_is_told_apart_and_may_be_bound():
    names = analyse("print(len(x), __name__)\nlist = list(y)")
    assert list(names.builtins) == ["print", "len", "__name__", "list"]
    assert list(names.reads) == ["x", "y"]
    assert list(names.binds) == ["list"]


def test_a_binding_says_what_binds_it_and_whether_it_surely_is():
    names = analyse(
        "import a.b as c\nif x:\n    d = 1\n    def e(): ...\nd = 2\nclass F: ...\nfor c in d: ..."
    )
    assert {name: held.kind for name, held in names.binds.items()} == {
        "c": "variable",
        "d": "variable",
        "e": "function",
        "F": "class",
    }
    assert [held.certain for held in names.binds.values()] == [True, True, False, True]
    assert [type(node).__name__ for node in names.binds["d"].statements] == ["If", "Assign"]
    assert [place.line for place in names.binds["d"].places] == [3, 5]
    assert [held.text for held in names.binds["c"].imports] == ["import a.b as c"]


def test_imports_are_told_in_full():
    names = analyse(
        "import os.path, numpy as np\nfrom a.b import c as d, e\nfrom . import f\nfrom .g import *\n"
        "try:\n    import h\nexcept ImportError: ...\ndef i():\n    import j\n"
    )
    assert [held.text for held in names.imports] == [
        "import os.path",
        "import numpy as np",
        "from a.b import c as d",
        "from a.b import e",
        "from . import f",
        "from .g import *",
        "import h",
        "import j",
    ]
    assert [held.name for held in names.imports] == ["os", "np", "d", "e", "f", "*", "h", "j"]
    assert [held.module for held in names.star_imports] == [".g"]
    assert [held.module for held in names.imports if held.guarded] == ["h"]
    assert [held.module for held in names.imports if not held.top_level] == ["j"]
    assert "j" not in names.binds


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("x = await y", [1]),
        ("async with a: ...", [1]),
        ("\nasync for a in b: ...", [2]),
        ("[x async for x in y]", [1]),
        ("async def f():\n    await y\n    [x async for x in y]", []),
        ("if a:\n    class B:\n        c = await d", [3]),
    ],
)
def test_awaits_at_the_top_level_are_found(text, lines):
    assert [place.line for place in analyse(text).awaits] == lines


def test_names_that_functions_make_global_are_told():
    names = analyse("def f():\n    global a, b\n    a = 1\n    b += 1\n")
    assert names.global_names == {"a"}
    assert list(names.reads) == ["b"]


def _by_the_compiler(table, referenced, bound):
    is_module = table.get_type() == "module" and table.get_name() == "top"
    for symbol in table.get_symbols():
        ours = is_module or symbol.is_global()
        if ours and symbol.is_referenced():
            referenced.add(symbol.get_name())
        if ours and (symbol.is_assigned() or symbol.is_imported()):
            bound.add(symbol.get_name())
    for inner in table.get_children():
        _by_the_compiler(inner, referenced, bound)


@pytest.mark.parametrize(
    "module", [ast, argparse, asyncio.base_events, dataclasses, json, string, textwrap, typing]
)
def test_pythons_own_compiler_finds_the_same_names_in_the_standard_library(module):
    text = inspect.getsource(module)
    referenced, bound = set(), set()
    _by_the_compiler(symtable.symtable(text, "module.py", "exec"), referenced, bound)
    names = analyse(text)
    ours = {use.name for use in [*names.reads.values(), *names.builtins.values()] if not use.postponed}
    # Python gives methods a `__class__`; since 3.12 a module counts what its comprehensions bind as its own.
    sources = [node for node in ast.walk(names.tree) if isinstance(node, ast.comprehension)]
    inlined = {held.id for node in sources for held in ast.walk(node.target) if isinstance(held, ast.Name)}
    assert ours <= referenced
    assert referenced - bound - {"__class__"} <= ours
    assert bound - names.global_names - inlined <= set(names.binds)
