"""The cases of KFP's own suite: a Python file, the object in it, and the document that KFP made of it.

`lay_out` copies what a case needs to compile into a folder of its own, in which its golden is not.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

COMPILED = Path("test_data/sdk_compiled_pipelines")
SNAPSHOTS = Path("kubernetes_platform/python/test/snapshot/data")
PINS = Path(__file__).with_name("pins.txt")
READS = {
    "essential/pipeline_with_reused_component": "critical/add_numbers.yaml",
    "critical/notebook_component_mixed": "critical/notebooks/*.ipynb",
    "critical/notebook_component_simple": "critical/notebooks/*.ipynb",
    "parallel_and_nested/pipeline_in_pipeline_loaded_from_yaml": "essential/pipeline_with_outputs.yaml",
}
"""What a file reads when it is imported."""
# Two files of the suite ask this module where the suite is.
SUPPORT = Path("sdk/python/test/test_utils/file_utils.py")


@dataclass(frozen=True)
class Case:
    """One file to compile.

    Attributes:
        name: Its name in the table.
        source: The Python file, relative to the repository.
        golden: The expected document, relative to the repository.
        object: The name of the pipeline or component in it.
        reads: Patterns of further files that it reads, relative to the repository.
        parameters: Pipeline parameters for the compiler, as JSON text.
    """

    name: str
    source: Path
    golden: Path
    object: str
    reads: tuple[Path, ...] = ()
    parameters: str = "{}"


def cases(repository: Path) -> list[Case]:
    """Return the cases that a checkout of kubeflow/pipelines has, in a fixed order."""
    return [case for case in [*_pipelines(), *_kubernetes(repository)] if (repository / case.golden).exists()]


def _pipelines() -> Iterator[Case]:
    valid = COMPILED / "valid"
    for line in PINS.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        words, brace, parameters = line.partition("{")
        name, held, *golden = words.split()
        reads = (valid / READS[name],) if name in READS else ()
        target = valid / (golden or [f"{name}.yaml"])[0]
        yield Case(name, valid / f"{name}.py", target, held, reads, brace + parameters or "{}")
    own = COMPILED / "argo_compatibility" / "fast_artifact"
    golden_file = own.with_suffix(".yaml")
    yield Case("argo_compatibility", own.with_suffix(".py"), golden_file, "argo_compatibility_artifact")


def _kubernetes(repository: Path) -> Iterator[Case]:
    for source in sorted((repository / SNAPSHOTS).glob("*.py")):
        own = SNAPSHOTS / source.name
        yield Case(f"kubernetes/{source.stem}", own, own.with_suffix(".yaml"), "my_pipeline")


def lay_out(case: Case, repository: Path, folder: Path) -> Path:
    """Copy what a case needs into a folder, as it lies in the repository.

    Returns:
        The Python file there.
    """
    needed = [case.source, SUPPORT]
    needed += [held.relative_to(repository) for pattern in case.reads for held in _found(repository, pattern)]
    for path in needed:
        if path == case.golden:
            raise ValueError(f"{case.name} would read its own golden")
        if (repository / path).exists():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(repository / path, folder / path)
    return folder / case.source


def _found(repository: Path, pattern: Path) -> list[Path]:
    return sorted((repository / pattern.parent).glob(pattern.name))
