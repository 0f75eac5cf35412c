from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kfp_jupyter.engines.base import EngineError
from kfp_jupyter.engines.targets import TargetError
from kfp_jupyter.model.check import ArgumentError
from kfp_jupyter.model.run import RunChanged, State, Target, TaskChanged
from kfp_jupyter.runs.database import HistoryError
from kfp_jupyter.runs.summary import summary
from kfp_jupyter.view import html, text
from kfp_jupyter.workbench import HistoryWarning, UnknownPipelineError, Workbench
from tests.fake_engine import FakeEngine, until
from tests.pipelines import churn


@pytest.fixture(autouse=True)
def kubeconfig(tmp_path, monkeypatch) -> None:
    (tmp_path / "config").write_text("contexts: [{name: kind}]\n")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def workbench(tmp_path, engine) -> Iterator[Workbench]:
    bench = Workbench(tmp_path / "data", lambda target: engine)
    yield bench
    bench.close()


@pytest.fixture
def restarted(tmp_path, engine) -> Iterator[Workbench]:
    """The workbench of the next kernel."""
    bench = Workbench(tmp_path / "data", lambda target: engine)
    yield bench
    bench.close()


def test_less_than_one_task_at_once_is_refused(workbench, engine):
    with pytest.raises(EngineError, match=r"pipeline churn, target local: At most -1 tasks.*`jobs`"):
        workbench.run(churn(), jobs=-1)
    assert engine.submitted == []
    assert workbench.runs() == []


def test_a_run_gets_its_complete_arguments_and_ends_up_in_store_and_history(workbench, engine):
    run = workbench.run(churn(), {"lr": 1})
    _, arguments, options = engine.submitted[0]
    assert arguments == {"lr": 1.0}
    assert options.target == Target("local")
    assert run.state in (State.PENDING, State.RUNNING)
    engine.succeed(run.id)
    assert run.wait(300).state == "SUCCEEDED"
    assert workbench.history.load(run.id)[2] == workbench.store.get(run.id)


def test_a_pipeline_is_run_by_its_name_and_the_newest_of_a_name_counts(workbench, engine):
    workbench.add_pipeline(churn(), "Cell In[3]")
    workbench.add_pipeline(replace(churn(), description="better"), "Cell In[4]")
    workbench.run("churn", {})
    assert engine.submitted[0][0].description == "better"
    assert workbench.files["pipeline", "churn"] == "Cell In[4]"
    with pytest.raises(UnknownPipelineError, match="churn"):
        workbench.run("chrun", {})


def test_wrong_arguments_are_refused_before_anything_is_started(workbench, engine):
    for arguments in ({"lr": "fast"}, {"rate": 0.1}):
        with pytest.raises(ArgumentError):
            workbench.run(churn(), arguments)
    assert (engine.submitted, workbench.store.all(), workbench.runs()) == ([], [], [])


def test_a_run_that_the_engine_refuses_leaves_nothing_behind(workbench, engine):
    engine.refusal = EngineError("The namespace does not exist.")
    with pytest.raises(EngineError, match="namespace"):
        workbench.run(churn())
    assert (workbench.store.all(), workbench.runs()) == ([], [])


def test_a_run_goes_to_the_target_in_use_or_to_the_one_that_is_named(workbench, engine):
    assert [place.id for place in workbench.targets()] == ["local", "argo:kind"]
    workbench.use("argo:kind/team-a")
    assert workbench.run(churn()).target == Target("argo", "kind", "team-a")
    assert workbench.run(churn(), target="local").target == Target("local")
    with pytest.raises(TargetError, match="argo:kind"):
        workbench.use("argo:king")
    assert workbench.target == Target("argo", "kind", "team-a")


def test_facts_are_kept_with_the_run(workbench, engine):
    run = workbench.run(churn(), labels={"notebook": "a.ipynb"}, caching=False, jobs=2)
    options = engine.submitted[0][2]
    assert (options.caching, options.jobs, options.labels["notebook"]) == (False, 2, "a.ipynb")
    assert "commit" in options.labels
    assert [row.id for row in workbench.runs(notebook="a.ipynb")] == [run.id]
    assert workbench.runs(notebook="b.ipynb") == []


