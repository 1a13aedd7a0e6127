"""Tables of single layers: measure, save and load them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from fcnn_latency._units import format_percent, format_seconds
from fcnn_latency._validation import Floats, Rule, check, or_none, whole
from fcnn_latency.datasets._bunch import finish
from fcnn_latency.datasets._description import ORIGIN, read_description
from fcnn_latency.datasets._files import as_numbers, find_file, read_table, write_table
from fcnn_latency.datasets._make import measure_architectures
from fcnn_latency.exceptions import MeasurementError
from fcnn_latency.measurement._protocol import MeasurementProtocol
from fcnn_latency.measurement.runtimes._base import Runtime
from fcnn_latency.networks._layer_nodes import layer_nodes
from fcnn_latency.networks._layers import signal_rows
from fcnn_latency.spaces._fcnn import SPACE, FCNNSpace

#: Widths of the chains of 1 to 4 tiny layers that determine the overhead of a call.
CHAIN_WIDTHS = (2, 4, 8)
CHAIN_LAYERS = (1, 2, 3, 4)
#: How often each chain is measured; more than once since every prediction includes the overhead.
CHAIN_REPEATS = 3

#: Columns of a table.
COLUMNS = ["rows", "fan_in", "fan_out", "latency", "latency_std"]
#: Maximum size of a layer.
MOST_SIZE = np.iinfo(np.int32).max
#: Fields that are saved next to the table.
ABOUT = (*ORIGIN, "noise_floor")


def make_layer_table(
    rows: Sequence[int] | None = None,
    fan_in: Sequence[int] | None = None,
    fan_out: Sequence[int] | None = None,
    *,
    space: FCNNSpace | None = None,
    runtime: str | Runtime | None = None,
    protocol: str | MeasurementProtocol = "reliable",
    signal_length: int = 50,
    scale: str = "machine",
    target_error: float | None = None,
    store: str | os.PathLike[str] | None = None,
    client: Any = None,
    wait: bool = True,
    random_state: Any = None,
    verbose: int = 0,
) -> Bunch:
    """Measure single dense layers and the overhead of a call on this machine.

    Each combination of `rows`, `fan_in` and `fan_out` is measured as a network of one layer, all
    in one campaign as in `make_dataset`. A network without layers cannot be run. The overhead of a
    call is therefore extrapolated: latencies of chains of 1, 2, 3 and 4 tiny layers are fitted by
    least squares of the relative error, with one slope for each size of layer, and the common
    intercept is the overhead. Every entry includes the framework's own cost of a layer.

    Parameters
    ----------
    rows : sequence of int or None, default=None
        Input rows of a layer. None uses the numbers of rows that the input widths of `space` cut
        the signal into, or 16 of these numbers if there are more.
    fan_in, fan_out : sequence of int or None, default=None
        Inputs and outputs of a layer. None uses a grid of common sizes between the minimum and the
        maximum width of `space`.
    space : FCNNSpace or None, default=None
        Space that the table should cover; None is ``FCNNSpace()``, whose table has 840 entries.
    runtime, protocol, scale, target_error, store, client, wait, random_state, verbose
        As in `make_dataset`.
    signal_length : int, default=50
        Number of input values of one inference, for whole architectures and the reference.

    Returns
    -------
    Bunch
        frame : DataFrame
            ``rows``, ``fan_in``, ``fan_out``, ``latency`` and its standard error ``latency_std``,
            both in seconds; the first entry, of rows, fan_in and fan_out 0, is the overhead of a
            call. Input for `LookupTableRegressor`.
        overhead, overhead_std : float
            Overhead of a call in seconds, and its standard error.
        chains : DataFrame
            ``width``, ``layers`` and ``latency`` of the chains behind the overhead.
        noise_floor : float or None
            As in `make_dataset`, for the entries.
        missing : DataFrame
            Layers without a latency, as in `make_dataset`.
        runtime, protocol, signal_length, random_state, environment, scale, DESCR
            As in `make_dataset`.

    Raises
    ------
    ValueError
        If sizes are not whole numbers of at least 1, or as in `make_dataset`.
    ImportError, MeasurementError, StoreError, KeyboardInterrupt
        As in `make_dataset`. Also KeyboardInterrupt if the table is incomplete, and
        MeasurementError if the overhead cannot be determined.

    Warns
    -----
    MeasurementWarning
        If entries are missing or weak.

    Examples
    --------
    >>> table = make_layer_table([1, 4], [8, 50], [16], runtime="litert")  # doctest: +SKIP
    >>> table.frame[["rows", "fan_in", "fan_out"]].to_numpy().tolist()  # doctest: +SKIP
    [[0, 0, 0], [1, 8, 16], [1, 50, 16], [4, 8, 16], [4, 50, 16]]
    """
    check(space, or_none(SPACE), "space")
    check(signal_length, whole(1), "signal_length")
    layers = _layers(FCNNSpace() if space is None else space, signal_length, rows, fan_in, fan_out)
    chains = [(w,) * (n + 1) for w in CHAIN_WIDTHS for n in CHAIN_LAYERS] * CHAIN_REPEATS
    architectures = [*((i, o) for _, i, o in layers), *chains]
    measured = measure_architectures(
        architectures,
        input_rows=[*(r for r, _, _ in layers), *(1 for _ in chains)],
        space=FCNNSpace(CHAIN_LAYERS[-1] + 1, max(map(max, architectures)), tie_io=False),
        runtime=runtime,
        protocol=protocol,
        signal_length=signal_length,
        target_error=target_error,
        scale=scale,
        store=store,
        client=client,
        wait=wait,
        random_state=random_state,
        verbose=verbose,
    )
    if measured.interrupted:
        raise KeyboardInterrupt(
            "Interrupted before the table was complete; with a store the same call resumes."
        )
    return _table(finish(measured), len(chains))


def _layers(
    space: FCNNSpace, signal_length: int, *given: Sequence[int] | None
) -> list[tuple[int, int, int]]:
    """Return rows, inputs and outputs of every entry; by default those for the space."""
    ends = (space.min_width, space.max_width)
    cut = signal_rows(np.arange(ends[0], ends[1] + 1), signal_length)
    nodes = layer_nodes(cut, ends, ends)
    axes = [
        own.tolist() if sizes is None else _sizes(name, sizes)
        for name, sizes, own in zip(COLUMNS[:3], given, nodes, strict=True)
    ]
    return list(product(*axes))


def _sizes(name: str, given: Sequence[int]) -> list[int]:
    sizes = np.ravel(np.asarray(given, dtype=object)).tolist()
    good = bool(sizes) and all(map(whole(1).holds, sizes))
    wanted = Rule("whole numbers of at least 1, or None", lambda _: good)
    check(given, wanted, name, "make_layer_table")
    return sorted({int(size) for size in sizes})


def _table(measured: Bunch, n_chains: int) -> Bunch:
    """Return entries and overhead of a campaign whose last architectures are the chains."""
    n_layers = len(measured.data) + len(measured.missing) - n_chains
    missing = measured.missing[measured.missing.index < n_layers]
    n_entries = n_layers - len(missing)
    widths, latencies = measured.data[n_entries:], measured.target[n_entries:]
    if not len(latencies):
        first = measured.missing["reason"].iloc[-1]
        raise MeasurementError(
            f"Not one chain of tiny layers, which tell the overhead, could be measured: {first}"
        )
    chains = pd.DataFrame({"width": widths[:, 0], "layers": np.count_nonzero(widths, axis=1) - 1})
    call = pd.DataFrame([[0, 0, 0, *_overhead(chains, latencies)]], columns=COLUMNS)
    named = measured.frame.rename(columns={"layer_1": "fan_in", "layer_2": "fan_out"})
    entries = named.assign(rows=measured.input_rows)[COLUMNS][:n_entries]
    frame = pd.concat([call, entries], ignore_index=True)
    table = _as_bunch(frame, {key: measured[key] for key in ABOUT})
    table.update(chains=chains.assign(latency=latencies), missing=missing)
    return table


def _overhead(chains: pd.DataFrame, latencies: Floats) -> tuple[float, float]:
    """Return the latency of zero layers and its standard error; each width has its own slope."""
    widths, counts = chains["width"].to_numpy(), chains["layers"].to_numpy()
    kinds = np.unique(widths)
    slopes = np.where(widths[:, None] == kinds, counts[:, None], 0)
    design = np.column_stack([np.ones(len(counts)), slopes]) / latencies[:, None]
    target = np.ones(len(counts))
    solution = np.linalg.lstsq(design, target)[0]
    rest = target - design @ solution
    freedom = max(len(target) - len(solution), 1)
    errors = np.linalg.pinv(design.T @ design) * (rest @ rest) / freedom
    return float(max(solution[0], 0.0)), float(np.sqrt(errors[0, 0]))


def _as_bunch(frame: pd.DataFrame, about: dict[str, Any]) -> Bunch:
    is_call = (frame[COLUMNS[:3]] == 0).all(axis=1)
    call = frame[is_call].iloc[0]
    overhead, error = float(call["latency"]), float(call["latency_std"])
    described = _describe(frame[~is_call], call, about)
    return Bunch(frame=frame, overhead=overhead, overhead_std=error, DESCR=described, **about)


def _describe(entries: pd.DataFrame, call: pd.Series, about: dict[str, Any]) -> str:
    latencies, floor = entries["latency"], about.get("noise_floor")
    environment, protocol = about.get("environment", {}), about.get("protocol", {})
    known = "not known" if floor is None else format_percent(floor)
    lines = [
        "Latencies of single dense layers",
        "--------------------------------",
        f"{len(entries)} layers, "
        + ", ".join(f"{n} {entries[n].min()} to {entries[n].max()}" for n in COLUMNS[:3])
        + ".",
        f"Latency: {format_seconds(latencies.min())} to {format_seconds(latencies.max())}.",
        f"Overhead of a call, part of each: {format_seconds(call['latency'])} ± "
        f"{format_seconds(call['latency_std'])}.",
        f"Runtime: {about.get('runtime')}. Protocol: {protocol.get('name', 'unknown')}.",
        f"Machine: {environment.get('cpu', 'unknown')}, {environment.get('cores', '?')} cores.",
        f"Noise floor: {known}.",
    ]
    return "\n".join(lines) + "\n"


def save_layer_table(table: Bunch, path: str | os.PathLike[str]) -> list[Path]:
    """Write a table as CSV or Parquet, with its description as JSON next to it.

    Parameters
    ----------
    table : Bunch
        From `make_layer_table` or `load_layer_table`.
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
    return write_table(table.frame, {key: table[key] for key in ABOUT if key in table}, path)


