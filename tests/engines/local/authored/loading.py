"""The pipelines of `tests/dsl/authored` as this package has them, ready to be run."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kfp_jupyter import compat
from kfp_jupyter.model.component import PythonStep
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.types import Json
from tests.engines.local import stores
from tests.engines.local.authored.bodies import BODIES
from tests.modules import loaded

AUTHORED = Path(__file__).parents[3] / "dsl" / "authored"
ARGUMENTS = {"names": ["a", "b"], "table": [{"first": "x", "second": "y", "a": "1", "b": "2"}], "text": "t"}


@contextmanager
def authored() -> Iterator[dict[str, list[Pipeline]]]:
    """Give the pipelines by file, made with `kfp` meaning this package as long as it lasts."""
    compat.install()
    made = {}
    for file in sorted(AUTHORED.glob("*.py")):
        module = loaded(file, f"run_{file.stem}")
        models = [getattr(held, "model", None) for held in module.PIPELINES]
        made[file.stem] = [_runnable(model) for model in models if isinstance(model, Pipeline)]
    yield made
    compat.uninstall()


def arguments(pipeline: Pipeline) -> dict[str, Json]:
    """Return what a pipeline is run with; what has a default has that."""
    return {
        spec.name: ARGUMENTS[spec.name]
        for spec in pipeline.inputs
        if spec.name in ARGUMENTS and not spec.optional
    }


def prepare(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a folder the working directory, with all that some of them ask for: files, secrets, volumes, a store."""
    data = folder / "data"
    monkeypatch.chdir(folder)
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(data))
    for name in ("a", "b"):
        (folder / name).write_text(name)
    for kind in ("secrets", "config-maps"):
        (data / kind).mkdir(parents=True)
        for name in ("a", "b", "s", "written", "one", "two"):
            held: Any = json.dumps({"a": "1", "password": "p", "user": "u"})
            (data / kind / f"{name}.json").write_text(held)
    for name in ("written", "mine", "one", "a"):
        (data / "volumes" / name).mkdir(parents=True)
    # Where importers find what they bring.
    (folder / "store" / "b").mkdir(parents=True)
    for name in ("x", "y"):
        (folder / "store" / "b" / name).write_text(name)
    monkeypatch.setenv("STORE", str(folder / "store"))
    stores.install("s3fs", folder / "libraries", monkeypatch)


def _runnable(pipeline: Pipeline) -> Pipeline:
    components = {
        key: replace(component, implementation=BODIES[component.name].model.implementation)
        if component.name in BODIES and isinstance(component.implementation, PythonStep)
        else component
        for key, component in pipeline.components.items()
    }
    return replace(pipeline, components=components)
