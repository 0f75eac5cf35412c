from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import kfp_jupyter.cli.commands
import kfp_jupyter.workbench
from kfp_jupyter import compat
from kfp_jupyter.cli import main
from kfp_jupyter.engines.base import EngineError, LocalOptions
from kfp_jupyter.model.run import ArtifactRecord, RunChanged, State, TaskChanged, TaskError
from kfp_jupyter.paths import data_dir
from kfp_jupyter.workbench import Workbench
from tests.fake_engine import FakeEngine, until

PROGRAM = """
from kfp_jupyter import dsl

@dsl.component
def load(rows: int) -> int:
    return rows

@dsl.component
def train(rows: int, lr: float) -> float:
    return lr

@dsl.pipeline
def churn(rows: int = 3, lr: float = 0.1):
    train(rows=load(rows=rows).output, lr=lr)
"""


@pytest.fixture
def program(tmp_path) -> Path:
    path = tmp_path / "churn_program.py"
    path.write_text(PROGRAM)
    return path


@pytest.fixture
def engine(tmp_path, monkeypatch) -> Iterator[FakeEngine]:
    made = FakeEngine()
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setattr(Workbench.__init__, "__defaults__", (None, lambda target: made))
    # On a busy machine the follower of a run may take longer than anybody would wait for a list.
    monkeypatch.setattr(kfp_jupyter.cli.commands, "_NEWS", 300.0)
    yield made
    kfp_jupyter.workbench.close_current()


class Playing:
    """Lets something happen in the next run that is submitted."""

    def __init__(self, engine: FakeEngine, *events: object) -> None:
        self._engine = engine
        self._events = events
        self._thread = threading.Thread(target=self._play)

    def __enter__(self) -> None:
        self._before = set(self._engine.told)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def _play(self) -> None:
        until(lambda: set(self._engine.told) - self._before)
        (run_id,) = set(self._engine.told) - self._before
        if self._events:
            self._engine.tell(run_id, *self._events)
        else:
            self._engine.succeed(run_id)


def test_a_run_is_shown_task_by_task_and_ends_with_metrics_and_artifacts(program, engine, capsys):
    metrics = ArtifactRecord("system.Metrics", "", "/data/metrics", {"auc": 0.9})
    events = [
        TaskChanged(100.0, "load", State.RUNNING, attempt=1),
        TaskChanged(101.5, "load", State.SUCCEEDED, outputs={"Output": 3}),
        TaskChanged(102.0, "train", State.RUNNING, attempt=2),
        TaskChanged(104.0, "train", State.SUCCEEDED, artifacts={"scores": (metrics,)}),
        RunChanged(105.0, State.SUCCEEDED),
    ]
    with Playing(engine, *events):
        line = ["run", str(program), "-p", "lr=0.5", "-p", "rows=7", "--no-cache", "--jobs", "2"]
        assert main([*line, "--host-containers"]) == 0
    _, arguments, options = engine.submitted[0]
    assert arguments == {"rows": 7, "lr": 0.5}
    assert (options.caching, options.jobs, options.labels["notebook"]) == (False, 2, str(program.resolve()))
    assert options.local == LocalOptions(containers="host")
    out = capsys.readouterr().out
    assert out.startswith(f"Run {options.run_id}\n")
    assert "load succeeded in 1.5 s\n" in out
    assert "train succeeded (attempt 2) in 2.0 s\n" in out
    metrics_shown, outputs_shown = out.partition("\nOutputs\n")[::2]
    assert "auc" in metrics_shown
    assert "Output" not in metrics_shown
    assert outputs_shown.startswith("  load  Output  3\n")
    assert "Artifacts in /data\n  train  scores  metrics\n" in out


def test_a_failed_run_shows_the_error_with_its_line_and_is_a_failure(program, engine, capsys):
    error = TaskError("ValueError", "no rows", "churn.ipynb, cell 3", 4, "Traceback …\nValueError: no rows")
    failed = TaskChanged(9.0, "load", State.FAILED, attempt=1, error=error)
    with Playing(engine, failed, RunChanged(9.5, State.FAILED)):
        assert main(["run", str(program)]) == 1
    out = capsys.readouterr().out
    assert "ValueError: no rows (churn.ipynb, cell 3, line 4)" in out
    assert "Traceback …" in out


