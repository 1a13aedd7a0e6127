"""Reliability of labels: agreement of passes, noise, noise floors and advice."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fcnn_latency._validation import Floats, Ints
from fcnn_latency.measurement.labels import _noise

#: Minimum number of architectures for noise by quintile: five in each.
LEAST_FOR_QUINTILES = 25
#: A dataset is flagged below this retest correlation or above this noise of one pass.
LEAST_RETEST_R, MOST_NOISE = 0.8, 0.10
#: Below this retest correlation, the warning says "no signal" instead of "little signal".
NO_RETEST_R = 0.3
#: A dataset is flagged above this relative difference between the levels of its passes,
MOST_PASS_BIAS = 0.03
#: this relative change of the reference latency, and this fraction of time stolen.
MOST_DRIFT, MOST_STOLEN = 0.10, 0.01
#: Runtimes that add the least overhead to the latency of a network.
RUNTIMES_WITH_SIGNAL = ("keras", "litert", "onnxruntime")


@dataclass(frozen=True)
class QuintileNoise:
    """Noise of one fifth of the architectures, divided by latency.

    Parameters
    ----------
    lowest, highest : float
        Range of their latencies, in seconds.
    n : int
        Number of architectures.
    noise, noise_floor : float
        As in `Reliability`, for these architectures only.
    """

    lowest: float
    highest: float
    n: int
    noise: float
    noise_floor: float


@dataclass(frozen=True)
class Reliability:
    """Reliability of a dataset, from the agreement of its passes.

    Parameters
    ----------
    n_architectures, n_passes : int
        Number of architectures compared (those with at least two passes), and of their passes.
    noise : float
        Relative standard deviation of one pass.
    noise_floor : float
        Mean absolute percentage error, as a fraction, that a perfect predictor would still show
        against the labels.
    retest_r, retest_spearman : float or None
        Pearson and Spearman correlation of two passes (mean over pairs); None with fewer than
        three architectures, or if all latencies of a pass are the same.
    retest_mape : float
        Mean absolute percentage difference of two passes, as a fraction (mean over pairs).
    pass_bias : float
        Largest ratio between the levels of two passes, minus 1, after each was divided by its own
        reference latency. It shows how differently models and reference were slowed down. Passes
        that hold fewer than half of the architectures do not count.
    noise_interval : tuple of two floats or None
        95 % bootstrap interval of `noise`; None with fewer than ten architectures.
    noise_floor_rmse : float or None
        Root mean square error, in seconds, that a perfect predictor would show.
    noise_floor_r2 : float or None
        R² that a perfect predictor would show; None if all labels are the same.
    by_quintile : tuple of QuintileNoise
        Noise by quintile of latency, fastest first; empty with fewer than 25 architectures.
    reference_drift : float or None
        Largest relative change of the reference latency during the campaign, as a fraction.
    stolen_time : float or None
        Fraction of the timing time that the hypervisor took away.
    """

    n_architectures: int
    n_passes: int
    noise: float
    noise_floor: float
    retest_r: float | None
    retest_spearman: float | None
    retest_mape: float
    pass_bias: float
    noise_interval: tuple[float, float] | None = None
    noise_floor_rmse: float | None = None
    noise_floor_r2: float | None = None
    by_quintile: tuple[QuintileNoise, ...] = ()
    reference_drift: float | None = None
    stolen_time: float | None = None

    def __post_init__(self) -> None:
        """Convert the lists and dicts that JSON returns to tuples and `QuintileNoise`."""
        quintiles = (QuintileNoise(**q) if isinstance(q, dict) else q for q in self.by_quintile)
        object.__setattr__(self, "by_quintile", tuple(quintiles))
        if self.noise_interval is not None:
            low, high = self.noise_interval
            object.__setattr__(self, "noise_interval", (low, high))

    def warnings(self, runtime: str | None = None) -> list[str]:
        """Return the problems of the labels, in plain words; empty if there are none.

        Parameters
        ----------
        runtime : str or None, default=None
            Runtime that executed the models, if known; the advice then fits it.
        """
        return [*self._signal_warnings(runtime), *self._disturbance_warnings()]

    def no_correlation_reason(self) -> str | None:
        """Return why there is no retest correlation; None if there is one."""
        if self.retest_r is not None:
            return None
        if self.n_architectures < _noise.LEAST_COMPARED:
            return "too few architectures"
        if self.noise_floor_r2 is None:
            return "all architectures have the same latency"
        return "all latencies of a pass are the same, or too few architectures share two passes"

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as a JSON-serializable dict."""
        return asdict(self)

    def _signal_warnings(self, runtime: str | None) -> list[str]:
        reason = self.no_correlation_reason()
        if reason is not None and self.n_architectures >= _noise.LEAST_COMPARED:
            return [
                f"Two passes cannot be correlated, since {reason}: these labels tell no "
                f"architectures apart. {_advice(runtime)}"
            ]
        if self.retest_r is None or self.retest_r >= LEAST_RETEST_R:
            return []
        what = "no signal" if self.retest_r < NO_RETEST_R else "little signal"
        where = {None: "These labels hold", "keras-predict": "model.predict in this space:"}.get(
            runtime, f"Runtime {runtime!r} in this space:"
        )
        return [
            f"{where} {what} about the architecture (two passes correlate at "
            f"{self.retest_r:.2f}), and an estimator can learn no more than that. "
            f"{_advice(runtime)}"
        ]

    def _disturbance_warnings(self) -> list[str]:
        found = []
        if self.noise > MOST_NOISE:
            found.append(
                f"One pass is uncertain by {self.noise:.1%}: the machine was disturbed, or the "
                "protocol is too short. `fcnn-latency doctor` shows what may disturb it."
            )
        if self.pass_bias > MOST_PASS_BIAS:
            found.append(
                f"The passes differ by {self.pass_bias:.1%} in level: the machine was disturbed, "
                "and the level of the labels is uncertain by that much."
            )
        if self.reference_drift is not None and self.reference_drift > MOST_DRIFT:
            found.append(
                f"The reference latency changed by {self.reference_drift:.1%} during the campaign: "
                "the machine changed its speed, and dividing by the reference may not correct all "
                "of it. `fcnn-latency doctor` shows what may be the cause."
            )
        if self.stolen_time is not None and self.stolen_time > MOST_STOLEN:
            found.append(
                f"The hypervisor took {self.stolen_time:.1%} of the time while timing: measure "
                "when the host is quieter, or on a machine of your own."
            )
        return found


