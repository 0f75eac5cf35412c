"""The scoring of KFP's suite, on a small suite of our own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.conformance.__main__ import Score, score
from tests.conformance.comparison import differences
from tests.conformance.suite import Case, cases, lay_out

PIPELINE = """\
from kfp import dsl

@dsl.component
def add(a: int, b: int = {default}) -> int:
    return a + b

@dsl.pipeline(name="sums")
def sums(first: int = 1):
    add(a=first)
"""
SOURCE = Path("test_data/sdk_compiled_pipelines/valid/take_nap.py")
GOLDEN = SOURCE.with_name("take_nap_compiled.yaml")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / SOURCE).parent.mkdir(parents=True)
    (tmp_path / SOURCE).write_text(PIPELINE.format(default=2), encoding="utf-8")
    return tmp_path


def expect(repository: Path, default: int) -> None:
    """Write the golden that our compiler makes of the pipeline with another default."""
    from kfp_jupyter.compiler import Compiler
    from kfp_jupyter.dsl import component, pipeline

    source = PIPELINE.replace("from kfp import dsl", "").replace("@dsl.", "@").format(default=default)
    file = repository / "golden.py"
    file.write_text(f"from kfp_jupyter.dsl import component, pipeline\n{source}", encoding="utf-8")
    names = {"component": component, "pipeline": pipeline}
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), names)
    Compiler().compile(names["sums"], repository / GOLDEN)


def scored(repository: Path) -> Score:
    case = Case("sums", SOURCE, GOLDEN, "sums")
    return score(case, repository, None)


def test_an_equal_document_counts(repository: Path) -> None:
    expect(repository, 2)
    assert scored(repository).state == "equal"


def test_a_different_document_says_where(repository: Path) -> None:
    expect(repository, 3)
    given = scored(repository)
    assert given.state == "different"
    where = "components.comp-add.inputDefinitions.parameters.b.defaultValue"
    assert given.why == (f"pipeline.{where}: expected 3.0, got 2.0",)


def test_a_file_that_does_not_compile_says_why(repository: Path) -> None:
    expect(repository, 2)
    (repository / SOURCE).write_text("from kfp import dsl\nraise ValueError('broken')\n", encoding="utf-8")
    given = scored(repository)
    assert given.state == "failed"
    assert given.why[-1] == "ValueError: broken"


def test_a_case_is_laid_out_without_its_golden(repository: Path, tmp_path: Path) -> None:
    expect(repository, 2)
    [case] = [case for case in cases(repository) if case.name == "take_nap"]
    folder = tmp_path / "laid out"
    assert lay_out(case, repository, folder) == folder / SOURCE
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["take_nap.py"]


def test_every_pinned_file_is_pinned_once() -> None:
    lines = Path(__file__).with_name("pins.txt").read_text(encoding="utf-8").splitlines()
    names = [line.split()[0] for line in lines if not line.startswith("#")]
    assert len(names) == len(set(names)) > 140


def test_versions_names_images_and_commands_are_not_compared() -> None:
    container = {"image": "a", "command": ["a"], "args": []}
    expected = {
        "pipelineInfo": {"name": "a"},
        "sdkVersion": "a",
        "executors": {"e": {"container": container}},
    }
    given = {"pipelineInfo": {"name": "b"}, "executors": {"e": {"container": {"image": "b", "args": []}}}}
    assert list(differences({"pipeline": expected}, {"pipeline": given})) == []


def test_what_only_one_side_has_is_a_difference() -> None:
    assert list(differences({"a": 1}, {"b": 1})) == [
        "a: expected 1, got nothing",
        "b: expected nothing, got 1",
    ]
    assert list(differences({"a": True}, {"a": 1})) == ["a: expected True, got 1"]


def test_the_suite_is_compiled_where_kfp_is_not_installed() -> None:
    import importlib.util

    assert importlib.util.find_spec("kfp") is None, f"{sys.prefix} has kfp"
