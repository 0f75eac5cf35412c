"""What we write, KFP reads and runs: its own runner gives the outputs that our engine gives.

The documents are those written by default: our executor stands in the commands, and nothing is installed.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.rivals import existing_kfp
from kfp_jupyter import compat
from kfp_jupyter.compiler import Compiler
from kfp_jupyter.workbench import Workbench

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def runs() -> Iterator[list[tuple[Any, dict[str, Any]]]]:
    compat.install()
    spec = importlib.util.spec_from_file_location("kfp_local_pipelines", HERE / "pipelines.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module.RUNS
    compat.uninstall()


def told(value: Any) -> Any:
    """Return an output of our run as `run_with_kfp.py` tells one of KFP's."""
    if not hasattr(value, "uri"):
        return value
    path = Path(value.path)
    text = path.read_text(encoding="utf-8") if path.is_file() else None
    return {"type": value.type, "metadata": dict(value.metadata), "text": text}


def test_kfp_runs_what_we_write_and_gives_what_our_engine_gives(
    runs: list[tuple[Any, dict[str, Any]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(tmp_path / "data"))
    asked = []
    for number, (pipeline, arguments) in enumerate(runs):
        file = tmp_path / f"{number}.yaml"
        Compiler().compile(pipeline, file)
        assert "pip install" not in file.read_text(encoding="utf-8")
        asked.append({"file": str(file), "arguments": arguments, "root": str(tmp_path / f"root-{number}")})
    theirs = subprocess.run(
        [existing_kfp(), HERE / "run_with_kfp.py"],
        input="".join(json.dumps(each) + "\n" for each in asked),
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        text=True,
        check=True,
    )
    answers = [json.loads(line) for line in theirs.stdout.splitlines()]
    expected = []
    bench = Workbench()
    try:
        for run in [bench.run(pipeline.model, arguments) for pipeline, arguments in runs]:
            run.wait(300, raise_on_failure=True)
            expected.append({"outputs": {name: told(value) for name, value in run.outputs.items()}})
    finally:
        bench.close()
    assert all(each["outputs"] for each in expected)
    names = [f"{number}: {pipeline.name}" for number, (pipeline, _) in enumerate(runs)]
    assert dict(zip(names, answers, strict=True)) == dict(zip(names, expected, strict=True))
    assert len({pipeline.name for pipeline, _ in runs}) >= 15
