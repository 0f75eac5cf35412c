"""However a run in containers ends, nothing of it is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from kfp_jupyter.engines.base import EngineError
from kfp_jupyter.model.component import Component
from kfp_jupyter.model.run import State
from kfp_jupyter.model.settings import TaskSettings
from tests.engines.local.bench import Run, eventually, gone
from tests.engines.local.container_bench import PODMAN, STUBBORN, Config, begun, run, shell


@pytest.mark.parametrize("info", [Config().info, PODMAN], ids=["docker", "podman"])
def test_a_canceled_run_leaves_no_container(machine, info):
    machine.install(Config(info=info))
    started = begun(machine)
    (container,) = machine.containers
    machine.engine.cancel(started.ref)
    assert started.wait().tasks["step"].state is State.CANCELED
    assert machine.containers == []
    assert eventually(lambda: gone(container["State"]["Pid"]))


def test_a_container_that_takes_too_long_is_removed(machine):
    machine.install()
    failed = run(machine, STUBBORN, TaskSettings(caching=False, timeout_seconds=1.0)).state.tasks["step"]
    assert failed.error.type == "Timeout"
    assert machine.containers == []


def test_a_container_that_ends_when_it_is_asked_to_has_not_succeeded(machine):
    machine.install()
    held = shell("trap 'exit 0' TERM; echo started; while true; do sleep 0.05; done")
    failed = run(machine, held, TaskSettings(caching=False, timeout_seconds=1.0)).state.tasks["step"]
    assert (failed.state, failed.error.type) == (State.FAILED, "Timeout")


def test_the_fork_server_removes_what_a_killed_supervisor_leaves(machine):
    machine.install()
    started = begun(machine)
    (container,) = machine.containers
    os.kill(_supervisor(started), signal.SIGKILL)
    state = started.wait()
    assert (state.state, state.reason) == (State.FAILED, "Interrupted")
    assert machine.containers == []
    assert eventually(lambda: gone(container["State"]["Pid"]))


def test_whoever_notices_the_end_of_a_run_removes_its_containers(machine):
    machine.install()
    started = begun(machine)
    (container,) = machine.containers
    supervisor = _supervisor(started)
    servers = _servers(supervisor)
    assert servers
    # The fork server first: it is the supervisor's guard. The supervisor must not see it go.
    os.kill(supervisor, signal.SIGSTOP)
    for pid in [*servers, supervisor]:
        os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: all(gone(pid) for pid in [*servers, supervisor]))
    assert not gone(container["State"]["Pid"])
    started.wait()
    assert machine.containers == []
    assert eventually(lambda: gone(container["State"]["Pid"]))


def test_a_resumed_run_starts_its_container_again(machine, tmp_path):
    machine.install()
    started = begun(machine, step=_until(tmp_path / "go"))
    os.kill(_supervisor(started), signal.SIGKILL)
    started.wait()
    (tmp_path / "go").touch()
    machine.engine.resume(started.ref)
    assert started.wait().state is State.SUCCEEDED
    assert len(machine.calls("run")) == 2
    assert machine.containers == []


def test_a_run_is_not_resumed_where_its_containers_cannot_run_any_more(machine):
    machine.install()
    started = begun(machine)
    machine.engine.cancel(started.ref)
    started.wait()
    machine.install(Config(info={"ServerErrors": ["Cannot connect to the Docker daemon"]}))
    with pytest.raises(EngineError, match=r"Cannot connect to the Docker daemon.*Start docker"):
        machine.engine.resume(started.ref)


def test_a_killed_fork_server_costs_no_attempt_and_leaves_one_container(machine, tmp_path):
    machine.install()
    started = begun(machine, step=_until(tmp_path / "go"))
    log = started.folder / "tasks" / "step" / "1" / "log.txt"
    (server,) = _servers(_supervisor(started))
    os.kill(server, signal.SIGKILL)
    assert eventually(lambda: log.read_text().count("started\n") == 2)
    assert len(machine.containers) == 1
    (tmp_path / "go").touch()
    state = started.wait()
    assert (state.tasks["step"].state, state.tasks["step"].attempt) == (State.SUCCEEDED, 1)


def _until(go: Path) -> Component:
    """Return a container that waits for a file."""
    return shell(f"echo started; while ! test -e {go}; do sleep 0.05; done")


def _supervisor(started: Run) -> int:
    return int(json.loads((started.folder / "supervisor.json").read_text())["pid"])


def _servers(supervisor: int) -> list[int]:
    """Return the fork servers among what the supervisor has started; it asks docker now and then too."""
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(supervisor)],
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if "fork-server" in line]
