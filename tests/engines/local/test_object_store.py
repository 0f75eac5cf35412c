"""Importers from object stores: what reads them is the user's, here stand-ins of it over a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from kfp_jupyter import dsl
from kfp_jupyter.engines.base import EngineError
from kfp_jupyter.engines.local.notices import notices
from kfp_jupyter.model.run import State
from tests.engines.local import stores
from tests.engines.local.authored.mounted import look
from tests.engines.local.bench import eventually
from tests.engines.local.test_importing import imports, imports_again


@dsl.component
def files(data: dsl.Input[dsl.Artifact]) -> str:
    from pathlib import Path

    return " ".join(sorted(str(path.relative_to(data.path)) for path in Path(data.path).rglob("*")))


@dsl.pipeline
def imports_folder(place: str):
    files(data=dsl.importer(place, dsl.Dataset).output)


@dsl.pipeline
def from_minio():
    files(data=dsl.importer("minio://bucket/a", dsl.Dataset).output)


@dsl.pipeline
def from_google():
    files(data=dsl.importer("gs://bucket/a", dsl.Dataset).output)


@dsl.pipeline
def from_nowhere():
    files(data=dsl.importer("abfs://bucket/a", dsl.Dataset).output)


@dsl.pipeline
def from_an_image():
    dsl.importer("oci://registry/model", dsl.Model)
    look(path="/")


@pytest.fixture
def store(tmp_path, monkeypatch):
    folder = tmp_path / "store"
    (folder / "bucket" / "a" / "deep").mkdir(parents=True)
    (folder / "bucket" / "a" / "x.csv").write_text("stored")
    (folder / "bucket" / "a" / "deep" / "y.csv").write_text("deeper")
    (folder / "bucket" / "ab.csv").write_text("a neighbour")
    monkeypatch.setenv("STORE", str(folder))
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def install(tmp_path, monkeypatch):
    return lambda library: stores.install(library, tmp_path / library, monkeypatch)


READERS = [("s3fs", "s3"), ("gcsfs", "gs"), ("boto3", "s3"), ("google-cloud-storage", "gs")]


@pytest.mark.parametrize(("library", "scheme"), READERS)
def test_an_object_is_brought_once_and_anew_if_that_is_asked_for(bench, store, install, library, scheme):
    install(library)
    place = f"{scheme}://bucket/a/x.csv"
    for text in ("stored", "stored", "changed"):
        state = bench.run(imports.model, place=place).state
        assert state.state is State.SUCCEEDED, state
        assert state.tasks["read"].outputs["Output"].startswith("stored")
        (store / "bucket" / "a" / "x.csv").write_text(text)
    (artifact,) = state.tasks["importer"].artifacts["artifact"]
    assert artifact.uri == place
    assert Path(artifact.path).name == "x.csv"
    state = bench.run(imports_again.model, place=place).state
    assert state.tasks["read"].outputs["Output"].startswith("changed")
    left = [path.name for path in Path(artifact.path).parent.iterdir()]
    assert left == ["x.csv"]


@pytest.mark.parametrize(("library", "scheme"), READERS)
def test_what_lies_below_a_name_is_brought_as_a_folder(bench, store, install, library, scheme):
    install(library)
    state = bench.run(imports_folder.model, place=f"{scheme}://bucket/a/").state
    assert state.tasks["files"].outputs == {"Output": "deep deep/y.csv x.csv"}


@pytest.mark.parametrize(("library", "scheme"), READERS)
def test_nothing_at_a_name_fails_the_importer(bench, store, install, library, scheme):
    install(library)
    place = f"{scheme}://bucket/none"
    state = bench.run(imports.model, place=place).state
    error = state.tasks["importer"].error
    assert (error.type, error.message) == ("CannotImport", f"There is nothing at {place}.")


def test_what_the_library_says_is_told(bench, store, install):
    install("s3fs")
    state = bench.run(imports.model, place="s3://locked/x").state
    message = state.tasks["importer"].error.message
    assert message == "s3://locked/x could not be brought: PermissionError: Access Denied"


def test_minio_is_s3_at_the_users_own_server(bench, store, install, monkeypatch):
    install("s3fs")
    with pytest.raises(EngineError, match="does not say which server it is") as caught:
        bench.start(from_minio.model)
    assert caught.value.remedy.startswith("Set AWS_ENDPOINT_URL to its address")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:9")
    state = bench.run(from_minio.model).state
    assert state.tasks["files"].outputs == {"Output": "deep deep/y.csv x.csv"}
    assert (store / "asked").read_text().startswith("s3 bucket/a\n")


def test_what_nothing_can_read_is_refused_before_the_run(bench, store):
    with pytest.raises(EngineError, match="Nothing in this kernel's Python reads gs://") as caught:
        bench.start(from_google.model)
    assert caught.value.where == "task importer"
    assert caught.value.remedy.startswith("Install gcsfs, or google-cloud-storage, into its environment")
    with pytest.raises(EngineError, match="It imports abfs://bucket/a") as caught:
        bench.start(from_nowhere.model)
    assert "fsspec and what it needs for abfs://" in caught.value.remedy


def test_a_place_that_flows_and_that_nothing_can_read_fails_the_importer(bench, store):
    state = bench.run(imports.model, place="s3://bucket/a/x.csv").state
    error = state.tasks["importer"].error
    assert error.type == "CannotImport"
    assert "Install s3fs, or boto3, into its environment" in error.message


def test_a_canceled_run_gives_up_bringing(bench, store, install):
    install("s3fs")
    run = bench.start(imports.model, place="s3://slow/x")
    assert eventually((store / "asked").exists)
    bench.engine.cancel(run.ref)
    state = run.wait()
    assert state.state is State.CANCELED
    assert state.tasks["importer"].state is State.CANCELED
    assert not list((run.folder.parent.parent / "imports").rglob(".new-*"))


def test_a_model_in_an_image_is_known_by_its_uri_only(bench):
    said = "Not downloaded to this machine: what is imported from oci:// by importer."
    assert notices(from_an_image.model) == (said,)
    (artifact,) = bench.run(from_an_image.model).state.tasks["importer"].artifacts["artifact"]
    assert (artifact.uri, artifact.path) == ("oci://registry/model", "")
