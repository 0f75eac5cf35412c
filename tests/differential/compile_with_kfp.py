"""Compiles files with the KFP SDK of its own environment: a path a line comes in, an answer a line goes out.

An answer is a JSON object with either the text of the `compiled` document, or the error with which the SDK
`refused` the file. It is a program by itself and imports nothing of the tests, so that an environment with
only KFP can run it; the SDK is imported once.
"""

from __future__ import annotations

import contextlib
import json
import os
import runpy
import sys
import tempfile
import warnings
from pathlib import Path


def main() -> None:
    """Answer until there is no more to answer."""
    answers = os.fdopen(os.dup(1), "w")
    # What the SDK and the files print is no answer.
    os.dup2(2, 1)
    import kfp
    from kfp import compiler

    assert kfp.__version__ == "2.17.0", f"what is compared with is kfp 2.17.0, not {kfp.__version__}"
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "p.yaml")
        for line in sys.stdin:
            answer = {}
            try:
                with contextlib.redirect_stdout(sys.stderr):
                    program = runpy.run_path(line.rstrip("\n"))
                    compiler.Compiler().compile(program["compiled"], str(target))
                answer["compiled"] = target.read_text(encoding="utf-8")
            except Exception as error:  # noqa: BLE001 - whatever the SDK refuses with is the answer
                answer["refused"] = f"{type(error).__name__}: {error}"
            answers.write(json.dumps(answer) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
