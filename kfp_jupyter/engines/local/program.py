"""What runs in the processes of a run: texts of ours, compiled once into the data folder.

A folder of them is named by their contents, so that runs of several versions do not disturb each other. It is
the first entry of a step's `sys.path`, as a program's folder always is. So the stub packages lie in it for
processes that a step starts with `multiprocessing`: these run the step's source again to find what they need
in it, and that source may begin with `import kfp`.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import marshal
import os
import py_compile
import shutil
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kfp_jupyter.executor import program
from kfp_jupyter.executor.stubs import ROOTS

_making = threading.Lock()

EXECUTOR = "kfp-jupyter-executor.pyc"

STUB = """
# Found only where the executor has not put its own stubs: in a process that a step started.
import importlib, marshal, os, sys

folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:] = [place for place in sys.path if os.path.abspath(place) != folder]
del sys.modules[__name__]
if "_executor" not in sys.modules and "multiprocessing" in sys.modules:
    executor = {"__name__": "_executor"}
    with open(os.path.join(folder, "definitions"), "rb") as file:
        exec(marshal.load(file), executor)
    executor["Stubs"]().install()
importlib.import_module(__name__)
"""


@dataclass(frozen=True, slots=True)
class Programs:
    """The files of one version.

    Attributes:
        folder: Where they lie.
    """

    folder: Path

    @property
    def executor(self) -> Path:
        """The executor, to be run as a program."""
        return self.folder / EXECUTOR

    @property
    def source(self) -> Path:
        """The executor's text, for a Python other than this one."""
        return self.folder / "kfp-jupyter-executor.py"

    @property
    def definitions(self) -> Path:
        """The executor's code without the call at its end, marshalled."""
        return self.folder / "definitions"

    @property
    def fork_server(self) -> Path:
        """The fork server."""
        return self.folder / "kfp-jupyter-fork-server.pyc"

    @property
    def mount_namespace(self) -> Path:
        """What shows a step its volumes."""
        return self.folder / "kfp-jupyter-mount-namespace.pyc"


def executor_file(data: Path) -> Path:
    """Return the executor's file; it and its neighbours are made if they are not there yet.

    Args:
        data: The folder of all runs' data.

    Raises:
        OSError: They could not be written.
    """
    programs = Programs(data / "executor" / _name())
    # Several threads may start their first run at once, and some Pythons cannot parse in two of them.
    with _making:
        if not programs.folder.exists():
            _make(programs)
    return programs.executor


def _make(programs: Programs) -> None:
    part = Programs(programs.folder.with_name(f"{programs.folder.name}.{os.getpid()}"))
    shutil.rmtree(part.folder, ignore_errors=True)
    part.folder.mkdir(parents=True)
    _write(part)
    try:
        part.folder.rename(programs.folder)
    except OSError:
        # Another process was faster; what it has made is the same.
        shutil.rmtree(part.folder)
        if not programs.folder.exists():
            raise


def _write(programs: Programs) -> None:
    text = program()
    source = programs.source
    source.write_text(text, encoding="utf-8")
    py_compile.compile(str(source), cfile=str(programs.executor), doraise=True)
    tree = ast.parse(text)
    # The last statement runs it.
    tree.body.pop()
    programs.definitions.write_bytes(marshal.dumps(compile(tree, str(source), "exec", dont_inherit=True)))
    py_compile.compile(str(_beside("fork_server")), cfile=str(programs.fork_server), doraise=True)
    py_compile.compile(str(_beside("mount_namespace")), cfile=str(programs.mount_namespace), doraise=True)
    for root in ROOTS:
        (programs.folder / root).mkdir()
        (programs.folder / root / "__init__.py").write_text(STUB, encoding="utf-8")


@cache
def _name() -> str:
    ours = [_beside("fork_server").read_bytes(), _beside("mount_namespace").read_bytes()]
    parts = [program().encode(), *ours, STUB.encode(), importlib.util.MAGIC_NUMBER]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _beside(name: str) -> Path:
    return Path(__file__).with_name(f"{name}.py")
