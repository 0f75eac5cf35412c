"""The workbench, the handle and the command line with the real engine of this machine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kfp_jupyter.engines.local.lock import is_held
from kfp_jupyter.notebook.source import find_pipeline
from kfp_jupyter.run import RunFailedError
from kfp_jupyter.runs.history import History
from kfp_jupyter.workbench import Workbench
from tests.fake_engine import until

PROGRAM = """
from kfp_jupyter import dsl
from kfp_jupyter.dsl import Metrics, Model, Output

@dsl.component
def load(rows: int) -> int:
    print("loading")
    return rows

@dsl.component
def train(rows: int, lr: float, model: Output[Model], scores: Output[Metrics]):
    for step in range(3):
        scores.log_metric("loss", 1 / (step + 1), step=step)
    scores.log_metric("auc", 0.9)
    model.metadata["kind"] = "tree"
    with open(model.path, "w") as file:
        file.write(f"trained on {rows} rows")

@dsl.component
def wait_for(file: str) -> str:
    import os
    import time
    while not os.path.exists(file):
        time.sleep(0.01)
    return "seen"

@dsl.component
def fail():
    raise ValueError("no rows")

@dsl.pipeline
def churn(rows: int = 3, lr: float = 0.1):
    train(rows=load(rows=rows).output, lr=lr)

@dsl.pipeline
def waiting(file: str):
    wait_for(file=file)

@dsl.pipeline
def failing():
    fail()
"""


@pytest.fixture
def program(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(tmp_path / "data"))
    path = tmp_path / "local_program.py"
    path.write_text(PROGRAM)
    return path


@pytest.fixture
def workbench(program) -> Iterator[Workbench]:
    bench = Workbench()
    yield bench
    bench.close()


def test_a_run_gives_its_outputs_artifacts_metrics_and_logs(workbench, program):
    run = workbench.run(find_pipeline(program, "churn"), {"rows": 7}).wait(300)
    assert run.state == "SUCCEEDED"
    assert run.tasks["load"].outputs["Output"] == 7
    assert run.tasks["load"].logs() == "loading\n"
    train = run.tasks["train"]
    assert Path(train.artifacts["model"].path).read_text() == "trained on 7 rows"
    assert train.artifacts["model"].metadata["kind"] == "tree"
    assert run.metrics["train"]["auc"] == 0.9
    assert train.status.curves["loss"] == ((0, 1.0), (1, 0.5), (2, pytest.approx(1 / 3)))


def test_a_failure_is_told_in_the_users_own_lines(workbench, program):
    run = workbench.run(find_pipeline(program, "failing"))
    with pytest.raises(RunFailedError, match="ValueError: no rows"):
        run.wait(300, raise_on_failure=True)
    error = run.tasks["fail"].error
    line = PROGRAM.split("\n").index('    raise ValueError("no rows")') + 1
    assert (error.type, error.message, error.line) == ("ValueError", "no rows", line)


def test_a_restarted_kernel_finds_a_run_that_goes_on_and_one_that_ended_meanwhile(
    workbench, program, tmp_path
):
    pipeline = find_pipeline(program, "waiting")
    first, second = (workbench.run(pipeline, {"file": str(tmp_path / name)}) for name in ("one", "two"))
    workbench.close()
    (tmp_path / "one").touch()
    restarted = Workbench()
    try:
        restarted.reconnect()
        assert restarted.get(first.id).wait(300).tasks["wait-for"].outputs["Output"] == "seen"
        assert not restarted.get(second.id).state.finished
        (tmp_path / "two").touch()
        assert restarted.get(second.id).wait(300).state == "SUCCEEDED"
        assert [row.state for row in restarted.runs()] == ["SUCCEEDED", "SUCCEEDED"]
    finally:
        restarted.close()


def test_a_run_whose_folder_was_deleted_has_failed(workbench, program, tmp_path):
    run = workbench.run(find_pipeline(program, "waiting"), {"file": str(tmp_path / "go")})
    folder = Path(run.ref.location)
    workbench.store.wait(run.id, lambda state: state.tasks["wait-for"].state == "RUNNING", 300)
    workbench.close()
    (tmp_path / "go").touch()
    until(lambda: not is_held(folder / "lock"), 300)
    shutil.rmtree(folder)
    restarted = Workbench()
    try:
        again = restarted.get(run.id).wait(300)
        assert (again.state, again.status.reason) == ("FAILED", "Gone")
        assert str(folder) in again.status.message
        assert restarted.runs()[0].state == "FAILED"
    finally:
        restarted.close()


def test_a_canceled_run_ends(workbench, program, tmp_path):
    run = workbench.run(find_pipeline(program, "waiting"), {"file": str(tmp_path / "never")})
    workbench.store.wait(run.id, lambda state: state.tasks["wait-for"].state == "RUNNING", 300)
    run.cancel()
    assert run.wait(300).state == "CANCELED"


WATCH = """
import time
from kfp_jupyter.runs import follower
from kfp_jupyter.runs.history import History

update = History.update

def update_slowly(*arguments):
    time.sleep(0.5)
    update(*arguments)

History.update = update_slowly
follower._GOODBYE_SECONDS = 60
run = churn.run()
while not run.state.finished:
    time.sleep(0.01)
"""


def kfp_jupyter(*arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), "KUBECONFIG": os.devnull}
    return subprocess.Popen(
        [sys.executable, "-m", "kfp_jupyter", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_a_program_that_sees_the_end_of_its_run_leaves_it_in_the_history(tmp_path, monkeypatch):
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(tmp_path / "data"))
    (tmp_path / "watch.py").write_text(PROGRAM + WATCH)
    subprocess.run([sys.executable, tmp_path / "watch.py"], check=True, timeout=300)
    history = History(tmp_path / "data" / "history.sqlite3")
    assert history.load(history.runs()[0].id)[2].state.value == "SUCCEEDED"


def test_the_command_line_runs_a_program_to_its_end(program):
    done = kfp_jupyter("run", str(program), "--pipeline", "churn", "-p", "rows=2")
    out, err = done.communicate(timeout=300)
    assert (done.returncode, err) == (0, "")
    assert "train succeeded" in out
    assert "auc" in out
    failed = kfp_jupyter("run", str(program), "--pipeline", "failing")
    out, err = failed.communicate(timeout=300)
    assert (failed.returncode, err) == (1, "")
    assert "ValueError: no rows" in out


@pytest.mark.skipif(
    sys.platform == "win32", reason="an interrupt from the keyboard is sent differently there"
)
def test_an_interrupt_from_the_keyboard_leaves_the_run_going(program, tmp_path, workbench):
    watching = kfp_jupyter("run", str(program), "--pipeline", "waiting", "-p", f"file={tmp_path / 'file'}")
    assert watching.stdout is not None
    run_id = watching.stdout.readline().split()[1]
    while "running" not in watching.stdout.readline():
        pass
    # As the terminal does it: to the whole process group.
    os.killpg(watching.pid, signal.SIGINT)
    out, err = watching.communicate(timeout=300)
    assert (watching.returncode, err) == (130, "")
    assert f"kfp-jupyter show {run_id}" in out
    (tmp_path / "file").touch()
    assert workbench.get(run_id).wait(300).state == "SUCCEEDED"
