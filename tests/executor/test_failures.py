"""Each way in which a step can fail: one clear error, in lines of the source, and no output."""

from __future__ import annotations

import re

import pytest

HEADER = "from kfp_jupyter.dsl import *\nfrom typing import *\n"


def test_an_exception_is_told_in_the_lines_of_the_source(any_step):
    source = """
    import json

    def helper(text):
        return json.loads(text)

    def step():
        try:
            helper("{")
        except ValueError as error:
            raise RuntimeError("no config") from error
    """
    ended = any_step.run(source)
    (cause,) = ended.error.pop("causes")
    assert ended.code == 1
    assert ended.error["type"] == "RuntimeError"
    assert ended.error["message"] == "no config"
    assert ended.error["line"] == 11
    assert ended.error["frames"] == [{"line": 11, "function": "step"}]
    assert (cause["type"], cause["line"]) == ("JSONDecodeError", 5)
    assert [frame["function"] for frame in cause["frames"]] == ["step", "helper"]
    # The log has the usual traceback: the user's lines, the library's, none of ours.
    assert 'raise RuntimeError("no config") from error' in ended.stderr
    assert "raw_decode" in ended.stderr or "json" in ended.stderr
    assert "executor.py" not in ended.stderr


@pytest.mark.parametrize(
    ("source", "outputs", "type_", "message", "line"),
    [
        ("def step(:\n", {}, "SyntaxError", "", 3),
        ("import sys\ndef step():\n    sys.exit(0)\n", {}, "SystemExit", "called sys.exit(0)", 5),
        ("def other(): pass\n", {}, "FunctionNotFound", "no function 'step', only ['other']", 0),
        ("def step(x): pass\n", {}, "MissingArgument", "argument 'x' was not given", 3),
        ("raise OSError('at import')\n", {}, "OSError", "at import", 3),
        ("def step():\n    1 / 0\n", {}, "ZeroDivisionError", "division by zero", 4),
        ("def step() -> int: pass\n", {"Output": "parameter"}, "MissingOutput", "returned None", 3),
        (
            "def step() -> int: return 'x'\n",
            {"Output": "parameter"},
            "BadOutput",
            "int, but the .* str 'x'",
            3,
        ),
        ("def step() -> bool: return 1\n", {"Output": "parameter"}, "BadOutput", "declared as bool", 3),
        ("def step() -> int: return True\n", {"Output": "parameter"}, "BadOutput", "declared as int", 3),
        (
            "def step() -> dict: return {'a': {1}}\n",
            {"Output": "parameter"},
            "BadOutput",
            "set is not JSON",
            3,
        ),
        ("def step() -> Model: return 3\n", {"Output": "system.Model"}, "BadOutput", "is an artifact", 3),
        ("def step(x: OutputPath(str)): pass\n", {"x": "parameter"}, "MissingOutput", "did not write", 3),
        ("def step(x: OutputPath('CSV')): pass\n", {"x": "system.Artifact"}, "MissingOutput", "'x'", 3),
        (
            "def step(x: OutputPath(int)): open(x, 'w').write('one')\n",
            {"x": "parameter"},
            "BadOutput",
            "not str 'one'",
            3,
        ),
        (
            "def step(x: OutputPath(str)): open(x, 'wb').write(bytes([255]))\n",
            {"x": "parameter"},
            "BadOutput",
            "not UTF-8 text",
            3,
        ),
        ("def step() -> str: return chr(0xD800)\n", {"Output": "parameter"}, "BadOutput", "surrogates", 3),
        (
            "def step() -> NamedTuple('O', [('a', int), ('b', int)]): return 1\n",
            {"a": "parameter", "b": "parameter"},
            "BadOutput",
            r"must return \['a', 'b'\], not int 1",
            3,
        ),
        (
            "def step() -> NamedTuple('O', [('a', int), ('c', int)]): return 1, 2\n",
            {"a": "parameter", "b": "parameter"},
            "BadOutput",
            "'c', which is no output",
            3,
        ),
        (
            "def step(m: Output[Metrics]): m.metadata['x'] = object()\n",
            {"m": "system.Metrics"},
            "BadOutput",
            "object is not JSON",
            3,
        ),
        (
            "def step() -> list:\n    rows = []\n    rows.append(rows)\n    return rows\n",
            {"Output": "parameter"},
            "BadOutput",
            "output 'Output' holds itself",
            3,
        ),
        (
            "def step() -> Tuple[int, dict]:\n    tree = {}\n    tree['up'] = [tree]\n    return 1, tree\n",
            {"Output_1": "parameter", "Output_2": "parameter"},
            "BadOutput",
            "output 'Output_2' holds itself, or is nested too deeply; give out a plain copy",
            3,
        ),
        (
            "def step() -> list:\n    rows = []\n    for _ in range(9999): rows = [rows]\n    return rows\n",
            {"Output": "parameter"},
            "BadOutput",
            "output 'Output' holds itself, or is nested too deeply",
            3,
        ),
        (
            "def step(m: Output[Metrics]): m.metadata['x'] = m.metadata\n",
            {"m": "system.Metrics"},
            "BadOutput",
            "output 'm' holds itself",
            3,
        ),
    ],
    ids=lambda value: value.split("\n")[0] if isinstance(value, str) else None,
)
def test_each_failure_has_its_own_words(step, source, outputs, type_, message, line):
    ended = step.run(HEADER + source, outputs=outputs)
    error = ended.error
    assert (error["type"], error["line"]) == (type_, line)
    expected = re.search(message, error["message"]) or message in error["message"]
    assert expected, error["message"]
    assert error["type"] in ended.stderr or error["type"] == "SystemExit"


def test_the_output_of_a_failed_step_is_not_there(step):
    ended = step.run("def step() -> int:\n    raise KeyboardInterrupt\n", outputs={"Output": "parameter"})
    assert ended.error["type"] == "KeyboardInterrupt"
    assert not list((step.folder / "out").glob("*")) if (step.folder / "out").exists() else True


def test_a_long_message_is_cut(step):
    ended = step.run("def step():\n    raise ValueError('x' * 100000)\n")
    assert len(ended.error["message"]) == 4000
