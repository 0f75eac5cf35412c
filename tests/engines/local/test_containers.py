"""Steps in containers, with a stand-in that speaks docker's command line."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from kfp_jupyter.engines.base import LocalOptions
from kfp_jupyter.model.run import RunState, State, TaskChanged
from kfp_jupyter.model.settings import Resources, Retry, TaskSettings
from tests.engines.local.bench import eventually, pipeline, task
from tests.engines.local.container_bench import PODMAN, STUBBORN, USUAL, Config, box, run, shell
from tests.engines.local.test_faults import needs_proc, processes

MAKE = shell(
    'echo "as $(id -u)"; mkdir "$1"; echo 1,2 > "$1/table"; echo oops >&2; '
    'cat "$1/table" > "$2"; echo 7 > "$3"',
    "{{$.outputs.artifacts['data'].path}}",
    "{{$.outputs.parameters['text'].output_file}}",
    "{{$.outputs.parameters['count'].output_file}}",
    outputs={"data": "Dataset", "text": "str", "count": "int"},
)

COUNT = shell(
    'tr , ";" < "$1/table" > "$3"; echo "$2"',
    "{{$.inputs.artifacts['data'].uri}}",
    "--count={{$.inputs.parameters['count']}}",
    "{{$.outputs.parameters['text'].output_file}}",
    inputs={"data": "Dataset", "count": "int"},
    outputs={"text": "str"},
)


def values(call: list[str], option: str) -> list[str]:
    """Return the values of an option of a command line."""
    return [call[place + 1] for place, word in enumerate(call) if word == option]


def test_a_container_component_gets_and_gives_parameters_and_artifacts(machine):
    machine.install()
    flow = pipeline(
        {"make": MAKE, "count": COUNT},
        task("make"),
        task("count", data=("make", "data"), count=("make", "count")),
    )
    started = machine.start_local(flow, USUAL)
    state = started.wait()
    assert state.state is State.SUCCEEDED
    made = state.tasks["make"]
    assert made.outputs == {"text": "1,2\n", "count": 7}
    (record,) = made.artifacts["data"]
    assert record.type == "system.Dataset"
    assert record.path == record.uri == str(started.folder / "artifacts" / "make" / "data")
    assert Path(record.path, "table").read_text() == "1,2\n"
    assert state.tasks["count"].outputs == {"text": "1;2\n"}
    assert started.log("make") == [f"as {os.getuid()}", "oops"]
    assert started.log("count") == ["--count=7"]
    assert machine.containers == []
    assert not (started.folder / "containers.json").exists()
    assert not machine.any_call_is_marked


def test_what_a_container_sees_and_may_is_on_its_command_line(machine):
    machine.install()
    settings = TaskSettings(
        caching=False,
        env=(("SECRET", "two\nlines"), ("PATH", os.environ["PATH"]), ("KEPT", "task")),
        resources=Resources(cpu_limit="500m", memory_limit="64Mi"),
        kubernetes={"enabledSharedMemory": {"size": "1Gi"}},
    )
    held = shell(
        'echo "$SECRET $KEPT $PYTHONUNBUFFERED"; pwd',
        env=(("KEPT", "component"),),
        inputs={"data": "Dataset"},
    )
    flow = pipeline(
        {"make": MAKE, "box": held},
        task("make"),
        task("step", "box", settings=settings, data=("make", "data")),
    )
    options = LocalOptions(container_arguments=("--network", "host"))
    started = machine.start_local(flow, options)
    started.wait()
    folder = started.folder
    _, call = machine.calls("run")
    assert values(call, "--label") == [f"kfp-jupyter.run={folder}", "kfp-jupyter.task=step"]
    assert values(call, "--user") == [f"{os.getuid()}:{os.getgid()}"]
    assert values(call, "--mount") == [
        *(
            f"type=bind,source={held},target={held}"
            for held in (folder / "tasks/step/1", folder / "artifacts/step")
        ),
        f"type=bind,source={folder}/artifacts/make/data,target={folder}/artifacts/make/data,readonly",
    ]
    assert values(call, "--env")[-4:] == [
        "PYTHONUNBUFFERED=1",
        "KEPT",
        "SECRET",
        f"PATH={os.environ['PATH']}",
    ]
    assert not any("two\n" in word for word in call)
    assert (values(call, "--cpus"), values(call, "--memory")) == (["0.5"], [str(64 * 1024**2)])
    assert values(call, "--shm-size") == [str(1024**3)]
    assert values(call, "--network") == ["host"]
    assert call[call.index("--entrypoint") :] == [
        "--entrypoint",
        "sh",
        "box:1",
        *held.implementation.command[1:],
    ]
    assert started.log() == ["two", "lines task 1", str(machine.home / "inside")]


def test_volumes_are_mounted_at_their_paths_whatever_this_machine_lets_processes_mount(machine, tmp_path):
    machine.install()
    (tmp_path / "data" / "secrets").mkdir(parents=True)
    (tmp_path / "data" / "secrets" / "token.json").write_text('{"key": "s"}')
    claim = tmp_path / "data" / "volumes" / "models"
    claim.mkdir(parents=True)
    mounted = {
        "pvcMount": [{"constant": "models", "pvcNameParameter": _constant("models"), "mountPath": "/models"}],
        "emptyDirMounts": [{"mountPath": "/cache", "medium": "Memory", "sizeLimit": "1Mi"}],
        "secretAsVolume": [{"secretNameParameter": _constant("token"), "mountPath": "/token"}],
    }
    settings = TaskSettings(caching=False, kubernetes=mounted)
    started = run(machine, shell("true"), settings)
    assert started.state.state is State.SUCCEEDED
    mine = started.folder / "tasks/step/1/volumes"
    (call,) = machine.calls("run")
    assert values(call, "--mount")[2:] == [
        f"type=bind,source={claim},target=/models",
        "type=tmpfs,target=/cache,tmpfs-size=1048576",
        f"type=bind,source={mine}/2,target=/token",
    ]
    assert not mine.exists()


def _constant(value: str) -> dict[str, object]:
    return {"runtimeValue": {"constant": value}}


def test_an_image_without_a_command_runs_what_it_says_itself(machine):
    machine.install(Config(entry_points={"box:1": ["echo", "from the image"]}))
    started = run(machine, box((), ("and an argument",)))
    assert started.log() == ["from the image and an argument"]
    assert "--entrypoint" not in machine.calls("run")[0]


def test_podman_under_dockers_name_is_podman(machine):
    machine.install(Config(info=PODMAN))
    settings = TaskSettings(caching=False, resources=Resources(cpu_limit="1", memory_limit="1Gi"))
    started = run(machine, shell("true"), settings)
    (call,) = machine.calls("run")
    assert started.log() == ["— the cpu limit is not enforced: podman cannot do that here —"]
    # Root inside is this user outside; the processor cannot be limited here.
    assert values(call, "--user") == ["0:0"]
    assert values(call, "--cpus") == []
    assert values(call, "--memory") == [str(1024**3)]
    assert machine.calls("kill")[0][1] == values(call, "--name")[0]


# --- Images
# ---------------------------------------------------------------------------------------------------------


def test_an_image_that_is_not_here_is_pulled_once_and_that_is_shown(machine):
    machine.install(Config(images=[], registry=["box:1"]))
    held = shell("echo done")
    started = machine.start_local(pipeline({"box": held}, task("one", "box"), task("two", "box")), USUAL)
    state = started.wait()
    assert state.state is State.SUCCEEDED
    assert machine.calls("pull") == [["pull", "box:1"]]
    told = [(event.reason, event.message) for event in started.events if isinstance(event, TaskChanged)]
    assert ("Pulling", "Pulling box:1.") in told
    assert {(task.reason, task.message) for task in state.tasks.values()} == {("", "")}
    logs = started.log("one") + started.log("two")
    assert logs.count("Status: Downloaded newer image for box:1") == 1


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("pull access denied for {image}, repository does not exist", "Check its name and tag"),
        ('Get "https://registry/v2/": dial tcp: lookup registry: no such host', "could not be reached"),
    ],
    ids=["unknown", "offline"],
)
def test_an_image_that_cannot_be_pulled_is_a_clear_error(machine, said, remedy):
    machine.install(Config(images=[], pull_error=said))
    error = run(machine, shell("true")).state.tasks["step"].error
    assert error.type == "ImageNotPulled"
    assert f"The image box:1 could not be pulled: {said.format(image='box:1')}." in error.message
    assert remedy in error.message
    assert machine.calls("run") == []


def test_podman_looks_for_short_names_where_docker_does(machine):
    machine.install(Config(info=PODMAN, images=[]))
    run(machine, shell("true"))
    run(machine, shell("true", image="quay.io/a/b:1"))
    assert machine.calls("pull") == [["pull", "docker.io/box:1"], ["pull", "quay.io/a/b:1"]]


def test_a_pull_policy_holds(machine):
    machine.install(Config(images=["here:1"], registry=["here:1"]))
    always = TaskSettings(caching=False, kubernetes={"imagePullPolicy": "Always"})
    never = TaskSettings(caching=False, kubernetes={"imagePullPolicy": "Never"})
    assert run(machine, shell("true", image="here:1"), always).state.state is State.SUCCEEDED
    assert machine.calls("pull") == [["pull", "here:1"]]
    failed = run(machine, shell("true", image="there:1"), never).state.tasks["step"]
    assert (
        failed.error.message
        == "The image there:1 is not on this machine, and the step's pull policy is Never."
    )
    assert len(machine.calls("pull")) == 1


def test_a_pull_can_be_canceled(machine):
    machine.install(Config(images=[], registry=["box:1"], pull_waits=True))
    started = machine.start_local(pipeline({"box": STUBBORN}, task("step", "box")), USUAL)
    started.until(lambda state: state.tasks["step"].reason == "Pulling")
    assert eventually(lambda: bool(machine.calls("pull")))
    machine.engine.cancel(started.ref)
    assert started.wait().tasks["step"].state is State.CANCELED
    assert machine.calls("run") == []


@needs_proc
def test_a_pull_that_was_killed_with_its_server_is_begun_again(machine):
    machine.install(Config(images=[], registry=["box:1"], pull_waits=True))
    started = machine.start_local(pipeline({"box": STUBBORN}, task("step", "box")), USUAL)
    assert eventually(lambda: len(machine.calls("pull")) == 1)
    (server,) = (pid for pid, what in processes(started.folder).items() if what == "fork server")
    os.kill(server, signal.SIGKILL)
    assert eventually(lambda: len(machine.calls("pull")) == 2)
    machine.engine.cancel(started.ref)
    assert started.wait().tasks["step"].state is State.CANCELED


# --- How containers end
# ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "type_", "message"),
    [
        (shell("echo bye; exit 3"), "CommandFailed", "The command ended with exit code 3."),
        (
            box(("nosuch", "x")),
            "NoSuchCommand",
            "The image box:1 cannot run 'nosuch': \"nosuch\": executable file not found in $PATH.",
        ),
        (
            shell("true", image="hungry:1"),
            "OutOfMemory",
            "The container was killed because it used more memory than its limit of 64Mi (exit code 137).",
        ),
        (
            shell("kill -9 $$"),
            "Killed",
            "ended by SIGKILL (exit code 137; often: out of memory, of which it might use 64Mi).",
        ),
        (
            shell("true", outputs={"number": "int"}),
            "MissingOutput",
            "the command did not write its output 'number' to",
        ),
        (
            shell('echo many > "$1"', "{{$.outputs.parameters['n'].output_file}}", outputs={"n": "int"}),
            "BadOutput",
            "the output 'n' is 'many', not int",
        ),
    ],
    ids=["exit code", "no program", "out of memory", "killed", "not written", "wrong type"],
)
def test_a_container_that_fails_says_why(machine, held, type_, message):
    machine.install()
    limited = TaskSettings(caching=False, resources=Resources(memory_limit="64Mi"))
    failed = run(machine, held, limited).state.tasks["step"]
    assert (failed.state, failed.error.type) == (State.FAILED, type_)
    assert message in failed.error.message
    assert machine.containers == []


def test_a_container_that_docker_refuses_says_so(machine):
    machine.install()
    options = LocalOptions(container_arguments=("--nonsense",))
    failed = run(machine, shell("true"), options=options).state.tasks["step"]
    assert failed.error.type == "ContainerNotStarted"
    assert "unknown flag: --nonsense" in failed.error.message


def test_an_attempt_that_failed_is_tried_again_in_another_container(machine, tmp_path):
    machine.install()
    held = shell(f'test -e {tmp_path}/tried || {{ touch {tmp_path}/tried; exit 1; }}; echo "at last"')
    started = run(machine, held, TaskSettings(caching=False, retry=Retry(1)))
    assert started.state.tasks["step"].state is State.SUCCEEDED
    assert started.state.tasks["step"].attempt == 2
    names = [values(call, "--name")[0] for call in machine.calls("run")]
    assert [name.rpartition("-")[2] for name in names] == ["1", "2"]


def test_a_result_is_used_again_as_long_as_image_and_command_are_the_same(machine):
    machine.install(Config(images=["box:1", "box:2"]))
    cached = TaskSettings()

    def ran(held) -> RunState:
        flow = pipeline({"box": held}, task("step", "box", settings=cached))
        return machine.start_local(flow, USUAL, caching=True).wait()

    assert not ran(shell("echo 1")).tasks["step"].cached
    assert ran(shell("echo 1")).tasks["step"].cached
    assert not ran(shell("echo 1", image="box:2")).tasks["step"].cached
    assert not ran(shell("echo 2")).tasks["step"].cached
    assert len(machine.calls("run")) == 3


def test_what_a_container_uses_is_measured_from_outside(machine, tmp_path):
    machine.install()
    waiting = f"while not os.path.exists('{tmp_path}/go'): time.sleep(0.05)"
    program = f"import os, time\nheld = 'x' * 50_000_000\n{waiting}"
    flow = pipeline({"box": box(("python3", "-c", program))}, task("step", "box"))
    started = machine.start_local(flow, USUAL)
    # The first that is told may be from before it has its memory.
    started.until(
        lambda state: (used := state.tasks["step"].usage) is not None and used.memory_bytes > 50_000_000
    )
    (tmp_path / "go").touch()
    assert started.wait().tasks["step"].usage.memory_bytes > 50_000_000
