"""The contexts that the user's kubeconfig offers, read without a Kubernetes client and without a network.

The files and their merging follow
https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/: `KUBECONFIG` may name
several, a file that is not there is skipped, and the first `current-context` counts.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """What there is to choose from.

    Attributes:
        contexts: The names of the contexts, in order, the files' order first.
        current: The current context; empty if none is set.
        problems: A sentence for each file that could not be read.
    """

    contexts: tuple[str, ...] = ()
    current: str = ""
    problems: tuple[str, ...] = ()


def kubeconfig_place() -> str:
    """Return where the kubeconfig is looked for: a path, or several as `$KUBECONFIG` has them."""
    return os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")


def read_kubeconfig() -> Kubeconfig:
    """Return the contexts of the files in `$KUBECONFIG`, else of `~/.kube/config`; never raises."""
    named = kubeconfig_place().split(os.pathsep)
    read = [_read(Path(name).expanduser()) for name in named if name]
    return Kubeconfig(
        contexts=tuple(dict.fromkeys(name for part in read for name in part.contexts)),
        current=next((part.current for part in read if part.current), ""),
        problems=tuple(problem for part in read for problem in part.problems),
    )


def _read(path: Path) -> Kubeconfig:
    try:
        status = path.stat()
    except FileNotFoundError:
        return Kubeconfig()
    except OSError as error:
        return Kubeconfig(problems=(f"The kubeconfig {path} cannot be read: {error.strerror}.",))
    return _parse(path, status.st_mtime_ns, status.st_size)


# A screen asks for the targets whenever anything changes; the file is parsed again only when it was written.
@lru_cache(maxsize=16)
def _parse(path: Path, _written_ns: int, _size_bytes: int) -> Kubeconfig:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # a safe loader in either case
    except OSError as error:
        return Kubeconfig(problems=(f"The kubeconfig {path} cannot be read: {error.strerror}.",))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" (line {mark.line + 1})" if mark else ""
        return Kubeconfig(
            problems=(f"The kubeconfig {path} is not YAML: {str(error).splitlines()[0]}{line}.",)
        )
    if content is None:
        return Kubeconfig()
    contexts = content.get("contexts") if isinstance(content, dict) else None
    if not isinstance(contexts, list | None) or not isinstance(content, dict):
        return Kubeconfig(problems=(f"The kubeconfig {path} has no list of contexts.",))
    return Kubeconfig(
        contexts=tuple(
            str(item["name"]) for item in contexts or () if isinstance(item, dict) and "name" in item
        ),
        current=str(content.get("current-context") or ""),
    )
