"""Compile the pipelines in `authored/` with KFP's own SDK into `goldens/`.

Usage: python tests/interchange/make_goldens.py, with a Python that has kfp 2.17 installed.
"""

from __future__ import annotations

import os
import runpy
import warnings
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    import kfp

    assert kfp.__version__ == "2.17.0", f"goldens are made with kfp 2.17.0, not {kfp.__version__}"
    warnings.simplefilter("ignore")
    (HERE / "goldens").mkdir(exist_ok=True)
    os.chdir(HERE / "goldens")
    for file in sorted((HERE / "authored").glob("*.py")):
        runpy.run_path(str(file))


if __name__ == "__main__":
    main()
