"""A rerun on a cluster takes results over in the Workflow itself: what ran there is not run again."""

from __future__ import annotations

from pathlib import Path

import pytest

from kfp_jupyter.engines.argo.errors import ManifestError
from kfp_jupyter.engines.argo.manifest import workflow
from kfp_jupyter.engines.argo.taken import TAKEN_LIMIT
from kfp_jupyter.engines.base import RunOptions
from kfp_jupyter.model.run import ArtifactRecord, State, Target, TaskRun
from kfp_jupyter.repair.debug import task_code
from kfp_jupyter.repair.rerun import RerunError, rerun
from kfp_jupyter.workbench import Workbench
from tests.cluster import TestCluster
from tests.repair.test_rerun import Ledger, broken_train, other_report, study, train

TARGET = f"argo:{TestCluster.context}"


@pytest.fixture
def ledger(tmp_path) -> Ledger:
    return Ledger(tmp_path / "ledger")


def test_only_the_mended_step_and_what_follows_it_run_again(bench_on_cluster, cluster, ledger, tmp_path):
    bench = bench_on_cluster
    failed = bench.run(study(broken_train), {"ledger": str(ledger.path)}, target=TARGET).wait(300)
    assert failed.state == "FAILED"
    assert ledger.ran() == ["aside", "load", "train"]

    told: list[str] = []
    run = rerun(bench, failed, components={"train": train.model}, tell=told.append).wait(300)
    assert run.state == "SUCCEEDED"
    assert run.target == failed.target
    assert ledger.ran() == ["report", "train"]
    assert f"Taken over from run {failed.id}: load, aside. Run again: train, report." in told
    assert run.status.notices == ("Nothing is cached on Argo yet: every other task runs.",)
    assert [task.cached for task in run.tasks.values()] == [True, True, False, False]
    assert run.tasks["load"].status.cached_from == failed.id
    assert run.tasks["load"].artifacts["data"] == failed.tasks["load"].artifacts["data"]
    assert run.tasks["report"].outputs == {"Output": 3}
    # Only what runs is in the Workflow.
    dag = cluster.workflow(run.id)["spec"]["templates"][0]["dag"]["tasks"]
    assert [task["name"] for task in dag] == ["train", "report"]
    assert run.logs("load") == failed.logs("load")

    # It is all in the cluster: another kernel reads the same.
    other = Workbench(tmp_path / "data")
    again = other.get(run.id).wait(300)
    assert again.tasks["load"].status.cached_from == failed.id
    assert again.tasks["load"].artifacts["data"] == run.tasks["load"].artifacts["data"]
    other.close()

    # A third run takes over from the second what that had taken over, and what it made.
    third = rerun(bench, run, study(train), components={"report": other_report()}).wait(300)
    assert third.state == "SUCCEEDED"
    assert ledger.ran() == []
    assert third.tasks["load"].status.cached_from == failed.id
    assert third.tasks["train"].status.cached_from == run.id
    assert third.tasks["report"].outputs == {"Output": 4}
    # What was taken over is brought from where it was made.
    code = task_code(run, "train", {})
    assert (code.notes, Path(code.inputs["data"].path).read_text()) == ((), "xxx")


def test_the_log_of_a_task_that_was_taken_over_goes_with_the_run_that_ran_it(
    bench_on_cluster, cluster, ledger
):
    failed = bench_on_cluster.run(study(broken_train), {"ledger": str(ledger.path)}, target=TARGET).wait(300)
    run = rerun(bench_on_cluster, failed, study(train)).wait(300)
    cluster.store.delete("workflows", cluster.namespace, failed.id)
    assert run.logs("load") == (
        f"[kfp-jupyter] It ran in {failed.id}, which is not in the cluster any more, nor is its log.\n"
    )


def test_an_artifact_that_is_gone_meanwhile_is_named_at_the_task_that_needs_it(
    bench_on_cluster, cluster, ledger
):
    failed = bench_on_cluster.run(study(broken_train), {"ledger": str(ledger.path)}, target=TARGET).wait(300)
    (cluster.folder / "repository" / failed.tasks["load"].artifacts["data"].uri).unlink()
    run = rerun(bench_on_cluster, failed, study(train)).wait(300)
    assert (run.state, run.tasks["train"].reason) == ("FAILED", "InputGone")
    assert "not in the cluster's store any more: run the whole pipeline" in run.tasks["train"].message


def test_results_are_not_taken_elsewhere(bench_on_cluster, ledger):
    here = bench_on_cluster.run(study(broken_train), {"ledger": str(ledger.path)}, target="local").wait(300)
    with pytest.raises(RerunError, match=f"on local cannot be taken over on {TARGET}"):
        rerun(bench_on_cluster, here, study(train), target=TARGET)
    there = bench_on_cluster.run(study(broken_train), {"ledger": str(ledger.path)}, target=TARGET).wait(300)
    ledger.ran()
    # Without its artifacts a result is of no use here; the others are.
    run = rerun(bench_on_cluster, there, study(train), target="local", caching=False).wait(300)
    assert run.state == "SUCCEEDED"
    assert ledger.ran() == ["load", "report", "train"]


def results(**held: TaskRun) -> RunOptions:
    return RunOptions("new", Target("argo"), taken=held)


def test_a_manifest_takes_over_no_more_than_fits_and_leaves_something_to_run():
    pipeline, arguments = study(train), {"ledger": "/none", "rows": 3}
    done = TaskRun(State.SUCCEEDED, attempt=1, cached_from="old")
    with pytest.raises(ManifestError, match="All of it is there already"):
        workflow(pipeline, arguments, results(**dict.fromkeys(pipeline.graph.tasks, done)))
    record = ArtifactRecord("system.Dataset", "s3://elsewhere/data")
    elsewhere = TaskRun(State.SUCCEEDED, cached_from="old", artifacts={"data": (record,)})
    with pytest.raises(ManifestError, match="task train: The artifact s3://elsewhere/data"):
        workflow(pipeline, arguments, results(load=elsewhere))
    noise = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(TAKEN_LIMIT))
    large = TaskRun(State.SUCCEEDED, cached_from="old", outputs={"x": noise})
    with pytest.raises(ManifestError, match="results to take over take"):
        workflow(pipeline, arguments, results(aside=large))
