"""What a pipeline is asked to do: to run, and to be written to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kfp_jupyter import dsl
from kfp_jupyter.dsl import pipeline_function
from kfp_jupyter.model.check import ArgumentError
from kfp_jupyter.model.pipeline import Pipeline, PipelineError


@dsl.component
def say(text: str = ""):
    pass


def test_run_binds_the_arguments_and_asks_the_floor_above(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    @dsl.pipeline
    def small(target: str = "t", n: float = 1) -> None:
        say(text=target)

    monkeypatch.setattr(pipeline_function, "run_hook", None)
    with pytest.raises(PipelineError, match="load_ext"):
        small.run()

    def hook(pipeline: Pipeline, arguments: Any, *, target: str, wait: bool) -> str:
        calls.append((pipeline.name, arguments, target, wait))
        return "handle"

    monkeypatch.setattr(pipeline_function, "run_hook", hook)
    assert small.run(n=2) == "handle"
    assert small.run({"target": "x"}, wait=True) == "handle"
    assert calls == [
        ("small", {"target": "t", "n": 2.0}, "", False),
        ("small", {"target": "x", "n": 1.0}, "", True),
    ]
    with pytest.raises(ArgumentError, match="could mean"):
        small.run(target="local")
    with pytest.raises(ArgumentError, match="no parameter 'm'"):
        small.run(m=1)


def test_compile_writes_kfps_format_and_those_of_engines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dsl.pipeline
    def small() -> None:
        say()

    assert small.compile(tmp_path / "p.yaml").read_text().startswith("# PIPELINE DEFINITION\n# Name: small\n")
    monkeypatch.setitem(pipeline_function.writers, "other", lambda pipeline: f"{pipeline.name}!")
    assert small.compile(str(tmp_path / "p.txt"), target="other").read_text() == "small!"
    with pytest.raises(PipelineError, match="no format 'nope'"):
        small.compile(tmp_path / "p.yaml", target="nope")
