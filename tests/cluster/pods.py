"""The kubelet of the test cluster: a pod is a process of this machine in a folder of its own.

A template's absolute paths (`/tmp/…` in an image) are put under the pod's folder before Argo's variables are
filled in, so a script that uses the variables, as ours do, finds its files there. Artifacts are copied from
and to a folder that stands for the cluster's artifact repository.
"""

from __future__ import annotations

import copy
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from threading import Condition, Event, Thread, Timer
from typing import Any


def timestamp() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


class Log:
    """What a container printed: `(timestamp, line)`, growing until it is closed."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.closed = False
        self.changed = Condition()

    def add(self, line: str) -> None:
        with self.changed:
            self.lines.append((timestamp(), line))
            self.changed.notify_all()

    def close(self) -> None:
        with self.changed:
            self.closed = True
            self.changed.notify_all()


def placed(template: dict[str, Any], root: Path) -> dict[str, Any]:
    """Return the template with the paths of its inputs and outputs under `root`."""
    made = copy.deepcopy(template)
    for side in ("inputs", "outputs"):
        for item in made.get(side, {}).get("artifacts", []):
            item["path"] = f"{root}{item['path']}"
    for item in made.get("outputs", {}).get("parameters", []):
        item["valueFrom"]["path"] = f"{root}{item['valueFrom']['path']}"
    return made


@dataclass
class Pod:
    """One pod: its state as the controller sees it.

    Attributes:
        name: Its name.
        root: Its folder.
        template: The template, paths placed and everything substituted.
        repository: The folder of the artifact repository.
        on_change: Called whenever the state has changed.
        delay_seconds: How much longer than its process it runs.
        phase: `Pending`, `Running`, `Succeeded` or `Failed`.
        started: Whether a machine has taken it.
        message: Kubernetes' word on a pod that failed as such.
        exit_code: That of its main container.
        outputs: What it gave out, as in a node's status.
        init_error: Why inputs could not be brought.
        waits: The reason and message of an image that cannot be pulled.
        output_error: Why outputs could not be taken.
    """

    name: str
    root: Path
    template: dict[str, Any]
    repository: Path
    on_change: Callable[[], None]
    delay_seconds: float = 0.0
    phase: str = "Pending"
    started: bool = False
    message: str = ""
    exit_code: int | None = None
    outputs: dict[str, Any] = field(default_factory=dict)
    init_error: str = ""
    waits: tuple[str, str] = ("", "")
    output_error: str = ""
    log: Log = field(default_factory=Log)
    _process: subprocess.Popen[str] | None = None
    _killed: Event = field(default_factory=Event)

    def start(self) -> None:
        """Stage the inputs and run the main container in a thread of its own."""
        self.started = True
        Thread(target=self._run, name=f"pod {self.name}", daemon=True).start()

    def status(self) -> dict[str, Any]:
        """Return the pod's status as the kubelet writes it."""
        made: dict[str, Any] = {"phase": self.phase}
        ended = {"exitCode": self.exit_code, "reason": "Error" if self.exit_code else "Completed"}
        main: dict[str, Any] = {"waiting": {"reason": "PodInitializing"}}
        if self.init_error:
            failed = {"exitCode": 64, "reason": "Error", "message": self.init_error}
            made["initContainerStatuses"] = [{"name": "init", "state": {"terminated": failed}}]
        elif self.waits[0]:
            main = {"waiting": {"reason": self.waits[0], "message": self.waits[1]}}
        elif self.exit_code is not None:
            main = {"terminated": ended}
        elif self.phase == "Running":
            main = {"running": {}}
        made["containerStatuses"] = [{"name": "main", "state": main}]
        return made

    def kill(self, message: str = "") -> None:
        """End the process as Kubernetes does: SIGTERM, and SIGKILL when it takes too long."""
        if self._killed.is_set() or self.phase in ("Succeeded", "Failed"):
            return
        self.message = message
        self._killed.set()
        self._signal(signal.SIGTERM)
        Timer(2.0, self._signal, [signal.SIGKILL]).start()

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            # The pod's own thread may have seen it end since.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _run(self) -> None:
        container = self.template.get("script") or self.template["container"]
        try:
            self._stage()
        except OSError:
            self.phase = "Failed"
            self.log.close()
            self.on_change()
            return
        try:
            command = [*container["command"], *container.get("args", [])]
            if "script" in self.template:
                script = self.root / "argo" / "staging" / "script"
                script.parent.mkdir(parents=True, exist_ok=True)
                script.write_text(container["source"], encoding="utf-8")
                command.append(str(script))
            self._execute(command, {item["name"]: item["value"] for item in container.get("env", [])})
            self._collect()
        except OSError as error:
            self.exit_code, self.message = 128, f"StartError: {error}"
        failed = self.exit_code != 0 or self.message
        self.phase = "Failed" if failed else "Succeeded"
        self.log.close()
        self.on_change()

    def _stage(self) -> None:
        container = self.template.get("script") or self.template["container"]
        mounts = [Path(f"{self.root}{item['mountPath']}") for item in container.get("volumeMounts", [])]
        for folder in (self.root, self.root / "tmp", *mounts):
            folder.mkdir(parents=True, exist_ok=True)
        for item in self.template.get("inputs", {}).get("artifacts", []):
            if "s3" not in item:
                continue
            try:
                _copy(self.repository / item["s3"]["key"], Path(item["path"]))
                if "none" not in item.get("archive", {}):
                    _unpack(Path(item["path"]))
            except FileNotFoundError:
                missing = "The specified key does not exist."
                self.init_error = f"artifact {item['name']} failed to load: {missing}"
                raise

    def _execute(self, command: list[str], env: dict[str, str]) -> None:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        own = {"PATH": path, "HOME": str(self.root), "TMPDIR": str(self.root / "tmp"), "LANG": "C.UTF-8"}
        self._process = subprocess.Popen(
            command,
            cwd=self.root,
            env={**own, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.phase = "Running"
        self.on_change()
        if self._killed.is_set():
            self._signal(signal.SIGTERM)
        limit = int(self.template.get("activeDeadlineSeconds", 0))
        timer = Timer(limit, self.kill, ["Pod was active on the node longer than the specified deadline"])
        if limit:
            timer.start()
        assert self._process.stdout is not None
        self._say("waiting for signals", "signalPath=/var/run/argo/ctr/main/signal")
        with self._process.stdout as lines:
            for line in lines:
                self.log.add(line.rstrip("\n"))
        self._killed.wait(self.delay_seconds)
        code = self._process.wait()
        timer.cancel()
        self.exit_code = code if code >= 0 else 128 - code
        error = f'error="exit status {self.exit_code}"' if self.exit_code else "error=<nil>"
        self._say("sub-process exited", error)
        for item in self.template.get("outputs", {}).get("parameters", []):
            self._say("no need to save parameter - on overlapping volume", f"src={item['valueFrom']['path']}")
        if self.exit_code:
            self.log.add(f"Error: exit status {self.exit_code}")

    def _say(self, message: str, rest: str) -> None:
        """Write what Argo's emissary says in the log of the step."""
        stamp = f"{timestamp()[:23]}Z"
        self.log.add(f'time={stamp} level=INFO msg="{message}" argo=true {rest}')

    def _collect(self) -> None:
        wanted = self.template.get("outputs", {})
        parameters, artifacts = [], []
        for item in wanted.get("parameters", []):
            path = Path(item["valueFrom"]["path"])
            if path.exists():
                text = path.read_text(encoding="utf-8")
                parameters.append({"name": item["name"], "value": text[:-1] if text.endswith("\n") else text})
            elif "default" in item["valueFrom"]:
                parameters.append({"name": item["name"], "value": item["valueFrom"]["default"]})
            elif self.exit_code == 0:
                self.output_error = f"Error (exit code 1): cannot save parameter {path}: no such file"
        for item in wanted.get("artifacts", []):
            path = Path(item["path"])
            if path.exists():
                _copy(path, self.repository / item["s3"]["key"])
                artifacts.append({key: item[key] for key in ("name", "path", "s3", "archive") if key in item})
            elif not item.get("optional") and self.exit_code == 0:
                self.output_error = (
                    f"Error (exit code 64): artifact {item['name']} failed to save: {path} not found"
                )
        self.outputs = {
            key: held for key, held in (("parameters", parameters), ("artifacts", artifacts)) if held
        }


def _unpack(path: Path) -> None:
    """Unpack what looks like a tar archive, as Argo does unless it is told not to."""
    if not path.is_file() or not tarfile.is_tarfile(path):
        return
    packed = path.rename(path.with_name(f"{path.name}.tar"))
    with tarfile.open(packed) as archive:
        archive.extractall(path)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)
