"""Measurement as an estimator: the expensive reference for comparisons."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fcnn_latency._validation import Floats
from fcnn_latency.datasets._make import make_dataset
from fcnn_latency.estimators._base import WidthsRegressor
from fcnn_latency.exceptions import MeasurementError
from fcnn_latency.measurement._protocol import MeasurementProtocol
from fcnn_latency.measurement.runtimes._base import Runtime
from fcnn_latency.spaces._fcnn import FCNNSpace


class MeasuredLatency(WidthsRegressor):
    """Estimator that measures latencies on this machine instead of predicting them.

    `predict` builds the networks and measures them with `make_dataset`; `fit` learns nothing. This
    is the real-time measurement to which Beglaryan and Ringhofer (2023), section II, compare their
    estimators. It is as exact as labels, and as expensive.

    Parameters
    ----------
    runtime : str, Runtime or None, default=None
        Runtime that executes the networks, as in `make_dataset`.
    protocol : str or MeasurementProtocol, default="reliable"
        Measurement protocol, as in `make_dataset`.
    signal_length : int, default=50
        Number of values that one inference reads.
    space : FCNNSpace or None, default=None
        Space that must contain the architectures; None means ``FCNNSpace()``.
    scale : {"machine", "campaign"}, default="machine"
        Source of the common level of the latencies, as in `make_dataset`.
    target_error : float or None, default=None
        Relative standard error to reach, as in `make_dataset`.
    store : path or None, default=None
        SQLite file for the readings, as in `make_dataset`. With a store and a fixed
        `random_state`, the same architectures are not measured twice.
    client : distributed.Client or None, default=None
        Measure on the hosts of this Dask cluster, as in `make_dataset`.
    wait : bool, default=True
        Whether to wait while another campaign measures on this machine.
    random_state : int, RandomState or None, default=None
        Seed of the measuring order.
    verbose : int, default=0
        If nonzero, show progress and the remaining time.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns seen in `fit`.

    Examples
    --------
    >>> measured = MeasuredLatency("litert", random_state=0).fit([[41, 41, 0, 0, 0]])
    >>> measured.predict([[10, 10, 0, 0, 0], [41, 50, 50, 50, 41]])  # doctest: +SKIP
    array([3.1e-07, 6.7e-07])
    """

    def __init__(
        self,
        runtime: str | Runtime | None = None,
        protocol: str | MeasurementProtocol = "reliable",
        *,
        signal_length: int = 50,
        space: FCNNSpace | None = None,
        scale: str = "machine",
        target_error: float | None = None,
        store: Any = None,
        client: Any = None,
        wait: bool = True,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.runtime = runtime
        self.protocol = protocol
        self.signal_length = signal_length
        self.space = space
        self.scale = scale
        self.target_error = target_error
        self.store = store
        self.client = client
        self.wait = wait
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike | None = None) -> MeasuredLatency:
        """Check the widths; nothing is learned.

        Parameters
        ----------
        X : array-like of shape (n_samples, max_layers)
            Zero-padded widths.
        y : array-like of shape (n_samples,) or None, default=None
            Checked but not used.

        Returns
        -------
        MeasuredLatency
            The estimator itself.

        Raises
        ------
        ValueError
            If the data are not finite numbers, or a width is negative.
        """
        if y is None:
            self._checked_widths(X, reset=True)
        else:
            self._checked(X, y)
        return self

    def predict(self, X: npt.ArrayLike) -> Floats:
        """Measure latencies in seconds.

        Parameters
        ----------
        X : array-like of shape (n_samples, max_layers)
            Zero-padded widths.

        Returns
        -------
        ndarray of float64, shape (n_samples,)
            Latencies in seconds.

        Raises
        ------
        ValueError
            If a row is not an architecture of the space, or a parameter is invalid.
        MeasurementError
            If an architecture could not be measured; the message names the row and the reason.
        KeyboardInterrupt
            If Ctrl-C is pressed before all measurements are complete.
        """
        widths = self._checked_widths(X)
        dataset = make_dataset(widths, **self.get_params(deep=False))
        if dataset.interrupted:
            raise KeyboardInterrupt
        if len(dataset.missing):
            first = dataset.missing.iloc[0]
            raise MeasurementError(
                f"{len(dataset.missing)} of {len(widths)} architectures have no latency, the "
                f"first in row {first.name}: {first['reason']}"
            )
        return np.asarray(dataset.target)

    def __sklearn_tags__(self) -> Any:
        """Return the tags: repeated predictions differ by noise; labels are not required."""
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        tags.target_tags.required = False
        return tags
