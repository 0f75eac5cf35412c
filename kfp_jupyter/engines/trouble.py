"""Why an attempt failed, in the user's terms: the cell and line, not the file that was made of them."""

from __future__ import annotations

import contextlib
import re
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kfp_jupyter.model.component import Source
from kfp_jupyter.model.lines import lines_of
from kfp_jupyter.model.run import TaskError


class Trouble:
    """Translates what a step says of its source to the places that the source was written at.

    Args:
        source: The source.
        path: The file that it was put into.

    Attributes:
        mark: What is in a line of a log that names a place in that file.
    """

    def __init__(self, source: Source, path: Path) -> None:
        self._source = source
        self._lines = lines_of(source.text)
        self.mark = str(path)
        # As tracebacks name it, and as warnings do.
        named = re.escape(self.mark)
        self._pattern = re.compile(rf'(?:(File ")?{named})(?(1)", line |:)(\d+)')

    def in_place(self, text: str) -> str:
        """Return a line of a log with the places of a traceback or a warning in the user's terms."""
        return self._pattern.sub(self._file_and_line, text) if self.mark in text else text

    def told(self, record: Mapping[str, Any]) -> TaskError:
        """Return the error that the executor told in a marker."""
        chain = [record, *record.get("causes", [])]
        parts = [self._traceback(held) for held in reversed(chain)]
        file, line = self._located(record.get("line", 0))
        return TaskError(
            type=str(record.get("type", "Error")),
            message=str(record.get("message", "")),
            file=file,
            line=line,
            traceback="\n\nWhich led to:\n\n".join(parts),
        )

    def _traceback(self, record: Mapping[str, Any]) -> str:
        lines = ["Traceback (most recent call last):"]
        frames = record.get("frames") or []
        if not frames and record.get("line"):
            frames = [{"line": record["line"], "function": ""}]
        for frame in frames:
            file, line = self._located(frame["line"])
            inside = f", in {frame['function']}" if frame.get("function") else ""
            lines.append(f'  File "{file}", line {line}{inside}')
            lines += [f"    {text.strip()}" for text in self._lines[frame["line"] - 1 : frame["line"]]]
        type_, message = record.get("type", "Error"), record.get("message", "")
        return "\n".join([*(lines if frames else []), f"{type_}: {message}" if message else type_])

    def _located(self, line: int) -> tuple[str, int]:
        try:
            return self._source.locate(line)
        except ValueError:
            return "", 0

    def _file_and_line(self, found: re.Match[str]) -> str:
        file, line = self._located(int(found[2]))
        if not file:
            return found[0]
        return f'File "{file}", line {line}' if found[1] else f"{file}:{line}"


def ended_early(code: int) -> TaskError:
    """Return the error of a step whose process ended without a result and without a word."""
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        why = " (often: out of memory)" if -code == signal.SIGKILL else ""
        return TaskError("Killed", f"The step's process was ended by {name}{why} before it returned.")
    return TaskError(
        "ProcessEnded", f"The step's process ended with exit code {code} before the function returned."
    )


def command_ended(code: int, memory_limit: str = "") -> TaskError:
    """Return the error of a container component whose command ended with a code other than 0.

    Args:
        code: The exit code; negative for a signal, or 128 and more, as shells and containers tell it.
        memory_limit: How much memory it might use, as a Kubernetes quantity; empty if that was not limited.
    """
    number = -code if code < 0 else code - 128
    if code < 0 or code > 128:
        with contextlib.suppress(ValueError):
            name = signal.Signals(number).name
            limit = f", of which it might use {memory_limit}" if memory_limit else ""
            why = f"; often: out of memory{limit}" if number == signal.SIGKILL else ""
            return TaskError("Killed", f"The command was ended by {name} (exit code {number + 128}{why}).")
    return TaskError("CommandFailed", f"The command ended with exit code {code}.")


def summary(error: TaskError) -> str:
    """Return an error as one line: `ValueError: no data (Cell In[3], line 7)`."""
    first = error.message.strip().splitlines()[0] if error.message.strip() else ""
    place = f" ({error.file}, line {error.line})" if error.file else ""
    return f"{error.type}: {first}{place}" if first else f"{error.type}{place}"
