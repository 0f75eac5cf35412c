"""Importers: files of this machine, files on the web, and what cannot be had; each in a real run."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from kfp_jupyter import dsl
from kfp_jupyter.dsl import Artifact, Input
from kfp_jupyter.model.run import State


@dsl.component
def read(data: Input[Artifact]) -> str:
    with open(data.path) as file:  # noqa: PTH123 - runs in the step
        return f"{file.read()} {data.metadata}"


@dsl.pipeline
def imports(place: str, name: str = "n"):
    imported = dsl.importer(place, dsl.Dataset, metadata={"who": name, "text": f"by {name}"})
    read(data=imported.output)


@dsl.pipeline
def imports_again(place: str):
    read(data=dsl.importer(place, dsl.Dataset, reimport=True).output)


@dsl.pipeline(pipeline_config=dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size="1Gi")))
def imports_to_workspace(place: str):
    read(data=dsl.importer(place, dsl.Dataset, download_to_workspace=True).output)


class Web(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        found = self.path.startswith("/data.csv")
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(b"from the web" if found else b"")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def web():
    Web.asked.clear()
    server = HTTPServer(("127.0.0.1", 0), Web)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_file_of_this_machine_stays_where_it_is(bench, tmp_path, form):
    file = tmp_path / "my data.csv"
    file.write_text("here")
    state = bench.run(imports.model, place=form.format(file), name="zoë").state
    assert state.state is State.SUCCEEDED, state
    (artifact,) = state.tasks["importer"].artifacts["artifact"]
    assert (artifact.type, artifact.path) == ("system.Dataset", str(file))
    assert artifact.metadata == {"who": "zoë", "text": "by zoë"}
    assert state.tasks["read"].outputs == {"Output": "here {'who': 'zoë', 'text': 'by zoë'}"}


def test_a_relative_path_is_one_of_the_notebook(bench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("data.csv").write_text("near")
    state = bench.run(imports.model, place="data.csv").state
    assert state.tasks["read"].outputs["Output"].startswith("near")


def test_a_changed_file_is_read_anew_though_steps_are_cached(bench, tmp_path):
    file = tmp_path / "data.csv"
    for text in ("first", "second"):
        file.write_text(text)
        state = bench.run(imports.model, place=str(file)).state
        assert state.tasks["read"].outputs["Output"].startswith(text)
    assert bench.run(imports.model, place=str(file)).state.tasks["read"].cached


def test_a_file_on_the_web_is_downloaded_once(bench, web):
    place = f"{web}/data.csv?a=1"
    for _ in range(2):
        state = bench.run(imports.model, place=place).state
        assert state.state is State.SUCCEEDED, state
        assert state.tasks["read"].outputs["Output"].startswith("from the web")
    (artifact,) = state.tasks["importer"].artifacts["artifact"]
    assert artifact.uri == place
    assert Path(artifact.path).name == "data.csv"
    assert Web.asked == ["/data.csv?a=1"]
    assert state.tasks["read"].cached
    assert bench.run(imports_again.model, place=place).state.state is State.SUCCEEDED
    assert len(Web.asked) == 2


def test_a_copy_can_be_put_into_the_workspace(bench, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.txt").write_text("x")
    run = bench.run(imports_to_workspace.model, place=str(folder))
    (artifact,) = run.state.tasks["importer"].artifacts["artifact"]
    assert Path(artifact.path).is_relative_to(run.folder / "workspace")
    assert (Path(artifact.path) / "a.txt").read_text() == "x"


def test_what_is_not_there_fails_the_importer(bench, tmp_path, web):
    state = bench.run(imports.model, place=str(tmp_path / "none")).state
    assert state.tasks["importer"].error.message == f"There is no file or folder {tmp_path / 'none'}."
    assert state.tasks["read"].state is State.SKIPPED
    state = bench.run(imports.model, place=f"{web}/none").state
    assert state.state is State.FAILED
    assert "404" in state.tasks["importer"].error.message
    assert state.tasks["importer"].error.type == "CannotImport"
