"""Notebooks of the corpus, and the two ways to run a component without the notebook it was written in."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parent / "corpus"

_HEAD = re.compile(r"^=== (?P<name>\w+): (?P<arguments>.*?)-> (?P<result>.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Notebook:
    """A notebook with one component.

    Attributes:
        name: The component's function.
        arguments: What it is called with.
        result: What it returns.
        cells: The cells; that of the component has its magic.
        component: The index of the component's cell.
    """

    name: str
    arguments: dict[str, Any]
    result: Any
    cells: tuple[str, ...]
    component: int


def corpus() -> list[Notebook]:
    """Return the notebooks of the corpus: `=== name: n=1 -> result` before cells that `---` parts."""
    return [made for file in sorted(CORPUS.glob("*.txt")) for made in read(file.read_text(encoding="utf-8"))]


def read(text: str) -> list[Notebook]:
    parts = _HEAD.split(text)[1:]
    found = []
    for name, arguments, result, body in zip(*[iter(parts)] * 4, strict=True):
        cells = [cell.strip("\n") + "\n" for cell in body.split("\n---\n")]
        index = next(i for i, cell in enumerate(cells) if re.search(rf"^def {name}\(", cell, re.MULTILINE))
        if not cells[index].startswith("%%"):
            cells[index] = f"%%component {name}\n{cells[index]}"
        given = dict(pair.split("=") for pair in arguments.split())
        values = {key: json.loads(value) for key, value in given.items()}
        found.append(Notebook(name, values, json.loads(result), tuple(cells), index))
    return found


def run_from_manifest(command: list[str], arguments: dict[str, Any], folder: Path) -> Any:
    """Run a step's command as it stands in a manifest, in an empty folder; return what it returns."""
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / "output.json"
    given = {
        "inputs": {"parameterValues": arguments},
        "outputs": {
            "parameters": {"Output": {"outputFile": str(folder / "Output")}},
            "outputFile": str(output),
        },
    }
    words = [word.replace("{{$}}", json.dumps(given)) for word in command]
    # Nothing of this process: no path to import from, no names, no settings of Python.
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
    }
    ended = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads(output.read_text(encoding="utf-8"))["parameterValues"]["Output"]


def commands_of(manifest: dict[str, Any]) -> dict[str, list[str]]:
    """Return the command of each component of a pipeline in KFP's format, by the function it runs."""
    found = {}
    for executor in manifest["deploymentSpec"]["executors"].values():
        container = executor["container"]
        words = [*container["command"], *container["args"]]
        found[words[words.index("--function_to_execute") + 1]] = words
    return found
