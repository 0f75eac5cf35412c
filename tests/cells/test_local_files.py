"""Files of this machine that a component's code names."""

from __future__ import annotations

import pytest

from kfp_jupyter.cells.local_files import check_files
from kfp_jupyter.model.component import PREAMBLE, Fragment, Source


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    for name in ("table.csv", "data/more.csv", "plain"):
        (tmp_path / name).write_text("a\n1\n")


def found(text: str) -> list[tuple[str, int]]:
    source = Source((Fragment("open('table.csv')\n", PREAMBLE), Fragment(f"{text}\n", "Cell In[3]", 2)))
    return [(finding.what.split("'")[1], finding.where.line) for finding in check_files(source)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("x = 1\ndf = pd.read_csv('table.csv')", [("table.csv", 3)]),
        ("def f(df=None):\n    return load(path='data/more.csv', n=1)", [("data/more.csv", 3)]),
        ("open('table.csv').read()", [("table.csv", 2)]),
        ("Path('table.csv').read_text()", [("table.csv", 2)]),
        ("open('table.csv', 'rb')\nopen('table.csv')", [("table.csv", 2)]),
        ("pd.read_csv('not_there.csv')", []),
        ("print('plain')\nnames = ['table.csv']\nx = 'table.csv'", []),
        ("df.to_csv('table.csv')\npd.read_csv('table.csv')", []),
        ("Path('table.csv').write_text('')", []),
        ("open('table.csv', mode='w')", []),
        ("open('/etc/passwd')\nos.listdir('data')", []),
        ("'x' * 3\nf('\\0.csv')\nf('')", []),
    ],
)
def test_files_that_only_this_machine_has_are_named(text, names):
    assert found(text) == names


def test_the_stretch_is_that_of_the_text():
    (finding,) = check_files(Source((Fragment("x = f(1, 'table.csv')\n", "Cell In[1]", 1),)))
    assert (finding.where.column, finding.where.end) == (9, 20)
    assert (finding.severity, finding.code) == ("warning", "local-file")
