"""Quantities are checked where they are written."""

from __future__ import annotations

import pytest

from kfp_jupyter.cells import quantity


@pytest.mark.parametrize("text", ["1", "0.5", ".5", "250m"])
def test_cpu(text: str) -> None:
    assert quantity.cpu(text) == text


@pytest.mark.parametrize("text", ["512Mi", "4Gi", "1000000000", "1.5G", "64K", "2E"])
def test_memory(text: str) -> None:
    assert quantity.memory(text) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), (90, 90), ("30m", 1800), ("1.5h", 5400), ("2 days", 172800), ("1 hour", 3600)],
)
def test_durations(text: str, seconds: float) -> None:
    assert quantity.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "2 cores", "-1", "1Gi", "m"])
def test_what_is_no_cpu(text: str) -> None:
    with pytest.raises(ValueError, match="no amount of CPU"):
        quantity.cpu(text)


@pytest.mark.parametrize("text", ["", "4 Gi", "4GB", "-1", "lots"])
def test_what_is_no_memory(text: str) -> None:
    with pytest.raises(ValueError, match="no amount of memory"):
        quantity.memory(text)


@pytest.mark.parametrize("text", ["", "soon", "-3", "5 years"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        quantity.seconds(text)


@pytest.mark.parametrize("count", ["", "-1", "1.5", True, 2.5])
def test_what_is_no_count(count: object) -> None:
    with pytest.raises(ValueError, match="not a count"):
        quantity.count(count)  # type: ignore[arg-type]
