"""`kfp-jupyter run` and `rerun` with `--host-containers`, on a machine without docker."""

from __future__ import annotations

import shutil

import pytest

import kfp_jupyter.workbench
from kfp_jupyter.cli import main

PROGRAM = """
from kfp_jupyter import dsl

@dsl.container_component
def greet(name: str, said: dsl.OutputPath(str)):
    return dsl.ContainerSpec("alpine:3", ["sh", "-c", 'printf "hello %s" "$1" > "$2"', "sh"], [name, said])

@dsl.container_component
def check(said: str):
    return dsl.ContainerSpec("alpine:3", ["sh", "-c", 'echo "$1"; exit CODE', "sh"], [said])

@dsl.pipeline
def greeting(name: str = "you"):
    check(said=greet(name=name).outputs["said"])
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sh").symlink_to(shutil.which("sh"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "greeting.py").write_text(PROGRAM.replace("CODE", "3"))
    yield tmp_path / "greeting.py"
    kfp_jupyter.workbench.close_current()


def test_without_it_the_run_is_refused_and_it_is_named(program, capsys):
    assert main(["run", str(program)]) == 2
    said = capsys.readouterr().err
    assert "It runs in the container alpine:3, and nothing runs containers here" in said
    assert "`--host-containers`" in said


def test_a_run_and_its_rerun_run_the_commands_here_and_say_so(program, capsys):
    assert main(["run", str(program), "--host-containers", "-p", "name=me"]) == 1
    out = capsys.readouterr().out
    assert "Run on this machine itself, without an image" in out
    assert "the commands of greet, check." in out
    assert "CommandFailed: The command ended with exit code 3." in out
    program.write_text(PROGRAM.replace("CODE", "0"))
    assert main(["rerun", str(program), "--host-containers"]) == 0
    out = capsys.readouterr().out
    assert ": greet. Run again: check." in out
    assert "hello me" in out
