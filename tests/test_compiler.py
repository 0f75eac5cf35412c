"""`Compiler().compile`, as in KFP."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kfp_jupyter import dsl
from kfp_jupyter.compiler import Compiler, CompilerError
from kfp_jupyter.interchange.write import pipeline_spec
from kfp_jupyter.model.check import ArgumentError


@dsl.component
def step(n: int) -> int:
    return n


@dsl.pipeline
def small(n: int) -> int:
    return step(n).output  # type: ignore[no-any-return]


def test_json_holds_the_same_document(tmp_path: Path) -> None:
    Compiler().compile(small, tmp_path / "p.json")
    assert json.loads((tmp_path / "p.json").read_text()) == pipeline_spec(small.model)


def test_new_defaults_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="'n' got 'x' of type str"):
        Compiler().compile(small, tmp_path / "p.yaml", pipeline_parameters={"n": "x"})
    with pytest.raises(ArgumentError, match="no parameter 'm'"):
        Compiler().compile(small, tmp_path / "p.yaml", pipeline_parameters={"m": 1})
    assert not (tmp_path / "p.yaml").exists()


def test_what_cannot_be_compiled_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CompilerError, match="neither a pipeline nor a component"):
        Compiler().compile(print, tmp_path / "p.yaml")  # type: ignore[arg-type]
    with pytest.raises(CompilerError, match=r"neither \.yaml nor \.json"):
        Compiler().compile(small, tmp_path / "p.txt")
    with pytest.raises(CompilerError, match="manifests"):
        Compiler().compile(small, tmp_path / "p.yaml", kubernetes_manifest_format=True)


def test_a_timeout_does_not_fit_into_json(tmp_path: Path) -> None:
    @dsl.pipeline
    def slow() -> None:
        step(1).set_timeout(5)

    with pytest.raises(CompilerError, match="second document"):
        Compiler().compile(slow, tmp_path / "p.json")
