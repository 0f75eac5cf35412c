"""How long a pipeline takes from Python to its file, against the KFP SDK, in one run.

The same program is compiled by both: a chain and a fan-out of one component, and a chain of components that
all differ. Measured is what comes after the imports and the definitions of the components: tracing the
pipeline's function and writing the file, in seconds of the processor: neither waits for anything, so on a
quiet machine these are the seconds of the clock, and on a busy one they stay. Each number is the best of some
fresh processes, taken in turns. `same work` is our compiler with KFP's own command in the steps, `embedded`
our default, `Argo` the Workflow as YAML; ratios are to KFP's time in its row, `B/t` is the bytes of the file
for each task. The last table is of what stands around that: defining components, and whole commands, these by
the clock.

Exits with 1 if a target is missed.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from clock import FailedError, command_seconds, seconds
from rivals import kfp

ROUNDS = 3
CASES = {
    "chain": (10, 100, 500, 1000),
    "fan-out": (10, 100, 500, 1000),
    "distinct": (100, 1000),
}

COMPONENT = '''
@dsl.component(base_image="python:3.11")
def step_{0}(number: int) -> int:
    """Add one."""
    return number + 1
'''
CHAIN = """
def flow():
    task = step_0(number=1)
    for step in STEPS[1:]:
        task = step(number=task.output)
"""
FAN_OUT = """
def flow():
    first = step_0(number=1)
    for step in STEPS[1:]:
        step(number=first.output)
