"""What goes wrong in other tools that turn notebooks into pipelines, each defect with our answer.

Measured on Kale 2.3.0, KFP's SDK 2.17.0 and Hamilton 1.90; a test is named after the defect.
"""

from __future__ import annotations

import pytest
import yaml

from tests.cells.notebooks import commands_of, run_from_manifest
from tests.notebook.kernel import kernel

LOADED = (
    "%load_ext kfp_jupyter\nfrom kfp_jupyter import component, dsl, pipeline\nfrom kfp_jupyter.dsl import *"
)


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """A kernel that the tests of this file share, in a folder of its own."""
    folder = tmp_path_factory.mktemp("notebook")
    with kernel(folder) as made:
        assert made.run(LOADED).status == "ok"
        made.folder = folder
        yield made


def cells(notebook, *texts):
    """Run cells and return the last one's outcome; only it may fail."""
    for text in texts[:-1]:
        done = notebook.run(text)
        assert done.status == "ok", done.traceback
    return notebook.run(texts[-1])


def compiled(notebook, calls, name="compiled"):
    """Return what a pipeline of these calls compiles to for KFP."""
    body = "\n".join(f"    {line}" for line in calls.splitlines())
    done = notebook.run(f"@pipeline(name='{name}')\ndef _made():\n{body}\n_made.compile('{name}.yaml')")
    assert done.status == "ok", done.traceback
    return next(yaml.safe_load_all((notebook.folder / f"{name}.yaml").read_text(encoding="utf-8")))


def dag(manifest):
    """Return the tasks of a manifest, each with those it waits for."""
    tasks = manifest["root"]["dag"]["tasks"]
    return {name: sorted(task.get("dependentTasks", ())) for name, task in tasks.items()}


def ran(notebook, manifest, tmp_path, **arguments):
    """Return what the manifest's only step returns."""
    (command,) = commands_of(manifest).values()
    return run_from_manifest(command, arguments, tmp_path / "step")


# --- Kale ---


def test_cpu_and_memory_limits_are_accepted_and_dropped(notebook):
    cells(notebook, "%%component --cpu 2 --memory 4Gi --retry 3\ndef heavy() -> int:\n    return 1")
    manifest = compiled(notebook, "heavy()")
    (executor,) = manifest["deploymentSpec"]["executors"].values()
    assert executor["container"]["resources"]["resourceCpuLimit"] == "2"
    assert executor["container"]["resources"]["resourceMemoryLimit"] == "4Gi"
    assert manifest["root"]["dag"]["tasks"]["heavy"]["retryPolicy"]["maxRetryCount"] == 3


def test_an_undefined_name_compiles(notebook):
    done = cells(
        notebook, "threshold = 3", "%%component\ndef check(n: int) -> bool:\n    return n > treshold"
    )
    assert done.ename == "CheckError"
    assert "'treshold' is not defined" in done.traceback
    assert "line 3" in done.traceback
    assert "Did you mean 'threshold'?" in done.traceback


def test_a_name_defined_only_in_a_skipped_cell_compiles(notebook):
    done = cells(notebook, "skipped = 1\ndel skipped", "%%component\ndef uses() -> int:\n    return skipped")
    assert done.ename == "CheckError"
    assert "'skipped' is not defined; Cell In[" in done.traceback


def test_a_declared_order_without_data_is_replaced_by_a_chain(notebook):
    cells(
        notebook,
        "\n".join(
            f"@component\ndef {name}() -> int:\n    return 1" for name in ("one", "two", "three", "four")
        ),
    )
    calls = "a = one()\nb = two().after(a)\nc = three().after(a)\nfour().after(b, c)"
    assert dag(compiled(notebook, calls)) == {
        "one": [],
        "two": ["one"],
        "three": ["one"],
        "four": ["three", "two"],
    }


def test_unrelated_steps_are_forced_into_a_chain(notebook):
    cells(notebook, "\n".join(f"@component\ndef {name}() -> int:\n    return 1" for name in ("p", "q", "r")))
    assert dag(compiled(notebook, "p()\nq()\nr()")) == {"p": [], "q": [], "r": []}