def load_layer_table(path: str | os.PathLike[str]) -> Bunch:
    """Read a table written by `save_layer_table`, or a custom table.

    Parameters
    ----------
    path : path
        CSV or Parquet with the columns ``rows``, ``fan_in``, ``fan_out`` and ``latency`` in
        seconds. The row in which the first three are 0 is the overhead of a call. The JSON file
        next to the table is read if there is one.

    Returns
    -------
    Bunch
        As returned by `make_layer_table`, without ``chains`` and ``missing``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file has another suffix, lacks a column or the overhead, or an entry is no layer
        with a positive latency; the message says where.
    """
    path = find_file(path, "table")
    frame = _checked(read_table(path), path)
    return _as_bunch(frame, read_description(path, ABOUT, "table"))


def _checked(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    missing = [name for name in COLUMNS[:4] if name not in frame]
    if missing:
        raise ValueError(
            f"{path} lacks the columns {missing}. Got {list(map(str, frame.columns))} instead."
        )
    frame = frame.reindex(columns=COLUMNS)  # adds latency_std if it is missing
    frame = pd.DataFrame(as_numbers(frame, COLUMNS), columns=COLUMNS)
    sizes = frame[COLUMNS[:3]]
    is_call = (sizes == 0).all(axis=1)
    if is_call.sum() != 1:
        raise ValueError(
            f"{path} must have one row for the overhead of a call, whose rows, fan_in and fan_out "
            f"are 0. Got {is_call.sum()} of them instead."
        )
    is_layer = ((sizes >= 1) & (sizes <= MOST_SIZE) & (sizes == sizes.round())).all(axis=1)
    good = (is_layer | is_call) & np.isfinite(frame["latency"])
    good &= (frame["latency"] > 0) | (is_call & (frame["latency"] == 0))
    if not good.all() or len(frame) < 2:
        row = int(np.argmin(good))
        raise ValueError(
            f"{path}, row {row}: {frame.iloc[row].to_dict()} is no layer of whole sizes with a "
            "latency in positive seconds."
        )
    return frame.astype(dict.fromkeys(COLUMNS[:3], np.int64))
