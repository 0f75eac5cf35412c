"""The KFP SDK's compiler, in a process of its own environment."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.rivals import existing_kfp

PROGRAM = Path(__file__).with_name("compile_with_kfp.py")


class KfpCompiler:
    """Compiles files one after the other; used as a context."""

    def __enter__(self) -> KfpCompiler:
        self._process = subprocess.Popen(
            [existing_kfp(), PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def answer(self, file: Path) -> dict[str, Any]:
        """Return the text of the `compiled` document, or why the file was `refused`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{file}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the KFP SDK's process ended with {self._process.wait()}"
        answer: dict[str, Any] = json.loads(line)
        return answer
