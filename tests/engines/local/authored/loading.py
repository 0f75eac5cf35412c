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

from kfp_jupyter import compat
from kfp_jupyter.model.component import PythonStep
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.types import Json
from tests.engines.local.authored.bodies import BODIES

AUTHORED = Path(__file__).parents[3] / "dsl" / "authored"
ARGUMENTS = {"names": ["a", "b"], "table": [{"first": "x", "second": "y", "a": "1", "b": "2"}], "text": "t"}


@contextmanager
def authored() -> Iterator[dict[str, list[Pipeline]]]:
    """Give the pipelines by file, made with `kfp` meaning this package as long as it lasts."""
    compat.install()
    made = {}
    for file in sorted(AUTHORED.glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"run_{file.stem}", file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
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


def prepare(data: Path) -> None:
    """Put the secrets, config maps and volumes that some of them ask for into a folder of data."""
    for folder in ("secrets", "config-maps"):
        (data / folder).mkdir(parents=True)
        for name in ("a", "b", "s", "written", "one", "two"):
            held: Any = json.dumps({"a": "1", "password": "p", "user": "u"})
            (data / folder / f"{name}.json").write_text(held)
            (data / "volumes" / name).mkdir(parents=True, exist_ok=True)


def _runnable(pipeline: Pipeline) -> Pipeline:
    components = {
        key: replace(component, implementation=BODIES[component.name].model.implementation)
        if component.name in BODIES and isinstance(component.implementation, PythonStep)
        else component
        for key, component in pipeline.components.items()
    }
    return replace(pipeline, components=components)
