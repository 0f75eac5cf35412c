"""Compiles one object of one file, in a process of its own in which `kfp` is ours (or, asked so, KFP's).

Run as `python compile_case.py SOURCE OBJECT TARGET PARAMETERS {ours,kfp}`; the last line of stderr says why
it failed. It is a program by itself and imports nothing of the tests, so that an environment with only KFP
can run it.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import warnings
from pathlib import Path


def main() -> None:
    """Compile what the command line says."""
    source, name, target, parameters, whose = sys.argv[1:]
    # The file may import what lies beside it, or by its path in the repository.
    sys.path[:0] = [str(Path(source).parent), str(Path.cwd())]
    if whose == "ours":
        if importlib.util.find_spec("kfp") is not None:
            raise SystemExit("kfp is installed here, so what was compiled would prove nothing")
        from kfp_jupyter import compat

        compat.install()
    warnings.simplefilter("ignore")
    spec = importlib.util.spec_from_file_location("case", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["case"] = module
    spec.loader.exec_module(module)
    from kfp import compiler

    given = json.loads(parameters) or None
    compiler.Compiler().compile(getattr(module, name), target, pipeline_parameters=given)


if __name__ == "__main__":
    main()
