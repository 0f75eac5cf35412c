"""Artifacts of runs on the test cluster come whole to this machine, or it is said why they do not."""

from __future__ import annotations

import io
import itertools
import os
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kfp_jupyter.engines.argo import ArgoEngine
from kfp_jupyter.engines.argo.errors import FetchError, ForbiddenError
from kfp_jupyter.engines.argo.fetch import LIMIT_VARIABLE, fetch_limit
from kfp_jupyter.engines.argo.reader import READER_LABEL, Waiting
from kfp_jupyter.engines.argo.stored import stored_at
from kfp_jupyter.model.component import Component
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import ArtifactRecord
from tests.cluster import TestCluster
from tests.engines.argo.conftest import TARGET, Followed
from tests.engines.argo.pipelines import DATASET, INT, component, pipeline, task

Start = Callable[..., Followed]
IMAGE = "python:3.11"
QUICK = Waiting(image=0.2, start=120.0, look=0.02)


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(tmp_path / "data"))


@pytest.fixture
def engine(cluster: TestCluster) -> ArgoEngine:
    return ArgoEngine(TARGET, waiting=QUICK)


def made(name: str, body: str, size: int = 0) -> tuple[Component, Pipeline]:
    source = f"def {name}(data: Output[Dataset], size: int = {size}):\n    import os, random\n    {body}\n"
    held = component(name, source, {"size": INT}, {"data": DATASET}, defaults={"size": size})
    return held, pipeline("p", (held,), (task(name),))


def written(start: Start, body: str, size: int = 0) -> tuple[Followed, ArtifactRecord]:
    """Return a run whose only task has written the artifact `data`, and that."""
    run = start(made("write", body, size)[1])
    return run, run.join().tasks["write"].artifacts["data"][0]


def fetched(engine: ArgoEngine, run: Followed, *records: ArtifactRecord) -> tuple[list[object], list[str]]:
    told: list[str] = []
    return list(engine.fetch(run.ref, records, IMAGE, told.append)), told


def readers(cluster: TestCluster) -> list[str]:
    made = [item for item in cluster.store.list("workflows") if READER_LABEL in item["metadata"]["labels"]]
    names = [item["metadata"]["name"] for item in made]
    pods = [item["metadata"]["name"] for item in cluster.store.list("pods")]
    return names + [pod for pod in pods if "-read-" in pod]


def left_over(tmp_path: Path) -> list[str]:
    return [str(path) for path in (tmp_path / "data").rglob(".*")]


BYTES = "open(data.path, 'wb').write(random.Random(size).randbytes(size))"


def test_a_file_comes_with_every_byte_and_is_asked_for_once(
    start: Start, engine: ArgoEngine, cluster: TestCluster, tmp_path: Path
) -> None:
    run, record = written(start, BYTES, 70_001)
    (place,), told = fetched(engine, run, record)
    assert isinstance(place, Path)
    assert place.read_bytes() == (cluster.folder / "repository" / record.uri).read_bytes()
    assert len(place.read_bytes()) == 70_001
    assert told == ["Bringing data from the cluster's store, read by a pod in namespace 'team-a'."]
    assert readers(cluster) == []
    cluster.server.requests.clear()
    assert fetched(engine, run, record) == ([place], [])
    assert cluster.server.requests == []
    assert left_over(tmp_path) == []


def test_a_folder_comes_with_its_folders_and_a_packed_file_stays_packed(
    start: Start, engine: ArgoEngine, cluster: TestCluster
) -> None:
    body = (
        "import shutil; os.makedirs(data.path + '/in ner/é');"
        "open(data.path + '/in ner/é/a', 'w').write('1');"
        "open(data.path + '/empty', 'w'); open(data.path + '/' + 'n' * 180, 'w').write('2');"
        "shutil.make_archive(data.path + '/x', 'gztar', data.path + '/in ner')"
    )
    run, record = written(start, body)
    (place,), _ = fetched(engine, run, record)
    assert isinstance(place, Path)
    found = {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}
    assert found == {"in ner/é/a", "empty", "n" * 180, "x.tar.gz"}
    assert (place / "in ner/é/a").read_text() == "1"


