"""Each format gives back what it was given; what a format would change goes to the next."""

from __future__ import annotations

import datetime as dt
import decimal
import pickle
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from kfp_jupyter.executor.formats import load, save
from kfp_jupyter.executor.program import cell_program

DAYS = pd.date_range("2020-01-01", periods=2, tz="Europe/Paris", freq=None)

PANDAS = {
    "numbers and texts": (pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": [0.5, None]}), "parquet"),
    "columns that are numbers": (pd.DataFrame(np.eye(2)), "parquet"),
    "columns of two levels": (pd.DataFrame({("a", "x"): [1], ("b", "y"): [2]}), "parquet"),
    "a named axis of columns": (pd.DataFrame([[1]], columns=pd.Index(["a"], name="columns")), "parquet"),
    "an index of times with a zone": (pd.DataFrame({"a": [1.0, 2.0]}, index=pd.Index(list(DAYS))), "parquet"),
    "an index of two levels": (
        pd.DataFrame({"a": [1, 2]}, index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["k", None])),
        "parquet",
    ),
    "types that know missing values": (
        pd.DataFrame({"i": pd.array([1, None], dtype="Int64"), "b": pd.array([True, None], dtype="boolean")}),
        "parquet",
    ),
    "periods and intervals": (
        pd.DataFrame({"p": pd.period_range("2020-01", periods=2, freq="M"), "i": pd.interval_range(0, 2)}),
        "parquet",
    ),
    "dates, decimals and bytes": (
        pd.DataFrame({"d": [dt.date(2020, 1, 1)], "n": [decimal.Decimal("1.20")], "b": [b"\x00"]}),
        "parquet",
    ),
    "no rows": (pd.DataFrame({"a": [1]}).iloc[:0], "parquet"),
    "attributes": (pd.DataFrame({"a": [1]}), "parquet"),
    "categories in an order, one unused": (
        pd.DataFrame({"c": pd.Categorical(["a", "b"], categories=["z", "b", "a"], ordered=True)}),
        "feather",
    ),
    "categories of numbers": (pd.DataFrame({"c": pd.Categorical([3, 1])}), "feather"),
    "complex numbers": (pd.DataFrame({"c": [1j]}), "pickle"),
    "two columns of one name": (pd.DataFrame([[1, 2]], columns=["a", "a"]), "pickle"),
    "values of several types": (pd.DataFrame({"m": [1, "a"]}), "pickle"),
    "lists in cells": (pd.DataFrame({"l": [[1], [2, 3]]}), "pickle"),
}
PANDAS["attributes"][0].attrs = {"unit": "m"}

SERIES = {
    "a column": (pd.Series([1, 2], name="s"), "parquet"),
    "a column without a name": (pd.Series([1.5, None]), "parquet"),
    "a column with an index": (pd.Series([1, 2], index=["value", "b"], name="value"), "parquet"),
    "a column that a number names": (pd.Series([1], name=0), "pickle"),
}

PLAIN = {
    "nothing": (None, "json"),
    "a number": (3, "json"),
    "a text": ("größe {{x}} \n", "json"),
    "a list of dicts": ([{"a": [1, 2.5, True, None]}, {}], "json"),
    "infinity": ([float("inf")], "json"),
    "a large integer": (2**200, "json"),
    "a tuple": ((1, 2), "pickle"),
    "a dict with numbers as keys": ({1: "a"}, "pickle"),
    "a tuple inside a list": ([(1, 2)], "pickle"),
    "half a surrogate pair": ("\ud800", "pickle"),
    "a set": ({1, 2}, "pickle"),
    "bytes": (b"\x00\xff", "pickle"),
    "a time": (dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc), "pickle"),
}

ARRAYS = {
    "a matrix": (np.arange(6.0).reshape(2, 3), "npy"),
    "in Fortran's order": (np.asfortranarray(np.arange(6).reshape(2, 3)), "npy"),
    "texts": (np.array(["ab", "c"]), "npy"),
    "days": (np.array(["2020-01-01"], dtype="datetime64[D]"), "npy"),
    "records": (np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), "npy"),
    "no elements": (np.zeros((0, 3)), "npy"),
    "objects": (np.array([1, "a"], dtype=object), "pickle"),
    "no dimensions": (np.array(5), "pickle"),
}