def assess_reliability(
    passes: npt.ArrayLike, drift: float | None = None, stolen: float | None = None
) -> Reliability | None:
    """Compare the passes of a dataset.

    The noise of one pass is s = 1.4826 median(|e|). Here e are the log latencies minus their mean
    over passes and minus the factor common to a pass, scaled by their degrees of freedom. For two
    passes, s is 1.4826 MAD(d) / sqrt(2), where d are the differences of log latencies.

    Labels are the median of K passes, and c_K / K is the variance of the median of K standard
    normal variables. Against such labels, a perfect predictor shows the mean absolute value of a
    normal variable, sqrt(2 / pi) s sqrt(c_K / K). Its mean square error is the mean of the squared
    standard errors of the labels, each from the passes of its own architecture: errors of single
    estimates average out, and noise that depends on the latency is included.

    The interval is the percentile interval over architectures drawn with replacement (Efron and
    Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3). With more than 1000
    architectures, m = 1000 are drawn and the interval is narrowed by sqrt(m / n) (Bickel, Götze
    and van Zwet, "Resampling fewer than n observations", 1997).

    Parameters
    ----------
    passes : array-like of shape (n_architectures, n_passes)
        Latencies in seconds; NaN where an architecture has fewer passes than others.
        Architectures with a single pass are ignored.
    drift : float or None, default=None
        Largest relative change of the reference latency during the campaign, as a fraction.
    stolen : float or None, default=None
        Fraction of the time while timing that the hypervisor took away.

    Returns
    -------
    Reliability or None
        None if no architecture has two passes.
    """
    compared = _noise.compared_passes(np.asarray(passes, dtype=np.float64))
    if not compared.size:
        return None
    counts, labels = _noise.count_passes(compared), _noise.combine_passes(compared)
    deviations = _noise.log_deviations(np.log(compared))
    scaled = np.abs(_noise.scaled_to_noise(deviations))
    errors = labels**2 * _noise.own_variance(deviations, counts) * _noise.median_variance(counts)
    return Reliability(
        n_architectures=compared.shape[0],
        n_passes=compared.shape[1],
        noise=_noise.noise_of(scaled),
        noise_floor=_noise.noise_floor_of(scaled, counts),
        **_noise.retest_of(compared),
        pass_bias=_noise.pass_bias_of(np.log(compared)),
        noise_interval=_noise.noise_interval_of(scaled),
        noise_floor_rmse=float(np.sqrt(errors.mean())),
        noise_floor_r2=float(1 - errors.mean() / labels.var()) if np.ptp(labels) else None,
        by_quintile=_by_quintile(labels, scaled, counts),
        reference_drift=drift,
        stolen_time=stolen,
    )


def _advice(runtime: str | None) -> str:
    others = [repr(name) for name in RUNTIMES_WITH_SIGNAL if name != runtime]
    if runtime == "keras-predict":
        return (
            "Its latency is that of Keras' prediction loop rather than the network's: "
            "try runtime='keras' or 'litert'."
        )
    return (
        "Try protocol='thorough', a wider space (max_layers, max_width), or a runtime with more "
        f"signal ({', '.join(others)})."
    )


def _by_quintile(labels: Floats, scaled: Floats, counts: Ints) -> tuple[QuintileNoise, ...]:
    if len(labels) < LEAST_FOR_QUINTILES:
        return ()
    parts = np.array_split(np.argsort(labels, kind="stable"), 5)
    return tuple(
        QuintileNoise(
            lowest=float(labels[part[0]]),
            highest=float(labels[part[-1]]),
            n=len(part),
            noise=_noise.noise_of(scaled[part]),
            noise_floor=_noise.noise_floor_of(scaled[part], counts[part]),
        )
        for part in parts
    )
