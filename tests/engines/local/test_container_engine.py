"""What runs containers on this machine, and the command lines that it is given."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from kfp_jupyter.engines.base import EngineError, LocalOptions
from kfp_jupyter.engines.local.container import Container, ContainerMount, container_name
from kfp_jupyter.engines.local.container_engine import ContainerEngine, NoContainersError, container_engine
from kfp_jupyter.model.settings import Resources
from tests.engines.local.bench import component, pipeline, task
from tests.engines.local.container_bench import DOCKER, PODMAN, Config, shell

ME = f"{os.getuid()}:{os.getgid()}"

CONTAINER = Container("name", "/run", "step", "box:1", (), (), {}, ())

FLOW = pipeline({"box": shell("true")}, task("step", "box"))


@pytest.mark.parametrize(
    ("info", "found"),
    [
        (DOCKER, ContainerEngine("docker", user=ME)),
        ({**DOCKER, "SecurityOptions": ["name=rootless"]}, ContainerEngine("docker", user="0:0")),
        ({**DOCKER, "SecurityOptions": ["name=selinux"]}, ContainerEngine("docker", user=ME, confined=True)),
        ({**DOCKER, "OperatingSystem": "Docker Desktop"}, ContainerEngine("docker", user="")),
        ({**DOCKER, "CpuCfsQuota": False}, ContainerEngine("docker", user=ME, limits=("memory",))),
        (PODMAN, ContainerEngine("docker", podman=True, user="0:0", limits=("memory",))),
        (
            {"host": {"security": {"rootless": False, "selinuxEnabled": True}, "cgroupControllers": ["cpu"]}},
            ContainerEngine("docker", podman=True, user=ME, limits=("cpu",), confined=True),
        ),
    ],
    ids=["docker", "rootless", "selinux", "desktop", "no quota", "podman", "podman as root"],
)
def test_what_a_program_says_of_itself_is_heeded(machine, info, found):
    machine.install(Config(info=info))
    assert container_engine() == replace(found, program=str(machine.programs / "docker"))


def test_podman_is_taken_where_docker_does_not_answer(machine):
    machine.install(Config(info=PODMAN), "podman")
    assert container_engine().program == str(machine.programs / "podman")
    machine._program("docker", "echo 'Cannot connect to the Docker daemon.' >&2; exit 1")
    assert container_engine().program == str(machine.programs / "podman")
    with pytest.raises(
        NoContainersError, match=r"docker does not answer \(Cannot connect to the Docker daemon"
    ):
        container_engine("docker")


def test_program_and_arguments_can_be_named_for_all_runs(machine, monkeypatch):
    machine.install(Config(info=PODMAN), "nerdy")
    monkeypatch.setenv("KFP_JUPYTER_CONTAINERS", str(machine.programs / "nerdy"))
    monkeypatch.setenv("KFP_JUPYTER_CONTAINER_ARGUMENTS", "--network 'host'")
    engine = container_engine(arguments=("--cpus", "1"))
    assert engine.program == str(machine.programs / "nerdy")
    words = CONTAINER.run_command(engine)
    assert words[-7:] == ["--network", "host", "--cpus", "1", "--name", "name", "box:1"]


def test_without_containers_a_pipeline_is_refused_before_anything_starts(machine, tmp_path):
    with pytest.raises(EngineError) as caught:
        machine.start_local(FLOW, LocalOptions())
    assert caught.value.where == "task step"
    assert "box:1" in caught.value.what
    assert "docker is not installed, podman is not installed" in caught.value.what
    assert "`--host-containers`" in (caught.value.remedy or "")
    assert not (tmp_path / "data").exists()


def test_a_daemon_that_does_not_answer_is_named_with_its_reason(machine):
    machine.install(Config(info={"ServerErrors": ["Cannot connect to the Docker daemon at unix:///x."]}))
    with pytest.raises(EngineError, match="Cannot connect to the Docker daemon at unix:///x"):
        machine.start_local(FLOW, LocalOptions())


def test_steps_in_python_that_are_to_run_in_images_are_refused_too(machine):
    flow = pipeline({"step": component("def step():\n    pass\n")}, task("step"))
    with pytest.raises(EngineError, match=r"python:3.11.*leave out `--in-containers`"):
        machine.start_local(flow, LocalOptions(in_containers=True))


def test_a_mount_may_have_any_path():
    assert str(ContainerMount("/a b", "/a b", writable=True)) == "type=bind,source=/a b,target=/a b"
    assert str(ContainerMount('/a,"b"', "/c")) == 'type=bind,"source=/a,""b""",target=/c,readonly'


def test_gpus_are_asked_for_as_each_program_knows_them():
    held = replace(CONTAINER, gpus=2)
    assert held.run_command(ContainerEngine("docker"))[-5:-3] == ["--gpus", "2"]
    podman = held.run_command(ContainerEngine("podman", podman=True))
    assert podman[-7:-3] == ["--device", "nvidia.com/gpu=0", "--device", "nvidia.com/gpu=1"]


def test_more_processors_than_there_are_are_not_asked_for():
    held = replace(CONTAINER, resources=Resources(cpu_limit="1000"))
    words = held.run_command(ContainerEngine("docker"))
    assert words[words.index("--cpus") + 1] == str(os.cpu_count())


def test_a_user_that_the_image_does_not_know_has_a_home_unless_the_step_names_one():
    def home(container: Container, user: str) -> list[str]:
        words = container.run_command(ContainerEngine("docker", user=user))
        return [word for word in words if word.startswith("HOME=")]

    assert home(CONTAINER, "1000:1000") == ["HOME=/tmp"]
    assert home(replace(CONTAINER, env={"HOME": "/here"}), "1000:1000") == ["HOME=/here"]
    assert home(CONTAINER, "0:0") == home(CONTAINER, "") == []


def test_what_the_program_itself_heeds_is_not_put_into_its_environment():
    held = replace(
        CONTAINER, env={"DOCKER_HOST": "a", "DOCKER_PASSWORD": "b", "PYTHONHOME": "c", "TOKEN": "d"}
    )
    assert held.variables() == {"DOCKER_PASSWORD": "b", "TOKEN": "d"}
    words = held.run_command(ContainerEngine("docker"))
    assert [words[place + 1] for place, word in enumerate(words) if word == "--env"] == [
        "DOCKER_HOST=a",
        "DOCKER_PASSWORD",
        "PYTHONHOME=c",
        "TOKEN",
    ]


def test_names_of_containers_tell_runs_tasks_and_attempts_apart():
    names = {
        container_name(Path(run), path, number)
        for run in ("/a/run 1", "/b/run 1")
        for path in ("x/y", "x-y")
        for number in (1, 2)
    }
    assert len(names) == 8
    assert all(name.replace("-", "").isalnum() for name in names)
