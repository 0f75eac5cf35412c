"""The executor as a step has it: the joined text in a file, run by every Python that is on the PATH."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kfp_jupyter.executor import program
from kfp_jupyter.executor.markers import parse

VERSIONS = ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13"]


def interpreter(version: str) -> str | None:
    """Return the path of the Python of that version, or None if the machine has none."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    found = shutil.which(f"python{version}")
    if found is None:
        return None
    # A version switcher's shim is on the PATH for versions that are not chosen, too.
    answer = subprocess.run(
        [found, "-c", "import sys; print(sys.executable)"], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() if answer.returncode == 0 else None


@dataclass
class Ended:
    """How a step ended."""

    code: int
    output: dict[str, Any] | None
    lines: list[str]
    markers: list[dict[str, Any]]
    stderr: str

    @property
    def error(self) -> dict[str, Any]:
        """The error that it told."""
        assert self.output is None
        assert self.code != 0
        (error,) = [marker["error"] for marker in self.markers if "error" in marker]
        return error

    @property
    def parameters(self) -> dict[str, Any]:
        assert self.output is not None, self.stderr
        return self.output["parameterValues"]

    @property
    def artifacts(self) -> dict[str, Any]:
        assert self.output is not None, self.stderr
        return {name: held["artifacts"] for name, held in self.output["artifacts"].items()}


@dataclass
class Step:
    """Runs a source under the executor."""

    folder: Path
    python: str

    def run(
        self,
        source: str,
        function: str = "step",
        *,
        parameters: dict[str, Any] | None = None,
        inputs: dict[str, Any] | None = None,
        outputs: dict[str, str] | None = None,
        given: str | None = None,
        flags: tuple[str, ...] = ("-S", "-I", "-u"),
    ) -> Ended:
        """Run `function` of `source`.

        Args:
            source: The source, indented as a block.
            function: The function to call.
            parameters: The input parameters.
            inputs: Input artifacts: RuntimeArtifacts by name, one or a list.
            outputs: Outputs by name: `parameter`, or an artifact's schema title.
            given: What to pass instead of the ExecutorInput.
            flags: Flags of Python; no site-packages by default.
        """
        (self.folder / "executor.py").write_text(program())
        (self.folder / "source.py").write_text(textwrap.dedent(source))
        target = self.folder / "out" / "executor_output.json"
        target.unlink(missing_ok=True)
        declared = outputs or {}
        executor_input = {
            "inputs": {
                "parameterValues": parameters or {},
                "artifacts": {
                    name: {"artifacts": held if isinstance(held, list) else [held]}
                    for name, held in (inputs or {}).items()
                },
            },
            "outputs": {
                "parameters": {
                    name: {"outputFile": str(self.folder / "parameters" / name)}
                    for name, kind in declared.items()
                    if kind == "parameter"
                },
                "artifacts": {
                    name: {
                        "artifacts": [
                            {
                                "name": name,
                                "type": {"schemaTitle": kind},
                                "uri": str(self.folder / "artifacts" / name),
                                "metadata": {},
                            }
                        ]
                    }
                    for name, kind in declared.items()
                    if kind != "parameter"
                },
                "outputFile": str(target),
            },
        }
        command = [
            *(self.python, *flags, str(self.folder / "executor.py")),
            *("--executor_input", given if given is not None else json.dumps(executor_input)),
            *("--function_to_execute", function),
            *("--component_module_path", str(self.folder / "source.py")),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        lines, markers = [], []
        for line in done.stdout.splitlines():
            text, marker = parse(line)
            lines += [text] if text is not None else []
            markers += [marker] if marker is not None else []
        output = json.loads(target.read_text()) if target.exists() else None
        return Ended(done.returncode, output, lines, markers, done.stderr)


#: The Python of the tests is always among them.
PYTHONS = {version: python for version in VERSIONS if (python := interpreter(version))}


@pytest.fixture(params=PYTHONS)
def any_step(request, tmp_path) -> Step:
    """A step under each Python that there is."""
    return Step(tmp_path, PYTHONS[request.param])


@pytest.fixture
def step(tmp_path) -> Step:
    """A step under the Python of the tests."""
    return Step(tmp_path, sys.executable)
