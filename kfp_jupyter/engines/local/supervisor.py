"""The supervisor: the process that runs one run to its end, whatever becomes of the kernel that started it.

    python -m kfp_jupyter.engines.local.supervisor RUN_FOLDER LOCK_DESCRIPTOR

It is asked to end by SIGTERM. What goes wrong in itself, it writes into space that was set aside before: a
full disk must not keep it from saying why.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from kfp_jupyter.engines.local.execution import Execution
from kfp_jupyter.engines.local.folder import RunFolder
from kfp_jupyter.engines.local.fork_client import ForkServers
from kfp_jupyter.engines.local.journal import Journal, state_in
from kfp_jupyter.engines.local.plan import read_plan, run_folder, write_whole
from kfp_jupyter.engines.local.process import started_at
from kfp_jupyter.engines.local.program import Programs

FAILURE_LENGTH = 300
"""How many bytes are set aside for saying why the supervisor failed."""


def main() -> None:
    """Run the plan in the folder given on the command line."""
    path = Path(sys.argv[1])
    os.set_inheritable(int(sys.argv[2]), False)
    plan = read_plan(RunFolder(path).plan)
    folder = run_folder(path, plan)
    servers = ForkServers(Programs(Path(plan.executor).parent), folder, int(sys.argv[2]))
    before = state_in(folder.journal)
    journal = Journal(folder.journal)
    execution = Execution(folder, plan, journal, servers, before)
    signal.signal(signal.SIGTERM, lambda *_: execution.cancel())
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    write_whole(folder.supervisor, json.dumps({"pid": os.getpid(), "started_at": started_at(os.getpid())}))
    if plan.containers is not None:
        write_whole(folder.containers, json.dumps(plan.containers.removal(str(folder.path))))
    folder.failure.write_text(" " * FAILURE_LENGTH, encoding="utf-8")
    journal.reserve.keep()
    try:
        execution.run()
        journal.reserve.give_up()
    except BaseException as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0].encode()[:FAILURE_LENGTH]
        with folder.failure.open("r+b") as failure:
            failure.write(said)
        raise


if __name__ == "__main__":
    main()
