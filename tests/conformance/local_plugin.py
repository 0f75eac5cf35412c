"""A plugin of pytest for KFP's own tests: `kfp` means this package, and how each test ended is written down.

pytest -p tests.conformance.local_plugin --states FILE …
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kfp_jupyter import compat

compat.install()

_states: dict[str, list[str]] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--states", type=Path, help="write the tests' ends to this file: {name: [state, why]}")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the first thing that did not pass; a test that did is told by its call."""
    why = report.longreprtext.strip().splitlines()[-1:] if report.failed else []
    if report.when == "call" or not report.passed:
        _states.setdefault(report.nodeid.partition("::")[2], [report.outcome, *why])


def pytest_sessionfinish(session: pytest.Session) -> None:
    states = session.config.getoption("--states")
    if states is not None:
        states.write_text(json.dumps(_states), encoding="utf-8")
