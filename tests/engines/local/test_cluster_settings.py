"""What only Kubernetes has: variables of secrets and config maps from files, and notices of the rest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kfp_jupyter import dsl, kubernetes
from kfp_jupyter.engines.base import EngineError
from kfp_jupyter.engines.local.notices import notices
from kfp_jupyter.model.run import State


@dsl.component
def variable(name: str) -> str:
    import os

    return os.environ.get(name, "unset")


@dsl.component
def name_of() -> str:
    return "mine"


@dsl.pipeline
def secret(optional: bool = False):
    task = variable(name="PASSWORD")
    kubernetes.use_secret_as_env(task, "database", {"password": "PASSWORD"})


@dsl.pipeline
def flowing(which: str = "mine"):
    task = variable(name="A")
    kubernetes.use_secret_as_env(task, name_of().output, {"a": "A"})
    other = variable(name="B")
    kubernetes.use_config_map_as_env(other, which, {"b": "B"})
    maybe = variable(name="C")
    kubernetes.use_secret_as_env(maybe, "none", {"c": "C"}, optional=True)
    pod = variable(name="POD")
    kubernetes.use_field_path_as_env(pod, "POD", "metadata.name")


@dsl.pipeline
def cluster_only():
    claim = kubernetes.CreatePVC(pvc_name_suffix="-data", access_modes=["ReadWriteOnce"], size="1Gi")
    for _ in range(7):
        task = variable(name="A")
        kubernetes.add_node_selector(task, "disk", "ssd")
        kubernetes.mount_pvc(task, claim.outputs["name"], "/data")
    kubernetes.use_field_path_as_env(task, "NODE", "spec.nodeName")
    kubernetes.set_security_context(task, run_as_user=0)
    task.set_container_image("other")
    kubernetes.DeletePVC(pvc_name=claim.outputs["name"]).after(task)


def write(folder: str, name: str, held: object) -> None:
    import os

    file = Path(os.environ["KFP_JUPYTER_DATA"]) / folder / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(held))


def test_a_secret_is_taken_from_its_file_and_stands_in_no_event(bench):
    write("secrets", "database", {"password": "s3cret"})
    run = bench.run(secret.model)
    assert run.state.tasks["variable"].outputs == {"Output": "s3cret"}
    outputs = run.state.tasks["variable"].outputs
    assert "s3cret" not in repr([event for event in run.events if getattr(event, "outputs", None) != outputs])


def test_a_secret_that_is_not_there_is_asked_for_before_the_run(bench):
    with pytest.raises(EngineError, match="needs the secret 'database'") as caught:
        bench.start(secret.model)
    assert caught.value.where == "task variable"
    assert "secrets/database.json" in caught.value.remedy
    write("secrets", "database", {"user": "x"})
    with pytest.raises(EngineError, match="needs 'password' of the secret 'database'"):
        bench.start(secret.model)


def test_names_of_secrets_may_flow(bench):
    write("secrets", "mine", {"a": "1"})
    write("config-maps", "mine", {"b": 2})
    state = bench.run(flowing.model).state
    assert state.state is State.SUCCEEDED, state
    each = [task.outputs["Output"] for path, task in state.tasks.items() if path.startswith("variable")]
    assert each == ["1", "2", "unset", "run-1/variable-4"]
    state = bench.run(flowing.model, which="other").state
    failed = state.tasks["variable-2"]
    assert failed.message.startswith("BadArgument: There is no config map 'other' on this machine.")


def test_a_name_cannot_lead_out_of_the_folder(bench):
    write("secrets", "mine", {"a": "1"})
    state = bench.run(flowing.model, which="../secrets/mine").state
    assert "is no name of a config map" in state.tasks["variable-2"].message


def test_what_is_not_done_is_said_before_the_run(bench):
    paths = "variable, variable-2, variable-3, variable-4, variable-5 and 2 more"
    assert notices(cluster_only.model) == (
        "Not limited on this machine: the size of the volumes of createpvc.",
        f"Without meaning on this machine: the choice of nodes of {paths}.",
        "Not used on this machine: the image of variable-7.",
        "Not applied on this machine: the security context of variable-7.",
        "Not set on this machine: the variables from fields of the pods of variable-7.",
    )
    state = bench.run(cluster_only.model).state
    assert state.state is State.SUCCEEDED, state
    name = state.tasks["createpvc"].outputs["name"]
    assert name.startswith("run-1-")
    assert name.endswith("-data")
