"""Makes `docs/kfp_names.md`: every public name of KFP's SDK, and what it is here.

KFP's names and signatures stand in `kfp-2.17.0.json`, which `kfp_surface.py` writes; ours are looked up under
the alias, as a file for KFP would. So nothing in the table is claimed by hand.
"""

from __future__ import annotations

import importlib
import inspect
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from kfp_jupyter import compat, dsl
from kfp_jupyter.dsl.older_names import OLDER
from kfp_jupyter.errors import KfpJupyterError
from tests.names.kfp_surface import signature

THEIRS: dict[str, list[list[str]] | None] = json.loads(
    Path(__file__).with_name("kfp-2.17.0.json").read_text(encoding="utf-8")
)
MODULES = tuple(
    sorted({name.rpartition(".")[0] for name in THEIRS if name.rpartition(".")[0].islower()} - {"kfp"})
)
OF_MODULES = ("kfp.aws.use_aws_secret", "kfp.gcp.use_gcp_secret", "kfp.onprem.mount_pvc")
"""Names of KFP 1 in modules of its own."""

WORDS = {
    "same": "the same",
    "more": "the same, and more",
    "differs": "different",
    "refused": "refused",
    "missing": "not here",
}

HEAD = """\
# Every name of KFP 2.17, and what it is here

Made by `make goldens` from both packages' own signatures; see `tests/names/`. Names are looked up with
`kfp_jupyter.compat.install()`, as a file that imports `kfp` finds them; without it, write `kfp_jupyter` for
`kfp`. *The same* means that every call that KFP's signature allows is allowed here. What is *refused* says so
when it is imported or used, in the words on the right. *Not here* is an AttributeError.

"""


class Row(NamedTuple):
    """One line: a name, what it is here, and how it is different."""

    name: str
    status: str
    how: str = ""


def table() -> str:
    """Return the text of the document."""
    compat.install()
    try:
        parts = [HEAD + _counts(_rows(THEIRS))]
        for module in ("kfp", *MODULES):
            names = [name for name in THEIRS if _module(name) == module]
            parts.append(f"## `{module}`\n\n" + _lines(_rows(names), module))
        older = [f"{module}.{name}" for module, held in OLDER.items() for name in held]
        parts.append("## Names of KFP 1\n\n" + _lines(_rows([*older, *OF_MODULES]), ""))
    finally:
        compat.uninstall()
    return "\n".join(parts)


def _module(name: str) -> str:
    found = ".".join(name.split(".")[:2])
    return found if found in MODULES else "kfp"


def _counts(rows: Iterable[Row]) -> str:
    counts = Counter(row.status for row in rows)
    listed = ", ".join(f"{counts[status]} {word}" for status, word in WORDS.items() if counts[status])
    return f"{counts.total()} names of KFP 2.17: {listed}.\n"


def _lines(rows: Iterable[Row], module: str) -> str:
    lines = ["| name | here | how |", "|---|---|---|"]
    before = ""
    for row in rows:
        name = row.name.removeprefix(f"{module}.")
        lines.append(f"| `{name}` | {WORDS[row.status]} | {row.how if row.how != before else ''} |")
        before = row.how
    return "\n".join(lines) + "\n"


def _rows(names: Iterable[str]) -> Iterator[Row]:
    return map(_row, names)


def _row(name: str) -> Row:
    try:
        held = _found(name)
    except AttributeError:
        return Row(name, "missing")
    except KfpJupyterError as error:
        return Row(name, "refused", f"{error.what} {error.remedy}")
    theirs, ours = THEIRS.get(name), signature(held)
    return Row(name, "same") if theirs is None or ours is None else Row(name, *_compared(theirs, ours))


def _found(name: str) -> Any:
    """Return what a name means under the alias.

    Raises:
        KfpJupyterError: It is refused.
        AttributeError: It is not here.
    """
    path = name.split(".")
    at = 2 if _module(name) != "kfp" or (len(path) > 2 and path[1].islower()) else 1
    held: Any = importlib.import_module(".".join(path[:at]))
    for part in path[at:]:
        held = _attribute(held, part)
    return held


def _attribute(held: Any, name: str) -> Any:
    if inspect.isclass(held):
        try:
            return inspect.getattr_static(held, name)
        except AttributeError:
            return getattr(_example(held), name)
    found = getattr(held, name)
    if inspect.isclass(found) and found.__module__ == compat.__name__:
        # A class that is there only to be imported says so when it is made.
        found()
    return found


def _example(held: type) -> Any:
    """Return an object of a class, which may have attributes that the class does not show; or None."""
    if held is dsl.PipelineTask:
        made = []
        with dsl.PipelineBuilder("example"):
            made.append(example())
        return made[0]
    try:
        return held("1Gi") if held is dsl.WorkspaceConfig else held()
    except (TypeError, KfpJupyterError):
        return None


@dsl.component
def example():
    """Does nothing."""


def _compared(theirs: list[list[str]], ours: list[list[str]]) -> tuple[str, str]:
    """Return whether a call for KFP means the same here, and what is different."""
    given = {argument[1]: argument for argument in ours}
    takes_any = any(kind == "VAR_KEYWORD" for kind, _, _ in ours)
    names = [name for _, name, _ in theirs]
    wrong = [f"without `{name}`" for name in names if name not in given and not takes_any]
    if [name for name in given if name in names] != [name for name in names if name in given]:
        wrong.append("in another order")
    more = [f"`{name}`" for kind, name, _ in ours if name not in names and not kind.startswith("VAR_")]
    wrong += [f"needs `{name}`" for kind, name, default in ours if f"`{name}`" in more and not default]
    for kind, name, default in theirs:
        our_kind, _, our_default = given.get(name, (kind, name, default))
        if our_kind not in (kind, "POSITIONAL_OR_KEYWORD"):
            wrong.append(f"`{name}` is {our_kind.lower().replace('_', ' ')}")
        if our_default != default and default:
            wrong.append(f"`{name}` is {our_default or 'needed'} by default, not {default}")
        elif our_default != default:
            more.append(f"`{name}` may be left out")
    if wrong:
        return "differs", "; ".join(wrong)
    return ("more", ", ".join(more)) if more else ("same", "")
