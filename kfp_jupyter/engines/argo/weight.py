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


class PodWeight:
    """The bytes of a template in its pod; it is looked through once for all of its tasks.

    Args:
        template: The template, with Argo's variables in it.
        workflow: What the Workflow's parameters weigh, by name; see `weight`.
    """

    def __init__(self, template: Mapping[str, Any], workflow: Mapping[str, int]) -> None:
        self._text = json.dumps(template)
        self._inputs = {item["name"] for item in template.get("inputs", {}).get("parameters", [])}
        self._times: dict[str, int] = {}
        self._empty = _weight(self._text) + sum(
            each * self._mentions(f"workflow.parameters.{name}") for name, each in workflow.items()
        )

    def of(self, inputs: Mapping[str, str]) -> int:
        """Return the bytes with these values of its input parameters, by name."""
        total = self._empty
        for name, value in inputs.items():
            if name not in self._times:
                # An input's value stands there once more, beside its name.
                self._times[name] = self._mentions(f"inputs.parameters.{name}") + (name in self._inputs)
            total += weight(value) * self._times[name]
        return total

    def _mentions(self, variable: str) -> int:
        _, _, name = variable.rpartition(".")
        return self._text.count(f"{{{{{variable}}}}}") + self._text.count(f"parameters['{name}']")


def weight(value: str) -> int:
    """Return the bytes that a parameter's value takes where it stands in a template."""
    return _weight(json.dumps(value))


def _weight(text: str) -> int:
    # Go writes these three as `\\u003c` and the like.
    return len(text) + 5 * sum(text.count(char) for char in "<>&")
