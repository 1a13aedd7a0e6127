"""Datasets written to a file and read from it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils import Bunch

from fcnn_latency.architecture import FCNNSpace
from fcnn_latency.bunch import make_bunch
from fcnn_latency.measurement.reliability import (
    Reliability,
    assess_reliability,
    standard_errors,
)
from fcnn_latency.widths import pad_widths

__all__ = ["check_path", "check_writable", "load_dataset", "read_table", "save_dataset"]


def save_dataset(dataset: Bunch, path: str | os.PathLike[str]) -> list[Path]:
    """Write a dataset as CSV or Parquet, and what it was measured with as JSON beside it.

    Parameters
    ----------
    dataset : Bunch
        From `make_dataset`, `load_dataset` or `fetch_capstone2023`.
    path : path
        Ends in ``.csv`` or ``.parquet`` (which takes pyarrow).

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    ValueError
        If `path` has another ending.
    """
    path = check_path(path)
    if path.suffix == ".csv":
        dataset.frame.to_csv(path, index=False)
    else:
        dataset.frame.to_parquet(path, index=False)
    keys = ("runtime", "protocol", "signal_length", "environment", "scale")
    about = {key: dataset[key] for key in keys} | {"space": asdict(dataset.space)}
    if dataset.reliability is not None:
        about["reliability"] = dataset.reliability.as_dict()
    about_path = path.with_suffix(".json")
    about_path.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return [path, about_path]


def load_dataset(path: str | os.PathLike[str], *, as_frame: bool = False) -> Bunch:
    """Read a dataset that `save_dataset` or ``fcnn-latency measure`` wrote.

    A table of one's own serves too: columns ``layer_1`` to ``layer_k`` and ``latency`` in seconds.

    Parameters
    ----------
    path : path
        A CSV or Parquet file; the JSON file beside it is read where there is one.
    as_frame : bool, default=False
        Return `data` as a DataFrame and `target` as a Series.

    Returns
    -------
    Bunch
        As from `make_dataset`, without `readings`, `missing` and `interrupted`; `target_std` is
        None for a table with neither ``latency_std`` nor two passes.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it has another ending, lacks columns, or a row is no architecture or has no positive
        latency.
    """
    path = Path(path)
    if not path.exists():
        msg = f"There is no dataset {str(path)!r}."
        raise FileNotFoundError(msg)
    _check_suffix(path)
    frame = read_table(path)
    layers = [name for name in frame.columns if str(name).startswith("layer_")]
    if not layers or "latency" not in frame.columns or not len(frame):
        msg = (
            f"{path} has no rows with the columns layer_1 to layer_k and latency. "
            f"Got {len(frame)} rows with {list(map(str, frame.columns))} instead."
        )
        raise ValueError(msg)
    padded = pad_widths(frame[layers], len(layers))
    passes = _columns(frame, [name for name in frame.columns if str(name).startswith("pass_")])
    latency = _columns(frame, ["latency"])
    if passes.shape[1] < 1:
        passes = latency
    elif not np.allclose(passes.mean(axis=1), latency[:, 0], rtol=1e-6, atol=0, equal_nan=True):
        msg = f"{path}: latency is not the mean of the pass_ columns; mend or drop those columns."
        raise ValueError(msg)
    for name, values in (("latency", latency), ("pass", passes)):
        good = np.isfinite(values) & (values > 0)
        if not good.all():
            row = int(np.argmin(good.all(axis=1)))
            msg = f"{path}, row {row}: {name} is {values[row]}; it must be positive seconds."
            raise ValueError(msg)
    about_path = path.with_suffix(".json")
    about = _read_about(about_path) if about_path.exists() else {}
    reliability = assess_reliability(passes) or about.get("reliability")
    return make_bunch(
        padded,
        passes,
        _loaded_errors(frame, passes),
        reliability,
        {
            "space": about.get("space") or _covering_space(padded),
            "runtime": about.get("runtime", "unknown"),
            "protocol": about.get("protocol", {}),
            "signal_length": about.get("signal_length", 50),
            "environment": about.get("environment", {}),
            "scale": about.get("scale"),
        },
        as_frame=as_frame,
    )


def _read_about(path: Path) -> dict[str, Any]:
    """What a dataset was measured with."""
    try:
        about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(about, dict):
            raise TypeError("no JSON object")
        for key, kind in (("space", FCNNSpace), ("reliability", Reliability)):
            if key in about:
                about[key] = kind(**about[key])
    except (TypeError, ValueError) as error:
        msg = (
            f"{path} does not say what the dataset beside it was measured with: {error}. "
            "Mend it, or remove it to read the table alone."
        )
        raise ValueError(msg) from error
    return about


def _covering_space(padded: npt.NDArray[np.int64]) -> FCNNSpace:
    """The default space, widened to what a table of one's own holds."""
    default = FCNNSpace()
    outputs = padded[np.arange(len(padded)), np.count_nonzero(padded, axis=1) - 1]
    return FCNNSpace(
        max_layers=max(default.max_layers, padded.shape[1]),
        max_width=max(default.max_width, int(padded.max())),
        tie_io=bool((outputs == padded[:, 0]).all()),
    )


def read_table(path: Path) -> pd.DataFrame:
    """A CSV or Parquet file.

    Raises
    ------
    ValueError
        If it cannot be read as one; names the file.
    """
    try:
        return pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    except ValueError as error:  # pandas' and pyarrow's own derive from it
        msg = f"{path} cannot be read as a table: {error}"
        raise ValueError(msg) from error


def check_path(path: str | os.PathLike[str]) -> Path:
    """Make sure, before a long measurement, that a dataset can be written.

    Parameters
    ----------
    path : path
        As in `save_dataset`; its folder is made where it does not exist.

    Raises
    ------
    ValueError
        If `path` does not end in ``.csv`` or ``.parquet``.
    OSError
        If its folder cannot be made or written.
    """
    path = Path(path)
    _check_suffix(path)
    check_writable(path)
    return path


def check_writable(path: Path) -> None:
    """Make sure that a file can be written, making its folder where there is none.

    Raises
    ------
    OSError
        If it cannot.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"The folder of {path} cannot be made: {error}"
        raise OSError(msg) from error
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        msg = f"{path} cannot be written."
        raise PermissionError(msg)


def _check_suffix(path: Path) -> None:
    if path.suffix not in (".csv", ".parquet"):
        msg = f"A dataset's file name ends in .csv or .parquet. Got {str(path)!r} instead."
        raise ValueError(msg)


def _columns(frame: pd.DataFrame, names: list[str]) -> npt.NDArray[np.float64]:
    numbers_only = frame[names].apply(pd.to_numeric, errors="coerce")
    return np.asarray(numbers_only, dtype=np.float64)


def _loaded_errors(
    frame: pd.DataFrame, passes: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64] | None:
    if "latency_std" in frame.columns:
        return _columns(frame, ["latency_std"])[:, 0]
    return standard_errors(passes) if passes.shape[1] > 1 else None
