"""Values as files: each is stored in the format that is natural for it, and loaded as an equal value.

With `cell` this is the text that goes into the source of each step which was written as a cell: standard
library only, Python 3.8 and later. The packages that a format needs are those of the value itself; they are
looked up in `sys.modules`, or imported by name.

A value is stored in the first format that fits it, from the most natural to pickle. The artifact's metadata
say which it was (under `STORED`), and the step that loads it goes by that. A format that turns out not to
hold a value raises, and the next one is tried; it must never store something that loads as another value.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import sys
from importlib import import_module
from typing import Any, Callable, Mapping

STORED = "kfp-jupyter"
"""The metadata key of `{"format": …, "type": …}`."""


class Format:
    """One way to store values in a file.

    Args:
        name: What the metadata call it.
        fits: Says whether a value may be stored so.
        save: Stores a value at a path; raises if it cannot.
        load: Loads what was stored, given the path, and the type's name if it takes that too.
    """

    def __init__(
        self,
        name: str,
        fits: Callable[[Any], bool],
        save: Callable[[Any, str], None],
        load: Callable[..., Any],
    ) -> None:
        self.name = name
        self.fits = fits
        self.save = save
        self.load = load


def type_name(value: Any) -> str:
    """Return the name of a value's type, with the package it belongs to: `pandas.DataFrame`."""
    held = type(value)
    package = held.__module__.partition(".")[0]
    return held.__qualname__ if package in ("builtins", "__main__") else package + "." + held.__qualname__


def is_exactly(value: Any, package: str, *names: str) -> bool:
    """Say whether a value's type is one of a package's; a subclass may hold more than its format does."""
    module = sys.modules.get(package)
    return any(type(value) is getattr(module, name, None) for name in names)


def is_plain(value: Any) -> bool:
    """Say whether JSON gives back exactly this value."""
    kind = type(value)
    if kind is str:
        return bool(value.isascii() or value == value.encode("utf-8", "ignore").decode())
    if kind is list:
        return all(is_plain(held) for held in value)
    if kind is dict:
        return all(type(key) is str and is_plain(key) and is_plain(held) for key, held in value.items())
    return value is None or kind in (bool, int, float)


def save_json(value: Any, path: str) -> None:
    """Store plain data; `NaN` and `Infinity` as Python writes them."""
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file)


def load_json(path: str) -> Any:
    """Load plain data."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def is_array(value: Any) -> bool:
    """Say whether it is an array or a number of numpy's that npy holds: no objects, no types of others."""
    numpy = sys.modules.get("numpy")
    if numpy is None or not (
        (type(value) is numpy.ndarray and value.ndim) or isinstance(value, numpy.generic)
    ):
        return False
    kind = value.dtype
    known: bool = kind.names is not None or numpy.dtype(kind.str) == kind
    return known and not kind.hasobject


def are_arrays(value: Any) -> bool:
    """Say whether it is a dict of arrays."""
    return (
        type(value) is dict and bool(value) and all(type(k) is str and is_array(v) for k, v in value.items())
    )


def save_npy(value: Any, path: str) -> None:
    """Store an array, or a number as an array without dimensions."""
    with open(path, "wb") as file:
        import_module("numpy").save(file, value, allow_pickle=False)


def load_npy(path: str) -> Any:
    """Load an array; one without dimensions was a number."""
    with open(path, "rb") as file:
        array = import_module("numpy").load(file, allow_pickle=False)
    return array if array.ndim else array[()]


def save_npz(value: Any, path: str) -> None:
    """Store a dict of arrays."""
    with open(path, "wb") as file:
        import_module("numpy").savez(file, **value)


def load_npz(path: str) -> Any:
    """Load a dict of arrays."""
    with open(path, "rb") as file, import_module("numpy").load(file, allow_pickle=False) as arrays:
        held = {name: arrays[name] for name in arrays.files}
    return {name: array if array.ndim else array[()] for name, array in held.items()}


def is_frame(value: Any) -> bool:
    """Say whether it is a table that Arrow gives back as it is."""
    return (
        is_pandas(value)
        or is_exactly(value, "polars", "DataFrame", "Series")
        or is_exactly(value, "pyarrow", "Table")
    )