"""

SETUP = """
import sys, warnings
warnings.simplefilter("ignore")
folder, path = sys.argv[2:]
sys.path.insert(0, folder)
"""
# What the definitions left behind is not to be cleared away while the clock runs.
COLLECT = "import gc\ngc.collect()\n"
IMPORT_KFP = f"from kfp import compiler, dsl\nfrom program import flow\n{COLLECT}"
# With what is imported only when a file is written.
IMPORT_OURS = f"""
import kfp_jupyter.workbench, yaml
from kfp_jupyter import compiler, dsl
from kfp_jupyter.engines.argo import manifest
from kfp_jupyter.interchange import write, yaml_text
from program import flow
{COLLECT}"""
WRITERS = {
    "kfp": "compiler.Compiler().compile(dsl.pipeline(flow), path)",
    "same work": "compiler.Compiler().compile(dsl.pipeline(flow), path, runtime='kfp')",
    "embedded": "compiler.Compiler().compile(dsl.pipeline(flow), path)",
    "Argo": "dsl.pipeline(flow).compile(path, 'argo')",
}
OURS = tuple(WRITERS)[1:]


@dataclass(frozen=True, slots=True)
class Measure:
    """What a writer took for a pipeline: the best time, and the bytes of the file; or why it refused."""

    seconds: float = 0.0
    size: int = 0
    refusal: str = ""


cpu_seconds = partial(seconds, clock="process_time")
Row = dict[str, Measure]
Table = dict[tuple[str, int], Row]


def program(package: str, shape: str, count: int) -> str:
    """Return a program that defines components and a function, not yet a pipeline, which calls them."""
    distinct = count if shape == "distinct" else 1
    steps = "".join(COMPONENT.format(number) for number in range(distinct))
    names = ", ".join(f"step_{number}" for number in range(distinct))
    flow = FAN_OUT if shape == "fan-out" else CHAIN
    return f"from {package} import dsl\n{steps}\nSTEPS = [{names}] * {count // distinct}\n{flow}"


def best(measure: Callable[[], Measure], before: Measure | None) -> Measure:
    """Measure once more and return the better of this and the one before."""
    now = measure()
    return now if before is None or now.refusal or now.seconds < before.seconds else before


def measured(shape: str, count: int) -> Row:
    """Return what each writer took for a pipeline."""
    row: Row = {}
    for _ in range(ROUNDS):
        for writer in WRITERS:
            row[writer] = best(lambda writer=writer: written(writer, shape, count), row.get(writer))  # type: ignore[misc]
    return row


def written(writer: str, shape: str, count: int) -> Measure:
    """Return what one writer takes for a pipeline in a process of its own."""
    is_kfp = writer == "kfp"
    python, imports, package = (
        (kfp(), IMPORT_KFP, "kfp") if is_kfp else (sys.executable, IMPORT_OURS, "kfp_jupyter")
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "program.py").write_text(program(package, shape, count), encoding="utf-8")
        path = Path(folder, "flow.yaml")
        try:
            taken = cpu_seconds(python, SETUP + imports, WRITERS[writer], folder, str(path))
        except FailedError as error:
            name, _, reason = str(error).partition(": ")
            if not name.endswith("ManifestError"):
                raise
            return Measure(refusal=reason)
        return Measure(taken, path.stat().st_size)


def show(shape: str, count: int, row: Row) -> None:
    """Print one line of the table."""
    cells = [f"{shape:<9}{count:>5}", f"{row['kfp'].seconds:>8.3f}"]
    for writer in OURS:
        held = row[writer]
        cells.append(
            f"{'refused':>16}"
            if held.refusal
            else f"{held.seconds:>8.3f} {row['kfp'].seconds / held.seconds:>6.1f}x"
        )
    sizes = [f"{row[writer].size / count:>9.0f}" if row[writer].size else f"{'-':>9}" for writer in WRITERS]
    print(" ".join([*cells, *sizes]), flush=True)


def growth(table: Table, shape: str, writer: str) -> float:
    """Return the cost of a task among 1000, relative to that of one among 100."""
    small, large = table[shape, 100][writer], table[shape, 1000][writer]
    return (large.seconds / 1000) / (small.seconds / 100)


def around() -> Iterator[tuple[str, float]]:
    """Yield what stands around the tracing and the writing, and how long it takes."""
    with tempfile.TemporaryDirectory() as folder:
        for package, python in (("kfp", kfp()), ("kfp_jupyter", sys.executable)):
            Path(folder, "program.py").write_text(program(package, "distinct", 1000), encoding="utf-8")
            setup = f"{SETUP}from {package} import dsl\n"
            yield (
                f"{package}: defining 1000 components",
                min(cpu_seconds(python, setup, "import program", folder, "") for _ in range(ROUNDS)),
            )
        path = Path(folder, "flow.yaml")
        files = {}
        for package in ("kfp", "kfp_jupyter"):
            files[package] = Path(folder, f"{package}_program.py")
            text = program(package, "chain", 1000) + "\nflow = dsl.pipeline(flow)\n"
            files[package].write_text(text, encoding="utf-8")
        ours = [sys.executable, "-m", "kfp_jupyter", "compile", files["kfp_jupyter"], "-o", path]
        typed: dict[str, list[str | Path]] = {
            "kfp dsl compile": [
                *(kfp().parent / "kfp", "dsl", "compile", "--py", files["kfp"], "--output", path)
            ],
            "kfp-jupyter compile": ours,
            "kfp-jupyter compile --target argo": [*ours, "--target", "argo"],
        }
        for name, words in typed.items():
            yield (
                f"{name}, the whole command, chain of 1000",
                min(command_seconds(*words) for _ in range(ROUNDS)),
            )


def verdicts(table: Table) -> Iterator[tuple[bool, str]]:
    """Yield for each target whether it is met, and the number."""
    for writer, wanted in (("same work", 20), ("Argo", 30)):
        for shape in CASES:
            row = table[shape, 1000]
            if row[writer].refusal:
                continue
            ratio = row["kfp"].seconds / row[writer].seconds
            yield (
                ratio >= wanted,
                f"{shape} of 1000, {writer}: {ratio:.1f}x faster than kfp (at least {wanted}x)",
            )
    for shape in CASES:
        for writer in OURS:
            if not table[shape, 1000][writer].refusal:
                grown = growth(table, shape, writer)
                what = f"{shape}, {writer}: a task among 1000 costs {grown:.2f} of one among 100"
                yield grown <= 1.5, f"{what} (at most 1.5; kfp {growth(table, shape, 'kfp'):.2f})"
    for shape in ("chain", "fan-out"):
        size = (table[shape, 1000]["Argo"].size - table[shape, 100]["Argo"].size) / 900
        yield size <= 400, f"{shape}: {size:.0f} bytes a further task in the Argo manifest (at most 400)"


def main() -> int:
    """Measure, print the tables and a line for each target; return the exit code."""
    heads = [f"{'pipeline':<9}{'tasks':>5}", f"{'kfp s':>8}"]
    heads += [f"{f'{writer} s':>11} {'':>4}" for writer in OURS]
    print(" ".join([*heads, *(f"{f'{name} B/t':>9}" for name in ("kfp", "same", "emb.", "Argo"))]))
    table: Table = {}
    for shape, counts in CASES.items():
        for count in counts:
            table[shape, count] = measured(shape, count)
            show(shape, count, table[shape, count])
    print()
    for name, taken in around():
        print(f"{name:<70}{taken:>8.3f} s")
    print()
    for (shape, count), row in table.items():
        if row["Argo"].refusal:
            print(f"refused  {shape} of {count}, Argo: {row['Argo'].refusal}")
    missed = 0
    for is_met, told in verdicts(table):
        missed += not is_met
        print(f"{'met' if is_met else 'MISSED':<8} {told}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
