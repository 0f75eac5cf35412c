"""The workbench, the handle and the command line with the Argo engine and the test cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kfp_jupyter.cli import main
from kfp_jupyter.model.run import Target
from kfp_jupyter.notebook.source import find_pipeline
from kfp_jupyter.workbench import Workbench
from tests.cluster import TestCluster
from tests.fake_engine import until

PROGRAM = """
from kfp_jupyter import dsl
from kfp_jupyter.dsl import Metrics, Output

@dsl.component
def load(rows: int) -> int:
    print("loading")
    return rows

@dsl.component
def train(rows: int, scores: Output[Metrics]):
    scores.log_metric("rows", rows)

@dsl.pipeline
def churn(rows: int = 3):
    train(rows=load(rows=rows).output)
"""


@pytest.fixture
def cluster(monkeypatch) -> Iterator[TestCluster]:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with TestCluster() as started:
        monkeypatch.setenv("KUBECONFIG", started.kubeconfig)
        yield started


@pytest.fixture
def program(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(tmp_path / "data"))
    path = tmp_path / "argo_program.py"
    path.write_text(PROGRAM)
    return path


def test_a_run_on_the_cluster_is_like_any_other_and_found_again_by_the_next_kernel(cluster, program):
    workbench, restarted = Workbench(), Workbench()
    try:
        workbench.use(f"argo:{cluster.context}")
        run = workbench.run(find_pipeline(program), {"rows": 7})
        assert run.target == Target("argo", cluster.context)
        until(lambda: run.tasks["load"].attempt, 300)
        workbench.close()
        again = restarted.get(run.id).wait(300)
        assert again.state == "SUCCEEDED"
        assert again.tasks["load"].outputs["Output"] == 7
        assert again.tasks["load"].logs() == "loading\n"
        assert again.metrics == {"train": {"rows": 7}}
        notices = ("Nothing is cached on Argo yet: every task runs.",)
        assert again.status.notices == run.status.notices == notices
    finally:
        workbench.close()
        restarted.close()


def test_a_run_whose_workflow_was_deleted_has_failed(cluster, program):
    workbench = Workbench()
    try:
        run = workbench.run(find_pipeline(program), target=f"argo:{cluster.context}")
        namespace, _, name = run.ref.location.partition("/")
        until(lambda: run.tasks["load"].attempt, 300)
        cluster.store.delete("workflows", namespace, name)
        run.wait(300)
        assert (run.state, run.status.reason) == ("FAILED", "Gone")
        assert "not in the cluster any more" in run.status.message
    finally:
        workbench.close()


def test_the_command_line_runs_on_the_cluster(cluster, program, capsys):
    assert main(["run", str(program), "--target", f"argo:{cluster.context}"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Nothing is cached on Argo yet: every task runs.\nRun ")
    assert "train succeeded" in out
    assert f"argo:{cluster.context}" in out