def round_trip(value: Any, folder: Path) -> tuple[Any, str]:
    path = str(folder / "made" / "value")
    stored = save("value", value, path)
    return load(path, stored), stored["format"]


@pytest.mark.parametrize("what", PANDAS)
def test_a_table_of_pandas(what, tmp_path):
    table, wanted = PANDAS[what]
    again, used = round_trip(table, tmp_path)
    pd.testing.assert_frame_equal(again, table, check_exact=True)
    assert (again.attrs, used) == (table.attrs, wanted)


@pytest.mark.parametrize("what", SERIES)
def test_a_column_of_pandas(what, tmp_path):
    column, wanted = SERIES[what]
    again, used = round_trip(column, tmp_path)
    pd.testing.assert_series_equal(again, column, check_exact=True)
    assert used == wanted


@pytest.mark.parametrize("what", PLAIN)
def test_plain_data(what, tmp_path):
    value, wanted = PLAIN[what]
    again, used = round_trip(value, tmp_path)
    assert (again, type(again), used) == (value, type(value), wanted)


@pytest.mark.parametrize("what", ARRAYS)
def test_an_array(what, tmp_path):
    array, wanted = ARRAYS[what]
    again, used = round_trip(array, tmp_path)
    np.testing.assert_array_equal(again, array, strict=True)
    assert (type(again), used) == (np.ndarray, wanted)


def test_a_number_of_numpy_stays_one(tmp_path):
    again, used = round_trip(np.float32(1.5), tmp_path)
    assert (again, type(again), used) == (np.float32(1.5), np.float32, "npy")


def test_a_dict_of_arrays(tmp_path):
    again, used = round_trip({"x": np.eye(2), "n": np.int64(3)}, tmp_path)
    np.testing.assert_array_equal(again["x"], np.eye(2), strict=True)
    assert (list(again), again["n"], type(again["n"]), used) == (["x", "n"], 3, np.int64, "npz")


def test_a_dict_of_arrays_whose_name_numpy_takes_for_its_own(tmp_path):
    again, used = round_trip({"file": np.eye(2)}, tmp_path)
    np.testing.assert_array_equal(again["file"], np.eye(2))
    assert used == "pickle"


def test_a_table_and_a_column_of_polars(tmp_path):
    table = pl.DataFrame(
        {"a": [1, None], "c": ["x", "y"], "l": [[1], [2, 3]], "d": [dt.timedelta(1), None]}
    ).with_columns(pl.col("c").cast(pl.Categorical))
    again, used = round_trip(table, tmp_path)
    assert again.equals(table)
    assert (again.schema, used) == (table.schema, "parquet")
    column = pl.Series("s", [1.5, None])
    again, used = round_trip(column, tmp_path)
    assert again.equals(column, check_names=True, check_dtypes=True)
    assert used == "parquet"


def test_a_table_of_arrow_with_its_metadata(tmp_path):
    table = pa.table({"a": [1, 2]}, metadata={"made": "here"})
    again, used = round_trip(table, tmp_path)
    assert again.equals(table, check_metadata=True)
    assert used == "parquet"


def test_what_parquet_does_not_hold_is_stored_as_feather(tmp_path):
    spans = pa.array([(1, 2, 3)], type=pa.month_day_nano_interval())
    table = pa.table({"spans": spans, "kinds": pa.array(["x"]).dictionary_encode()})
    again, used = round_trip(table, tmp_path)
    assert again.equals(table)
    assert used == "feather"


def test_an_estimator_predicts_the_same(tmp_path):
    rows, labels = np.array([[0.0], [1.0], [2.0], [3.0]]), [0, 0, 1, 1]
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, labels)
    again, used = round_trip(model, tmp_path)
    np.testing.assert_array_equal(again.predict_proba(rows), model.predict_proba(rows))
    assert used == "joblib"


def test_a_pickle_is_announced_with_the_name_and_type(tmp_path, capsys):
    round_trip((1, 2), tmp_path)
    assert "'value' (tuple) is stored as a pickle" in capsys.readouterr().out
    round_trip([1, 2], tmp_path)
    assert capsys.readouterr().out == ""


