"""The local engine against kfp.local 2.17 and against bare processes, in one run: `local.py [--quick]`.

Trivial chains of 5, 50 and 500 tasks, a fan-out, a loop, 100 tasks that sleep, and a run of 5,000 tasks with
its history. What a task costs is the slope from the chain of 50 to that of 500, so starting up is not in it.
Ours and bare processes are measured in turns, several times each, because a machine that does other things
too slows down both; printed are medians, and ratios of what was measured side by side. kfp.local runs all
shapes as fast as it can be told to (no environment a task, nothing installed), once; as it runs by default, a
task takes so long that it is sampled with a few.

`--quick` takes two minutes: shorter chains, one round, no 5,000 tasks; its figures are for trying the
benchmark. Exit code 1 if a target is missed.
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
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rivals import kfp

HERE = Path(__file__).parent
MEGABYTE = 1_000_000

Result = dict[str, Any]


@dataclass(frozen=True)
class Extent:
    """How much is measured.

    Attributes:
        rounds: How often ours and bare processes take turns.
        bare: How many bare processes are spawned each time.
        chains: The chains; the slope is from the last but one to the last.
        default: The chains that kfp.local runs as it does by default.
        shapes: The fan-out and the loop.
        naps: How many tasks sleep.
        scale: The large run; empty for none.
    """

    rounds: int = 3
    bare: int = 60
    chains: tuple[str, ...] = ("chain-5", "chain-50", "chain-500")
    default: tuple[str, ...] = ("chain-1", "chain-4")
    shapes: tuple[str, ...] = ("fan-200", "loop-100")
    naps: int = 100
    scale: str = "fan-5000"


QUICK = Extent(
    *(1, 20, ("chain-5", "chain-20", "chain-60"), ("chain-1", "chain-2"), ("fan-40", "loop-20"), 100, "")
)


def measured(python: str | Path, who: str, *shapes: str) -> dict[str, Result]:
    """Return what `trivial.py` says of each shape."""
    with tempfile.TemporaryDirectory() as data:
        done = subprocess.run(
            [python, HERE / "trivial.py", who, *shapes],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "KFP_JUPYTER_DATA": data},
            cwd=HERE.parent,
            check=False,
        )
        if who == "ours" and done.returncode == 0:
            history = query(Path(data))
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith('{"shape"')]
    if done.returncode != 0 or len(lines) != len(shapes):
        raise SystemExit(f"{who} could not be measured:\n{done.stderr[-2000:]}")
    results = {line["shape"]: line for line in lines}
    if who == "ours":
        results["history"] = history
    return results


def query(data: Path) -> Result:
    """Return how long it takes to ask the history for what people ask, in seconds, and how large its file is.

    `list` are the newest runs; `open` is the newest one as it is opened, `states` are those of all its tasks,
    and `task` is what is known of one; `document` is the whole picture with all tasks, as a screen gets it.
    """
    import sqlite3  # noqa: F401 (its import is not what is measured)

    from kfp_jupyter.runs.history import History
    from kfp_jupyter.view.document import document

    file = data / "history.sqlite3"
    history = History(file)
    times = [time.perf_counter()]
    newest = history.runs(20)[0].id
    times.append(time.perf_counter())
    _, pipeline, state = history.load(newest)
    times.append(time.perf_counter())
    counted = Counter(task.state.value for task in state.tasks.values())
    times.append(time.perf_counter())
    last = next(reversed([*state.tasks]))
    assert state.tasks[last].outputs, counted
    times.append(time.perf_counter())
    document(pipeline, state)
    times.append(time.perf_counter())
    names = ("list", "open", "states", "task", "document")
    took = {name: after - before for name, before, after in zip(names, times, times[1:], strict=False)}
    return {**took, "bytes": file.stat().st_size}


def bare(count: int) -> tuple[float, float]:
    """Return what spawning a bare Python costs, one after the other: wall and CPU seconds each."""
    begin, used = time.perf_counter(), children()
    for _ in range(count):
        subprocess.run([sys.executable, "-c", "pass"], check=True)
    return (time.perf_counter() - begin) / count, (children() - used) / count


def children() -> float:
    """Return the CPU seconds of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def sleepers(count: int) -> float:
    """Return how long bare Pythons that sleep a second take, all started at once."""
    begin = time.perf_counter()
    command = [sys.executable, "-c", "import time; time.sleep(1)"]
    started = [subprocess.Popen(command) for _ in range(count)]
    for process in started:
        process.wait()
    return time.perf_counter() - begin


class Report:
    """Prints figures, and remembers the targets that were missed."""

    def __init__(self) -> None:
        self.missed: list[str] = []

    def say(self, name: str, value: str) -> None:
        """Print a figure."""
        sys.stdout.write(f"{name:<58} {value}\n")
        sys.stdout.flush()

    def judge(
        self, name: str, value: float, target: float, *, unit: str = "times", least: bool = False
    ) -> None:
        """Print a figure with its target, which is the most it may be, or the least."""
        met = value >= target if least else value <= target
        sign = "≥" if least else "≤"
        self.say(name, f"{value:9.3g} {unit}  (target {sign} {target:g} {unit}) {'met' if met else 'MISSED'}")
        if not met:
            self.missed.append(name)


def slope(results: dict[str, Result], field: str, *chains: str) -> float:
    """Return how much a field grows from the last but one of these chains to the last, a task."""
    small, large = chains[-2:]
    return float((results[large][field] - results[small][field]) / (length(large) - length(small)))


def length(shape: str) -> int:
    """Return how many tasks a shape has."""
    return int(shape.partition("-")[2])


