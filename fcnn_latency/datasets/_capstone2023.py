"""Fetch the published data of Beglaryan and Ringhofer (2023)."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fcnn_latency.datasets._bunch import finish, make_bunch, make_frame
from fcnn_latency.measurement.labels._reliability import Reliability, assess_reliability
from fcnn_latency.spaces._fcnn import FCNNSpace
from fcnn_latency.spaces._widths import pad_widths

#: The data of Beglaryan and Ringhofer (2023), as published; the commit fixes its content.
CAPSTONE2023_URL = (
    "https://raw.githubusercontent.com/lilitbeglaryan/CAPSTONE_AUA_2023_SPRING/"
    "b0b23da81a675ce97817369d5d31ba44d0557bc9/dataset.csv"
)
CAPSTONE2023_SHA256 = "89bcc1ea35c92d244c0ae69c2b4b4b72219760c520832fdcc8ec24478f6cb0f6"
#: Environment variable with another URL or file to fetch the data from.
CAPSTONE2023_VARIABLE = "FCNN_LATENCY_CAPSTONE2023"


def fetch_capstone2023(
    *,
    source: str | os.PathLike[str] | None = None,
    data_home: str | os.PathLike[str] | None = None,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Any:
    """Fetch the 7,000 latencies behind Beglaryan and Ringhofer (2023).

    The labels hold no signal about the architecture: two measurements of the same architecture
    have a correlation of about 0. The dataset serves to reproduce the paper, and to show the effect
    of unreliable labels.

    Parameters
    ----------
    source : str, path or None, default=None
        URL or local path of the CSV file. None uses the environment variable
        ``FCNN_LATENCY_CAPSTONE2023`` if it is set, otherwise the authors' repository.
    data_home : path or None, default=None
        Cache folder; None uses the user's cache folder of fcnn_latency.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=False
        Return `data` as a DataFrame and `target` as a Series.

    Returns
    -------
    Bunch
        As returned by `make_dataset`. The noise is estimated from architectures that were measured
        twice.
    (data, target)
        If `return_X_y`.

    Raises
    ------
    ValueError
        If the file is not the published one (its SHA-256 differs).
    OSError
        If the file cannot be downloaded or read.
    """
    path = _fetch(source or os.environ.get(CAPSTONE2023_VARIABLE) or CAPSTONE2023_URL, data_home)
    table = pd.read_csv(path)
    padded = pad_widths(table.iloc[:, :-1].to_numpy(), table.shape[1] - 1)
    target = table["Latency"].to_numpy(dtype=np.float64)
    reliability = _repeat_reliability(table)
    cpu = "Intel(R) Core(TM) i7-8750H CPU @ 2.20GHz"
    bunch = make_bunch(
        make_frame(padded, target[:, None], latency=target, latency_std=target * reliability.noise),
        reliability,
        {
            "space": FCNNSpace(),
            "runtime": "keras-predict",
            "protocol": {"name": "paper"},
            "signal_length": 50,
            "environment": {"cpu": cpu, "cores": 6, "affinity": None},
            "scale": None,
            "measuring_time": None,
        },
    )
    return finish(bunch, as_frame=as_frame, return_X_y=return_X_y)


def _repeat_reliability(table: pd.DataFrame) -> Reliability:
    """Assess reliability from the first two measurements of each repeated architecture."""
    layers = list(table.columns[:-1])
    number = table.groupby(layers).cumcount()
    first = table[number == 0].set_index(layers)["Latency"]
    second = table[number == 1].set_index(layers)["Latency"]
    pairs = np.column_stack([first.loc[second.index], second])
    reliability = assess_reliability(pairs)
    assert reliability is not None  # two columns give one
    # The labels are single measurements, so a perfect predictor sees the noise of one pass.
    rmse = float((reliability.noise_floor_rmse or np.nan) * np.sqrt(2))
    return replace(
        reliability,
        noise_floor=float(reliability.noise_floor * np.sqrt(2)),
        noise_floor_rmse=rmse,
        noise_floor_r2=float(1 - rmse**2 / table["Latency"].var()),
        by_quintile=(),
    )


def _fetch(source: str | os.PathLike[str], data_home: str | os.PathLike[str] | None) -> Path:
    import pooch

    if not str(source).startswith(("http://", "https://")):
        local = Path(source)
        if not local.is_file():
            raise FileNotFoundError(
                f"There is no file {str(local)!r} to read the capstone2023 data from."
            )
        if pooch.file_hash(str(local)) != CAPSTONE2023_SHA256:
            raise ValueError(
                f"{local} is not the published capstone2023 file: its SHA-256 differs."
            )
        return local
    cache = pooch.os_cache("fcnn_latency") if data_home is None else Path(data_home)
    try:
        return Path(
            pooch.retrieve(str(source), CAPSTONE2023_SHA256, fname="capstone2023.csv", path=cache)
        )
    except OSError as error:
        raise OSError(
            f"Could not download {source}: {error}. Pass source= (an address or a file) or set "
            f"{CAPSTONE2023_VARIABLE} where the network does not reach it."
        ) from error
