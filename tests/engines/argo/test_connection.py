"""Each way in which a cluster cannot be used gives its own error, and nothing is left behind."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from kfp_jupyter.engines.argo import ArgoEngine, errors
from kfp_jupyter.engines.argo.connection import connect
from kfp_jupyter.engines.base import EngineError, RunOptions
from kfp_jupyter.model.run import RunRef, Target
from tests.cluster import TestCluster
from tests.engines.argo.conftest import TARGET
from tests.engines.argo.pipelines import component, pipeline, task

SMALL = pipeline("small", (component("one", "def one(): ...\n"),), (task("one"),))


def submitted(target: Target = TARGET, run_id: str = "run-1") -> RunRef:
    return ArgoEngine(target).submit(SMALL, {}, RunOptions(run_id, target))


def refused(cluster: TestCluster, kind: type[EngineError], target: Target = TARGET) -> str:
    """Submit, and return the error's text; nothing has been made."""
    with pytest.raises(kind) as caught:
        submitted(target)
    assert type(caught.value) is kind
    assert caught.value.remedy
    assert cluster.store.list("workflows") == []
    return str(caught.value)


def test_no_kubeconfig(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(errors.NoKubeconfigError, match=str(tmp_path / "none")):
        submitted(Target("argo"))


def test_a_kubeconfig_that_is_no_yaml(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a: [")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    with pytest.raises(errors.KubeconfigError, match="not YAML"):
        submitted(Target("argo"))


def test_no_current_context(cluster: TestCluster) -> None:
    cluster.write_kubeconfig(current=False)
    assert "--target argo:test-cluster" in refused(cluster, errors.NoCurrentContextError, Target("argo"))
    assert submitted().location == "team-a/run-1"


def test_an_unknown_context_lists_those_there_are(cluster: TestCluster) -> None:
    text = refused(cluster, errors.UnknownContextError, Target("argo", "production"))
    assert "'production'" in text
    assert "There are: test-cluster." in text


def test_a_context_whose_cluster_is_missing(cluster: TestCluster) -> None:
    config = json.loads(Path(cluster.kubeconfig).read_text())
    config["contexts"][0]["context"]["cluster"] = "elsewhere"
    Path(cluster.kubeconfig).write_text(json.dumps(config))
    assert "elsewhere" in refused(cluster, errors.KubeconfigError)


def test_the_current_context_is_the_default(cluster: TestCluster) -> None:
    assert submitted(Target("argo")).location == "team-a/run-1"


def test_an_unreachable_cluster_is_named_at_once(cluster: TestCluster) -> None:
    began = time.monotonic()
    host = cluster.host
    cluster.go_down()
    assert f"{host} does not answer: connection refused" in refused(cluster, errors.UnreachableError)
    assert time.monotonic() - began < 20


def test_a_host_that_swallows_packets_is_given_up(
    cluster: TestCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kfp_jupyter.engines.argo.connection.READ_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config = json.loads(Path(cluster.kubeconfig).read_text())
        config["clusters"][0]["cluster"]["server"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
        Path(cluster.kubeconfig).write_text(json.dumps(config))
        assert "no answer in time" in refused(cluster, errors.UnreachableError)


def test_a_host_without_a_name(cluster: TestCluster) -> None:
    config = json.loads(Path(cluster.kubeconfig).read_text())
    config["clusters"][0]["cluster"]["server"] = "http://no-such-host.invalid:6443"
    Path(cluster.kubeconfig).write_text(json.dumps(config))
    assert "no-such-host.invalid" in refused(cluster, errors.UnreachableError)


def test_a_login_that_does_not_hold(cluster: TestCluster) -> None:
    cluster.write_kubeconfig(token="expired")
    assert "context test-cluster" in refused(cluster, errors.NotLoggedInError)


def test_nobody_at_all(cluster: TestCluster) -> None:
    # As when the plugin that is to log in fails: the client goes on without a word.
    cluster.write_kubeconfig(token="")
    assert "Log in again" in refused(cluster, errors.NotLoggedInError)


def test_a_cluster_that_came_back_at_another_address_is_found_there(cluster: TestCluster) -> None:
    here = Path(cluster.kubeconfig).read_text()
    Path(cluster.kubeconfig).write_text(here.replace(cluster.host, "http://127.0.0.1:9"))
    engine = ArgoEngine(TARGET)
    with pytest.raises(errors.UnreachableError, match=r"127\.0\.0\.1:9 does not answer"):
        engine.submit(SMALL, {}, RunOptions("run-1", TARGET))
    Path(cluster.kubeconfig).write_text(here)
    assert engine.submit(SMALL, {}, RunOptions("run-1", TARGET)).location == "team-a/run-1"


def test_a_renewed_token_is_picked_up(cluster: TestCluster) -> None:
    engine = ArgoEngine(TARGET)
    cluster.write_kubeconfig(token="expired")
    with pytest.raises(errors.NotLoggedInError):
        engine.submit(SMALL, {}, RunOptions("run-1", TARGET))
    cluster.write_kubeconfig()
    assert engine.submit(SMALL, {}, RunOptions("run-1", TARGET)).location == "team-a/run-1"


@pytest.mark.parametrize("verb", ["create", "list", "watch", "get"])
def test_what_is_not_allowed_is_named(cluster: TestCluster, verb: str) -> None:
    cluster.faults.forbidden.add((verb, "workflows"))
    text = refused(cluster, errors.ForbiddenError)
    assert f"test-user may not {verb} workflows.argoproj.io in namespace 'team-a'" in text


def test_cancelling_without_the_right_to(cluster: TestCluster) -> None:
    cluster.faults.controller_stopped = True
    ref = submitted()
    cluster.faults.forbidden.add(("patch", "workflows"))
    with pytest.raises(errors.ForbiddenError, match=r"test-user may not patch workflows\.argoproj\.io"):
        ArgoEngine(TARGET).cancel(ref)


def test_no_argo(cluster: TestCluster) -> None:
    cluster.faults.no_argo = True
    assert f"{cluster.host} has no Argo Workflows" in refused(cluster, errors.ArgoMissingError)


def test_no_such_namespace(cluster: TestCluster) -> None:
    text = refused(cluster, errors.NamespaceMissingError, Target("argo", TestCluster.context, "team-z"))
    assert "'team-z'" in text


def test_a_refused_workflow_quotes_the_server(cluster: TestCluster) -> None:
    cluster.faults.refusal = "admission webhook denied the request: images must come from registry.example"
    assert "images must come from registry.example" in refused(cluster, errors.RefusedError)


def test_a_server_in_trouble_is_quoted(cluster: TestCluster) -> None:
    cluster.faults.unavailable = True
    with pytest.raises(errors.RequestError, match="503"):
        submitted()


def test_a_run_is_not_made_twice(cluster: TestCluster) -> None:
    submitted()
    with pytest.raises(errors.RunExistsError, match="team-a/run-1"):
        submitted()
    assert len(cluster.store.list("workflows")) == 1


def test_a_create_whose_answer_is_lost_is_recognised(
    cluster: TestCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = cluster.store.create

    def create(plural: str, namespace: str, item: dict, *, dry_run: bool = False) -> dict:
        created = made(plural, namespace, item, dry_run=dry_run)
        if plural == "workflows" and not dry_run:
            cluster.server.drop_connections()
        return created

    monkeypatch.setattr(cluster.store, "create", create)
    assert submitted().location == "team-a/run-1"
    assert len(cluster.store.list("workflows")) == 1


def test_nothing_is_asked_of_the_cluster_for_a_pipeline_that_cannot_run_there(cluster: TestCluster) -> None:
    wrong = pipeline("small", (), ())
    with pytest.raises(errors.ManifestError):
        ArgoEngine(TARGET).submit(replace(wrong, pipeline_root="s3://x"), {}, RunOptions("run-1", TARGET))
    assert cluster.server.requests == []


def test_a_dry_run_comes_before_the_create(cluster: TestCluster) -> None:
    submitted()
    posts = [line for line in cluster.server.requests if line.startswith("POST") and "workflows" in line]
    assert posts == [
        "POST /apis/argoproj.io/v1alpha1/namespaces/team-a/workflows?fieldValidation=Strict&dryRun=All",
        "POST /apis/argoproj.io/v1alpha1/namespaces/team-a/workflows?fieldValidation=Strict",
    ]


def test_a_run_that_is_gone_says_so(cluster: TestCluster) -> None:
    ref = RunRef("run-9", TARGET, "team-a/run-9")
    with pytest.raises(errors.RunGoneError, match="team-a/run-9"):
        next(ArgoEngine(TARGET).events(ref, Event()))
    with pytest.raises(errors.RunGoneError, match="team-a/run-9"):
        next(ArgoEngine(TARGET).logs(ref, "one", Event()))


def test_several_kubeconfigs_are_merged(
    cluster: TestCluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.write_text(
        "apiVersion: v1\nkind: Config\ncontexts:\n- {name: far, context: {cluster: far, user: me}}\n"
    )
    monkeypatch.setenv("KUBECONFIG", f"{other}:{cluster.kubeconfig}")
    found = connect(TARGET)
    assert (found.host, found.namespace) == (cluster.host, "team-a")
