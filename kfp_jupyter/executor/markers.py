"""Reading the executor's marker lines in a log stream; engines do, the executor does not.

A marker is the prefix and one JSON object, up to the end of the line. Text before the prefix is what the step
had printed without a newline; it is a line of the log.
"""

from __future__ import annotations

import json
from typing import Any

from kfp_jupyter.executor.report import PREFIX


def parse(line: str) -> tuple[str | None, dict[str, Any] | None]:
    """Split a line of a log (without its newline) into what to show and what it tells.

    Returns:
        The text, None if there is nothing to show; and the message, None if the line is no marker.
    """
    text, prefix, message = line.partition(PREFIX)
    if not prefix:
        return line, None
    try:
        record = json.loads(message)
    except ValueError:
        return line, None
    return (text or None, record) if isinstance(record, dict) else (line, None)
