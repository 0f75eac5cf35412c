"""What steps mount: claims, secrets and config maps as files, empty folders; at paths that are not there."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kfp_jupyter import dsl, kubernetes
from kfp_jupyter.engines.base import EngineError
from kfp_jupyter.engines.local import mount, volumes
from kfp_jupyter.engines.local.notices import notices
from kfp_jupyter.model.run import State
from tests.engines.local.authored import mounted
from tests.engines.local.test_cluster_settings import write

needs_namespaces = pytest.mark.skipif(not mount.can_mount(), reason="this machine has no mount namespaces")


@pytest.fixture
def data(bench) -> Path:
    return Path(os.environ["KFP_JUPYTER_DATA"])


def outputs(state, task: str):
    assert state.state is State.SUCCEEDED, state
    return state.tasks[task].outputs["Output"]


@needs_namespaces
def test_a_claim_is_a_folder_that_steps_share_at_paths_of_their_own(bench, data):
    state = bench.run(mounted.claimed.model).state
    assert outputs(state, "put-2") == "ab"
    assert state.tasks["deletepvc"].state is State.SUCCEEDED
    assert not list((data / "volumes").iterdir())
    assert not list((data / "claims").iterdir())
    assert not Path("/kfp-volume").exists()
    assert not Path("/mnt/x.txt").exists()


@needs_namespaces
def test_a_claim_outlives_its_run_and_the_same_is_not_made_again(bench, data):
    assert outputs(bench.run(mounted.kept.model).state, "put") == "a"
    assert outputs(bench.run(mounted.kept.model, text="b").state, "put") == "ab"
    assert (data / "volumes" / "kept" / "x.txt").read_text() == "ab"


def test_there_is_one_claim_of_a_name(bench):
    assert bench.run(mounted.twice_made.model).state.state is State.SUCCEEDED
    state = bench.run(mounted.twice_made.model).state
    assert "There is a claim 'one' already, made by task createpvc of run run-1." in state.message
    assert "`pvc_name_suffix`" in state.message


@needs_namespaces
def test_a_step_with_another_claim_runs_again(bench):
    first, second = (bench.run(mounted.cached.model).state for _ in range(2))
    assert outputs(first, "put") == outputs(second, "put") == "a"
    assert not second.tasks["put"].cached_from


@needs_namespaces
def test_each_iteration_makes_a_claim_of_its_own(bench):
    state = bench.run(mounted.claims_of_a_loop.model).state
    (loop,) = mounted.claims_of_a_loop.model.graph.tasks
    assert [outputs(state, f"{loop}[{index}]/put") for index in range(2)] == ["a", "b"]
    names = {state.tasks[f"{loop}[{index}]/createpvc"].outputs["name"] for index in range(2)}
    assert len(names) == 2


@needs_namespaces
def test_the_users_own_data_is_mounted_and_only_the_step_sees_it(bench, data, tmp_path):
    place = tmp_path / "elsewhere"
    (place / "part" / "of").mkdir(parents=True)
    (place / "part" / "of" / "x.txt").touch()
    (data / "volumes").mkdir(parents=True)
    (data / "volumes" / "own").symlink_to(place)
    state = bench.run(mounted.own_data.model).state
    assert outputs(state, "look") == "x.txt"
    told = outputs(state, "about")
    assert told["user"] == os.getuid()
    assert told["directory"] == str(Path.cwd())
    # The image of `/` that has a place for the volume is read-only: what is written there would be lost.
    assert told["writable"] == {"/": False, "/kfp-volume": True}
    assert told["child"] == f"{os.getuid()} ['part']"


def test_what_the_user_has_put_there_no_run_deletes(bench, data):
    (data / "volumes" / "own").mkdir(parents=True)
    state = bench.run(mounted.deleted.model).state
    assert "No run has made the volume 'own'" in state.message
    assert (data / "volumes" / "own").is_dir()


def test_a_claim_that_is_not_there_is_asked_for_before_the_run(bench, data):
    with pytest.raises(EngineError, match="mounts the claim 'own', which is not on this machine") as caught:
        bench.start(mounted.own_data.model)
    assert caught.value.where == "task look"
    assert str(data / "volumes" / "own") in caught.value.remedy
    assert bench.run(mounted.deleted.model).state.message.endswith("There is no claim 'own' on this machine.")


@needs_namespaces
@pytest.mark.parametrize(
    ("name", "message"),
    [("nowhere", "the claim 'nowhere', which is not on this machine"), ("../runs", "is no name of a claim")],
)
def test_a_name_that_flows_must_be_that_of_a_claim(bench, name, message):
    assert message in bench.run(mounted.flowing.model, name=name).state.message


@needs_namespaces
def test_secrets_and_config_maps_are_files_as_long_as_the_step_runs(bench):
    write("secrets", "database", {"password": "s3cret"})
    write("config-maps", "settings", {"a": 1, "b": "two"})
    run = bench.run(mounted.files.model)
    assert outputs(run.state, "look") == "s3cret"
    assert outputs(run.state, "look-2") == "a b"
    assert outputs(run.state, "look-3") == ""
    files = [path for path in (run.folder / "tasks").rglob("*") if path.is_file()]
    # What the step itself gives out.
    left = {path.name for path in files if "s3cret" in path.read_text()}
    assert left == {"Output", "output.json"}
    assert not list((run.folder / "tasks").glob("*/*/volumes"))


def test_a_secret_to_mount_that_is_not_there_is_asked_for_before_the_run(bench):
    with pytest.raises(EngineError, match="mounts the secret 'database'") as caught:
        bench.start(mounted.files.model)
    assert "secrets/database.json" in caught.value.remedy


@needs_namespaces
def test_each_attempt_has_empty_folders_of_its_own(bench, tmp_path):
    state = bench.run(mounted.empty.model, marks=str(tmp_path)).state
    assert outputs(state, "fill") == 0
    assert state.tasks["fill"].attempt == 2
    assert outputs(state, "put") == "m"
    assert outputs(state, "put-2") == "f"
    limits = "Not limited on this machine: the size of the volumes of fill, put-2."
    assert notices(mounted.empty.model) == (limits,)


@needs_namespaces
def test_a_folder_in_memory_has_the_size_that_was_asked_for(bench):
    assert "No space left on device" in bench.run(mounted.too_much.model).state.message


def test_shared_memory_is_there_by_itself(bench):
    assert bench.run(mounted.shared_memory.model).state.state is State.SUCCEEDED


@pytest.mark.parametrize(
    ("path", "more", "message"),
    [
        ("data", {}, "'data' is no path to mount at"),
        ("/", {}, "A volume at / would hide"),
        (str(Path(sys.base_prefix).parent), {}, "which steps need on this machine"),
        ("/kfp-volume", {"sub_path": "../x"}, "leads out of the volume"),
    ],
)
def test_a_mount_that_cannot_be_meant_is_refused_before_the_run(bench, data, path, more, message):
    (data / "volumes" / "own").mkdir(parents=True)

    @dsl.pipeline
    def wrong():
        kubernetes.mount_pvc(mounted.look(path="/"), "own", path, **more)

    with pytest.raises(EngineError, match=message):
        bench.start(wrong.model)


def test_where_nothing_can_be_mounted_that_is_said_before_the_run(bench, data, tmp_path, monkeypatch):
    monkeypatch.setattr(volumes, "can_mount", lambda: False)
    (data / "volumes" / "own").mkdir(parents=True)
    (data / "volumes" / "own" / "x.txt").write_text("mine")
    link = tmp_path / "link"

    @dsl.pipeline
    def linked():
        kubernetes.mount_pvc(mounted.look(path=str(link / "x.txt")), "own", str(link))

    with pytest.raises(EngineError, match="Nothing can be mounted for a step on this machine") as caught:
        bench.start(linked.model)
    assert f"Make {link} a link to {data / 'volumes' / 'own'}" in caught.value.remedy
    link.symlink_to(data / "volumes" / "own")
    assert outputs(bench.run(linked.model).state, "look") == "mine"
    write("secrets", "database", {})
    with pytest.raises(EngineError, match="so not at /kfp-secret either"):
        bench.start(mounted.files.model)


@needs_namespaces
def test_a_mount_that_fails_is_the_tasks_error(bench, data, tmp_path):
    (data / "volumes" / "own").mkdir(parents=True)
    (tmp_path / "file").touch()

    @dsl.pipeline
    def onto_a_file():
        kubernetes.mount_pvc(mounted.look(path="/"), "own", str(tmp_path / "file" / "deep"))

    state = bench.run(onto_a_file.model).state
    assert state.tasks["look"].error.type == "CannotMount"
    assert str(tmp_path / "file") in state.message


def test_what_is_in_a_mounted_secret_tells_a_result_from_others(tmp_path):
    settings = {
        "secretAsVolume": [{"secretName": "key", "mountPath": "/key"}],
        "configMapAsVolume": [{"configMapName": "map", "mountPath": "/map"}],
    }
    seen = []
    for folder, name, value in (("secrets", "key", 1), ("config-maps", "map", 1), ("secrets", "key", 2)):
        file = tmp_path / folder / f"{name}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps({"value": value}))
        seen.append(json.dumps(volumes.mounted(settings, tmp_path)))
    assert len(set(seen)) == 3
    assert json.dumps(volumes.mounted(settings, tmp_path)) == seen[-1]


def test_claims_of_older_documents_are_understood():
    older = {"pvcMount": [{"constant": "own", "mountPath": "/a"}], "emptyDirMounts": [{"mountPath": "/b"}]}
    assert [(held.kind.value, held.name, held.target) for held in volumes.volumes_of(older)] == [
        ("claim", "own", "/a"),
        ("empty folder", "", "/b"),
    ]
    flows = {"pvcMount": [{"componentInputParameter": "name", "mountPath": "/a"}]}
    assert [held.name for held in volumes.volumes_of(flows)] == [""]
    assert json.dumps(volumes.mounted(older, Path())) == '[["own", "", "/a"]]'


@needs_namespaces
def test_who_may_not_mount_enters_a_namespace_as_himself(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "x.txt").write_text("seen")
    place = mount.Mount(str(tmp_path / "source"), "/kfp-volume/deep")
    command = [*mount.launcher([place], mount.PROGRAM, tmp_path / "own"), sys.executable, "-c"]
    look = "import os; print(os.getuid(), open('/kfp-volume/deep/x.txt').read())"

    def give_up_mounting() -> None:
        drop_from_bounding_set, mounting = 24, 21
        ctypes.CDLL(None).prctl(drop_from_bounding_set, mounting, 0, 0, 0)

    said = subprocess.run(
        [*command, look], preexec_fn=give_up_mounting, capture_output=True, text=True, check=False
    )
    assert (said.stdout, said.stderr) == (f"{os.getuid()} seen\n", "")
    assert not Path("/kfp-volume").exists()
