"""A program that speaks as much of docker's and podman's command line as this package does, without a daemon.

A container is a process of this machine, started from the image's folder, that knows only the variables it is
given and outlives this program, as a real one does. An image is a name. Paths are those of this machine, so a
path on the command line that no mount covers is an error of its own, and so is a mount of what is not there.

    $STAND_IN/config.json     what there is; see `Config` in `container_bench`
    $STAND_IN/calls.jsonl     each command line
    $STAND_IN/containers/     a JSON object for each container
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn, TextIO

HOME = Path(os.environ["STAND_IN"])
CONFIG: dict[str, Any] = json.loads((HOME / "config.json").read_text())
CONTAINERS = HOME / "containers"
RUNTIME = "OCI runtime create failed: runc create failed: unable to start container process"
WITH_VALUE = (
    *(
        "--name",
        "--label",
        "--log-driver",
        "--user",
        "--security-opt",
        "--mount",
        "--env",
        "--cpus",
        "--memory",
    ),
    *("--shm-size", "--gpus", "--device", "--entrypoint", "--network", "--filter", "--format"),
)
SWITCHES = ("--pull=never", "--all", "--quiet", "--force")


def main() -> None:
    words = sys.argv[1:]
    with (HOME / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps({"words": words, "marked": "KFP_JUPYTER_RUN" in os.environ}) + "\n")
    if words[:2] == ["image", "inspect"]:
        image_inspect(words[2:])
    COMMANDS[words[0]](words[1:])


def parsed(words: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Return the options by name, and what follows them."""
    options: dict[str, list[str]] = {}
    place = 0
    while place < len(words) and words[place].startswith("-"):
        name = words[place]
        if name in WITH_VALUE:
            options.setdefault(name, []).append(words[place + 1])
            place += 2
        elif name in SWITCHES:
            options[name] = []
            place += 1
        else:
            fail(125, f"unknown flag: {name}")
    return options, words[place:]


def say(text: object, stream: TextIO = sys.stdout) -> None:
    stream.write(f"{text}\n")


def fail(code: int, message: str) -> NoReturn:
    sys.stderr.write(f"docker: Error response from daemon: {message}\n")
    sys.exit(code)


def info(_words: list[str]) -> NoReturn:
    say(json.dumps(CONFIG["info"]))
    if CONFIG["info"].get("ServerErrors"):
        say("Cannot connect", sys.stderr)
        sys.exit(1)
    sys.exit(0)


def image_inspect(words: list[str]) -> NoReturn:
    _, (image,) = parsed(words)
    if image not in CONFIG["images"] and not (HOME / "pulled" / image.replace("/", "_")).exists():
        fail(1, f"No such image: {image}")
    say("sha256:0123")
    sys.exit(0)


def pull(words: list[str]) -> NoReturn:
    (image,) = words
    say(f"Pulling from {image}")
    if image not in CONFIG["registry"]:
        fail(1, CONFIG["pull_error"].format(image=image))
    if CONFIG["pull_waits"]:
        signal.pause()
    (HOME / "pulled").mkdir(exist_ok=True)
    (HOME / "pulled" / image.replace("/", "_")).touch()
    say(f"Status: Downloaded newer image for {image}")
    sys.exit(0)


def run(words: list[str]) -> NoReturn:
    options, (image, *rest) = parsed(words)
    place = CONTAINERS / f"{options['--name'][0]}.json"
    if place.exists():
        fail(125, f"Conflict. The container name {place.stem} is already in use")
    state = {
        "labels": options.get("--label", []),
        "State": {"Status": "created", "StartedAt": "0001-01-01T00:00:00Z", "OOMKilled": False, "Error": ""},
    }
    write(place, state)
    check_mounts(options, rest)
    variables = dict(entry(held) for held in options.get("--env", []))
    path = variables.get("PATH", os.environ["PATH"])
    command = [*options.get("--entrypoint", CONFIG["entry_points"].get(image, [])), *rest]
    if not command or shutil.which(command[0], path=path) is None:
        error = (
            f'{RUNTIME}: exec: "{command[0] if command else ""}": executable file not found in $PATH: unknown'
        )
        state["State"]["Error"] = error
        write(place, state)
        fail(127, error)
    state["State"]["StartedAt"] = "2026-01-01T00:00:00Z"
    if image in CONFIG["hungry"]:
        state["State"] |= {"OOMKilled": True, "Status": "exited"}
        write(place, state)
        sys.exit(137)
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=HOME / "inside",
        env={"PATH": path, "HOME": "/root", **variables},
        start_new_session=True,
    )
    state["State"] |= {"Status": "running", "Pid": process.pid}
    write(place, state)
    signal.signal(signal.SIGTERM, lambda *_: process.send_signal(signal.SIGTERM))
    assert process.stdout is not None
    while block := os.read(process.stdout.fileno(), 1 << 16):
        os.write(1, block)
    code = process.wait()
    state["State"] |= {"Status": "exited"}
    if place.exists():
        write(place, state)
    sys.exit(code if code >= 0 else 128 - code)


def check_mounts(options: dict[str, list[str]], rest: list[str]) -> None:
    import csv

    targets = []
    for mount in options.get("--mount", []):
        (fields,) = csv.reader([mount])
        held = dict(field.partition("=")[::2] for field in fields)
        if held["type"] == "bind" and not Path(held["source"]).exists():
            fail(
                125,
                f'invalid mount config for type "bind": bind source path does not exist: {held["source"]}',
            )
        targets.append(Path(held["target"]))
    for word in rest:
        inside = word.startswith(CONFIG["data"]) and Path(word)
        if inside and not any(inside.is_relative_to(target) for target in targets):
            fail(125, f"the stand-in sees that {word} is not mounted")


def entry(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    return name, value if equals else os.environ[name]


def inspect(words: list[str]) -> NoReturn:
    options, (name,) = parsed(words)
    place = CONTAINERS / f"{name}.json"
    if not place.exists():
        fail(1, f"No such object: {name}")
    state = json.loads(place.read_text())["State"]
    say(state.get("Pid", 0) if "Pid" in options["--format"][0] else json.dumps(state))
    sys.exit(0)


def ps(words: list[str]) -> NoReturn:
    options, _ = parsed(words)
    (label,) = (held.removeprefix("label=") for held in options["--filter"])
    for place in CONTAINERS.glob("*.json"):
        if label in json.loads(place.read_text())["labels"]:
            say(place.stem)
    sys.exit(0)


def kill(words: list[str]) -> NoReturn:
    for name in words:
        place = CONTAINERS / f"{name}.json"
        pid = json.loads(place.read_text())["State"].get("Pid") if place.exists() else None
        if pid is None:
            fail(1, f"No such container: {name}")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    sys.exit(0)


def remove(words: list[str]) -> NoReturn:
    _, names = parsed(words)
    for name in names:
        place = CONTAINERS / f"{name}.json"
        if place.exists():
            pid = json.loads(place.read_text())["State"].get("Pid")
            if pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
            place.unlink()
    sys.exit(0)


def write(place: Path, state: dict[str, Any]) -> None:
    part = place.with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps(state))
    part.replace(place)


COMMANDS = {"info": info, "pull": pull, "run": run, "inspect": inspect, "ps": ps, "kill": kill, "rm": remove}

if __name__ == "__main__":
    main()
