"""`python -m kfp_jupyter` is `kfp-jupyter`."""

from __future__ import annotations

import sys

from kfp_jupyter.cli import main

sys.exit(main())
