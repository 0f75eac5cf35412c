"""Whatever is broken in a document, it is read or refused; no other exception comes out."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest

from kfp_jupyter.interchange.errors import DocumentError
from kfp_jupyter.interchange.read import read_documents
from kfp_jupyter.interchange.write import to_yaml
from tests.interchange.test_read import FILES, parsed

JUNK = [None, True, 0, 2.5, float("nan"), float("inf"), 10**400, "", "x", "{{$}}", [], {}, [{}], {"a": {}}]


def spots(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, (dict, list)):
        for key, held in value.items() if isinstance(value, dict) else enumerate(value):
            yield value, key
            yield from spots(held)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_broken_in_a_document_it_is_read_or_refused(seed: int) -> None:
    chance = random.Random(seed)
    whole = [parsed(file) for file in FILES]
    read_count = 0
    for _ in range(150):
        held = copy.deepcopy(chance.choice(whole))
        for _ in range(chance.choice([1, 1, 2])):
            left = list(spots(held))
            if not left:
                break
            owner, key = chance.choice(left)
            if chance.random() < 0.4:
                del owner[key]
            else:
                owner[key] = chance.choice(JUNK)
        try:
            reading = read_documents(*(held or [None])[:2])
        except DocumentError as error:
            assert error.where  # noqa: PT017 - either outcome is right, no other
            continue
        read_count += 1
        to_yaml(reading.pipeline)
    assert read_count
