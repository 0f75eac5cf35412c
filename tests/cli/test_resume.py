"""`kfp-jupyter resume` and `%kfp resume`, on real runs of this machine."""

from __future__ import annotations

import json
import os
import signal

import pytest

import kfp_jupyter.workbench
from kfp_jupyter.cli import main
from kfp_jupyter.engines.local.lock import is_held
from kfp_jupyter.model.run import State
from kfp_jupyter.workbench import Workbench
from tests.engines.local.bench import eventually

LOAD = "%%component\ndef load() -> int:\n    open('loaded', 'a').write('x')\n    return 1\n"
TRAIN = "%%component\ndef train(rows: int) -> int:\n    return rows + int(open('there').read())\n"
STUDY = "%%pipeline study\ntrain(rows=load().output)\n"


@pytest.fixture
def failed(tmp_path, monkeypatch):
    """A run whose second task failed for want of a file; yields the folder."""
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)
    held = [{"cell_type": "code", "source": cell} for cell in (LOAD, TRAIN, STUDY)]
    (tmp_path / "study.ipynb").write_text(json.dumps({"nbformat": 4, "cells": held}))
    assert main(["run", "study.ipynb", "--no-cache"]) == 1
    (run,) = (tmp_path / "data" / "runs").iterdir()
    assert eventually(lambda: not is_held(run / "lock"))
    yield tmp_path
    kfp_jupyter.workbench.close_current()


def test_a_failed_run_goes_on_under_its_id_and_the_history_tells_it(failed, capsys):
    (failed / "there").write_text("41")
    assert main(["resume", "latest"]) == 0
    assert "goes on." in capsys.readouterr().out
    assert (failed / "loaded").read_text() == "x"
    assert main(["runs"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "study" in line]
    assert "SUCCEEDED" in line
    # Nothing is left to do.
    assert main(["resume", "latest"]) == 2
    assert "nothing left to do" in capsys.readouterr().err


def test_a_list_of_runs_tells_of_one_whose_supervisor_was_killed_while_nobody_looked(failed, capsys):
    wait = "%%component\ndef wait():\n    import time\n    time.sleep(600)\n"
    held = [{"cell_type": "code", "source": cell} for cell in (wait, "%%pipeline endless\nwait()\n")]
    (failed / "endless.ipynb").write_text(json.dumps({"nbformat": 4, "cells": held}))
    assert main(["run", "endless.ipynb", "--detach"]) == 0
    kfp_jupyter.workbench.close_current()
    (run,) = (failed / "data" / "runs").glob("endless*")
    assert eventually(lambda: '"attempt":1' in (run / "journal.jsonl").read_text(), 60)
    os.kill(json.loads((run / "supervisor.json").read_text())["pid"], signal.SIGKILL)
    assert eventually(lambda: not is_held(run / "lock"), 60)
    capsys.readouterr()
    assert main(["runs"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "endless" in line]
    assert "FAILED" in line


def test_who_has_seen_the_end_sees_the_run_go_on(failed):
    bench = Workbench()
    seen = bench.get("latest")
    assert seen.state is State.FAILED
    again = bench.resume(seen.id)
    assert again.wait(300).state is State.FAILED
    assert again.status.tasks["train"].attempt == 2
    assert bench.history.runs(1)[0].state is State.FAILED
    (failed / "there").write_text("1")
    assert bench.resume(seen.id).wait(300).state is State.SUCCEEDED
    assert seen.status.tasks["train"].outputs == {"Output": 2}
    bench.close()
    # Another process, later, is told the same.
    assert Workbench().get("latest").state is State.SUCCEEDED


def test_who_has_seen_the_end_sees_another_process_go_on_with_the_run(failed):
    here, there = Workbench(), Workbench()
    seen = here.get("latest")
    assert seen.state is State.FAILED
    # The step waits until somebody writes.
    os.mkfifo(failed / "there")
    there.resume(seen.id)
    assert not here.runs(1)[0].state.finished
    assert not here.get(seen.id).state.finished
    assert seen.status.tasks["load"].state is State.SUCCEEDED
    with (failed / "there").open("w") as file:
        file.write("41")
    assert seen.wait(300).state is State.SUCCEEDED
    assert seen.status.tasks["train"].outputs == {"Output": 42}
    assert here.runs(1)[0].state is State.SUCCEEDED
    # It need not have been looked at meanwhile.
    late = Workbench()
    assert late.get(seen.id).state is State.SUCCEEDED
    for bench in (here, there, late):
        bench.close()