def test_a_package_imported_inside_a_step_is_not_installed_in_the_pod(notebook):
    body = "def parse(text: str) -> dict:\n    import yaml\n    return yaml.safe_load(text)"
    done = cells(notebook, f"%%component\n{body}")
    (told,) = done.bundles[1]["application/vnd.kfp-jupyter.findings.v1+json"]["findings"]
    assert (told["severity"], told["code"], told["where"]["line"]) == ("warning", "package-missing", 3)
    assert "`--packages PyYAML`" in told["remedy"]
    cells(notebook, f"%%component --packages auto\n{body}")
    (command,) = commands_of(compiled(notebook, "parse(text='a: 1')")).values()
    assert any("PyYAML" in word for word in command)
    done = cells(notebook, f"%%component --packages auto-exact\n{body}")
    assert f"packages: PyYAML=={yaml.__version__}" in done.bundles[0]["text/plain"]


def test_a_local_module_is_taken_for_a_package_of_an_index(notebook, tmp_path):
    (notebook.folder / "mylocal.py").write_text("FACTOR = 4\ndef scale(n):\n    return n * FACTOR\n")
    done = cells(
        notebook,
        "import sys; sys.path.insert(0, '')\nimport mylocal",
        "%%component --packages auto\ndef scaled(n: int) -> int:\n    return mylocal.scale(n)",
    )
    assert done.status == "ok", done.traceback
    manifest = compiled(notebook, "scaled(n=2)")
    (command,) = commands_of(manifest).values()
    assert not any("pip install" in word for word in command)
    assert ran(notebook, manifest, tmp_path, n=2) == 8


@pytest.mark.parametrize("line", ["!pip install pandas", "%timeit 1", "files = !ls"])
def test_shell_and_magic_lines_are_a_syntax_error_with_a_traceback(notebook, line):
    done = cells(notebook, f"%%component\ndef step() -> int:\n    {line}\n    return 1")
    assert done.status == "error"
    assert "line 3" in done.traceback
    assert "Take lines with `!` or `%` out of the cell" in done.traceback
    assert "Traceback" not in done.traceback


def test_a_quote_in_a_parameter_breaks_the_step_or_runs_code(notebook, tmp_path):
    cells(notebook, "%%component\ndef echo(text: str) -> str:\n    return text")
    manifest = compiled(notebook, "echo(text='x')")
    crafted = "' + __import__('os').abort() + \" }}{{ $(exit 9) `exit 9` \\' \n"
    assert ran(notebook, manifest, tmp_path, text=crafted) == crafted


def test_a_top_level_await_compiles(notebook):
    done = cells(
        notebook,
        "%%component\nimport asyncio\nawait asyncio.sleep(0)\ndef step() -> int:\n    return 1",
    )
    assert done.ename == "CheckError"
    assert "line 3" in done.traceback
    assert "asyncio.run" in done.traceback


def test_steps_install_the_tool_itself(notebook):
    cells(notebook, "%%component\ndef plain() -> int:\n    return 1")
    (command,) = commands_of(compiled(notebook, "plain()")).values()
    assert not any("pip" in word.split() for word in command)


def test_lists_and_dicts_are_no_parameters(notebook, tmp_path):
    cells(notebook, "%%component\ndef both(a: list, b: dict) -> list:\n    return [*a, *b]")
    assert ran(notebook, compiled(notebook, "both(a=[1], b={'k': 2})"), tmp_path, a=[1], b={"k": 2}) == [
        1,
        "k",
    ]


# --- KFP's SDK, Hamilton ---


def test_a_function_under_a_cell_magic_has_no_source(notebook, tmp_path):
    done = cells(notebook, "%%time\n@component\ndef timed(n: int) -> int:\n    return n + 1")
    assert done.status == "ok", done.traceback
    assert ran(notebook, compiled(notebook, "timed(n=1)"), tmp_path, n=1) == 2


def test_a_function_made_by_exec_fails_with_an_oserror(notebook):
    done = cells(notebook, "exec('def made(n: int) -> int: return n')\ncomponent(made)")
    assert done.ename == "SourceNotFoundError"
    assert "What to do" in done.traceback


def test_an_async_function_compiles_to_an_empty_body(notebook, tmp_path):
    done = cells(notebook, "%%component\nasync def later(n: int) -> int:\n    return n + 1")
    assert done.status == "ok", done.traceback
    assert ran(notebook, compiled(notebook, "later(n=1)"), tmp_path, n=1) == 2


