"""How long until the first component stands, against `import kfp`: cold processes, in turns, in one run.

Each process first starts an IPython shell, as a kernel has, and then times what a notebook's first cells do;
Python's bytecode is warm for both. Printed are medians and their ratio to `import kfp`. Targets: 0.2 for our
import, 0.5 up to the first component.
"""

from __future__ import annotations

import statistics
import sys

from clock import seconds
from rivals import kfp

ROUNDS = 11
SHELL = """
import logging, warnings
warnings.simplefilter("ignore")
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
"""

IMPORT_KFP = "import kfp"
IMPORT_OURS = "import kfp_jupyter"
FIRST_COMPONENT = r"""
import kfp_jupyter
shell.run_line_magic("load_ext", "kfp_jupyter")
cell = "def train(rate: float = 0.1) -> float:\n    return rate\n"
shell.run_cell_magic("component", "--packages scikit-learn", cell)
assert "train" in shell.user_ns
"""


def main() -> None:
    """Measure, and print one line a case."""
    cases = {
        "import kfp": (str(kfp()), IMPORT_KFP),
        "import kfp_jupyter": (sys.executable, IMPORT_OURS),
        "import + %load_ext + first %%component": (sys.executable, FIRST_COMPONENT),
    }
    for python, body in cases.values():
        seconds(python, SHELL, body)  # Bytecode and disk caches.
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, (python, body) in cases.items():
            taken[name].append(seconds(python, SHELL, body))
    rival = statistics.median(taken["import kfp"])
    for name, times in taken.items():
        median = statistics.median(times)
        print(f"{name:<40} {median * 1000:8.1f} ms  {median / rival:6.3f} of import kfp")


if __name__ == "__main__":
    main()
