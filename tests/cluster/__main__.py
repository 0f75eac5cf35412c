"""Runs a test cluster until it is interrupted: `python -m tests.cluster --kubeconfig FILE`."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from threading import Event

from tests.cluster.cluster import TestCluster


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True, help="the file to write")
    parser.add_argument("--step-seconds", type=float, default=0.0, help="how much longer each step runs")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    ended = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with TestCluster(
        step_seconds=options.step_seconds, kubeconfig=options.kubeconfig, port=options.port
    ) as cluster:
        sys.stdout.write(f"{cluster.host}\n")
        sys.stdout.flush()
        ended.wait()


if __name__ == "__main__":
    main()