@pytest.mark.parametrize(
    ("defined", "used"),
    [
        ("def helper(n):\n    return n * 2", "helper(n)"),
        ("import math as m", "m.factorial(n) + n - n"),
        ("from math import factorial", "factorial(n)"),
        ("FACTOR = 2", "n * FACTOR"),
        ("class Helper:\n    by = 2", "n * Helper.by"),
    ],
)
@pytest.mark.parametrize("form", ["%%component", "@component"])
def test_what_another_cell_defines_is_a_name_error_in_the_pod(notebook, tmp_path, form, defined, used):
    done = cells(notebook, defined, f"{form}\ndef step(n: int) -> int:\n    return {used}")
    assert done.status == "ok", done.traceback
    manifest = compiled(notebook, "step(n=2)")
    assert ran(notebook, manifest, tmp_path, n=2) in (2, 4)


def test_a_shell_line_leaks_get_ipython_into_the_pod(notebook):
    done = cells(notebook, "@component\ndef step() -> int:\n    !ls\n    return 1")
    assert done.ename == "CheckError"
    assert "A step cannot run a line with `!` ('ls')" in done.traceback
    assert "line 3" in done.traceback


def test_optional_hints_and_positional_arguments_are_refused(notebook):
    done = cells(
        notebook, "%%component\ndef step(n: int | None, m: int = 1) -> int:\n    return (n or 0) + m"
    )
    assert done.status == "ok", done.traceback
    task = compiled(notebook, "step(1, 2)")["root"]["dag"]["tasks"]["step"]
    assert task["inputs"]["parameters"]["m"]["runtimeValue"]["constant"] == 2


def test_a_component_cell_is_defined_again_with_what_is_there_now(notebook, tmp_path):
    cell = "%%component\ndef again(n: int) -> int:\n    return n * BY"
    cells(notebook, "BY = 2", cell, "BY = 5")
    assert ran(notebook, compiled(notebook, "again(n=1)"), tmp_path / "a", n=1) == 2
    cells(notebook, cell)
    assert ran(notebook, compiled(notebook, "again(n=1)"), tmp_path / "b", n=1) == 5


def test_notebook_data_is_found_missing_in_the_pod(notebook):
    done = cells(
        notebook,
        "import numpy as np\nrows = np.zeros((3, 4))\nbig = list(range(100_000))",
        "%%component\ndef total() -> float:\n    return float(rows.sum()) + sum(big)",
    )
    assert "'rows' is notebook data (of type ndarray, 3 by 4)" in done.traceback
    assert "Make it an input: `rows: Input[Dataset]`" in done.traceback
    assert "'big' is notebook data (of type list, 100,000 items)" in done.traceback


def test_a_secret_of_the_notebook_is_written_into_the_manifest(notebook):
    for secret in (
        "API_KEY = 'abcdefgh'",
        "key = 'sk-abcdefghijklmnopqrstuv'",
        "aws = ['AKIAABCDEFGHIJKLMNOP']",
    ):
        name = secret.partition(" ")[0]
        done = cells(notebook, secret, f"%%component\ndef send() -> int:\n    return len({name})")
        assert f"{name!r} looks like a secret" in done.traceback
        assert "use_secret_as_env" in done.traceback
    done = cells(notebook, "max_tokens = 'many'", "%%component\ndef send() -> str:\n    return max_tokens")
    assert done.status == "ok", done.traceback


def test_an_error_in_captured_code_names_its_own_cell(notebook):
    definition = notebook.run("# comment\ndef fails(n):\n    raise ValueError(n)")
    number = notebook.replies[definition.request]["content"]["execution_count"]
    cells(
        notebook,
        "%%component\ndef calls(n: int) -> int:\n    return fails(n)",
        "@pipeline\ndef failing():\n    calls(n=1)\n_run = failing.run()\n_run.wait()",
    )
    error = "next(iter(_run.tasks.values())).error"
    assert notebook.value(f"({error}.type, {error}.file, {error}.line)") == str(
        ("ValueError", f"Cell In[{number}]", 3)
    )
