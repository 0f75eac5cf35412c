"""The built distributions, on a machine without Node: what `make test` compiled is what they carry."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import kfp_jupyter

ROOT = Path(__file__).parents[1]

MOST_LINES = 400
"""A file is one noun; past this length, look for the second."""


@pytest.fixture(scope="module")
def without_node(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment whose PATH has nothing but git, so that any call of node or npm fails."""
    folder = tmp_path_factory.mktemp("bin")
    git = next(path for entry in os.get_exec_path() if (path := Path(entry) / "git").exists())
    (folder / "git").symlink_to(git)
    return {**os.environ, "PATH": str(folder)}


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory, without_node: dict[str, str]) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    _python("-m", "build", "--sdist", "--no-isolation", "--outdir", folder, ROOT, environment=without_node)
    return next(folder.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory, without_node: dict[str, str]) -> Path:
    """A wheel made from the sdist, as pip makes it for someone who downloads the sdist."""
    folder = tmp_path_factory.mktemp("wheel")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    source = next(folder.glob("kfp_jupyter-*"))
    _python("-m", "build", "--wheel", "--no-isolation", "--outdir", folder, source, environment=without_node)
    return next(folder.glob("*.whl"))


def test_the_installed_wheel_is_an_enabled_labextension(
    wheel: Path, tmp_path: Path, without_node: dict[str, str]
) -> None:
    # Without --ignore-installed pip would first uninstall the package that is being tested.
    install = ["-m", "pip", "install", "-q", "--no-deps", "--ignore-installed", "--prefix", tmp_path, wheel]
    _python(*install, environment=without_node)
    data = tmp_path / "share" / "jupyter"
    environment = {**without_node, "JUPYTER_PATH": str(data), "NO_COLOR": "1"}
    listing = _python("-m", "jupyterlab.labextensions", "list", environment=environment)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", listing)
    section = plain[plain.index(str(data / "labextensions")) :]
    assert f"kfp-jupyter v{kfp_jupyter.__version__} enabled OK (python, kfp-jupyter)" in section


def test_the_wheel_carries_each_file_once_and_the_widget(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert len(names) == len(set(names))
    assert "kfp_jupyter/static/widget.js" in names
    assert not [name for name in names if name.startswith("kfp_jupyter/labextension/")]


def test_the_sdist_carries_sources_and_no_dependencies(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = archive.getnames()
    assert any(name.endswith("labextension/src/index.ts") for name in names)
    assert not [name for name in names if "node_modules" in name or "/.venv/" in name]


def test_no_source_file_is_too_long_to_be_read_in_one_sitting() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "*.ts"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    files = [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).exists()]
    lengths = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    assert len(lengths) > 100
    assert {str(file.relative_to(ROOT)): lines for file, lines in lengths.items() if lines > MOST_LINES} == {}


def test_python_and_npm_packages_have_one_version() -> None:
    package = json.loads((ROOT / "labextension" / "package.json").read_text(encoding="utf-8"))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert package["version"] == kfp_jupyter.__version__
    assert f'\nversion = "{kfp_jupyter.__version__}"\n' in project


def test_the_lock_file_names_no_download_address() -> None:
    lock = json.loads((ROOT / "labextension" / "package-lock.json").read_text(encoding="utf-8"))
    assert not [path for path, entry in lock["packages"].items() if "resolved" in entry]


def _python(*arguments: object, environment: dict[str, str]) -> str:
    """Run this environment's Python; return both of its outputs, or fail the test with them."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        check=False,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
