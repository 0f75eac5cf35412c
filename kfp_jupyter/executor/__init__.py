"""The program that runs inside a step: ExecutorInput JSON in, ExecutorOutput JSON out.

Standard library only, Python 3.8 to 3.13, one text (`program`) in which nothing of ours is imported.
`artifacts` and `annotations` are also what authors write; with `markers` engines read the log stream.
"""

from __future__ import annotations

from kfp_jupyter.executor.program import program

__all__ = ["program"]