def test_a_file_that_is_an_archive_itself_is_not_unpacked(start: Start, engine: ArgoEngine) -> None:
    run, record = written(start, "import tarfile; tarfile.open(data.path, 'w').close()")
    (place,), _ = fetched(engine, run, record)
    assert isinstance(place, Path)
    with tarfile.open(fileobj=io.BytesIO(place.read_bytes())) as archive:
        assert archive.getnames() == []


def test_what_is_too_long_for_one_log_comes_in_parts(
    start: Start, engine: ArgoEngine, cluster: TestCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kfp_jupyter.engines.argo.reader.LOG_BYTES", 120_000)
    run, record = written(start, BYTES, 250_000)
    (place,), told = fetched(engine, run, record)
    assert isinstance(place, Path)
    assert place.read_bytes() == (cluster.folder / "repository" / record.uri).read_bytes()
    shares = [line for line in told if line.startswith("data: ")]
    assert len(shares) >= 2
    assert all(line.endswith("% of 250.0 kB are here.") for line in shares)
    assert readers(cluster) == []


@pytest.mark.parametrize("number", [2, 9, 30])
def test_a_hole_in_a_log_is_filled_by_another_reader(
    start: Start, engine: ArgoEngine, cluster: TestCluster, number: int
) -> None:
    run, record = written(start, BYTES, 80_000)
    cluster.faults.log_holes = [number]
    (place,), _ = fetched(engine, run, record)
    assert cluster.faults.log_holes == []
    assert isinstance(place, Path)
    assert place.read_bytes() == (cluster.folder / "repository" / record.uri).read_bytes()


def test_a_log_that_is_always_torn_is_given_up_and_leaves_nothing(
    start: Start, engine: ArgoEngine, cluster: TestCluster, tmp_path: Path
) -> None:
    run, record = written(start, BYTES, 5_000)
    cluster.faults.log_holes = [1] * 50
    (error,), _ = fetched(engine, run, record)
    assert isinstance(error, FetchError)
    assert "broke off 3 times at the same place" in error.what
    cluster.faults.log_holes = []
    assert not list((tmp_path / "data").rglob("data"))
    assert left_over(tmp_path) == []
    assert isinstance(fetched(engine, run, record)[0][0], Path)


def test_what_is_too_large_is_refused_with_its_size_and_a_remedy(
    start: Start, engine: ArgoEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, record = written(start, BYTES, 1_200_000)
    monkeypatch.setenv(LIMIT_VARIABLE, "1")
    (error,), _ = fetched(engine, run, record)
    assert isinstance(error, FetchError)
    assert "It has 1.2 MB, and up to 1.0 MB" in error.what
    assert record.uri in error.remedy
    assert f"{LIMIT_VARIABLE}=2" in error.remedy
    monkeypatch.setenv(LIMIT_VARIABLE, "2")
    assert isinstance(fetched(engine, run, record)[0][0], Path)
    monkeypatch.setenv(LIMIT_VARIABLE, "plenty")
    with pytest.raises(FetchError, match="'plenty' is no number of megabytes"):
        fetch_limit()


def test_a_deleted_artifact_is_said_to_be_gone_and_the_others_come(
    start: Start, engine: ArgoEngine, cluster: TestCluster
) -> None:
    run, record = written(start, BYTES, 10)
    gone = replace(record, uri=record.uri.replace("/data", "/gone"))
    elsewhere = ArtifactRecord("system.Dataset", "gs://other/place")
    (first, second, third), _ = fetched(engine, run, gone, record, elsewhere)
    assert isinstance(first, FetchError)
    assert "not in the cluster's store any more" in first.what
    assert isinstance(second, Path)
    assert isinstance(third, FetchError)
    assert third.what.startswith("gs://other/place cannot be brought")
    assert readers(cluster) == []


def test_a_run_whose_workflow_was_deleted_still_has_its_artifacts(
    start: Start, engine: ArgoEngine, cluster: TestCluster
) -> None:
    run, record = written(start, BYTES, 10)
    cluster.store.delete("workflows", cluster.namespace, "run-0")
    assert isinstance(fetched(engine, run, record)[0][0], Path)


@pytest.mark.parametrize("right", [("create", "workflows"), ("get", "pods/log")])
def test_a_missing_right_is_named_for_each_artifact(
    start: Start, engine: ArgoEngine, cluster: TestCluster, right: tuple[str, str], tmp_path: Path
) -> None:
    run, record = written(start, BYTES, 10)
    cluster.faults.forbidden.add(right)
    (error,), _ = fetched(engine, run, record)
    assert isinstance(error, ForbiddenError)
    assert (error.verb, error.resource.partition(".")[0]) == right
    assert "Ask for a Role" in error.remedy
    assert readers(cluster) == []
    assert left_over(tmp_path) == []


def test_an_image_that_cannot_be_pulled_is_named(
    start: Start, engine: ArgoEngine, cluster: TestCluster
) -> None:
    run, record = written(start, BYTES, 10)
    cluster.faults.no_images.add(IMAGE)
    (error,), _ = fetched(engine, run, record)
    assert isinstance(error, FetchError)
    assert f"the image {IMAGE} cannot be pulled (ErrImagePull: failed to pull" in error.what
    assert readers(cluster) == []


def test_a_pod_that_finds_no_room_is_waited_for_only_so_long(start: Start, cluster: TestCluster) -> None:
    run, record = written(start, BYTES, 10)
    cluster.faults.pending["read-0"] = "Unschedulable: 0/3 nodes are available"
    engine = ArgoEngine(TARGET, waiting=replace(QUICK, start=3.0))
    (error,), _ = fetched(engine, run, record)
    assert isinstance(error, FetchError)
    assert "did not start in 3 s (Unschedulable: 0/3 nodes are available)" in error.what
    cluster.faults.pending.clear()
    assert readers(cluster) == []


def test_a_reader_that_falls_silent_is_given_up(
    start: Start, cluster: TestCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, record = written(start, BYTES, 10)
    monkeypatch.setattr("kfp_jupyter.engines.argo.reader.pod_lines", lambda *_, **__: itertools.repeat(None))
    engine = ArgoEngine(TARGET, waiting=replace(QUICK, silence=0.1))
    (error,), _ = fetched(engine, run, record)
    assert isinstance(error, FetchError)
    assert "its log has said nothing for 0.1 s" in error.what
    assert readers(cluster) == []


def test_a_connection_that_breaks_is_taken_up_without_another_reader(
    start: Start, engine: ArgoEngine, cluster: TestCluster
) -> None:
    run, record = written(start, BYTES, 60_000)
    cluster.faults.log_cuts = [3, 8]
    cluster.server.requests.clear()
    (place,), _ = fetched(engine, run, record)
    assert cluster.faults.log_cuts == []
    assert isinstance(place, Path)
    assert place.read_bytes() == (cluster.folder / "repository" / record.uri).read_bytes()
    assert sum(held.startswith("POST") for held in cluster.server.requests) == 1


def test_only_what_a_step_has_left_is_taken_for_an_artifact_in_the_store() -> None:
    stored = stored_at("s3://bucket/kept/kfp/run-1/run-1-train-123/model")
    assert stored is not None
    assert (stored.root, stored.key) == ("s3://bucket", "kept/kfp/run-1/run-1-train-123/model")
    assert stored.place == Path("run-1", "run-1-train-123", "model")
    for uri in ("", "data", "s3://bucket/data", "/home/me/run/run-x/data", "a/b/c", "run-1/run-1-x/.."):
        found = stored_at(uri)
        assert found is None or os.path.isabs(uri), uri  # noqa: PTH117


def test_the_store_of_another_time_is_not_taken_for_this_one(
    start: Start, engine: ArgoEngine, cluster: TestCluster
) -> None:
    repository = {"metadata": {"name": "artifact-repositories", "annotations": {}}, "data": {}}
    repository["metadata"]["annotations"] = {"workflows.argoproj.io/default-artifact-repository": "main"}
    repository["data"] = {"main": "s3: {bucket: old}"}
    cluster.store.create("configmaps", cluster.namespace, repository)
    run, record = written(start, BYTES, 10)
    assert record.uri.startswith("s3://old/kfp-jupyter/run-0/")
    cluster.store.update(
        "configmaps",
        cluster.namespace,
        "artifact-repositories",
        lambda item: item["data"].update(main="s3: {bucket: new}"),
    )
    (error,), _ = fetched(engine, run, record)
    assert isinstance(error, FetchError)
    assert "the store of namespace 'team-a' is s3://new now" in error.what
