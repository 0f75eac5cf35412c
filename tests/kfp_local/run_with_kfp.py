"""Runs compiled pipelines with the KFP SDK of its own environment, on this machine and without Docker.

A JSON object a line comes in, with the `file`, its `arguments` and a folder for its artifacts, `root`. One
goes out, with the `outputs` (an artifact as its type, metadata and the text of its file) or what `failed`. It
is a program by itself, so that an environment with only KFP can run it.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any


def main() -> None:
    """Answer until there is no more to answer."""
    answers = os.fdopen(os.dup(1), "w")
    # What the steps print is no answer.
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    from kfp import components, local

    for line in sys.stdin:
        asked = json.loads(line)
        local.init(local.SubprocessRunner(use_venv=False), pipeline_root=asked["root"])
        answer: dict[str, Any] = {}
        try:
            task = components.load_component_from_file(asked["file"])(**asked["arguments"])
            answer["outputs"] = {name: told(value) for name, value in task.outputs.items()}
        except Exception as error:  # noqa: BLE001 - whatever the SDK fails with is the answer
            answer["failed"] = f"{type(error).__name__}: {error}"
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def told(value: Any) -> Any:
    """Return an output as JSON."""
    if isinstance(value, list) and any(hasattr(held, "schema_title") for held in value):
        return [told(held) for held in value]
    if not hasattr(value, "schema_title"):
        return value
    path = Path(value.path)
    text = path.read_text(encoding="utf-8") if path.is_file() else None
    return {"type": value.schema_title, "metadata": value.metadata, "text": text}


if __name__ == "__main__":
    main()
