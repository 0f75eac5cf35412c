"""Loading costs little and touches nothing: no network, no heavy package, no thread."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import json, socket, sys, threading

class Blocked(socket.socket):
    def __init__(self, *args, **kwargs):
        raise AssertionError("a socket was opened")

socket.socket = Blocked
socket.create_connection = Blocked
socket.getaddrinfo = Blocked

from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
before, threads = set(sys.modules), threading.active_count()

def run(cell):
    done = shell.run_cell(cell)
    done.raise_error()

run("%load_ext kfp_jupyter")
run("%%component --packages pandas\\ndef f(x: Input[Dataset], y: float = 1.0) -> int:\\n    return 1\\n")
after_component = sorted(set(sys.modules) - before)
assert threading.active_count() == threads, threading.enumerate()
run("%%component\\ndef g() -> int:\\n    return 1\\n")
run("%%pipeline\\ng()\\n")
print(json.dumps(after_component))
"""
HEAVY = {
    "anywidget",
    "ipywidgets",
    "jupyter_client",
    "jupyter_server",
    "jupyterlab",
    "kubernetes",
    "matplotlib",
    "nbformat",
    "numpy",
    "pandas",
    "sqlite3",
    "urllib3",
    "yaml",
}


def test_loading_and_the_first_component_import_nothing_heavy_and_open_no_socket(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={
            "PATH": "",
            "HOME": str(tmp_path),
            "IPYTHONDIR": str(tmp_path),
            "KFP_JUPYTER_DATA": str(tmp_path / "data"),
        },
        cwd=str(tmp_path),
    )
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert not HEAVY & {name.split(".")[0] for name in loaded}
    # Nothing is written before the first run.
    assert not (tmp_path / "data").exists()


def test_a_kernel_loads_nothing_heavy_either(fresh):
    fresh.run("%%component\ndef f() -> int:\n    return 1\n")
    names = sorted(HEAVY - {"sqlite3", "jupyter_client"})
    assert fresh.value(f"[name for name in {names} if name in __import__('sys').modules]") == "[]"
    assert fresh.value("[t.name for t in __import__('threading').enumerate() if 'kfp' in t.name]") == "[]"
