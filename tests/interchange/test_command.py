"""A step's command, run as a container would run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kfp_jupyter import dsl
from kfp_jupyter.cells.component import component_from_cell
from kfp_jupyter.interchange.command import arguments, command
from kfp_jupyter.interchange.errors import InterchangeError
from kfp_jupyter.model.component import Component, PythonStep

CELL = '''\
from __future__ import annotations

from kfp_jupyter.dsl import Dataset, Output, component

FACTOR = 3


def helper(n: int) -> int:
    return n * FACTOR


@component
def count(n: int, data: Output[Dataset], text: str = "quotes ' \\" $HOME `x` {{$}}") -> int:
    """Multiply."""
    with open(data.path, "w") as file:
        file.write(text)
    return helper(n)
'''


def step_of(component: Component) -> PythonStep:
    assert isinstance(component.implementation, PythonStep)
    return component.implementation


@pytest.fixture
def path_with_python(tmp_path: Path) -> dict[str, str]:
    """Return an environment whose `python3` is this Python, without our package on its path."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    (bin_folder / "python3").chmod(0o755)
    return {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"}


def test_the_embedded_executor_runs_a_cell_from_the_command_alone(
    tmp_path: Path, path_with_python: dict[str, str]
) -> None:
    step = step_of(component_from_cell(CELL, 2, "Cell In[1]", {}))
    executor_input = {
        "inputs": {"parameterValues": {"n": 14}},
        "outputs": {
            "parameters": {"Output": {"outputFile": str(tmp_path / "Output")}},
            "artifacts": {
                "data": {
                    "artifacts": [
                        {
                            "name": "data",
                            "uri": str(tmp_path / "data"),
                            "type": {"schemaTitle": "system.Dataset"},
                            "metadata": {},
                        }
                    ]
                }
            },
            "outputFile": str(tmp_path / "output.json"),
        },
    }
    words = [word.replace("{{$}}", json.dumps(executor_input)) for word in arguments(step)]
    done = subprocess.run(
        [*command(step, "embedded"), *words],
        env=path_with_python,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "output.json").read_text())["parameterValues"] == {"Output": 42}
    assert (tmp_path / "data").read_text() == "quotes ' \" $HOME `x` {{$}}"


def test_packages_are_installed_before_the_step_and_nothing_else_is() -> None:
    @dsl.component(
        packages_to_install=["pandas>=2", "it's"],
        pip_index_urls=["https://a.example/simple", "https://b.example/simple"],
        pip_trusted_hosts=["a.example"],
    )
    def step() -> None:
        pass

    words = command(step_of(step.model), "embedded")
    assert words[:2] == ["sh", "-c"]
    assert (
        "pip install --quiet --index-url https://a.example/simple --extra-index-url https://b.example/simple "
        """--trusted-host a.example 'pandas>=2' 'it'"'"'s' && "$0" "$@"\n"""
    ) in words[2]
    assert "kfp" not in words[2]


def test_the_executor_in_the_command_is_small_and_nothing_on_the_way_rewrites_it() -> None:
    @dsl.component
    def step() -> None:
        pass

    executor = command(step_of(step.model), "embedded")[-1]
    assert len(executor.encode()) <= 10_000
    assert not set(executor) & set("{$<>&\"'\\\n")


def test_without_packages_nothing_is_installed() -> None:
    @dsl.component
    def step() -> None:
        pass

    assert "pip" not in " ".join(command(step_of(step.model), "embedded")[:3])


def test_the_kfp_runtime_installs_the_sdk_and_offers_its_names_to_a_cell_of_ours() -> None:
    step = step_of(component_from_cell(CELL, 2, "Cell In[1]", {}))
    words = command(step, "kfp")
    assert "kfp==2.17.0" in words[2]
    assert "kfp.dsl.executor_main" in words[5]
    assert "__future__" not in words[6], "KFP's executor cannot read postponed hints"
    assert "from kfp.dsl import *" in words[6]
    compile(words[6], "step.py", "exec")


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        ("async def f() -> int: pass", "is asynchronous"),
        ("def f() -> tuple[int, str]: pass", "returns a tuple, `tuple[int, str]`"),
        ("import typing\ndef f() -> typing.Tuple[int, str]: pass", "returns a tuple"),
        (
            "import dataclasses as d\n@d.dataclass(frozen=True)\nclass R:\n  a: int\ndef f() -> 'R': pass",
            "`R`",
        ),
        ("class R(TypedDict):\n  a: int\ndef f() -> R: pass", "returns `R`, whose fields are its outputs"),
    ],
)
def test_kfps_own_executor_is_not_given_what_it_cannot_run(cell: str, what: str) -> None:
    step = step_of(component_from_cell(cell, 2, "Cell In[1]", {}))
    assert command(step, "embedded")
    with pytest.raises(InterchangeError) as refused:
        command(step, "kfp")
    assert what in refused.value.what
    assert refused.value.where == "component f"
    assert "embedded" in refused.value.remedy


@pytest.mark.parametrize(
    "cell",
    [
        "class R(NamedTuple):\n  a: int\ndef f() -> R: pass",
        "def f(a: Literal['a'], b: int | None) -> int: pass",
    ],
)
def test_kfps_own_executor_is_given_what_it_can_run(cell: str) -> None:
    assert command(step_of(component_from_cell(cell, 2, "Cell In[1]", {})), "kfp")
