"""Write datasets to files and read them."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from fcnn_latency._files import check_writable, resolve, write_whole
from fcnn_latency._imports import import_extra
from fcnn_latency._validation import Floats
from fcnn_latency.datasets._bunch import finish, make_bunch, make_frame
from fcnn_latency.datasets._description import ORIGIN, read_description
from fcnn_latency.datasets._from_store import dataset_of_campaigns
from fcnn_latency.measurement._store import Store
from fcnn_latency.measurement._store_file import STORE_SUFFIXES
from fcnn_latency.measurement.labels._noise import standard_errors
from fcnn_latency.measurement.labels._reliability import assess_reliability
from fcnn_latency.spaces._fcnn import FCNNSpace
from fcnn_latency.spaces._widths import pad_widths

#: How far a label may lie outside its passes, since common factors of passes are removed.
LEVEL_TOLERANCE = 0.1
#: What a dataset was measured with.
ABOUT = (*ORIGIN, "measuring_time")


def save_dataset(dataset: Bunch, path: str | os.PathLike[str]) -> list[Path]:
    """Write a dataset as CSV or Parquet, with its description as JSON next to it.

    Parameters
    ----------
    dataset : Bunch
        From `make_dataset`, `load_dataset` or `fetch_capstone2023`.
    path : path
        Path that ends in ``.csv`` or ``.parquet`` (which requires pyarrow).

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    ValueError
        If `path` has another suffix.
    """
    return write_table(dataset.frame, describe_origin(dataset), path)


def write_table(
    frame: pd.DataFrame, about: dict[str, Any], path: str | os.PathLike[str]
) -> list[Path]:
    """Write a frame as CSV or Parquet and `about` as JSON next to it; return both paths.

    Raises
    ------
    ValueError
        If `path` ends in neither ``.csv`` nor ``.parquet``.
    """
    path = check_path(path)
    # Both are serialized before the first is written, so that an error leaves no partial output.
    table = BytesIO()
    if path.suffix == ".csv":
        frame.to_csv(table, index=False)
    else:
        frame.to_parquet(table, index=False)
    words = json.dumps(about, indent=2) + "\n"
    about_path = path.with_suffix(".json")
    write_whole(path, table.getvalue())
    write_whole(about_path, words.encode())
    return [path, about_path]


def describe_origin(dataset: Bunch) -> dict[str, Any]:
    """Return measurement conditions and reliability of a dataset, as a JSON-serializable dict."""
    about = {key: dataset[key] for key in ABOUT if key in dataset}
    about["space"] = asdict(dataset.space)
    if dataset.reliability is not None:
        about["reliability"] = dataset.reliability.as_dict()
    return about


def load_dataset(
    path: str | os.PathLike[str],
    *,
    corrected: bool = True,
    runtime: str | None = None,
    campaigns: Sequence[int] | None = None,
    as_frame: bool = False,
) -> Bunch:
    """Read a dataset: a store, or a table that `save_dataset` or ``fcnn-latency measure`` wrote.

    Custom tables are read too: columns ``layer_1`` to ``layer_k`` and ``latency`` in seconds.

    Parameters
    ----------
    path : path
        A store (``.sqlite``), or a CSV or Parquet file. The campaigns of a store are pooled; it can
        be read while it is being measured. The JSON file next to a table is read if there is one.
    corrected : bool, default=True
        Whether labels are corrected by the reference architecture. False returns the raw seconds,
        which only stores have.
    runtime : str or None, default=None
        Read only campaigns of this runtime; only for stores.
    campaigns : sequence of int or None, default=None
        Read only these campaigns, by their number in the store.
    as_frame : bool, default=False
        Return `data` as a DataFrame and `target` as a Series.

    Returns
    -------
    Bunch
        As returned by `make_dataset`. A table gives no `readings`, `missing` and `interrupted`;
        `target_std` is None for a table with neither ``latency_std`` nor two passes.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file has another suffix or lacks columns, a row is no architecture or has no
        positive latency, or a store has no such campaign.
    MeasurementError
        If a store has no architecture with all its passes.
    StoreError
        If campaigns were measured under different conditions (the message says which), or the
        file is not a store that this version can read.

    Warns
    -----
    MeasurementWarning
        If architectures of a store are missing or its labels are weak.
    """
    path = find_file(path, "dataset", STORE_SUFFIXES)
    if path.suffix.lower() in STORE_SUFFIXES:
        with Store(path, read_only=True) as store:
            chosen = _choose_campaigns(store, runtime, campaigns)
            if all("input_rows" in store.conditions(number) for number in chosen):
                raise ValueError(
                    f"{path} holds single layers, no architectures: read it by load_layer_table."
                )
            bunch = dataset_of_campaigns(store, chosen, corrected=corrected)
    elif not corrected or runtime is not None or campaigns is not None:
        raise ValueError(
            f"{path} is a table: 'corrected', 'runtime' and 'campaigns' are for stores (.sqlite)."
        )
    else:
        bunch = _load_table(path)
    return finish(bunch, as_frame=as_frame)


def _choose_campaigns(
    store: Store, runtime: str | None, campaigns: Sequence[int] | None
) -> list[int]:
    there = store.campaigns()
    wanted = there
    if campaigns is not None:
        wanted = list(dict.fromkeys(int(number) for number in np.atleast_1d(campaigns)))
    unknown = sorted(set(wanted) - set(there))
    if unknown or not wanted:
        raise ValueError(f"{store.path} has no campaigns {unknown}. Those that there are: {there}.")
    runtimes = {number: store.conditions(number)["runtime"] for number in wanted}
    chosen = [number for number in wanted if runtime in (None, runtimes[number])]
    if not chosen:
        names = sorted(set(runtimes.values()))
        raise ValueError(
            f"{store.path} has no campaign of runtime {runtime!r}. Those that there are: {names}."
        )
    return chosen


def _load_table(path: Path) -> Bunch:
    frame = read_table(path)
    layers = [name for name in frame.columns if str(name).startswith("layer_")]
    if not layers or "latency" not in frame.columns or not len(frame):
        raise ValueError(
            f"{path} has no rows with the columns layer_1 to layer_k and latency. "
            f"Got {len(frame)} rows with {list(map(str, frame.columns))} instead."
        )
    padded = pad_widths(frame[layers], len(layers))
    latency, passes = _labels(frame, path)
    told = read_description(path, [*ABOUT, "space", "reliability"], "dataset")
    unknown = {"runtime": "unknown", "protocol": {}, "signal_length": 50, "environment": {}}
    about = dict.fromkeys(ABOUT) | unknown | told
    saved = about.pop("reliability", None)
    drift, stolen = (saved.reference_drift, saved.stolen_time) if saved else (None, None)
    if "space" not in about:  # the default space, widened to contain the table
        space = FCNNSpace.covering(FCNNSpace(), padded)
        about["space"] = replace(space, max_layers=max(space.max_layers, len(layers)))
    errors = standard_errors(passes) if passes.shape[1] > 1 else None
    times = make_frame(
        padded,
        passes,
        latency=latency,
        latency_std=_column(frame, "latency_std", errors),
        first_call=_column(frame, "first_call"),
    )
    reliability = assess_reliability(passes, drift, stolen) or saved
    return make_bunch(times, reliability, about)


def _labels(frame: pd.DataFrame, path: Path) -> tuple[Floats, Floats]:
    """Return latencies and the latencies of each pass, after checking both."""
    names = [name for name in frame.columns if str(name).startswith("pass_")]
    latency = as_numbers(frame, ["latency"])
    passes = as_numbers(frame, names) if names else latency
    near = 1 + LEVEL_TOLERANCE
    lowest, highest = (of.reduce(passes, axis=1, keepdims=True) for of in (np.fmin, np.fmax))
    if names and not ((lowest / near <= latency) & (latency <= highest * near)).all():
        raise ValueError(
            f"{path}: latency is not of its pass_ columns; correct or drop those columns."
        )
    # Every architecture has a latency, but may lack some passes.
    for name, values, may_lack in (("latency", latency, False), ("pass", passes, True)):
        good = (np.isfinite(values) & (values > 0)) | (may_lack & np.isnan(values))
        if not good.all():
            row = int(np.argmin(good.all(axis=1)))
            raise ValueError(
                f"{path}, row {row}: {name} is {values[row]}; it must be positive seconds."
            )
    return latency[:, 0], passes


def _column(frame: pd.DataFrame, name: str, otherwise: Floats | None = None) -> Floats | None:
    return as_numbers(frame, [name])[:, 0] if name in frame else otherwise


def as_numbers(frame: pd.DataFrame, names: Sequence[str]) -> Floats:
    """Return columns of a table as numbers; NaN for other values, including True and False."""
    columns = []
    for name in names:
        values = [np.nan if isinstance(v, bool | np.bool_) else v for v in frame[name]]
        columns.append(pd.to_numeric(pd.Series(values, dtype=object), errors="coerce"))
    return np.column_stack(columns).astype(np.float64)


def find_file(path: str | os.PathLike[str], what: str, others: Collection[str] = ()) -> Path:
    """Return the path of an existing table, or of a file with one of the suffixes `others`.

    Raises
    ------
    FileNotFoundError
        If there is no such file; the message calls it `what`.
    ValueError
        If it has another ending.
    """
    path = resolve(path)
    if not path.exists():
        raise FileNotFoundError(f"There is no {what} {str(path)!r}.")
    if path.suffix.lower() not in others:
        _check_suffix(path, what)
    return path


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV or Parquet file.

    Raises
    ------
    ValueError
        If the file cannot be read; the message names it.
    """
    try:
        return pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    except ValueError as error:  # errors of pandas and pyarrow derive from it
        raise ValueError(f"{path} cannot be read as a table: {error}") from error


def check_path(path: str | os.PathLike[str]) -> Path:
    """Check, before a long measurement, that a dataset can be written.

    Parameters
    ----------
    path : path
        As in `save_dataset`. Nothing is created yet; a missing folder is created on writing.

    Raises
    ------
    ValueError
        If `path` does not end in ``.csv`` or ``.parquet``.
    OSError
        If its folder cannot be created or written.
    ImportError
        If `path` ends in ``.parquet`` and pyarrow is not installed.
    """
    path = resolve(path)
    _check_suffix(path, "dataset")
    if path.suffix == ".parquet":
        import_extra("pyarrow", "parquet", "A Parquet file")
    check_writable(path.with_suffix(".json"))
    return check_writable(path)


def _check_suffix(path: Path, what: str) -> None:
    if path.suffix not in (".csv", ".parquet"):
        raise ValueError(
            f"A {what}'s file name ends in .csv or .parquet. Got {str(path)!r} instead."
        )
