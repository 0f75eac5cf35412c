"""The documents we write are those that KFP's own compiler writes for the same file.

`goldens/` was compiled by kfp 2.17.0 from `authored/` (see `make_goldens.py`). Here the same files run
unedited, with `kfp` meaning this package. As in KFP's own comparison, `sdkVersion`, images and commands
are left out.
"""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kfp_jupyter import compat, dsl
from kfp_jupyter.interchange.write import InterchangeError, pipeline_spec, platform_spec, to_yaml
from kfp_jupyter.model.component import Component, ContainerStep, InputSpec
from kfp_jupyter.model.graph import Graph, Task
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.types import ParameterType

HERE = Path(__file__).parent
AUTHORED = sorted((HERE / "authored").glob("*.py"))


@pytest.fixture
def alias() -> Iterator[None]:
    compat.install()
    yield
    compat.uninstall()


def compared(text: str) -> list[Any]:
    documents = list(yaml.safe_load_all(text))
    documents[0].pop("sdkVersion")
    for executor in documents[0]["deploymentSpec"]["executors"].values():
        del executor["container"]["command"], executor["container"]["image"]
    return documents


def comments(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("#")]


@pytest.mark.parametrize("file", AUTHORED, ids=lambda file: file.stem)
def test_an_unedited_file_for_kfp_compiles_to_the_document_that_kfp_writes(
    file: Path, alias: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(file))
    ours = (tmp_path / f"{file.stem}.yaml").read_text(encoding="utf-8")
    golden = (HERE / "goldens" / f"{file.stem}.yaml").read_text(encoding="utf-8")
    assert compared(ours) == compared(golden)
    assert comments(ours) == comments(golden)


@pytest.mark.parametrize("file", AUTHORED, ids=lambda file: file.stem)
def test_images_are_those_of_kfp_under_the_alias(
    file: Path, alias: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(file))

    def images(text: str) -> dict[str, str]:
        executors = next(yaml.safe_load_all(text))["deploymentSpec"]["executors"]
        return {name: held["container"]["image"] for name, held in executors.items()}

    golden = HERE / "goldens" / f"{file.stem}.yaml"
    assert images((tmp_path / f"{file.stem}.yaml").read_text()) == images(golden.read_text())


@dsl.component
def step(n: int = 1) -> int:
    return n + 1


def test_a_timeout_becomes_a_document_of_its_own() -> None:
    @dsl.pipeline
    def slow() -> None:
        step()
        step().set_timeout("90s")

    documents = list(yaml.safe_load_all(to_yaml(slow.model)))
    assert len(documents) == 2
    assert documents[1] == platform_spec(slow.model)
    assert documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"] == {
        "exec-step-2": {"activeDeadlineSeconds": "90"}
    }


def test_the_users_source_is_readable_in_the_file() -> None:
    @dsl.pipeline
    def readable() -> None:
        step()

    assert "          def step(n: int = 1) -> int:\n              return n + 1\n" in to_yaml(readable.model)


def test_a_number_that_no_double_holds_is_refused() -> None:
    @dsl.pipeline
    def large() -> None:
        step(n=2**53 + 1)

    with pytest.raises(InterchangeError, match="doubles") as refused:
        pipeline_spec(large.model)
    assert "'step'" in str(refused.value)


def test_the_description_of_a_default_with_line_breaks_stays_a_comment() -> None:
    @dsl.pipeline
    def broken(text: str = "a\nb: c") -> None:
        step()

    assert list(yaml.safe_load_all(to_yaml(broken.model))) == [pipeline_spec(broken.model)]


def test_no_text_ends_the_comment_that_it_stands_in() -> None:
    text = "a\rb: 1\x85c: 2\u2028d: 3\0\ne"
    step = Component("f", (), (), ContainerStep("image"))
    inputs = (InputSpec("x", ParameterType.STRING, True, text),)
    tasks = {"f": Task("f", "comp-f")}
    written = to_yaml(Pipeline("p", inputs, (), {"comp-f": step}, Graph(tasks), description=text))
    document = yaml.safe_load(written)
    assert document["root"]["inputDefinitions"]["parameters"]["x"]["defaultValue"] == text
    assert document["pipelineInfo"]["description"] == text
    assert "b" not in document
