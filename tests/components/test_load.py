"""Components from files, texts and servers."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from kfp_jupyter import dsl
from kfp_jupyter.compiler import Compiler
from kfp_jupyter.components import (
    LoadError,
    YamlComponent,
    load_component_from_file,
    load_component_from_text,
    load_component_from_url,
)
from kfp_jupyter.interchange.errors import DocumentError
from kfp_jupyter.model.pipeline import Graph, PipelineError
from kfp_jupyter.model.types import ParameterType

OLD = """\
name: Count words
description: Counts.
inputs:
- {name: Text file, type: Dataset}
- {name: Limit, type: Integer, default: '5', optional: true}
outputs:
- {name: Count, type: Integer}
implementation:
  container:
    image: alpine:3.23
    command: [count, --limit, {inputValue: Limit}]
    args: [{inputPath: Text file}, {outputPath: Count}]
"""


@dsl.component
def double(n: int) -> int:
    return 2 * n


@dsl.component
def make(data: dsl.Output[dsl.Dataset]) -> int:
    return 1


@dsl.pipeline
def inner(n: int = 3) -> int:
    first = double(n=n)
    with dsl.If(first.output == 4):
        double(n=first.output)
    return double(n=first.output).output  # type: ignore[no-any-return]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        wanted = "Basic bWU6c2VjcmV0"
        if self.path == "/private" and self.headers.get("Authorization") != wanted:
            self.send_error(401)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"\xff\xff" if self.path == "/binary" else OLD.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        thread = Thread(target=made.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}"
        made.shutdown()
        thread.join()


def test_a_file_of_kfp_1_is_used_in_a_pipeline() -> None:
    count = load_component_from_text(OLD)
    assert repr(count) == "<component count-words(text_file: Dataset, limit: int) -> count: int>"

    @dsl.pipeline
    def uses() -> None:
        counted = count(text_file=make().outputs["data"])
        double(n=counted.outputs["count"])

    assert list(uses.model.graph.tasks) == ["make", "count-words", "double"]
    with pytest.raises(PipelineError, match="outside of a pipeline"):
        count()


def test_a_compiled_component_is_that_component(tmp_path: Path) -> None:
    Compiler().compile(double, tmp_path / "c.yaml")
    loaded = load_component_from_file(tmp_path / "c.yaml")
    assert (loaded.name, loaded.model.inputs, loaded.model.outputs) == (
        "double",
        double.model.inputs,
        double.model.outputs,
    )

    @dsl.pipeline
    def uses() -> None:
        double(n=loaded(n=1).output)

    assert list(uses.model.graph.tasks) == ["double", "double-2"]


def test_a_compiled_pipeline_is_a_component_with_its_parts(tmp_path: Path) -> None:
    Compiler().compile(inner, tmp_path / "p.yaml")
    loaded = load_component_from_file(str(tmp_path / "p.yaml"))
    assert isinstance(loaded, YamlComponent)

    @dsl.pipeline
    def uses() -> None:
        first = loaded(n=1)
        loaded(n=first.output)
        double(n=first.output)

    components = uses.model.components
    graph = components["comp-inner"].implementation
    assert isinstance(graph, Graph)
    assert all(task.component in components for task in graph.tasks.values())
    Compiler().compile(uses, tmp_path / "outer.yaml")
    # And by itself it compiles to what it was read from.
    Compiler().compile(loaded, tmp_path / "again.yaml")
    assert (tmp_path / "again.yaml").read_text() == (tmp_path / "p.yaml").read_text()


def test_a_file_is_got_from_a_server(server: str) -> None:
    assert load_component_from_url(server).name == "count-words"
    assert load_component_from_url(f"{server}/private", auth=("me", "secret")).name == "count-words"
    with pytest.raises(LoadError, match="401"):
        load_component_from_url(f"{server}/private")
    with pytest.raises(LoadError, match="UTF-8"):
        load_component_from_url(f"{server}/binary")


def test_what_is_no_component_is_refused(tmp_path: Path, server: str) -> None:
    with pytest.raises(DocumentError):
        load_component_from_text("a: 1")
    with pytest.raises(DocumentError):
        load_component_from_text("")
    with pytest.raises(LoadError, match="cannot be read"):
        load_component_from_file(tmp_path / "nothing.yaml")
    with pytest.raises(LoadError, match="no address"):
        load_component_from_url("file:///etc/passwd")
    with pytest.raises(LoadError, match="cannot be got"):
        load_component_from_url("http://127.0.0.1:1/x")


def test_a_text_of_kfp_1_has_its_types() -> None:
    loaded = load_component_from_text(OLD)
    limit = loaded.model.input("limit")
    assert limit is not None
    assert (limit.type, limit.default, limit.optional) == (ParameterType.INTEGER, 5, True)
