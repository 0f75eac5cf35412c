"""YAML as Kubernetes and KFP's server read it: Go takes more plain scalars for numbers and truth values.

The rules are those of `resolve` in go-yaml (v2), on which `sigs.k8s.io/yaml` stands.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|0[bB][01_]+|[0-9][0-9_]*)\Z")


class _Loader(yaml.SafeLoader):
    """Reads plain scalars by Go's rules on top of Python's."""


class NotText:
    """What a plain scalar became that only Go takes for a number or a truth value."""

    def __init__(self, written: str) -> None:
        self.written = written

    def __repr__(self) -> str:
        return f"NotText({self.written!r})"


_Loader.add_implicit_resolver("!go", _FLOAT, list("-+.0123456789"))  # type: ignore[no-untyped-call]
_Loader.add_implicit_resolver("!go", _INTEGER, list("-+0123456789"))  # type: ignore[no-untyped-call]
_Loader.add_implicit_resolver("!go", re.compile(r"[yYnN]\Z"), list("yYnN"))  # type: ignore[no-untyped-call]
_Loader.add_constructor("!go", lambda _, node: NotText(node.value))


def read_yaml(text: str) -> Any:
    """Return the document, with a `NotText` where Python alone would see a text."""
    return yaml.load(text, _Loader)