def test_a_list_that_holds_itself_is_a_pickle(tmp_path):
    value: list[Any] = [1]
    value.append(value)
    again, used = round_trip(value, tmp_path)
    assert again[1] is again
    assert used == "pickle"


def test_what_no_file_can_hold_is_refused_by_its_type(tmp_path):
    with pytest.raises(TypeError, match=r"'value' cannot be stored: generator is no value"):
        round_trip((held for held in ()), tmp_path)
    assert not (tmp_path / "made" / "value").exists()


def test_a_format_that_is_not_known_is_named(tmp_path):
    with pytest.raises(TypeError, match=r"stored as 'notes\.Corpus'"):
        load(str(tmp_path), {"format": "notes.Corpus", "type": "notes.Corpus"})


class Tensor:
    """Stands for `torch.Tensor`: torch itself is larger than all other packages of these tests together."""

    def __init__(self, values: list[float], requires_grad: bool = False) -> None:
        self.values = values
        self.requires_grad = requires_grad


@pytest.fixture
def torch(monkeypatch):
    """A module `torch` with the calls that the formats make; its files are pickles, as torch's own are."""
    made = types.ModuleType("torch")

    class Module:
        pass

    def keep(value: Any, path: str) -> None:
        Path(path).write_bytes(b"torch" + pickle.dumps([held.values for held in value]))

    def load_file(path: str, *, map_location: Any, weights_only: bool) -> Any:
        assert (map_location, weights_only) == ("cpu", False)
        return [Tensor(values, True) for values in pickle.loads(Path(path).read_bytes()[5:])]

    made.Tensor, made.save, made.load = Tensor, keep, load_file
    made.nn = types.SimpleNamespace(Module=Module)
    made.cuda = types.SimpleNamespace(is_available=lambda: False)
    tensors = types.ModuleType("safetensors.torch")
    tensors.save_file = lambda value, path: Path(path).write_text(
        repr({name: held.values for name, held in value.items()})
    )
    tensors.load_file = lambda path: {
        name: Tensor(held) for name, held in eval(Path(path).read_text()).items()
    }
    monkeypatch.setitem(sys.modules, "torch", made)
    monkeypatch.setitem(sys.modules, "safetensors", types.ModuleType("safetensors"))
    monkeypatch.setitem(sys.modules, "safetensors.torch", tensors)
    return made


def test_tensors_are_stored_by_safetensors(torch, tmp_path):
    again, used = round_trip({"w": Tensor([1.0])}, tmp_path)
    assert (again["w"].values, used) == ([1.0], "safetensors")
    again, used = round_trip(Tensor([2.0]), tmp_path)
    assert (again.values, used) == ([2.0], "safetensors")


def test_what_safetensors_cannot_hold_is_stored_by_torch(torch, tmp_path):
    class Layers(torch.nn.Module):
        def __iter__(self) -> Any:
            return iter([Tensor([3.0], requires_grad=True)])

    again, used = round_trip(Layers(), tmp_path)
    assert (again[0].values, used) == ([3.0], "torch")


def test_a_checkpoint_is_stored_by_torch_with_what_stands_beside_its_tensors(torch, tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "save", lambda value, path: Path(path).write_bytes(pickle.dumps(value)))
    monkeypatch.setattr(torch, "load", lambda path, **_: pickle.loads(Path(path).read_bytes()))
    held = Tensor([1.0])
    for value in (
        {"model": {"w": held}, "optimizer": {"lr": (0.1, 0.9)}, "epoch": 3},
        [held, 2],
        {"__metadata__": held},
    ):
        again, used = round_trip(value, tmp_path)
        assert (type(again), len(again), used) == (type(value), len(value), "torch")
    assert round_trip((1, {2}), tmp_path) == ((1, {2}), "pickle")
    around: list[Any] = [held, {3}]
    around.append(around)
    assert round_trip(around, tmp_path)[1] == "pickle"


def test_the_text_in_a_step_is_small_and_can_stand_in_quotes():
    text = cell_program()
    assert len(text) < 9500
    compile(text, "cell", "exec")
    assert "kfp_jupyter" not in text
