"""Pipelines of every kind, called after `local.init`: what they give, and that they can be interrupted."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import pytest

from kfp_jupyter import dsl, workbench
from kfp_jupyter.dsl import Artifact, Dataset, Input, Output
from tests.local.steps import add

Init = Callable[..., None]


class Found(NamedTuple):
    file: str
    folder: str


@dsl.component
def variable(name: str) -> str:
    import os

    return os.environ.get(name, "nothing")


@dsl.component
def write_both(file: Output[Dataset], folder: Output[Dataset]):
    import os

    os.makedirs(folder.path)  # noqa: PTH103 - runs in the step
    for path in (file.path, f"{folder.path}/a.txt", f"{folder.path}/b.txt"):
        with open(path, "w") as opened:  # noqa: PTH123
            opened.write("written")


@dsl.component
def at(of: Input[Artifact]) -> str:
    return of.uri


@dsl.component
def held(by: Input[Dataset]) -> str:
    import os

    if os.path.isdir(by.path):  # noqa: PTH112 - runs in the step
        return ",".join(sorted(os.listdir(by.path)))  # noqa: PTH208
    with open(by.path) as opened:  # noqa: PTH123
        return f"{opened.read()} in {by.path.split('/.artifacts/')[0]}"


@dsl.component
def write_number(n: int, out: Output[Artifact]):
    with open(out.path, "w") as opened:  # noqa: PTH123 - runs in the step
        opened.write(str(n))


@dsl.component
def join(parts: Input[list[Artifact]]) -> str:
    return ",".join(sorted(open(part.path).read() for part in parts))  # noqa: PTH123 - runs in the step


@dsl.component
def rows() -> list:
    return [{"a": "1", "b": {"c": [2]}}, {"a": "10", "b": None}]


@dsl.component
def takes(table: dict, text: str = "none", count: int | None = None) -> dict:
    return {"table": table, "text": text, "count": count}


def test_variables_of_a_task(init: Init) -> None:
    @dsl.pipeline
    def told(name: str = "TOLD") -> str:
        return variable(name=name).set_env_variable("TOLD", "by the task").output

    init()
    assert told().output == "by the task"
    assert told(name="OTHER").output == "nothing"


def test_another_value_of_a_variable_is_no_earlier_result(
    init: Init, caplog: pytest.LogCaptureFixture, place: Path
) -> None:
    def with_value(value: str) -> Any:
        @dsl.pipeline
        def told() -> str:
            return variable(name="TOLD").set_env_variable("TOLD", value).output

        return told

    caplog.set_level(logging.INFO, logger="kfp_jupyter.local")
    init(enable_caching=True, cache_root=place / "cache")
    assert with_value("one")().output == "one"
    assert with_value("two")().output == "two"
    assert "cache hit" not in caplog.text
    assert with_value("one")().output == "one"
    assert "cache hit" in caplog.text


def test_what_is_imported_to_the_workspace_is_read_there(init: Init, place: Path) -> None:
    @dsl.pipeline
    def read(file: str, folder: str) -> Found:
        one = dsl.importer(file, Dataset, download_to_workspace=True)
        other = dsl.importer(folder, Dataset, reimport=True, download_to_workspace=True)
        return Found(held(by=one.output).output, held(by=other.output).output)

    @dsl.pipeline(pipeline_config=dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size="1Gi")))
    def whole() -> Found:
        made = write_both()
        inner = read(file=at(of=made.outputs["file"]).output, folder=at(of=made.outputs["folder"]).output)
        return Found(inner.outputs["file"], inner.outputs["folder"])

    init(workspace_root="space")
    assert whole().outputs == {"file": f"written in {place / 'space'}", "folder": "a.txt,b.txt"}


def test_collected_artifacts(init: Init) -> None:
    @dsl.pipeline
    def all_of() -> str:
        with dsl.ParallelFor([0, 1, 2]) as n:
            made = write_number(n=n)
        return join(parts=dsl.Collected(made.output)).output

    init()
    assert all_of().output == "0,1,2"


def test_lists_and_dicts_keep_their_form(init: Init) -> None:
    init()
    assert rows().output == [{"a": "1", "b": {"c": [2]}}, {"a": "10", "b": None}]
    given = {"key": [1, 2.5, "é"], "more": {"yes": True}}
    assert takes(table=given).output == {"table": given, "text": "none", "count": None}
    assert takes(table={}, text="t", count=3).output == {"table": {}, "text": "t", "count": 3}


def test_a_notebook_is_a_step(init: Init, place: Path) -> None:
    made = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("path = text = 'default'", metadata={"tags": ["parameters"]}),
            nbformat.v4.new_code_cell("open(path, 'w').write(text * 2)"),
        ]
    )
    nbformat.write(made, place / "note.ipynb")

    @dsl.notebook_component(notebook_path=str(place / "note.ipynb"), packages_to_install=[])
    def run_note(path: str, text: str) -> str:
        dsl.run_notebook(path=path, text=text)
        with open(path) as noted:  # noqa: PTH123 - runs in the step
            return noted.read()

    init()
    assert run_note(path=str(place / "noted.txt"), text="ab").output == "abab"


def test_an_interrupt_cancels_the_run(init: Init, place: Path) -> None:
    @dsl.component
    def wait_for_ever(path: str):
        import time

        open(path, "w").close()  # noqa: PTH123 - runs in the step
        time.sleep(600)

    init()
    marker = place / "started"

    def interrupt() -> None:
        while not marker.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        wait_for_ever(path=str(marker))
    assert workbench.current().get("latest").wait(300).state == "CANCELED"


def test_calls_of_several_threads_are_runs_of_their_own(init: Init) -> None:
    init()
    given: dict[int, Any] = {}
    threads = [threading.Thread(target=lambda n=n: given.update({n: add(a=n).output})) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert given == {0: 1, 1: 2, 2: 3}
