"""`python -m tests.conformance REPOSITORY`: which files of KFP's own suite compile here to KFP's documents.

Every file is compiled unedited, with the alias on, in a process of its own where kfp is not installed and in
a folder where its golden is not. A table says what failed and how; the last lines are the totals. With
`--oracle` the files are compiled by KFP itself in another environment: that is the number to be reached.
"""
# ruff: noqa: T201 - a program that prints its result

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tests.conformance.comparison import differences, documents
from tests.conformance.suite import Case, cases, lay_out

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("compile_case.py")
SECONDS = 300


@dataclass(frozen=True)
class Score:
    """How one case went: `equal`, `different` or `failed`, and why."""

    case: Case
    state: str
    why: tuple[str, ...] = ()


def score(case: Case, repository: Path, oracle: str | None) -> Score:
    """Compile a case and compare."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "suite")
        folder.mkdir()
        target = Path(place, "compiled.yaml")
        source = lay_out(case, repository, folder)
        whose = "kfp" if oracle else "ours"
        program = [oracle or sys.executable, str(PROGRAM)]
        command = [*program, str(source), case.object, str(target), case.parameters, whose]
        environment = {
            **os.environ,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": "" if oracle else str(ROOT),
        }
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        if done.returncode or not target.exists():
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            return Score(case, "failed", tuple(lines[-3:]))
        expected, given = documents(repository / case.golden), documents(target)
    found = tuple(islice(differences(expected, given), 20))
    return Score(case, "different" if found else "equal", found)


def main() -> int:
    """Score the suite."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("repository", type=Path, help="a checkout of kubeflow/pipelines")
    parser.add_argument("--oracle", help="the Python of an environment with kfp and kfp-kubernetes")
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    parser.add_argument("--verbose", action="store_true", help="say every difference")
    parser.add_argument("--json", type=Path, help="write the states by name to this file")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    repository = options.repository.resolve()
    found = [case for case in cases(repository) if options.only in case.name]
    if not found:
        parser.error(f"{repository} has no case; give a checkout of kubeflow/pipelines.")
    with ThreadPoolExecutor(options.jobs) as pool:
        scores = list(pool.map(lambda case: score(case, repository, options.oracle), found))
    for each in scores:
        why = each.why if options.verbose else each.why[-1:] if each.state == "failed" else each.why[:1]
        print(f"{each.state:9}  {each.case.name}" + "".join(f"\n             {line}" for line in why))
    if options.json:
        options.json.write_text(json.dumps({each.case.name: each.state for each in scores}, indent=1))
    print()
    for title, inside in (("pipelines", False), ("kfp-kubernetes", True)):
        part = [each for each in scores if each.case.name.startswith("kubernetes/") is inside]
        counts = [
            f"{sum(each.state == state for each in part)} {state}"
            for state in ("equal", "different", "failed")
        ]
        print(f"{title}: {', '.join(counts)} of {len(part)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
