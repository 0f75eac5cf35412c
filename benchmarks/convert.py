"""From a notebook to KFP's YAML: `kfp-jupyter compile` against Kale 2.3, whole processes, the same notebooks.

The notebooks carry Kale's tags, which both read: each step takes the data of the one before it, calls a
function of a shared cell, and uses a parameter and an import. Beside that stands the same pipeline as cells
with our own magics. Bytecode is warm for both. Targets, at 200 steps: 50 times faster than Kale; and the time
for each further step may not grow with their number, with Kale's tags and with our magics. Ends with 1 if a
target is missed.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rivals import kale

STEPS = (5, 50, 200)
MORE = 1600
"""Steps of the notebooks that only ours gets, to see that its time is linear."""

ROUNDS = 5
SPEED, GROWTH = 50.0, 1.5

FIRST = """%%component
def stage_0(count: int) -> list:
    return [math.sin(number) for number in range(count)]
"""


@dataclass(frozen=True)
class Took:
    """Seconds of a process: on the clock, and of its processors."""

    wall: float
    cpu: float


def notebook(cells: Sequence[tuple[str, Sequence[str]]], name: str) -> dict[str, Any]:
    """Return a notebook of code cells, each a text and its tags."""
    return {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "execution_count": None,
                "metadata": {"tags": list(tags)},
                "outputs": [],
                "source": text,
            }
            for number, (text, tags) in enumerate(cells)
        ],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "kubeflow_notebook": {
                "experiment_name": "benchmark",
                "pipeline_name": name,
                "pipeline_description": "",
                "base_image": "python:3.11",
            },
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def tagged(steps: int) -> dict[str, Any]:
    """Return a notebook with Kale's tags."""
    cells: list[tuple[str, list[str]]] = [
        ("import math\nimport statistics", ["imports"]),
        ("def scaled(values, factor):\n    return [value * factor for value in values]", ["functions"]),
        ("count = 100\nrate = 0.5", ["pipeline-parameters"]),
        ("data_0 = [math.sin(number) for number in range(count)]", ["step:stage_0"]),
    ]
    for number in range(1, steps):
        text = (
            f"scaled_{number} = scaled(data_{number - 1}, rate)\n"
            f"mean_{number} = statistics.mean(scaled_{number})\n"
            f"data_{number} = [value - mean_{number} for value in scaled_{number}]\n"
            f"print('stage {number}:', mean_{number})"
        )
        cells.append((text, [f"step:stage_{number}", f"prev:stage_{number - 1}"]))
    return notebook(cells, f"tagged-{steps}")


def magics(steps: int) -> dict[str, Any]:
    """Return the same pipeline as cells with our magics."""
    cells: list[tuple[str, list[str]]] = [
        ("%load_ext kfp_jupyter", []),
        ("import math\nimport statistics", []),
        ("def scaled(values, factor):\n    return [value * factor for value in values]", []),
        (FIRST, []),
    ]
    calls = ["data = stage_0(count=count)"]
    for number in range(1, steps):
        text = (
            f"%%component\ndef stage_{number}(data: list, rate: float) -> list:\n"
            "    held = scaled(data, rate)\n"
            "    mean = statistics.mean(held)\n"
            f"    print('stage {number}:', mean)\n"
            "    return [value - mean for value in held]"
        )
        cells.append((text, []))
        calls.append(f"data = stage_{number}(data=data.output, rate=rate)")
    cells.append((f"%%pipeline magics_{steps}(count: int = 100, rate: float = 0.5)\n" + "\n".join(calls), []))
    return notebook(cells, f"magics-{steps}")


def took(command: Sequence[str], folder: Path) -> Took:
    """Run a command to its end and return what it took."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{ended.stdout[-2000:]}{ended.stderr[-4000:]}")
    return Took(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def ours(path: Path) -> Took:
    """Return what we take for a notebook: the median of some rounds."""
    command = [sys.executable, "-m", "kfp_jupyter", "compile", path.name, "-o", "ours.yaml"]
    rounds = [took(command, path.parent) for _ in range(ROUNDS)]
    return Took(
        statistics.median(held.wall for held in rounds), statistics.median(held.cpu for held in rounds)
    )


def main() -> int:
    """Measure, print a table and whether the targets are met, and return the exit code."""
    rival = str(kale().parent / "kale")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def written(kind: str, content: dict[str, Any], steps: int) -> Path:
            path = folder / f"{kind}-{steps}.ipynb"
            path.write_text(json.dumps(content), encoding="utf-8")
            return path

        took([rival, "--nb", written("warm", tagged(2), 2).name], folder)
        ours(written("warm", tagged(2), 2))
        same: dict[int, Took] = {}
        own: dict[int, Took] = {}
        kales: dict[int, Took] = {}
        print(f"{'steps':>6} {'Kale 2.3':>20} {'ours, same notebook':>22} {'ratio':>12} {'ours, magics':>20}")
        for steps in STEPS:
            path = written("tagged", tagged(steps), steps)
            same[steps] = ours(path)
            kales[steps] = took([rival, "--nb", path.name], folder)
            own[steps] = ours(written("magics", magics(steps), steps))
            held, theirs = same[steps], kales[steps]
            ratio = f"{theirs.wall / held.wall:.0f}x ({theirs.cpu / held.cpu:.0f}x)"
            row = [f"{one.wall:.2f} s ({one.cpu:.2f} s)" for one in (theirs, held, own[steps])]
            print(f"{steps:>6} {row[0]:>20} {row[1]:>22} {ratio:>12} {row[2]:>20}", flush=True)
        same[MORE] = ours(written("tagged", tagged(MORE), MORE))
        own[MORE] = ours(written("magics", magics(MORE), MORE))
        row = [f"{one.wall:.2f} s ({one.cpu:.2f} s)" for one in (same[MORE], own[MORE])]
        print(f"{MORE:>6} {'':>20} {row[0]:>22} {'':>12} {row[1]:>20}")
    print("Seconds on the clock, and in parentheses of the processor.")
    return judged(same, own, kales)


def judged(same: dict[int, Took], own: dict[int, Took], kales: dict[int, Took]) -> int:
    """Print whether the targets are met and return the exit code."""
    first, _, last = STEPS
    speed = kales[last].wall / same[last].wall
    met = [(speed >= SPEED, f"{speed:.0f} times faster than Kale at {last} steps (at least {SPEED:.0f})")]
    for held, kind in ((same, "Kale's tags"), (own, "our magics")):
        early = (held[last].cpu - held[first].cpu) / (last - first)
        late = (held[MORE].cpu - held[last].cpu) / (MORE - last)
        times = f"{late / early:.2f} times one of {last} ({1000 * late:.1f} and {1000 * early:.1f} ms)"
        told = f"with {kind}, a step of {MORE} takes {times}; at most {GROWTH} times"
        met.append((late / early <= GROWTH, told))
    for is_met, text in met:
        print(f"{'met   ' if is_met else 'MISSED'} {text}")
    return 0 if all(is_met for is_met, _ in met) else 1


if __name__ == "__main__":
    sys.exit(main())
