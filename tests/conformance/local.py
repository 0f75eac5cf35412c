"""`python -m tests.conformance.local REPOSITORY`: which of KFP's own tests of local runs pass here.

KFP's test file and the pipelines that it imports are run unedited, by pytest, with the alias on, in a folder
without the documents that KFP compiled of them, and with data and environments of their own. Tests that need
Docker pull images; they are counted as not run unless `--docker` asks for them.
"""
# ruff: noqa: T201 - a program that prints its result

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = Path("sdk/python/test/local_execution/local_execution_test.py")
PIPELINES = Path("test_data/sdk_compiled_pipelines/valid")
DOCKER = "TestDockerRunner"
"""The class of the tests that need Docker."""

SECONDS = 1800


def lay_out(repository: Path, folder: Path) -> Path:
    """Copy what the tests need into a folder, and return the test file there."""
    for source in sorted((repository / PIPELINES).rglob("*")):
        target = folder / PIPELINES / source.relative_to(repository / PIPELINES)
        if source.suffix in (".py", ".ipynb"):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    shutil.copyfile(repository / TESTS, folder / TESTS.name)
    return folder / TESTS.name


def states(repository: Path, chosen: list[str]) -> dict[str, list[str]]:
    """Run the tests and return how each ended, and why.

    Args:
        repository: A checkout of kubeflow/pipelines.
        chosen: Further arguments for pytest.

    Raises:
        RuntimeError: They could not be run at all.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "suite")
        folder.mkdir()
        file, told = lay_out(repository, folder), Path(place, "states.json")
        environment = {name: value for name, value in os.environ.items() if name != "KFP_PACKAGE_PATH"}
        environment |= {
            "KFP_JUPYTER_DATA": str(Path(place, "data")),
            "PYTHONDONTWRITEBYTECODE": "1",
            # Where the pipelines are modules, and where this package is.
            "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
        }
        options = [
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "tests.conformance.local_plugin",
            "--states",
            str(told),
        ]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *chosen, file.name],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if not told.exists() or done.returncode > 1:
            raise RuntimeError(f"pytest could not run the suite:\n{done.stdout}\n{done.stderr}")
        return dict(json.loads(told.read_text(encoding="utf-8")))


def main() -> int:
    """Score the suite; the exit code is 1 if a test failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.local", description=__doc__)
    parser.add_argument("repository", type=Path, help="a checkout of kubeflow/pipelines")
    parser.add_argument("--only", default="", help="only tests whose names fit, as for pytest's -k")
    parser.add_argument("--docker", action="store_true", help="run those too that need docker or podman")
    options = parser.parse_args()
    repository = options.repository.resolve()
    if not (repository / TESTS).exists():
        parser.error(f"{repository} has no {TESTS}; give a checkout of kubeflow/pipelines.")
    terms = [options.only] if options.only else []
    if not options.docker:
        terms.append(f"not {DOCKER}")
    found = states(repository, ["-k", " and ".join(f"({term})" for term in terms)] if terms else [])
    for name, (state, *why) in found.items():
        print(f"{state:9}  {name}" + "".join(f"\n           {line}" for line in why))
    print()
    counts = [f"{sum(held[0] == state for held in found.values())} {state}" for state in ("passed", "failed")]
    print(f"local execution: {', '.join(counts)} of {len(found)}")
    if not options.docker:
        print(f"{DOCKER}: not run; --docker runs it too")
    return int(any(held[0] == "failed" for held in found.values()))


if __name__ == "__main__":
    sys.exit(main())
