"""How much of a task its pod has to carry.

Argo hands a pod its template, everything filled in, in one variable of its environment, which Linux limits to
128 KiB. What is larger it would put into a ConfigMap, which its own role does not let it make.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

POD_LIMIT = 128_000
"""Bytes that a filled-in template may take; what the cluster adds on the places of artifacts has the rest."""


def pod_weight(template: Mapping[str, Any], values: Mapping[str, str]) -> int:
    """Return the bytes of a template in its pod.

    Args:
        template: The template, with Argo's variables in it.
        values: What is known of them, by name: `inputs.parameters.rows`. An input's value stands there once
            more, beside its name.
    """
    text = json.dumps(template)
    given = {item["name"] for item in template.get("inputs", {}).get("parameters", [])}
    weight = _weight(text)
    for name, value in values.items():
        _, _, last = name.rpartition(".")
        times = text.count(f"{{{{{name}}}}}") + text.count(f"parameters['{last}']")
        weight += _weight(json.dumps(value)) * (times + (name.startswith("inputs.") and last in given))
    return weight


def _weight(text: str) -> int:
    # Go writes these three as `\\u003c` and the like.
    return len(text) + 5 * sum(text.count(char) for char in "<>&")
