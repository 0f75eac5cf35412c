"""Compile the pipelines in `authored/` with KFP's own SDK into `goldens/`.

Usage: python tests/dsl/make_goldens.py, with a Python that has kfp and kfp-kubernetes 2.17 installed. What
is not compared is left out: the SDK's version, images and commands.
"""

from __future__ import annotations

import json
import runpy
import tempfile
import warnings
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def main() -> None:
    import kfp
    from kfp import compiler

    assert kfp.__version__ == "2.17.0", f"goldens are made with kfp 2.17.0, not {kfp.__version__}"
    warnings.simplefilter("ignore")
    (HERE / "goldens").mkdir(exist_ok=True)
    for file in sorted((HERE / "authored").glob("*.py")):
        made = {}
        for pipeline in runpy.run_path(str(file))["PIPELINES"]:
            with tempfile.TemporaryDirectory() as folder:
                target = Path(folder, "p.yaml")
                compiler.Compiler().compile(pipeline, str(target))
                made[pipeline.name] = compared(target.read_text(encoding="utf-8"))
        text = json.dumps(made, indent=1, sort_keys=True) + "\n"
        (HERE / "goldens" / f"{file.stem}.json").write_text(text, encoding="utf-8")


def compared(text: str) -> list[Any]:
    """Return what is compared of a compiled file: its documents without what is left out."""
    import yaml

    documents = list(yaml.safe_load_all(text))
    del documents[0]["sdkVersion"]
    for executor in documents[0]["deploymentSpec"]["executors"].values():
        for ignored in ("image", "command"):
            executor.get("container", {}).pop(ignored, None)
    return documents


def expanded(documents: list[Any]) -> Any:
    """Return compiled documents with what is referred to in the places of references.

    When KFP's compiler puts a pipeline into another, it numbers components in the order of a hash map, and
    may rename an executor's label twice; the names differ then, and here only names are not compared.
    """
    spec = documents[0]
    platform = documents[1]["platforms"]["kubernetes"] if len(documents) > 1 else {}
    settings = platform.get("deploymentSpec", {}).get("executors", {})

    def component(held: Any) -> Any:
        made = {key: value for key, value in held.items() if key not in ("dag", "executorLabel")}
        label = held.get("executorLabel")
        if label:
            made["executor"] = spec["deploymentSpec"]["executors"][label], settings.get(label)
        if "dag" in held:
            made["dag"] = {**held["dag"], "tasks": {}}
            for name, task in held["dag"]["tasks"].items():
                inner = component(spec["components"][task["componentRef"]["name"]])
                made["dag"]["tasks"][name] = {**task, "componentRef": inner}
        return made

    rest = {key: held for key, held in spec.items() if key not in ("components", "deploymentSpec", "root")}
    return {**rest, "root": component(spec["root"]), "config": platform.get("pipelineConfig")}


if __name__ == "__main__":
    main()
