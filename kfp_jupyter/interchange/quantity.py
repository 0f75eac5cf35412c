"""Kubernetes quantities as the numbers that KFP's older fields hold."""

from __future__ import annotations

_BYTES: dict[str, int] = {
    "": 1,
    **{unit: 1000**power for power, unit in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    **{f"{unit}i": 1024**power for power, unit in enumerate(("K", "M", "G", "T", "P", "E"), 1)},
    "K": 1000,
}


def cores(text: str) -> float:
    """Return a CPU quantity (`500m`) in cores."""
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)


def gigabytes(text: str) -> float:
    """Return a memory quantity (`4Gi`) in gigabytes of 1000³ bytes."""
    number = text.rstrip("EPTGMKik")
    return float(number) * _BYTES[text[len(number) :]] / 1000**3
