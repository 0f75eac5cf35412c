"""YAML as KFP's files are written, with texts of several lines as blocks so that sources stay readable.

A KFP server and Kubernetes read YAML with a library of Go's, which takes more plain texts for numbers and
truth values than Python's does (`1e-05`, `0o17`, `y`). A text that any reader could mistake is quoted.
"""

from __future__ import annotations

import re
from typing import Any

from kfp_jupyter.model.types import Json

_MISTAKEN = re.compile(r"[yYnN]|[-+]?\.?[0-9][0-9a-fA-FoOxX_.+-]*")


def text_style(value: str) -> str | None:
    """Return the style in which a text is safe from every reader of YAML; None lets the library choose."""
    if "\n" in value:
        return "|"
    return "'" if _MISTAKEN.fullmatch(value) else None


def dump(documents: list[Json]) -> str:
    """Return the documents as YAML with sorted keys, by libyaml if it is there."""
    import yaml

    text: str = yaml.dump_all(
        documents, Dumper=_dumper(yaml), sort_keys=True, allow_unicode=True, width=1_000_000
    )
    return text


def _dumper(yaml: Any) -> Any:
    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
        """Writes texts of several lines as blocks, and every value where it stands: no anchors."""

        def ignore_aliases(self, _: Any) -> bool:
            return True

    def text(dumper: Any, value: str) -> Any:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=text_style(value))

    Dumper.add_representer(str, text)
    return Dumper
