"""What `import kfp` means in a file that the command line reads.

It is this package where the file imports kfp and kfp is not installed, or where `--alias` asks for it; else
the kfp that is installed, whose pipelines are not ours.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# A notebook holds its lines in quotes, or with `\\n` between them.
_IMPORTS_KFP = re.compile(r"""(?:^|"|\\n)[ \t]*(?:import|from)[ \t]+kfp\b""", re.MULTILINE)


@contextmanager
def aliased(path: Path | None, asked: bool) -> Iterator[None]:
    """Let `import kfp` mean this package, as long as it lasts, if it shall.

    Args:
        path: The program or notebook that is read, if any.
        asked: Whether the user asked for it.

    Raises:
        AliasError: The real kfp was imported already.
    """
    if path is None or not (asked or _needs_alias(path)):
        yield
        return
    from kfp_jupyter import compat

    before = compat.installed()
    compat.install()
    try:
        yield
    finally:
        if not before:
            compat.uninstall()


def _needs_alias(path: Path) -> bool:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False  # Whoever reads it in earnest says why it cannot be read.
    return _IMPORTS_KFP.search(text) is not None and importlib.util.find_spec("kfp") is None