def is_pandas(value: Any) -> bool:
    """Say whether it is a pandas table or column, whose labels and objects are such as Arrow knows."""
    if not is_exactly(value, "pandas", "DataFrame", "Series") or not is_plain(value.attrs):
        return False
    pandas = import_module("pandas")
    kind = pandas.api.types.infer_dtype
    if value.ndim == 1:
        if not (value.name is None or type(value.name) is str):
            return False
        value = value.to_frame("value")
    columns, index = value.columns, value.index
    levels = [columns.get_level_values(number) for number in range(columns.nlevels)]
    labels = {"string"} if len(levels) > 1 else {"string", "integer", "empty"}
    if any(kind(level) not in labels for level in levels):
        return False
    held = [value.iloc[:, number] for number in range(len(columns))]
    held += [index.get_level_values(number) for number in range(index.nlevels)]
    objects = {"bytes", "date", "decimal"}
    if pandas.Series([""]).dtype == object:  # newer versions would give texts another type
        objects.update(("string", "empty"))
    return all(column.dtype != object or kind(column, skipna=True) in objects for column in held)


def arrow_table(value: Any) -> Any:
    """Return a table of pyarrow's, which remembers whether a column was one by itself."""
    if is_exactly(value, "pyarrow", "Table"):
        return value
    own = [value.name] if value.ndim == 1 else None
    table = import_module("pyarrow").Table.from_pandas(value if own is None else value.to_frame("value"))
    return table.replace_schema_metadata({**table.schema.metadata, STORED: json.dumps([own, value.attrs])})


def from_arrow(table: Any) -> Any:
    """Return the pandas table or column that `arrow_table` was given."""
    own, attrs = json.loads(table.schema.metadata[STORED.encode()])
    value = table.to_pandas()
    if own is not None:
        value = value["value"].rename(own[0])
    value.attrs = attrs
    return value


def save_parquet(value: Any, path: str) -> None:
    """Store a table as Parquet: polars does so by itself, the others through pyarrow.

    Raises:
        ValueError: There are categories, of which Parquet may lose the order and those that do not occur.
    """
    if is_exactly(value, "polars", "DataFrame", "Series"):
        (value if hasattr(value, "columns") else value.to_frame()).write_parquet(path)
    else:
        table = arrow_table(value)
        if any(hasattr(held, "ordered") for held in table.schema.types):
            raise ValueError("categories")
        import_module("pyarrow.parquet").write_table(table, path)


def save_feather(value: Any, path: str) -> None:
    """Store a table as Feather, which holds a few types more."""
    if is_exactly(value, "polars", "DataFrame", "Series"):
        (value if hasattr(value, "columns") else value.to_frame()).write_ipc(path)
    else:
        import_module("pyarrow.feather").write_feather(arrow_table(value), path)


def load_parquet(path: str, kind: str) -> Any:
    """Load a table of the kind that was stored."""
    if kind.startswith("polars."):
        table = import_module("polars").read_parquet(path)
        return table.to_series() if kind == "polars.Series" else table
    table = import_module("pyarrow.parquet").read_table(path)
    return table if kind == "pyarrow.Table" else from_arrow(table)


def load_feather(path: str, kind: str) -> Any:
    """Load a table of the kind that was stored."""
    if kind.startswith("polars."):
        table = import_module("polars").read_ipc(path)
        return table.to_series() if kind == "polars.Series" else table
    table = import_module("pyarrow.feather").read_table(path)
    return table if kind == "pyarrow.Table" else from_arrow(table)


def is_tensor(value: Any) -> bool:
    """Say whether safetensors holds it: a tensor, or a dict of tensors, without gradients."""
    if type(value) is dict:
        named = all(type(key) is str and key != "__metadata__" for key in value)
        return bool(value) and named and all(map(is_tensor, value.values()))
    return is_exactly(value, "torch", "Tensor") and not value.requires_grad


def save_safetensors(value: Any, path: str) -> None:
    """Store tensors; a tensor by itself goes by the empty name."""
    import_module("safetensors.torch").save_file(value if type(value) is dict else {"": value}, path)


