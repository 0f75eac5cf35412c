"""What `DockerRunner` is given becomes words of docker's command line, or is refused at its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kfp_jupyter import dsl, local
from kfp_jupyter.cells.component import default_base_image
from kfp_jupyter.local.docker_words import KNOWN
from kfp_jupyter.local.errors import InitError
from tests.engines.local.container_bench import IMAGE, Config, Machine
from tests.local.steps import write


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, []),
        ({"network_mode": "host"}, ["--network", "host"]),
        ({"mem_limit": "1g", "shm_size": 64}, ["--memory", "1g", "--shm-size", "64"]),
        ({"privileged": True, "init": False, "tty": None}, ["--privileged"]),
        ({"cap_add": ["SYS_ADMIN", "NET_RAW"]}, ["--cap-add", "SYS_ADMIN", "--cap-add", "NET_RAW"]),
        ({"environment": {"A": "1", "B": ""}}, ["--env", "A=1", "--env", "B="]),
        ({"environment": ["A=1", ("B", 2)]}, ["--env", "A=1", "--env", "B=2"]),
        ({"extra_hosts": {"db": "10.0.0.1"}}, ["--add-host", "db:10.0.0.1"]),
        ({"tmpfs": {"/run": "size=1m", "/tmp": ""}}, ["--tmpfs", "/run:size=1m", "--tmpfs", "/tmp"]),
        ({"nano_cpus": 1_500_000_000}, ["--cpus", "1.5"]),
        ({"device_requests": [{"Count": -1, "Capabilities": [["gpu"]]}]}, ["--gpus", "all"]),
        ({"device_requests": [{"DeviceIDs": ["0", "2"]}]}, ["--gpus", '"device=0,2"']),
        (
            {"mounts": [{"Type": "bind", "Source": "/a", "Target": "/b", "ReadOnly": True}]},
            ["--mount", "type=bind,target=/b,source=/a,readonly"],
        ),
        (
            {"ports": {"80/tcp": 8080, "90": ("127.0.0.1", 9)}},
            ["--publish", "8080:80/tcp", "--publish", "127.0.0.1:9:90"],
        ),
        ({"ulimits": [{"Name": "nofile", "Soft": 10, "Hard": 20}]}, ["--ulimit", "nofile=10:20"]),
    ],
)
def test_arguments_become_words(given: dict[str, Any], words: list[str]) -> None:
    runner = local.DockerRunner(**given)
    assert list(runner.words) == words
    assert runner.container_run_args == given


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"image": "alpine"}, "got 'image', which is not to be chosen"),
        ({"volumes": {}}, "got 'volumes'"),
        ({"network_mod": "host"}, "has no argument 'network_mod'. Did you mean 'network_mode'?"),
        ({"mem_limit": ["1g"]}, r"no words for: mem_limit=\['1g'\]"),
        ({"cap_add": 3}, "no words for"),
        ({"mounts": [{"Source": "/a"}]}, "no words for: 'Target'"),
    ],
)
def test_what_docker_cannot_be_told_is_refused(given: dict[str, Any], what: str) -> None:
    with pytest.raises(InitError, match=what) as raised:
        local.DockerRunner(**given)
    assert "test_docker_runner.py, line" in raised.value.where


def test_kfps_names_of_the_arguments_are_known() -> None:
    assert {"image", "command", "volumes", "network_mode"} <= local.DockerRunner.DOCKER_CONTAINER_RUN_ARGS
    assert "image" not in KNOWN


@pytest.fixture
def machine(place: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine with a stand-in for docker."""
    machine = Machine(place / "machine", monkeypatch)
    machine.install(Config(images=[IMAGE, default_base_image()]))
    return machine


@dsl.container_component
def shout(text: str, said: dsl.OutputPath(str)):
    return dsl.ContainerSpec(
        image="box:1",
        command=["sh", "-c", 'mkdir -p "$(dirname "$1")"; echo -n "$0!" > "$1"'],
        args=[text, said],
    )


def test_steps_in_python_run_in_their_images_with_the_runners_words(machine: Machine, place: Path) -> None:
    local.init(local.DockerRunner(network_mode="host", environment={"A": "1"}), pipeline_root="outputs")
    data = write(rows=2).output
    assert Path(data.path).read_text() == "x\nx\n"
    assert Path(data.path).is_relative_to(place / "outputs")
    (call,) = machine.calls("run")
    assert call[call.index("--network") + 1] == "host"
    assert "A=1" in call
    assert default_base_image() in call


def test_a_container_component_is_called_like_others(machine: Machine) -> None:
    for runner in (local.DockerRunner(), local.SubprocessRunner(use_venv=False)):
        local.init(runner)
        assert shout(text="hey").output == "hey!"
    assert all("box:1" in call for call in machine.calls("run"))
