"""The words of a container's command as KFP means them: placeholders, `Concat` and `IfPresent` are gone.

What is not there is the text `null` where a word needs it, and makes `IfPresent` take its other branch.
Reference: https://www.kubeflow.org/docs/components/pipelines/user-guides/components/container-components/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kfp_jupyter.engines.local.exchange import Given, places
from kfp_jupyter.engines.local.placeholder import PlaceholderError, replaced
from kfp_jupyter.model.component import Component
from kfp_jupyter.model.types import ArtifactType, Json

_STRUCT = re.compile(r'\s*\{\s*"(Concat|IfPresent)"\s*:')


class _Metadata(dict[str, Json]):
    """Metadata in which every key is: without a value it is None."""

    def __contains__(self, _key: object) -> bool:
        return True

    def __missing__(self, _key: str) -> Json:
        return None


class Command:
    """Fills in the words of one attempt.

    Args:
        component: The component.
        given: What the task gets.
        executor_input: The attempt's ExecutorInput.
        facts: What the placeholders of the run and the task stand for.
    """

    def __init__(
        self, component: Component, given: Given, executor_input: Json, facts: Mapping[str, Json]
    ) -> None:
        values = executor_input["inputs"]["parameterValues"]
        made = places(executor_input)
        for artifact in made["outputs"]["artifacts"].values():
            artifact["metadata"] = _Metadata(artifact["metadata"])
        wanted = [spec.name for spec in component.inputs if not isinstance(spec.type, ArtifactType)]
        self._names: dict[str, Json] = {
            **facts,
            **made,
            "inputs": {
                "parameters": {**dict.fromkeys(wanted), **given.others, **values},
                "artifacts": dict(_artifacts(component, given)),
            },
        }
        self._present = {
            *(name for name, value in values.items() if value is not None),
            *(name for name, listed in given.artifacts.items() if listed),
        }

    def text(self, text: str) -> str:
        """Return a text with its placeholders replaced.

        Raises:
            PlaceholderError: One stands for nothing.
        """
        return str(replaced(text, self._names))

    def words(self, words: Iterable[str]) -> tuple[str, ...]:
        """Return the words as the command gets them; one may have become none or several.

        Raises:
            PlaceholderError: A placeholder stands for nothing, or a word cannot be read.
        """
        return tuple(self.text(part) for word in words for part in self._parts(word))

    def _parts(self, word: str) -> Iterator[str]:
        if not _STRUCT.match(word):
            yield word
            return
        try:
            struct = json.loads(word)
        except ValueError:
            # Somebody's own JSON that only begins so.
            yield word
            return
        yield from self._of(struct)

    def _of(self, part: Any) -> Iterator[str]:
        if isinstance(part, str):
            yield part
        elif isinstance(part, list):
            for held in part:
                yield from self._of(held)
        elif isinstance(part, dict) and "Concat" in part:
            yield "".join(text for held in part["Concat"] for text in self._of(held))
        elif isinstance(part, dict) and "IfPresent" in part:
            asked = part["IfPresent"]
            yield from self._of(asked.get("Then" if asked["InputName"] in self._present else "Else"))
        elif part is not None:
            raise PlaceholderError(f"{json.dumps(part)} is no word of a command")


def _artifacts(component: Component, given: Given) -> Iterator[tuple[str, Json]]:
    for spec in component.inputs:
        if not isinstance(spec.type, ArtifactType):
            continue
        listed = given.artifacts.get(spec.name) or []
        if spec.type.is_list:
            yield spec.name, listed
        else:
            held = listed[0] if listed else {}
            path = held.get("customPath") or held.get("uri")
            metadata = _Metadata(held.get("metadata") or {})
            yield spec.name, {**held, "uri": held.get("uri"), "path": path, "metadata": metadata}
