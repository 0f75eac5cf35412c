"""The local engine against kfp.local and against bare processes, in one run: `local.py [--quick]`.

Trivial chains of 5, 50 and 500 tasks, a fan-out, a loop, 100 tasks that sleep, and a run of 5,000 tasks
(which `--quick` leaves out). What a task costs is the slope from the chain of 50 to that of 500, so starting
up is not in it. Ours and bare processes are measured in turns, several times each, because a machine that
does other things too slows down both; printed are medians, and ratios of what was measured side by side.
Exit code 1 if a target is missed.
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
from pathlib import Path
from typing import Any

from rivals import kfp

HERE = Path(__file__).parent
ROUNDS = 3
BARE = 60
MEGABYTE = 1_000_000

Result = dict[str, Any]


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
        results["history"] = {"list": history[0], "load": history[1]}
    return results


def query(data: Path) -> tuple[float, float]:
    """Return how long it takes to list the runs, and to load the newest with all its tasks, in seconds."""
    import sqlite3  # noqa: F401 (its import is not what is measured)

    from kfp_jupyter.runs.history import History

    history = History(data / "history.sqlite3")
    begin = time.perf_counter()
    newest = history.runs(20)[0].id
    listed = time.perf_counter()
    history.load(newest)
    return listed - begin, time.perf_counter() - listed


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


def slope(results: dict[str, Result], field: str, small: str, large: str) -> float:
    """Return how much a field grows from one chain to another, a task."""
    more = int(large.partition("-")[2]) - int(small.partition("-")[2])
    return float((results[large][field] - results[small][field]) / more)


def chains(report: Report, python: Path) -> None:
    """Compare what a task of a chain costs."""
    costs, ratios, cpu, starts = [], [], [], []
    for number in range(ROUNDS):
        before = bare(BARE)
        ours = measured(sys.executable, "ours", "chain-5", "chain-50", "chain-500")
        after = bare(BARE)
        wall, used = ((one + other) / 2 for one, other in zip(before, after, strict=True))
        cost = slope(ours, "seconds", "chain-50", "chain-500")
        took = "  ".join(f"{shape} {held['seconds']:.2f} s" for shape, held in ours.items() if "-" in shape)
        report.say(f"round {number + 1}: bare {wall * 1e3:.1f} ms, a task {cost * 1e3:.1f} ms", took)
        costs.append(cost)
        ratios.append(cost / wall)
        cpu.append(slope(ours, "cpu", "chain-50", "chain-500") / used)
        starts.append(ours["chain-5"]["start"])
    cost = statistics.median(costs)
    rival = measured(python, "kfp", "chain-5", "chain-50", "chain-500")
    best = min(
        slope(rival, "seconds", "chain-5", "chain-50"), slope(rival, "seconds", "chain-50", "chain-500")
    )
    default = measured(python, "kfp-default", "chain-2")["chain-2"]["seconds"] / 2
    report.say("start-up: from the call until the run runs", f"{statistics.median(starts) * 1e3:9.0f} ms")
    report.say(
        "a task: ours / kfp.local at its best / by default",
        f"{cost * 1e3:.1f} / {best * 1e3:.1f} / {default * 1e3:.0f} ms",
    )
    report.judge("a task, of a bare Python's spawn", statistics.median(ratios), 1.0)
    report.judge("kfp.local at its best, of ours", best / cost, 4.0, least=True)
    report.judge("kfp.local by default, of ours", default / cost, 100.0, least=True)
    report.judge("supervisor's CPU a task, of a bare Python's CPU", statistics.median(cpu), 0.5)


def shapes(report: Report, python: Path) -> None:
    """Compare a fan-out and a loop, and tasks that sleep with processes that sleep."""
    ours = measured(sys.executable, "ours", "fan-200", "loop-100")
    theirs = measured(python, "kfp", "fan-200", "loop-100")
    for shape, held in theirs.items():
        took = ours[shape]["seconds"]
        report.say(f"{shape}: ours / kfp.local at its best", f"{took:.2f} / {held['seconds']:.2f} s")
        report.judge(f"{shape}: kfp.local at its best, of ours", held["seconds"] / took, 4.0, least=True)
    ratios = []
    for _ in range(ROUNDS):
        before = sleepers(100)
        took = measured(sys.executable, "ours", "sleep-100:100")["sleep-100:100"]
        ratios.append((took["seconds"] - took["start"]) / ((before + sleepers(100)) / 2))
    report.judge("100 tasks that sleep 1 s, of 100 bare Pythons", statistics.median(ratios), 1.5)


def scale(report: Report) -> None:
    """Run 5,000 tasks."""
    _, cpu = bare(BARE)
    held = measured(sys.executable, "ours", "fan-5000")
    large = held["fan-5000"]
    report.say("5,000 tasks", f"{large['seconds']:9.1f} s")
    report.judge("5,000 tasks: supervisor's memory", large["memory"] / MEGABYTE, 300, unit="MB")
    report.judge("5,000 tasks: supervisor's CPU a task, of a bare Python's", large["cpu"] / 5000 / cpu, 0.5)
    history = held["history"]
    report.judge("5,000 tasks: listing runs", history["list"] * 1e3, 100, unit="ms")
    report.judge("5,000 tasks: loading this run, all its tasks", history["load"] * 1e3, 100, unit="ms")


def main() -> int:
    """Measure, print, and return the exit code."""
    report = Report()
    python = kfp()
    report.say("machine", f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f} at the start")
    chains(report, python)
    shapes(report, python)
    if "--quick" not in sys.argv:
        scale(report)
    report.say("machine", f"load {os.getloadavg()[0]:.1f} at the end")
    if report.missed:
        report.say("MISSED", "; ".join(report.missed))
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(main())
