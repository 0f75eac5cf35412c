"""Kubernetes quantities, counts and durations as users write them, checked where they are written.

Spec: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re

# Compiled by `re` when first used, because imports must be quick.
_CPU = r"([0-9]*\.)?[0-9]+m?"
_MEMORY = r"([0-9]*\.)?[0-9]+(E|Ei|P|Pi|T|Ti|G|Gi|M|Mi|K|k|Ki)?"
_DURATION = r"(?i)([0-9]+(?:\.[0-9]+)?) ?(s|m|h|d|w|secs?|seconds?|mins?|minutes?|hours?|days?|weeks?)?"
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def cpu(text: str) -> str:
    """Return a CPU quantity: cores, or thousandths with `m` (`0.5`, `500m`).

    Raises:
        ValueError: It is none.
    """
    if not re.fullmatch(_CPU, text):
        raise ValueError(
            f"{text!r} is no amount of CPU; write cores or thousandths of one, as in 2, 0.5 or 500m"
        )
    return text


def memory(text: str) -> str:
    """Return a memory quantity: bytes, or with a unit (`512Mi`, `4Gi`, `2G`).

    Raises:
        ValueError: It is none.
    """
    if not re.fullmatch(_MEMORY, text):
        raise ValueError(f"{text!r} is no amount of memory; write bytes or a unit, as in 512Mi, 4Gi or 2G")
    return text


def count(text: str | int) -> str:
    """Return a number of devices or retries: 0 or more.

    Raises:
        ValueError: It is none.
    """
    if isinstance(text, bool) or not re.fullmatch(r"[0-9]+", str(text)):
        raise ValueError(f"{text!r} is not a count; write 0, 1, 2, …")
    return str(text)


def factor(value: float) -> float:
    """Return a factor: a number, 0 or more.

    Raises:
        ValueError: It is none.
    """
    if isinstance(value, bool) or not 0 <= float(value) < float("inf"):
        raise ValueError(f"{value!r} is no factor; write a number such as 2.0")
    return float(value)


def seconds(text: str | float) -> float:
    """Return a duration in seconds: a number of them, or with a unit (`90`, `30m`, `1.5h`, `2 days`).

    Raises:
        ValueError: It is none.
    """
    match = re.fullmatch(_DURATION, str(text).strip())
    if not match:
        raise ValueError(f"{text!r} is no duration; write seconds or a unit, as in 90, 90s, 30m or 2h")
    return float(match[1]) * _SECONDS[(match[2] or "s")[0].lower()]
