"""When two compiled documents are equal, by the rules of KFP's own tests, and stricter where those are lax.

Those tests leave out the SDK's version, the pipeline's name, images and commands, and look only at what the
expected document has; here also what only the other one has is a difference.
Rules: `sdk/python/test/test_utils/comparison_utils.py` of kubeflow/pipelines.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

IGNORED = frozenset({"sdkVersion", "image", "command"})
"""Keys whose values are not compared, wherever they stand in objects."""

IGNORED_PATHS = frozenset({"pipeline.pipelineInfo.name"})
"""What is not compared there; KFP's tests compile under names of their own."""


def documents(path: Path) -> dict[str, Any]:
    """Return the documents of a YAML or JSON file: `pipeline`, and `platform` if there is one."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with path.open(encoding="utf-8") as file:
        held = [document for document in yaml.load_all(file, loader) if document]
    return {"pipeline" if "pipelineInfo" in document else "platform": document for document in held}


def differences(expected: Any, given: Any, path: str = "") -> Iterator[str]:
    """Yield each difference as `path: expected …, got …`."""
    if isinstance(expected, dict) and isinstance(given, dict):
        for key in sorted({*expected, *given} - IGNORED):
            inner = f"{path}.{key}" if path else str(key)
            if inner in IGNORED_PATHS:
                continue
            if key not in given:
                yield f"{inner}: expected {_short(expected[key])}, got nothing"
            elif key not in expected:
                yield f"{inner}: expected nothing, got {_short(given[key])}"
            else:
                yield from differences(expected[key], given[key], inner)
    elif expected != given or isinstance(expected, bool) is not isinstance(given, bool):
        yield f"{path}: expected {_short(expected)}, got {_short(given)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:197] + "..."
