from __future__ import annotations

import os
from pathlib import Path

import pytest

from kfp_jupyter.engines.kubeconfig import Kubeconfig, read_kubeconfig
from kfp_jupyter.engines.targets import Place, TargetError, engine_for, named, parse_target, places
from kfp_jupyter.model.run import Target

ARN = "arn:aws:eks:eu-central-1:123456789012:cluster/team/blue"
FILE = f"""
current-context: kind
contexts:
- name: {ARN}
  context: {{cluster: a, user: a}}
- name: kind
  context: {{cluster: b, user: b}}
- name: admin@prod
  context: {{cluster: c, user: c}}
"""


@pytest.fixture
def kubeconfig(tmp_path, monkeypatch) -> Path:
    path = tmp_path / "config"
    path.write_text(FILE)
    monkeypatch.setenv("KUBECONFIG", str(path))
    return path


def test_this_machine_comes_first_and_then_the_current_context(kubeconfig):
    assert places() == [
        Place("local", "This machine", "local"),
        Place("argo:kind", "kind", "argo"),
        Place(f"argo:{ARN}", ARN, "argo"),
        Place("argo:admin@prod", "admin@prod", "argo"),
    ]


@pytest.mark.parametrize(
    "target",
    [
        Target("local"),
        Target("argo"),
        Target("argo", "", "team-a"),
        Target("argo", "kind"),
        Target("argo", "kind", "team-a"),
        Target("argo", "admin@prod", "team-a"),
        Target("argo", ARN),
        Target("argo", ARN, "team-a"),
    ],
    ids=str,
)
def test_a_target_is_read_back_from_its_spelling(kubeconfig, target):
    assert parse_target(str(target)) == target


@pytest.mark.parametrize(
    "text", ["", "lokal", "argo:", "argo:nowhere", "argo:kind/Team_A", "kfp:kind", "local:x"]
)
def test_what_is_no_target_is_refused_with_the_known_ones(kubeconfig, text):
    with pytest.raises(TargetError, match="local, argo:kind, argo:arn:aws:eks") as raised:
        parse_target(text)
    assert repr(text) in str(raised.value)


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        ("argo:knd", "the kubeconfig has no context 'knd'", "Did you mean 'argo:kind'?"),
        ("argo:kind/Team_A", "neither a context of the kubeconfig nor CONTEXT/NAMESPACE", "argo:kind"),
        ("loca", "'loca' is no target.", "Did you mean 'local'?"),
    ],
)
def test_a_refused_target_says_what_is_wrong_with_it(kubeconfig, text, what, remedy):
    with pytest.raises(TargetError) as raised:
        parse_target(text)
    assert what in raised.value.what
    assert remedy in raised.value.remedy


def test_without_a_kubeconfig_a_context_is_refused_with_the_place_to_put_one(tmp_path, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(TargetError, match=f"no kubeconfig at {tmp_path / 'none'}") as raised:
        parse_target("argo:kind")
    assert "set KUBECONFIG" in raised.value.remedy
    (tmp_path / "none").write_text("a: [")
    with pytest.raises(TargetError, match="is not YAML"):
        parse_target("argo:kind")


def test_a_run_names_the_context_that_was_current_when_it_was_started(kubeconfig):
    assert named(Target("argo", "", "team-a")) == Target("argo", "kind", "team-a")
    assert named(Target("local")) == Target("local")
    kubeconfig.write_text("contexts: [{name: kind}]\n")
    assert named(Target("argo")) == Target("argo")


def test_several_files_are_merged_and_missing_ones_skipped(kubeconfig, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.write_text("current-context: dev\ncontexts: [{name: dev}, {name: kind}]\n")
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join([str(other), str(tmp_path / "none"), str(kubeconfig)]))
    assert read_kubeconfig() == Kubeconfig(("dev", "kind", ARN, "admin@prod"), "dev")


def test_the_file_in_the_home_folder_is_the_default(tmp_path, monkeypatch):
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert read_kubeconfig() == Kubeconfig()
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text("contexts: [{name: home}]\n")
    assert read_kubeconfig() == Kubeconfig(("home",))


@pytest.mark.parametrize("text", ["contexts: [", "contexts: 3", "- a list", "\x00", "text"])
def test_a_broken_file_is_a_problem_and_no_exception(kubeconfig, text):
    kubeconfig.write_text(text)
    config = read_kubeconfig()
    assert config.contexts == ()
    assert len(config.problems) == 1
    assert str(kubeconfig) in config.problems[0]
    assert [place.id for place in places(config)] == ["local"]


def test_a_folder_in_the_place_of_the_file_is_a_problem(tmp_path, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path))
    assert "cannot be read" in read_kubeconfig().problems[0]


def test_a_file_written_anew_is_read_anew(kubeconfig):
    assert "kind" in read_kubeconfig().contexts
    kubeconfig.write_text("contexts: [{name: new-context}]\n")
    assert read_kubeconfig().contexts == ("new-context",)


def test_inside_a_cluster_that_cluster_is_a_target(tmp_path, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    assert [place.id for place in places()] == ["local", "argo"]


def test_a_kind_without_an_engine_is_refused():
    with pytest.raises(TargetError, match="no engine for 'slurm'"):
        engine_for(Target("slurm"))