def chains(report: Report, python: Path, extent: Extent) -> None:
    """Compare what a task of a chain costs."""
    costs, ratios, cpu, starts = [], [], [], []
    for number in range(extent.rounds):
        before = bare(extent.bare)
        ours = measured(sys.executable, "ours", *extent.chains)
        after = bare(extent.bare)
        wall, used = ((one + other) / 2 for one, other in zip(before, after, strict=True))
        cost = slope(ours, "seconds", *extent.chains)
        took = "  ".join(f"{shape} {ours[shape]['seconds']:.2f} s" for shape in extent.chains)
        report.say(f"round {number + 1}: bare {wall * 1e3:.1f} ms, a task {cost * 1e3:.1f} ms", took)
        costs.append(cost)
        ratios.append(cost / wall)
        cpu.append(slope(ours, "cpu", *extent.chains) / used)
        starts.append(ours[extent.chains[0]]["start"])
    cost = statistics.median(costs)
    rival = measured(python, "kfp", *extent.chains)
    # Whichever of its slopes is the better for it.
    best = min(slope(rival, "seconds", *extent.chains[:2]), slope(rival, "seconds", *extent.chains[1:]))
    report.say(
        "kfp.local at its best",
        "  ".join(f"{shape} {rival[shape]['seconds']:.2f} s" for shape in extent.chains),
    )
    sampled = measured(python, "kfp-default", *extent.default)
    default = slope(sampled, "seconds", *extent.default)
    tasks = sum(map(length, extent.default))
    report.say(f"kfp.local by default: sampled with {tasks} tasks only", f"{default:9.1f} s a task")
    report.say("start-up: from the call until the run runs", f"{statistics.median(starts) * 1e3:9.0f} ms")
    report.say(
        "a task: ours / kfp.local at its best / by default",
        f"{cost * 1e3:.1f} / {best * 1e3:.1f} / {default * 1e3:.0f} ms",
    )
    report.judge("a task, of a bare Python's spawn", statistics.median(ratios), 1.0)
    report.judge("kfp.local at its best, of ours", best / cost, 4.0, least=True)
    report.judge("kfp.local by default, of ours", default / cost, 100.0, least=True)
    report.judge("supervisor's CPU a task, of a bare Python's CPU", statistics.median(cpu), 0.5)


def shapes(report: Report, python: Path, extent: Extent) -> None:
    """Compare a fan-out and a loop, and tasks that sleep with processes that sleep."""
    ours = measured(sys.executable, "ours", *extent.shapes)
    theirs = measured(python, "kfp", *extent.shapes)
    for shape, held in theirs.items():
        took, start = ours[shape]["seconds"], ours[shape]["start"]
        report.say(
            f"{shape}: ours, of which start-up / kfp.local at its best",
            f"{took:.2f}, {start:.2f} / {held['seconds']:.2f} s",
        )
        ratio = held["seconds"] / (took - start)
        report.judge(f"{shape}: kfp.local at its best, of ours without start-up", ratio, 4.0, least=True)
    ratios = []
    naps = f"sleep-{extent.naps}:{extent.naps}"
    for _ in range(extent.rounds):
        before = sleepers(extent.naps)
        took = measured(sys.executable, "ours", naps)[naps]
        after = sleepers(extent.naps)
        ran = took["seconds"] - took["start"]
        report.say(f"{extent.naps} naps: bare / ours", f"{(before + after) / 2:.2f} / {ran:.2f} s")
        ratios.append(ran / ((before + after) / 2))
    report.judge(
        f"{extent.naps} tasks that sleep 1 s, of {extent.naps} bare Pythons", statistics.median(ratios), 1.5
    )


def scale(report: Report, extent: Extent) -> None:
    """Run thousands of tasks, and ask the history for them."""
    count, name = length(extent.scale), f"{length(extent.scale):,} tasks"
    _, cpu = bare(extent.bare)
    held = measured(sys.executable, "ours", extent.scale)
    large, history = held[extent.scale], held["history"]
    report.say(name, f"{large['seconds']:9.1f} s, {large['seconds'] / count * 1e3:.1f} ms a task")
    report.judge(f"{name}: supervisor's memory", large["memory"] / MEGABYTE, 300, unit="MB")
    report.judge(f"{name}: supervisor's CPU a task, of a bare Python's", large["cpu"] / count / cpu, 0.5)
    report.judge(f"{name}: history, listing runs", history["list"] * 1e3, 100, unit="ms")
    asked = history["open"] + history["states"] + history["task"]
    report.judge(f"{name}: history, this run and the states of all tasks", asked * 1e3, 100, unit="ms")
    report.say("  of which opening it / all states / one task's details", _milliseconds(history))
    report.say("  its whole document, laid out for a screen", f"{history['document'] * 1e3:9.0f} ms")
    report.say("  the history's file", f"{history['bytes'] / MEGABYTE:9.1f} MB")


def _milliseconds(history: Result) -> str:
    return " / ".join(f"{history[name] * 1e3:.1f}" for name in ("open", "states", "task")) + " ms"


def main() -> int:
    """Measure, print, and return the exit code."""
    report = Report()
    begin = time.perf_counter()
    extent = QUICK if "--quick" in sys.argv else Extent()
    python = kfp()
    report.say("machine", f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f} at the start")
    chains(report, python, extent)
    shapes(report, python, extent)
    if extent.scale:
        scale(report, extent)
    took = time.perf_counter() - begin
    report.say("machine", f"load {os.getloadavg()[0]:.1f} at the end, after {took / 60:.1f} minutes")
    if report.missed:
        report.say("MISSED", "; ".join(report.missed))
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(main())
