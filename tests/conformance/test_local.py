"""The scoring of KFP's tests of local runs, on a small suite of our own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance import local

SUITE = """\
import pytest
from kfp import dsl, local
from test_data.sdk_compiled_pipelines.valid.sums import sums


@pytest.fixture(autouse=True)
def ready(tmp_path):
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path))


@pytest.mark.parametrize("expected", [3, 4])
def test_sums(expected):
    assert sums(first=1).output == expected


class TestDockerRunner:
    def test_containers(self):
        raise AssertionError("no Docker here")
"""
SUMS = """\
from kfp import dsl


@dsl.component
def add(a: int, b: int = 2) -> int:
    return a + b


@dsl.pipeline
def sums(first: int = 1) -> int:
    return add(a=first).output
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a pipeline, its golden, and two tests of it, of which one fails."""
    tests, pipelines = tmp_path / local.TESTS, tmp_path / local.PIPELINES
    for folder in (tests.parent, pipelines):
        folder.mkdir(parents=True)
    tests.write_text(SUITE)
    (pipelines / "sums.py").write_text(SUMS)
    (pipelines / "sums.yaml").write_text("the golden")
    return tmp_path


def test_each_test_is_told_with_its_end(repository: Path) -> None:
    told = local.states(repository, ["-k", f"not {local.DOCKER}"])
    assert {name: state for name, (state, *_) in told.items()} == {
        "test_sums[3]": "passed",
        "test_sums[4]": "failed",
    }
    assert "AssertionError" in told["test_sums[4]"][1]


def test_no_document_that_kfp_compiled_is_laid_out(repository: Path, tmp_path: Path) -> None:
    folder = tmp_path / "suite"
    folder.mkdir()
    local.lay_out(repository, folder)
    assert sorted(held.name for held in folder.rglob("*") if held.is_file()) == [
        local.TESTS.name,
        "sums.py",
    ]


def test_a_suite_that_cannot_be_run_is_no_score(repository: Path) -> None:
    (repository / local.TESTS).write_text("import no_such_module_anywhere\n")
    with pytest.raises(RuntimeError, match="no_such_module_anywhere"):
        local.states(repository, [])
