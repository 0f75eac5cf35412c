"""Argo's messages about tasks that failed for other reasons than their own program, as reasons for people."""

from __future__ import annotations

import re

_REASONS = (
    ("active on the node longer", "Timeout"),
    ("exceeded its deadline", "Timeout"),
    ("OOMKilled", "OutOfMemory"),
    ("evicted", "Evicted"),
    ("pod deleted", "PodDeleted"),
)
_DUE_TO = re.compile(r"due to ([A-Z]\w+)")
_EXPLAINED = (
    (
        re.compile(r'cannot create resource "configmaps"'),
        "TooLarge",
        (
            "It does not fit into the 128 KiB that pods can be handed, with its source and twice its values: "
            "pass large values as artifacts."
        ),
    ),
    (
        re.compile(r"artifact \S+ failed to load: .*(does not exist|doesn't exist|not found|NoSuchKey)"),
        "InputGone",
        "An artifact that it needs is not in the cluster's store any more: run the whole pipeline.",
    ),
    (
        re.compile(r"wait: Error \(exit code 64\)"),
        "OutputsNotSaved",
        (
            "Its outputs could not be saved; see that the cluster's artifact store is up, and that the "
            "service account of the pods may create and patch workflowtaskresults.argoproj.io."
        ),
    ),
)


def explained(message: str) -> tuple[str, str]:
    """Return the reason that a message speaks of, empty if none, and the message with what to do about it."""
    for pattern, reason, sentence in _EXPLAINED:
        if pattern.search(message):
            return reason, f"{sentence} Argo says: {message}"
    for part, reason in _REASONS:
        if part in message:
            return reason, message
    found = _DUE_TO.search(message)
    return found.group(1) if found else "", message
