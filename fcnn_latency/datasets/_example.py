"""A small dataset that ships with the package, for documentation, examples and tests.

Made by ``fcnn-latency measure -n 300 --runtime RUNTIME -o fcnn_latency/datasets/data/RUNTIME.csv``,
for litert and keras; the host name was removed from the description.
"""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import Any

from fcnn_latency._validation import check, choice
from fcnn_latency.datasets._files import load_dataset

RUNTIMES = ("litert", "keras")


def load_example_dataset(
    runtime: str = "litert", *, return_X_y: bool = False, as_frame: bool = False
) -> Any:
    """Load 300 random architectures of the default space with measured latencies.

    Parameters
    ----------
    runtime : {"litert", "keras"}, default="litert"
        Runtime that executed the networks. With LiteRT, latency depends on the arithmetic of a
        network; with Keras, mostly on its number of layers.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of the Bunch.
    as_frame : bool, default=False
        Whether `data` is a DataFrame and `target` a Series.

    Returns
    -------
    Bunch or tuple
        As returned by `make_dataset`; latencies in seconds, measured with the protocol
        ``"reliable"`` on the machine that ``DESCR`` names.

    Raises
    ------
    ValueError
        If there is no example dataset of that runtime.

    Examples
    --------
    >>> from fcnn_latency import load_example_dataset
    >>> dataset = load_example_dataset()
    >>> dataset.data.shape, dataset.target.shape
    ((300, 5), (300,))
    """
    check(runtime, choice(RUNTIMES), "runtime")
    with as_file(files("fcnn_latency.datasets") / "data") as folder:
        dataset = load_dataset(folder / f"{runtime}.csv", as_frame=as_frame)
    return (dataset.data, dataset.target) if return_X_y else dataset
