"""YAML as KFP's files are written, with texts of several lines as blocks so that sources stay readable."""

from __future__ import annotations

from typing import Any

from kfp_jupyter.model.types import Json


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
        style = "|" if "\n" in value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    return Dumper