def test_what_a_target_will_not_do_is_said_before_the_run_and_stays_with_it(workbench, restarted, engine):
    engine.says = ("Nothing is cached.", "No limit is enforced.")
    said = []
    run = workbench.run(churn(), tell=lambda notice: said.append((notice, len(engine.submitted))))
    assert said == [("Nothing is cached.", 0), ("No limit is enforced.", 0)]
    engine.succeed(run.id)
    assert run.wait(300).status.notices == engine.says
    for bench in (workbench, restarted):
        shown = bench.document(run.id)
        assert shown["run"]["notices"] == list(engine.says)
        assert "\nNothing is cached.\nNo limit is enforced.\n" in text(shown)
        assert "No limit is enforced." in html(shown)


def test_without_a_screen_it_is_logged(workbench, engine, caplog):
    engine.says = ("Nothing is cached.",)
    workbench.run(churn())
    assert [record.getMessage() for record in caplog.records] == ["Nothing is cached."]


def test_a_kernel_knows_its_notebook_from_the_server(workbench, engine, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/study.ipynb")
    run = workbench.run(churn())
    (row,) = workbench.runs(notebook="/home/ada/study.ipynb")
    assert (row.id, row.notebook) == (run.id, "/home/ada/study.ipynb")
    engine.succeed(run.id)
    until(lambda: run.state.finished)
    (ended,) = workbench.runs()
    assert (ended.state, ended.notebook) == (State.SUCCEEDED, "/home/ada/study.ipynb")


def test_runs_are_listed_newest_first_with_their_present_state(workbench, engine):
    first, second = workbench.run(churn()), workbench.run(churn())
    engine.tell(first.id, RunChanged(5.0, State.RUNNING, message="half way"))
    until(lambda: first.status.message == "half way" and second.state is State.RUNNING)
    assert workbench.runs() == [summary(second.status), summary(first.status)]
    assert workbench.runs(1, pipeline="churn") == [summary(second.status)]
    assert workbench.runs(pipeline="other") == []


def test_a_restarted_kernel_finds_its_runs_and_follows_the_open_ones(workbench, restarted, engine):
    ended, going = workbench.run(churn()), workbench.run(churn())
    engine.succeed(ended.id)
    ended.wait(300)
    workbench.close()
    assert {row.id for row in restarted.runs()} == {ended.id, going.id}
    assert restarted.store.all() == []
    restarted.reconnect()
    until(lambda: restarted.store.get(going.id))
    engine.succeed(going.id)
    assert restarted.get(going.id).wait(300).state == "SUCCEEDED"
    assert restarted.store.get(ended.id) is None, "a run that has ended is loaded when it is asked for"
    assert restarted.get(ended.id).state == "SUCCEEDED"
    until(lambda: engine.listeners == 0)
    assert {row.state for row in restarted.runs()} == {State.SUCCEEDED}


def test_each_run_is_followed_once_however_often_it_is_asked_for(workbench, engine):
    run = workbench.run(churn())
    until(lambda: engine.listeners == 1)
    for _ in range(3):
        workbench.get(run.id)
        workbench.reconnect()
    until(lambda: not workbench._reconnecting.is_alive())
    # A thread that was started is there at once, whenever it comes to listen.
    assert len([thread for thread in threading.enumerate() if run.id in thread.name]) == 1
    assert engine.listeners == 1


def test_a_lost_connection_is_shown_and_tried_again_on_request(workbench, engine):
    run = workbench.run(churn())
    until(lambda: run.state is State.RUNNING)
    engine.break_down(EngineError("No route to host."))
    until(lambda: run.status.reason == "Disconnected")
    assert (run.state, run.status.message) == (State.RUNNING, "No route to host.")
    engine.break_down(None)
    engine.tell(run.id, TaskChanged(9.0, "load", State.RUNNING, attempt=1))
    workbench.reconnect()
    until(lambda: run.tasks["load"].state is State.RUNNING)
    assert (run.status.reason, run.status.message) == ("", "")


def test_looking_around_takes_up_what_others_began_but_not_what_was_lost(workbench, restarted, engine):
    lost = workbench.run(churn())
    until(lambda: lost.state is State.RUNNING)
    engine.break_down(EngineError("No route to host."))
    until(lambda: lost.status.reason == "Disconnected")
    engine.break_down(None)
    begun = restarted.run(churn())
    workbench.reconnect(lost=False)
    until(lambda: workbench.store.get(begun.id))
    until(lambda: not workbench._reconnecting.is_alive())
    assert lost.status.reason == "Disconnected"
    assert workbench.log_lines(lost.id, "load") is not None
    assert lost.status.reason == "Disconnected", "a log that is read does not try again"
    engine.succeed(begun.id)
    assert workbench.get(begun.id).wait(300).state == "SUCCEEDED"


def test_a_run_is_found_by_the_beginning_of_its_id(workbench, restarted, engine):
    run = workbench.run(churn())
    for bench in (workbench, restarted):
        assert bench.get("chur").id == run.id
        with pytest.raises(HistoryError, match="There is no run 'nope'"):
            bench.get("nope")
    other = workbench.run(churn())
    with pytest.raises(HistoryError, match="may be several runs"):
        workbench.get("chur")
    assert workbench.get(other.id).id == other.id


def test_the_latest_run_goes_by_that_name(workbench, restarted):
    for bench in (workbench, restarted):
        with pytest.raises(HistoryError, match="There is no run yet"):
            bench.get("latest")
    workbench.run(churn())
    run = workbench.run(churn())
    assert {bench.get("latest").id for bench in (workbench, restarted)} == {run.id}


def test_without_a_history_runs_go_on_and_that_is_said_once(tmp_path, engine, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/study.ipynb")
    (tmp_path / "file").write_text("")
    workbench = Workbench(tmp_path / "file", lambda target: engine)
    with pytest.warns(HistoryWarning, match="The run goes on"):
        run = workbench.run(churn())
    other = workbench.run(churn())
    engine.succeed(run.id)
    assert run.wait(300).state == "SUCCEEDED"
    assert workbench.get(run.id[:-1]).id == run.id
    assert {(row.id, row.notebook) for row in workbench.runs()} == {
        (each.id, "/home/ada/study.ipynb") for each in (run, other)
    }
    assert "cannot be used" in " ".join(workbench.notes())
    workbench.close()


def test_a_broken_kubeconfig_is_a_note_and_leaves_this_machine(workbench, tmp_path):
    (tmp_path / "config").write_text("contexts: [")
    assert [place.id for place in workbench.targets()] == ["local"]
    assert "not YAML" in workbench.notes()[0]


def test_the_document_of_a_run_has_its_state(workbench, engine):
    run = workbench.run(churn())
    document = workbench.document(run.id)
    assert document["run"]["id"] == run.id
    assert set(document["run"]["tasks"]) == {node["id"] for node in document["graph"]["nodes"]}


def test_the_document_of_a_pipeline_has_its_latest_run_unless_it_was_changed_since(workbench, restarted):
    assert workbench.document(churn())["run"] is None
    workbench.run(churn())
    latest = workbench.run(churn())
    for bench in (workbench, restarted):
        assert bench.document(churn())["run"]["id"] == latest.id
        assert bench.document(replace(churn(), description="changed"))["run"] is None


def test_logs_are_read_with_a_cursor(workbench, engine):
    run = workbench.run(churn())
    engine.printed[run.id, "load"] = ["a", '::kfp-jupyter:: {"metric": {}}', "b"]
    until(lambda: workbench.log_lines(run.id, "load")[2])
    assert workbench.log_lines(run.id, "load", 1) == (["b"], 2, True)


def test_a_log_that_is_gone_is_the_end_that_was_kept(workbench, engine):
    run = workbench.run(churn())
    engine.tell(run.id, TaskChanged(9.0, "load", State.SUCCEEDED, attempt=1, log_tail=("the end",)))
    until(lambda: run.tasks["load"].state.finished)
    until(lambda: workbench.log_lines(run.id, "load")[2])
    assert workbench.log_lines(run.id, "load")[0] == ["the end"]
    until(lambda: workbench.log_lines(run.id, "train")[2])
    assert "no log of task train" in workbench.log_lines(run.id, "train")[0][0]


def test_closing_ends_the_threads_and_leaves_the_runs_alone(workbench, engine):
    run = workbench.run(churn())
    until(lambda: engine.listeners == 1)
    workbench.close()
    until(lambda: engine.listeners == 0)
    until(lambda: not [thread for thread in threading.enumerate() if run.id in thread.name])
    assert all(event.state is not State.CANCELED for event in engine.told[run.id][1:])


def test_importing_it_loads_nothing_heavy():
    code = (
        "import sys, kfp_jupyter.workbench\n"
        "heavy = {'yaml', 'sqlite3', 'kubernetes', 'IPython', 'ipywidgets', 'nbformat'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=300)
