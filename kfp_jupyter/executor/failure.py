"""What went wrong in a step, told in the lines of the user's source: as a traceback, and as one record."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

MESSAGE_LIMIT = 4000
"""The most characters of an exception's message that are told."""

DEPTH = 30
"""The most exceptions of a chain, and frames of each, that are told; a marker must stay one readable line."""


class StepError(Exception):
    """A step that cannot be run or whose result cannot be used.

    Args:
        reason: One word for it, such as `MissingOutput`.
        message: What happened and what to do.
        line: The line of the source it is about; 0 if none.
    """

    def __init__(self, reason: str, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.reason = reason
        self.line = line


def describe(error: BaseException, file: str) -> dict[str, Any]:
    """Return an error's `type`, `message`, `line`, `frames` in `file`, and `causes` of the same form."""
    chain = [_one(held, file) for held in _chain(error)]
    return {**chain[0], "causes": chain[1:]}


def show(error: BaseException, file: str) -> None:
    """Print the traceback to standard error, beginning in the user's source."""
    if isinstance(error, StepError):
        print(f"{error.reason}: {error}", file=sys.stderr)
        return
    for held in _chain(error):
        held.__traceback__ = _from_source(held.__traceback__, file)
    import traceback

    traceback.print_exception(type(error), error, error.__traceback__)


def _chain(error: BaseException) -> list[BaseException]:
    chain = [error]
    while len(chain) < DEPTH:
        last = chain[-1]
        cause = last.__cause__ or (None if last.__suppress_context__ else last.__context__)
        if cause is None:
            break
        chain.append(cause)
    return chain


def _from_source(trace: TracebackType | None, file: str) -> TracebackType | None:
    frame = trace
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == file:
            return frame
        frame = frame.tb_next
    return trace


def _one(error: BaseException, file: str) -> dict[str, Any]:
    if isinstance(error, StepError):
        return {"type": error.reason, "message": str(error), "line": error.line, "frames": []}
    import traceback

    frames = [
        {"line": line, "function": frame.f_code.co_name}
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == file
    ]
    line = frames[-1]["line"] if frames else 0
    message = str(error)
    if isinstance(error, SyntaxError) and error.filename == file:
        line, message = error.lineno or 0, error.msg
    return {
        "type": type(error).__name__,
        "message": message[:MESSAGE_LIMIT],
        "line": line,
        "frames": frames[-DEPTH:],
    }
