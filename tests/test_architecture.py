"""Each floor of the house imports only floors below it, and nothing beside it but its own room."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "kfp_jupyter"

FLOORS = (
    # What everything else may lean on.
    {"errors", "paths"},
    {"model", "executor"},
    {"cells", "interchange", "runs", "view"},
    {"engines", "dsl", "compiler", "serializers"},
    # What KFP has beside its authoring names, and is made of these.
    {"components", "kubernetes"},
    {"run"},
    {"workbench", "compat"},
    # What a failed run leads to, and calls that are runs; made of what the workbench knows.
    {"repair", "local"},
    # A cell is defined by one function, for the magics and for the command line.
    {"notebook"},
    {"cli"},
    # `kfp_jupyter/__init__.py` and `__main__.py`: the doors.
    {"__init__", "__main__"},
)

FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(file: Path) -> str:
    first = file.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported(file: Path) -> Iterator[tuple[str, int]]:
    """Yield the modules of ours that a file imports anywhere, lazily too, with the line."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: relative import"
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def wrong_imports(file: Path) -> Iterator[str]:
    own = room_of(file)
    for module, line in imported(file):
        package, _, rest = module.partition(".")
        room = rest.partition(".")[0]
        # `from kfp_jupyter import __version__` takes a fact from the door, which imports nothing.
        if package != "kfp_jupyter" or room in ("", own, "__version__"):
            continue
        if FLOOR_OF.get(room, -1) >= FLOOR_OF[own] or room not in FLOOR_OF:
            yield f"{file.relative_to(PACKAGE.parent)}:{line} imports {module}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_module_imports_only_floors_below_its_own(file: Path) -> None:
    assert not list(wrong_imports(file))


def test_every_room_stands_on_a_floor() -> None:
    rooms = {room_of(file) for file in FILES}
    assert rooms <= set(FLOOR_OF)


def test_an_import_of_a_floor_above_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    file = tmp_path / "cells" / "bad.py"
    file.parent.mkdir()
    file.write_text(
        "def f():\n    from kfp_jupyter.dsl import component\n    import kfp_jupyter.interchange.write\n"
    )
    assert [line.partition(" ")[0] for line in wrong_imports(file)] == [
        f"{tmp_path.name}/cells/bad.py:2",
        f"{tmp_path.name}/cells/bad.py:3",
    ]


def test_the_executor_imports_the_standard_library_and_itself_alone() -> None:
    import sys

    for file in (PACKAGE / "executor").glob("*.py"):
        for module, line in imported(file):
            own = module.startswith("kfp_jupyter.executor")
            assert own or module.partition(".")[0] in sys.stdlib_module_names, f"{file}:{line}: {module}"