def load_safetensors(path: str, kind: str) -> Any:
    """Load tensors, to the CPU."""
    held = import_module("safetensors.torch").load_file(path)
    return held if kind == "dict" else held[""]


def is_torch(value: Any) -> bool:
    """Say whether `torch.save` is the way to store it: tensors and modules, also beside plain data."""
    torch = sys.modules.get("torch")
    if torch is None:
        return False
    waiting, seen, plain, found = [value], {0}, True, False
    while waiting and plain:
        held = waiting.pop()
        if isinstance(held, (dict, list, tuple)):
            if id(held) not in seen:
                waiting.extend(held.values() if isinstance(held, dict) else held)
            seen.add(id(held))
        elif isinstance(held, (torch.Tensor, torch.nn.Module)):
            found = True
        else:
            plain = is_plain(held)
    return found and plain


def save_torch(value: Any, path: str) -> None:
    """Store what torch pickles."""
    import_module("torch").save(value, path)


def load_torch(path: str) -> Any:
    """Load what torch pickled; to the CPU where there is nothing else."""
    torch = import_module("torch")
    place = None if torch.cuda.is_available() else "cpu"
    return torch.load(path, map_location=place, weights_only=False)


def is_estimator(value: Any) -> bool:
    """Say whether it is an estimator in scikit-learn's sense."""
    kind = type(value)
    return hasattr(kind, "get_params") and (hasattr(kind, "fit") or hasattr(kind, "transform"))


def save_joblib(value: Any, path: str) -> None:
    """Store an estimator."""
    import_module("joblib").dump(value, path)


def load_joblib(path: str) -> Any:
    """Load an estimator."""
    return import_module("joblib").load(path)


def save_pickle(value: Any, path: str) -> None:
    """Store anything that pickles."""
    with open(path, "wb") as file:
        pickle.dump(value, file, protocol=4)


def load_pickle(path: str) -> Any:
    """Load what was pickled."""
    with open(path, "rb") as file:
        return pickle.load(file)


FORMATS = [
    Format("json", is_plain, save_json, load_json),
    Format("parquet", is_frame, save_parquet, load_parquet),
    Format("feather", is_frame, save_feather, load_feather),
    Format("npy", is_array, save_npy, load_npy),
    Format("npz", are_arrays, save_npz, load_npz),
    Format("safetensors", is_tensor, save_safetensors, load_safetensors),
    Format("torch", is_torch, save_torch, load_torch),
    Format("joblib", is_estimator, save_joblib, load_joblib),
    Format("pickle", lambda _: True, save_pickle, load_pickle),
]
"""All formats, the most natural first."""


def save(name: str, value: Any, path: str) -> dict[str, str]:
    """Store a value in the first format that holds it, and return what a loader has to know.

    Raises:
        TypeError: No format holds it.
    """
    folder = os.path.dirname(path)
    os.makedirs(folder or ".", exist_ok=True)
    for known in FORMATS:
        try:
            if not known.fits(value):
                continue
            known.save(value, path)
        except Exception as error:  # noqa: BLE001 (whatever a library raises, the next format is tried)
            clear(path)
            problem = error
            continue
        if known.name == "pickle":
            print(
                "kfp-jupyter: %r (%s) is stored as a pickle; steps that load it need the same packages."
                % (name, type_name(value))
            )
        return {"format": known.name, "type": type_name(value)}
    raise TypeError(
        "%r cannot be stored: %s is no value that a file holds (%s)" % (name, type_name(value), problem)
    )


def clear(path: str) -> None:
    """Remove what a format that failed has left."""
    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.exists(path):
        os.remove(path)


def load(path: str, stored: Mapping[str, str]) -> Any:
    """Load a value; `stored` is what `save` returned.

    Raises:
        TypeError: The format is not known here.
    """
    for known in FORMATS:
        if known.name == stored["format"]:
            wanted = (path, stored["type"])
            return known.load(*wanted[: known.load.__code__.co_argcount])
    raise TypeError("it is stored as %r, which this step does not know" % stored["format"])
