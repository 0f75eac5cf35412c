"""How long a pipeline takes from Python to its file, against the KFP SDK, in one run.

The same program is compiled by both: a chain and a fan-out of one component, and a chain of components that all
differ. Measured is what comes after the imports and the definitions of the components: tracing the pipeline's
function and writing the file. Each number is the best of a few fresh processes, taken in turns, so that what
else the machine does meanwhile hits all alike. `the same work` is our compiler with KFP's own command in the
steps; the ratios are to KFP's time in the same row. The last lines are whole commands, with their start.

Exits with 1 if a target is missed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from clock import ROOT, seconds
from rivals import kfp

ROUNDS = 3
COUNTS = (10, 100, 500, 1000)

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
KFP = "from kfp import compiler, dsl\nfrom program import flow\n"
OURS = """
import kfp_jupyter.workbench, yaml
from kfp_jupyter import compiler, dsl
from kfp_jupyter.engines.argo import manifest
from kfp_jupyter.interchange import write, yaml_text
from program import flow
"""
# What is measured: for KFP, and for each kind of file that we write.
WRITERS = {
    "kfp": "compiler.Compiler().compile(dsl.pipeline(flow), path)",
    "same": "compiler.Compiler().compile(dsl.pipeline(flow), path, runtime='kfp')",
    "embedded": "compiler.Compiler().compile(dsl.pipeline(flow), path)",
    "argo": "dsl.pipeline(flow).compile(path, 'argo')",
}


@dataclass(frozen=True, slots=True)
class Case:
    """A pipeline to compile.

    Attributes:
        shape: What its tasks are to each other.
        count: The number of its tasks.
    """

    shape: str
    count: int

    def program(self, package: str) -> str:
        """Return the program that defines its components and its function, without a decorator."""
        distinct = self.count if self.shape == "distinct" else 1
        steps = "".join(COMPONENT.format(number) for number in range(distinct))
        names = ", ".join(f"step_{number}" for number in range(distinct))
        listed = f"STEPS = [{names}] * {self.count // distinct}\n"
        flow = FAN_OUT if self.shape == "fan-out" else CHAIN
        return f"from {package} import dsl\n{steps}\n{listed}{flow}"


@dataclass(frozen=True, slots=True)
class Result:
    """What one writer took for a case: the best time, and the size of the file."""

    seconds: float
    size: int


def measured(case: Case) -> dict[str, Result]:
    """Return the results of a case by writer."""
    best: dict[str, Result] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flow.yaml"
        for _ in range(ROUNDS):
            for writer, body in WRITERS.items():
                is_kfp = writer == "kfp"
                python, imports = (str(kfp()), KFP) if is_kfp else (sys.executable, OURS)
                program = case.program("kfp" if is_kfp else "kfp_jupyter")
                (Path(folder) / "program.py").write_text(program, encoding="utf-8")
                taken = seconds(python, SETUP + imports, body, folder, str(path))
                if writer not in best or taken < best[writer].seconds:
                    best[writer] = Result(taken, path.stat().st_size)
    return best
