"""Trivial pipelines in KFP's words, run by who is asked for: `trivial.py ours|kfp|kfp-default SHAPE…`.

A shape is `chain-50`, `fan-200`, `loop-100` or `sleep-100`. Each is run once, in the order given; a line of
JSON a shape says how long it took, from the call to its end. Steps install nothing, if they can be told so.
"""
# ruff: noqa: I002 (KFP reads annotations as types, not as texts)

import json
import logging
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

if sys.argv[1:2] == ["ours"]:
    from kfp_jupyter import compat

    compat.install()

from kfp import dsl


def step(number: int) -> int:
    """Return the next number."""
    return number + 1


def nap(seconds: float) -> float:
    """Sleep."""
    import time

    time.sleep(seconds)
    return seconds


def pipeline(shape: str, **options: Any) -> tuple[Any, Any]:
    """Return the pipeline of a shape, and what its last task puts out."""
    kind, _, size = shape.partition("-")
    add, sleep = (dsl.component(held, **options) for held in (step, nap))

    @dsl.pipeline(name=shape)
    def chain() -> int:
        last = add(number=0)
        for _ in range(int(size) - 1):
            last = add(number=last.output)
        return last.output

    @dsl.pipeline(name=shape)
    def fan() -> int:
        first = last = add(number=0)
        for _ in range(int(size) - 1):
            last = add(number=first.output)
        return last.output

    @dsl.pipeline(name=shape)
    def loop() -> int:
        with dsl.ParallelFor(items=list(range(int(size)))) as item:
            add(number=item)
        return add(number=0).output

    @dsl.pipeline(name=shape)
    def naps() -> float:
        for _ in range(int(size)):
            last = sleep(seconds=1.0)
        return last.output

    made = {"chain": (chain, int(size)), "fan": (fan, 2), "loop": (loop, 1), "sleep": (naps, 1.0)}
    return made[kind]


def run_ours(shape: str, jobs: int) -> dict[str, Any]:
    """Run a shape under a supervisor, and look at that now and then."""
    from pathlib import Path

    from kfp_jupyter.workbench import current

    made, right = pipeline(shape)
    begin = time.perf_counter()
    run = current().run(made.model, caching=False, jobs=jobs)
    file = Path(run.ref.location) / "supervisor.json"
    seen: dict[str, Any] = {}
    while not run.state.finished:
        if file.exists():
            seen.update(usage(json.loads(file.read_text())["pid"]))
        time.sleep(0.05)
    seconds = time.perf_counter() - begin
    status = run.status
    assert status.state.value == "SUCCEEDED", status.message
    assert run.outputs == {"Output": right}, run.outputs
    started = (status.started_at or 0.0) - status.created_at
    return {"seconds": seconds, "start": started, "tasks": len(status.tasks), **seen}


def usage(pid: int) -> dict[str, float]:
    """Return a process's CPU seconds and largest memory in bytes so far; nothing if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text()
        memory = status.partition("VmHWM:")[2].split()[0]
    except (OSError, IndexError):
        return {}
    ticks = int(fields[11]) + int(fields[12])
    return {"cpu": ticks / os.sysconf("SC_CLK_TCK"), "memory": int(memory) * 1024}


def run_kfp(shape: str, *, default: bool) -> dict[str, Any]:
    """Run a shape as kfp.local runs it."""
    from kfp import local

    logging.disable()
    local.init(local.SubprocessRunner(use_venv=default), pipeline_root=tempfile.mkdtemp())
    made, right = pipeline(shape, **({} if default else {"install_kfp_package": False}))
    begin = time.perf_counter()
    output = made().output
    seconds = time.perf_counter() - begin
    assert output == right, output
    return {"seconds": seconds}


def main() -> None:
    """Run the shapes that the command line names, each as `SHAPE` or `SHAPE:JOBS`."""
    who, *shapes = sys.argv[1:] or ["ours"]
    for held in shapes:
        shape, _, jobs = held.partition(":")
        if who == "ours":
            took = run_ours(shape, int(jobs or 0))
        else:
            took = run_kfp(shape, default=who == "kfp-default")
        sys.stderr.write(json.dumps({"shape": held, **took}) + "\n")
        sys.stderr.flush()


if __name__ == "__main__":
    main()
