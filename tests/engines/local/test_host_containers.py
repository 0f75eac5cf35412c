"""Container components whose commands run on this machine itself, because the user has asked for that."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kfp_jupyter.engines.base import EngineError, LocalOptions, RunOptions
from kfp_jupyter.model.run import State, Target
from kfp_jupyter.model.settings import Resources, TaskSettings
from tests.engines.local.bench import component, eventually, gone, pipeline, task
from tests.engines.local.container_bench import box, shell

HOST = LocalOptions(containers="host")

MAKE = shell(
    'echo "$PWD $WHO" ; echo made > "$1"; echo 3 > "$2"',
    "{{$.outputs.artifacts['data'].path}}",
    "{{$.outputs.parameters['n'].output_file}}",
    outputs={"data": "Dataset", "n": "int"},
    env=(("WHO", "component"),),
)


def test_a_command_runs_as_a_process_with_the_same_files(machine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    read = component(
        "def read(data: Input[Dataset], n: int) -> str:\n    return open(data.path).read() * n\n",
        "read",
        inputs={"data": "Dataset", "n": "int"},
        outputs={"Output": "str"},
    )
    flow = pipeline(
        {"make": MAKE, "read": read}, task("make"), task("read", data=("make", "data"), n=("make", "n"))
    )
    started = machine.start_local(flow, HOST)
    state = started.wait()
    assert state.tasks["read"].outputs == {"Output": "made\n" * 3}
    assert started.log("make") == [f"{tmp_path} component"]
    assert state.tasks["make"].artifacts["data"][0].path == str(started.folder / "artifacts/make/data")


def test_that_commands_run_without_their_images_is_said(machine):
    settings = TaskSettings(resources=Resources(memory_limit="1Gi"), kubernetes={"imagePullPolicy": "Always"})
    flow = pipeline({"box": shell("true")}, task("one", "box"), task("two", "box", settings=settings))

    def said(options: LocalOptions) -> tuple[str, ...]:
        return machine.engine.notices(flow, RunOptions("run", Target(), local=options))

    here = "Run on this machine itself, without an image, with all that you may do here"
    assert said(HOST) == (
        f"{here}: the commands of one, two.",
        "Not enforced on this machine: the memory limit of two.",
        "Without meaning on this machine: how images are pulled for two.",
    )
    assert said(LocalOptions()) == ()


def test_a_program_that_is_not_here_is_refused_before_anything_starts(machine, tmp_path):
    flow = pipeline({"box": box(("nosuch", "x"))}, task("step", "box"))
    with pytest.raises(
        EngineError, match=r"task step: Its command is 'nosuch', and there is no such program"
    ):
        machine.start_local(flow, HOST)
    assert not (tmp_path / "data").exists()


def test_a_component_without_a_command_is_refused(machine):
    with pytest.raises(EngineError, match="names no command, and that of the image box:1 is not known here"):
        machine.start_local(pipeline({"box": box(())}, task("step", "box")), HOST)


def test_a_program_that_only_the_run_knows_may_be_missing(machine):
    held = box(("{{$.inputs.parameters['program']}}",), inputs={"program": "str"})
    state = machine.start_local(pipeline({"box": held}, task("step", "box", program="nosuch")), HOST).wait()
    error = state.tasks["step"].error
    assert error.type == "NoSuchCommand"
    assert "'nosuch', which is not on this machine" in error.message


def test_a_command_that_fails_says_with_which_code(machine):
    started = machine.start_local(pipeline({"box": shell("echo no; exit 4")}, task("step", "box")), HOST)
    failed = started.wait().tasks["step"]
    assert (failed.error.type, failed.error.message) == (
        "CommandFailed",
        "The command ended with exit code 4.",
    )
    assert failed.log_tail == ("no",)


def test_a_canceled_command_and_what_it_has_started_are_gone(machine, tmp_path):
    held = shell(f"trap '' TERM; sleep 600 & echo $! > {tmp_path}/pid; wait; sleep 600")
    started = machine.start_local(pipeline({"box": held}, task("step", "box")), HOST)
    pid = tmp_path / "pid"
    assert eventually(lambda: pid.exists() and bool(pid.read_text().strip()))
    machine.engine.cancel(started.ref)
    assert started.wait().tasks["step"].state is State.CANCELED
    assert eventually(lambda: gone(int(pid.read_text())))


def test_a_result_of_a_command_here_is_none_of_the_image(machine):
    machine.install()
    flow = pipeline({"box": shell("echo 1")}, task("step", "box", settings=TaskSettings()))
    for options, calls in ((HOST, 0), (HOST, 0), (LocalOptions(), 1)):
        state = machine.start_local(flow, options, caching=True).wait()
        assert state.state is State.SUCCEEDED
        assert len(machine.calls("run")) == calls
    assert os.environ["PATH"] == str(Path(machine.programs))
