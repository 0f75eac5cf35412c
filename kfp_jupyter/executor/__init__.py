"""The program that runs inside a step: ExecutorInput JSON in, ExecutorOutput JSON out, stdlib only."""

from __future__ import annotations