def test_a_detached_run_goes_on_and_can_be_looked_after(program, engine, capsys):
    assert main(["run", str(program), "--detach"]) == 0
    run_id = engine.submitted[0][2].run_id
    assert capsys.readouterr().out == f"Run {run_id}\n"
    until(lambda: engine.listeners == 0)

    engine.printed[run_id, "load"] = ["first", "second"]
    assert main(["logs", "latest", "load"]) == 0
    assert main(["logs", run_id[:-1], "load", "--follow"]) == 0
    assert capsys.readouterr().out == "first\nsecond\n" * 2

    engine.tell(run_id, TaskChanged(9.0, "load", State.RUNNING, attempt=1))
    assert main(["cancel", run_id]) == 0
    assert "is asked to end" in capsys.readouterr().out
    assert main(["show", run_id]) == 1
    assert main(["cancel", run_id]) == 0
    assert "had ended already: CANCELED" in capsys.readouterr().out


def test_runs_are_listed_with_what_happened_meanwhile(program, engine, capsys):
    assert main(["runs"]) == 0
    assert capsys.readouterr().out == "There are no runs yet.\n"
    main(["run", str(program), "--detach"])
    run_id = engine.submitted[0][2].run_id
    engine.succeed(run_id)
    capsys.readouterr()
    assert main(["runs", "--limit", "5"]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["RUN", "STATE", "TOOK", "TARGET", "CREATED"]
    assert row.split()[:2] == [run_id, "SUCCEEDED"]


def test_runs_are_listed_also_where_the_history_cannot_be_written(program, engine, capsys):
    main(["run", str(program), "--detach"])
    run_id = engine.submitted[0][2].run_id
    engine.succeed(run_id)
    history = data_dir() / "history.sqlite3"
    history.with_name(f"{history.name}-shm").symlink_to("nowhere/else")
    capsys.readouterr()
    assert main(["runs"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[1].split()[:2] == [run_id, "SUCCEEDED"]
    assert f"kfp-jupyter: {history}: The run history cannot be used" in said.err


def test_an_interrupt_ends_the_watching_and_not_the_run(program, engine, capsys, monkeypatch):
    def interrupted(self, interval=0.2):
        raise KeyboardInterrupt

    monkeypatch.setattr("kfp_jupyter.run.Run.states", interrupted)
    assert main(["run", str(program)]) == 130
    run_id = engine.submitted[0][2].run_id
    assert f"kfp-jupyter cancel {run_id}" in capsys.readouterr().out
    assert not any(getattr(event, "state", None) is State.CANCELED for event in engine.told[run_id])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "none.py"], "no such file"),
        (["run", "{program}", "-p", "lr=fast"], "type float"),
        (["run", "{program}", "-p", "rate=1"], "no parameter 'rate'"),
        (["run", "{program}", "--target", "argo:nowhere"], "is no target"),
        (["run", "{program}", "--pipeline", "nope"], "no pipeline 'nope'"),
        (["show", "nope"], "There is no run 'nope'"),
        (["logs", "latest"], "There is no run yet"),
        (["graph", "{program}", "-o", "graph.pdf"], ".svg or .html"),
        (["graph", "{program}", "-o", "no/such/folder/graph.svg"], "cannot be written"),
        (["compile", "{program}", "--target", "vertex", "-o", "p.yaml"], "no format 'vertex'"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_2(program, engine, capsys, arguments, said):
    assert main([argument.format(program=program) for argument in arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err
    assert shown.err.startswith("kfp-jupyter: ")
    assert shown.err.count("\n") == 1


def test_a_run_that_the_engine_refuses_is_exit_code_2(program, engine, capsys):
    engine.refusal = EngineError("The namespace does not exist.", remedy="Make it.")
    assert main(["run", str(program)]) == 2
    assert capsys.readouterr().err == (
        "kfp-jupyter: pipeline churn, target local: The namespace does not exist. Make it.\n"
    )


def test_an_error_in_the_users_program_has_a_traceback_of_the_users_lines_only(tmp_path, engine, capsys):
    path = tmp_path / "broken_program.py"
    path.write_text("def half(x):\n    return x / 0\n\nhalf(1)\n")
    assert main(["graph", str(path)]) == 2
    error = capsys.readouterr().err
    assert "    return x / 0" in error
    assert f"kfp-jupyter: {path}, line 2: ZeroDivisionError: division by zero." in error
    assert "kfp_jupyter/" not in error
    assert "importlib" not in error


def test_a_wrong_line_is_the_usage_and_exit_code_2(engine, capsys):
    for arguments in ([], ["fly"], ["run", "x.py", "-p", "lr"]):
        with pytest.raises(SystemExit) as left:
            main(arguments)
        assert left.value.code == 2
    assert "NAME=VALUE" in capsys.readouterr().err


def test_a_graph_is_drawn_as_text_svg_or_html(program, tmp_path, engine, capsys):
    assert main(["graph", str(program)]) == 0
    assert "train" in capsys.readouterr().out
    for name, start in (("g.svg", "<svg"), ("g.html", "<!doctype html>")):
        assert main(["graph", str(program), "-o", str(tmp_path / name)]) == 0
        assert (tmp_path / name).read_text().startswith(start)


def test_a_notebook_is_compiled_for_kfp(tmp_path, engine, capsys):
    cells = [
        "%%component\ndef load() -> int:\n    return 3\n",
        "%%pipeline fit\nload()\n",
    ]
    notebook = {"nbformat": 4, "cells": [{"cell_type": "code", "source": cell} for cell in cells]}
    (tmp_path / "n.ipynb").write_text(json.dumps(notebook))
    out = tmp_path / "fit.yaml"
    assert main(["compile", str(tmp_path / "n.ipynb"), "-o", str(out)]) == 0
    assert "pipelineInfo:\n  name: fit\n" in out.read_text()


@pytest.mark.parametrize(
    "line", [["run", "{program}", "--jobs"], ["rerun", "{program}", "--jobs"], ["runs", "--limit"]]
)
@pytest.mark.parametrize("number", ["0", "-4", "many"])
def test_a_number_of_things_is_at_least_one(program, engine, capsys, line, number):
    with pytest.raises(SystemExit) as ended:
        main([word.format(program=program) for word in line] + [number])
    assert ended.value.code == 2
    assert f"argument {line[-1]}: {number!r} is not a whole number from 1 on" in capsys.readouterr().err
    assert engine.submitted == []


def test_targets_are_listed(engine, capsys, tmp_path, monkeypatch):
    (tmp_path / "config").write_text("contexts: [{name: kind}]\n")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    assert main(["targets"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        "TARGET",
        "local",
        "argo:kind",
    ]


FOR_KFP = """
import kfp
from kfp import dsl

@dsl.component
def load(rows: int) -> int:
    return rows

@dsl.pipeline(name="for-kfp")
def pipeline(rows: int = 3):
    load(rows=rows)
"""


@pytest.mark.parametrize("arguments", [[], ["--alias"]], ids=["kfp is not installed", "asked for"])
def test_a_file_written_for_kfp_is_compiled_unedited(tmp_path, engine, capsys, arguments):
    path = tmp_path / "written_for_kfp.py"
    path.write_text(FOR_KFP)
    target = tmp_path / "out.yaml"
    assert main(["compile", str(path), "-o", str(target), *arguments]) == 0
    assert "name: for-kfp" in target.read_text()
    assert "image: python:3.11" in target.read_text()
    # Nothing of it is left behind in this process.
    assert not compat.installed()
    assert "kfp" not in sys.modules


def test_a_notebook_written_for_kfp_is_compiled_unedited(tmp_path, engine, capsys):
    path = tmp_path / "kfp.ipynb"
    cells = [{"cell_type": "code", "source": text, "metadata": {}} for text in FOR_KFP.split("\n\n")]
    path.write_text(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}))
    assert main(["graph", str(path)]) == 0
    assert "load" in capsys.readouterr().out


def test_a_program_that_talks_to_kfps_server_names_the_line(tmp_path, engine, capsys):
    path = tmp_path / "client.py"
    path.write_text("import kfp\n\nclient = kfp.Client()\n")
    assert main(["compile", str(path)]) == 2
    assert "client.py, line 3: `kfp.Client` is not part of kfp_jupyter yet." in capsys.readouterr().err


def test_a_notebook_is_one_step_of_a_pipeline_of_its_own(tmp_path, engine, capsys):
    cell = {"cell_type": "code", "source": "rate = 0.1", "metadata": {"tags": ["parameters"]}}
    (tmp_path / "study.ipynb").write_text(json.dumps({"nbformat": 4, "cells": [cell]}))
    with Playing(engine):
        assert main(["run", str(tmp_path / "study.ipynb"), "--as-step", "-p", "rate=0.5"]) == 0
    pipeline, arguments, _ = engine.submitted[0]
    assert (pipeline.name, list(pipeline.graph.tasks), arguments) == ("study", ["study"], {"rate": 0.5})
    assert main(["graph", str(tmp_path / "study.ipynb"), "--as-step"]) == 0
    assert "study" in capsys.readouterr().out
