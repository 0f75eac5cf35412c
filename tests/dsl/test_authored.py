"""Pipelines for KFP compile here, unedited, to the documents that KFP's own compiler writes.

`goldens/` was compiled by kfp 2.17.0 from `authored/` (see `make_goldens.py`); what is compared is said
there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kfp_jupyter import compat
from kfp_jupyter.compiler import Compiler
from tests.dsl.make_goldens import compared, expanded
from tests.modules import loaded

HERE = Path(__file__).parent
GOLDENS = {
    f"{file.stem}/{name}": documents
    for file in sorted((HERE / "goldens").glob("*.json"))
    for name, documents in json.loads(file.read_text(encoding="utf-8")).items()
}

RENAMED = ("nesting/once", "nesting/three-levels", "nesting/four-levels", "nesting/with-groups")
"""Where KFP's names of components and executors follow from the order of a hash map."""


@pytest.fixture(scope="module")
def pipelines() -> Iterator[dict[str, Any]]:
    """The pipelines and components by file and name, made with `kfp` meaning this package."""
    compat.install()
    made = {}
    for file in sorted((HERE / "authored").glob("*.py")):
        module = loaded(file, f"authored_{file.stem}")
        made.update({f"{file.stem}/{held.name}": held for held in module.PIPELINES})
    yield made
    compat.uninstall()


@pytest.mark.parametrize("name", GOLDENS)
def test_it_compiles_to_what_kfp_writes(name: str, pipelines: dict[str, Any], tmp_path: Path) -> None:
    target = tmp_path / "p.yaml"
    Compiler().compile(pipelines[name], target, runtime="kfp")
    ours = compared(target.read_text(encoding="utf-8"))
    assert expanded(ours) == expanded(GOLDENS[name])
    if not name.startswith(RENAMED):
        assert ours == GOLDENS[name]


def test_every_authored_pipeline_has_a_golden(pipelines: dict[str, Any]) -> None:
    assert set(pipelines) == set(GOLDENS)
    assert len(GOLDENS) >= 60
