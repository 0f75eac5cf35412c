"""How states, times and numbers are put into words, in every rendering alike."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from math import isfinite

from kfp_jupyter.model.types import Json
from kfp_jupyter.view.look import STATES

_ESCAPE = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[@-Z\\\\^_])")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def look_key(task: Mapping[str, Json] | None) -> str:
    """Return the key in `look.STATES` of a task of a run document, or of no task."""
    if task is None:
        return "NONE"
    cached = task["state"] == "SUCCEEDED" and task.get("cached_from")
    return "CACHED" if cached else str(task["state"])


def state_name(task: Mapping[str, Json]) -> str:
    """Return the state of a task, or of a run, in one word, such as `running` or `cached`."""
    return str(STATES[look_key(task)]["text"])


def status(task: Mapping[str, Json], now: float) -> str:
    """Return a task's second line, short enough for its card.

    It tells what the icon beside it does not: how long (`1.2 s`, `running · 3 s`, `try 2 · 3 s`), why it has
    not begun (`Unschedulable`), or of how many iterations it speaks (`running · 2 of 5`).

    Args:
        task: A task of a run document, or several `together`.
        now: The present in seconds since the epoch, for tasks that still run.
    """
    if "tally" in task:
        return str(task["tally"]) if task["state"] == "SUCCEEDED" else f"{state_name(task)} · {task['tally']}"
    state, reason, attempt = task["state"], task["reason"], task["attempt"]
    if look_key(task) == "CACHED" or state in ("SKIPPED", "CANCELING", "CANCELED"):
        return state_name(task)
    if state in ("PENDING", "PAUSED"):
        return str(reason or state_name(task))
    if state == "FAILED" and attempt > 1:
        return f"{state_name(task)} · {attempt} attempts"
    # That a second attempt runs, its icon tells; there is no room for both.
    named = state_name(task) if state != "SUCCEEDED" and attempt < 2 else ""
    words = [f"try {attempt}" if attempt > 1 else named, spent(task, now)]
    return " · ".join(word for word in words if word) or state_name(task)


def spent(held: Mapping[str, Json], now: float) -> str:
    """Return how long a task or run of a document took, or has taken by `now`; empty if it has not begun."""
    if held["started_at"] is None:
        return ""
    end = now if held["finished_at"] is None else held["finished_at"]
    return duration(max(0.0, end - held["started_at"]), whole=held["finished_at"] is None)


def usage(task: Mapping[str, Json], now: float) -> str:
    """Return what a task used, or has used by `now`: `CPU 1.3 s (82 %) · memory 240 MB`; empty if unknown.

    The share is that of the time it ran, so that two busy processors make 200 %. Beside what was declared as
    limits, it says what is over them.
    """
    held = task.get("usage")
    if not held:
        return ""
    end = now if task["finished_at"] is None else task["finished_at"]
    ran = end - task["started_at"] if task["started_at"] is not None else 0.0
    limit = f", limit {held['cpu_limit']:.0%}".replace("%", " %") if held["cpu_limit"] else ""
    # Of what took no time a share means nothing.
    share = f" ({round(100 * held['cpu_seconds'] / ran)} %{limit})" if ran >= 1 else ""
    memory, most = held["memory_bytes"], held["memory_limit"]
    allowed = (
        f", over its limit of {size(most)}" if 0 < most < memory else f" of {size(most)}" if most else ""
    )
    return f"CPU {duration(held['cpu_seconds'])}{share} · memory {size(memory)}{allowed}"


def size(count: int) -> str:
    """Return a number of bytes for people: `24 MB`, `2.3 GB`."""
    if count < 999_500_000:
        return f"{round(count / 1e6)} MB"
    return f"{count / 1e9:.1f}".removesuffix(".0") + " GB"


def duration(seconds: float, *, whole: bool = False) -> str:
    """Return a duration for people: `20 ms` (`0 s` if `whole`), `0.4 s`, `12 s`, `3:05 min`, `1:20 h`."""
    if seconds < 0.0995 and not whole:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95 and not whole:
        return f"{seconds:.1f} s"
    rounded = int(seconds) if whole else round(seconds)
    if rounded < 60:
        return f"{rounded} s"
    minutes, rest = divmod(rounded, 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d} min"
    hours, minutes = divmod(round(rounded / 60), 60)
    return f"{hours}:{minutes:02d} h"


def moment(seconds: float | None) -> str:
    """Return a point in time, given in seconds since the epoch, as `2026-11-02 14:03 UTC`; empty for None."""
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, tz=timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def number(value: Json) -> str:
    """Return a metric's value for people: five significant digits, and no more than are there."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e9):
        return str(int(value))
    return f"{value:.5g}" if isfinite(value) else str(value)


def plain(text: object) -> str:
    """Return a text without terminal escapes and control characters; tabs and line ends stay."""
    return _CONTROL.sub("", _ESCAPE.sub("", str(text)))


def target_name(target: Mapping[str, Json]) -> str:
    """Return where a run ran, in the spelling of `--target`; `this machine` for the local engine."""
    if target["kind"] == "local":
        return "this machine"
    place = f":{target['name']}" if target["name"] else ""
    return f"{target['kind']}{place}" + (f"/{target['namespace']}" if target["namespace"] else "")
