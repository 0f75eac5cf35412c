"""What a person sees who makes a mistake in a magic: one clear message, without our frames."""

from __future__ import annotations

import pytest

BAD_CELLS = {
    "a syntax error": (
        "%%component\ndef f(x: int) -> int:\n    return x +\n",
        "ComponentSyntaxError",
        ["Cell In[{n}], line 3", "return x +"],
    ),
    "no type hint": (
        "%%component\n\ndef f(x, y: int = 1):\n    pass\n",
        "MissingHintError",
        ["Cell In[{n}], line 3", "'x'", "x: int"],
    ),
    "an unknown type": (
        "%%component\ndef f(x: Frame):\n    pass\n",
        "CheckError",
        ["Cell In[{n}], line 2", "Frame"],
    ),
    "no function": ("%%component\nx = 1\n", "NoFunctionError", ["Cell In[{n}]", "def"]),
    "a shell line": (
        "%%component\n!ls\ndef f():\n    pass\n",
        "ComponentSyntaxError",
        ["line 2", "--packages"],
    ),
    "a syntax error in a pipeline": (
        "%%pipeline\na = load(\n",
        "DefinitionError",
        ["Cell In[{n}], line 2", "a = load("],
    ),
    "an undefined task output": (
        "%%pipeline\na = load()\nb = train(n=a.outputs['nmber'])\n",
        "OutputError",
        ["Cell In[{n}], line 3", "task load", "nmber", "Output"],
    ),
    "a wrong argument name": (
        "%%pipeline\na = load()\nb = train(n=a.output, rat=0.5)\n",
        "ArgumentError",
        ["Cell In[{n}], line 3", "task train", "'rat'", "Did you mean 'rate'?"],
    ),
    "a wrong argument type": (
        "%%pipeline\nload(n='three')\n",
        "ArgumentError",
        ["Cell In[{n}], line 2", "task load", "'three'", "int"],
    ),
    "a missing argument": (
        "%%pipeline\n\ntrain()\n",
        "ArgumentError",
        ["Cell In[{n}], line 3", "task train", "'n'"],
    ),
    "a cycle through after": (
        "%%pipeline\na = load()\nb = load()\na.after(b)\nb.after(a)\n",
        "CircleError",
        ["Cell In[{n}]", "circle", "load → load-2 → load"],
    ),
    "a pipeline without tasks": ("%%pipeline\nx = 1\n", "PipelineError", ["Cell In[{n}]", "no task"]),
    "a return in calls": (
        "%%pipeline\na = load()\nreturn a\n",
        "DefinitionError",
        ["Cell In[{n}], line 3", "def"],
    ),
    "parameters twice": (
        "%%pipeline p(n: int)\ndef p(n: int):\n    load(n=n)\n",
        "DefinitionError",
        ["Cell In[{n}], line 2", "twice"],
    ),
    "a pipeline named like a component": (
        "%%pipeline load\nload()\n",
        "DefinitionError",
        ["'load'", "component"],
    ),
    "a value that will flow, used as if it were there": (
        "%%pipeline p(n: int = 1)\nif n > 3:\n    load()\n",
        "ChannelUseError",
        ["Cell In[{n}], line 2"],
    ),
    "a parameter of the run that is no number": (
        "%%pipeline p(n: int = 1) --run -p n=many\nload(n=n)\n",
        "ArgumentError",
        ["'n'", "many", "int"],
    ),
    "an unknown target": (
        "%%pipeline p --run --target moon\nload()\n",
        "TargetError",
        ["'moon'", "local"],
    ),
    "an unknown run": ("%kfp show nothing-like-it", "HistoryError", ["nothing-like-it"]),
    "an unknown pipeline": ("%kfp run no-such", "UnknownPipelineError", ["no-such"]),
}


@pytest.mark.parametrize("mistake", BAD_CELLS)
def test_a_mistake_gets_one_clear_message_without_our_frames(shared, mistake):
    code, error, said = BAD_CELLS[mistake]
    cell = shared.run(code)
    number = shared.replies[cell.request]["content"]["execution_count"]
    assert (cell.status, cell.ename) == ("error", error), cell.traceback
    assert [output["type"] for output in cell.outputs if output["type"] != "display_data"] == ["error"]
    text = cell.traceback
    for part in said:
        assert part.format(n=number) in text
    assert "What to do: " in text
    assert "Traceback" not in text
    assert "kfp_jupyter/" not in text
    assert ".py" not in text
    assert len(text.splitlines()) == 3


USAGE = {
    "%%component --nope\ndef f():\n    pass\n": "--nope",
    "%%component --cpu lots\ndef f():\n    pass\n": "lots",
    "%%component 'unclosed\ndef f():\n    pass\n": "unclosed",
    "%%pipeline p(\nload()\n": "%%pipeline",
    "%%pipeline --target local\nload()\n": "--run",
    "%kfp dance": "dance",
    "%kfp cancel": "RUN",
    "%kfp run p -p lr": "NAME=VALUE",
}


@pytest.mark.parametrize("code", USAGE)
def test_a_line_that_cannot_be_read_gives_a_usage_error_of_one_line(shared, code):
    cell = shared.run(code)
    assert (cell.status, cell.ename) == ("error", "UsageError")
    assert cell.stderr.startswith("UsageError: ")
    assert USAGE[code] in cell.stderr
    assert len(cell.stderr.strip().splitlines()) == 1


def test_an_error_in_the_users_own_lines_keeps_their_traceback_and_drops_ours(shared):
    # With and without an option: IPython may know the magic's body by the same name as the whole cell.
    for line in ("", " named"):
        cell = shared.run(
            f"%%pipeline{line}\n\ndef helper():\n    return {{}}['missing']\nload(n=helper())\n"
        )
        check_users_frames(cell)


def check_users_frames(cell):
    assert cell.ename == "KeyError"
    assert "line 5" in cell.traceback
    assert "in helper()" in cell.traceback
    assert "{}['missing']" in cell.traceback
    assert "kfp_jupyter" not in cell.traceback
    assert "interactiveshell" not in cell.traceback


def test_an_error_of_ours_in_an_ordinary_cell_names_the_cell_and_no_frames(shared):
    shared.run("%%pipeline typed(n: int = 1)\nload(n=n)\n")
    cell = shared.run("x = 1\ntyped.run(n='three')\n")
    number = shared.replies[cell.request]["content"]["execution_count"]
    assert cell.ename == "ArgumentError"
    assert f"Cell In[{number}], line 2" in cell.traceback
    assert "kfp_jupyter/" not in cell.traceback
    assert "Traceback" not in cell.traceback
