"""`check`: everything that is wrong with a file's components and pipelines, at once and without running them.

The exit code is 0 if nothing is wrong, 2 if there are errors, and with `--strict` 1 if there are only
warnings.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path

from kfp_jupyter.cells.finding import ERROR, WARNING, Finding, found_in, ordered
from kfp_jupyter.errors import KfpJupyterError

FINE, WARNED, WRONG = 0, 1, 2


def check(options: Namespace) -> int:
    """Check the components and pipelines of a file, without running it."""
    findings, count = checked(options.file)
    if options.json:
        sys.stdout.write(json.dumps([held.data() for held in findings], indent=2, ensure_ascii=False) + "\n")
    else:
        for held in findings:
            remedy = f" {held.remedy}" if held.remedy else ""
            sys.stdout.write(f"{held.where}: {held.severity}: {held.what}{remedy} [{held.code}]\n")
        sys.stdout.write(f"{_counted(findings, count)}\n")
    errors = any(held.severity == ERROR for held in findings)
    return WRONG if errors else WARNED if findings and options.strict else FINE


def checked(path: Path) -> tuple[tuple[Finding, ...], int]:
    """Return what is wrong in a notebook or a program, errors first, and how much there was to look at.

    A notebook is only read: its components and pipelines are made as if its cells had run. A program is
    imported, and its first error ends that.

    Raises:
        SourceError: The file is neither, or not there.
    """
    from kfp_jupyter.dsl import BaseComponent, PipelineFunction, PythonComponent
    from kfp_jupyter.notebook.source import find_components

    failed: list[KfpJupyterError] = []
    made = find_components(path, failed.append)
    findings = [held for error in failed for held in found_in(error, str(path))]
    for component in made:
        if isinstance(component, (PythonComponent, PipelineFunction)):
            findings.extend(component.findings)
    count = sum(isinstance(held, (BaseComponent, PipelineFunction)) for held in made)
    return ordered(findings), count


def _counted(findings: tuple[Finding, ...], looked_at: int) -> str:
    if not findings and not looked_at:
        return "There is no component and no pipeline in it."
    counts = {kind: sum(held.severity == kind for held in findings) for kind in (ERROR, WARNING)}
    told = [f"{count} {kind}{'s' * (count != 1)}" for kind, count in counts.items() if count]
    return ", ".join(told) if told else "Nothing is wrong."
