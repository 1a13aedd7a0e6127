"""How far labels can be trusted: agreement of passes, noise, noise floors, and what to do."""

from __future__ import annotations

import itertools
import warnings
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import pearsonr, spearmanr

__all__ = [
    "QuintileNoise",
    "Reliability",
    "assess_reliability",
    "combine_passes",
    "standard_errors",
]

#: Turns a median absolute deviation into a standard deviation, for normal noise.
MAD_TO_STD = 1.4826
#: Mean absolute deviation of a standard normal variable: sqrt(2 / pi).
MEAN_ABSOLUTE_NORMAL = float(np.sqrt(2 / np.pi))
#: Weight of the noise of all architectures in that of one, in degrees of freedom.
PRIOR_DEGREES_OF_FREEDOM = 4
#: The fewest architectures that tell a correlation, or a factor common to a pass from noise.
LEAST_COMPARED = 3
#: The fewest passes whose spread tells something without its square.
LEAST_FOR_ROBUST = 5
#: n times the variance of the median of n standard normal variables, from n = 0; from 12 on half
#: of pi, nearly. By simulation (two million variables each).
MEDIAN_VARIANCES = (1, 1, 1, 1.346, 1.194, 1.434, 1.286, 1.474, 1.348, 1.49, 1.392, 1.506, 1.45)
#: The fewest architectures whose noise has an interval: resamples of fewer say little.
LEAST_FOR_INTERVAL = 10
#: The fewest architectures whose noise is stated by quintile: five in each.
LEAST_FOR_QUINTILES = 25
#: Resamples of the noise, and the most architectures drawn in each.
RESAMPLES, MOST_DRAWN = 999, 1000
#: A dataset is flagged below this retest correlation or above this noise of one pass.
LEAST_RETEST_R, MOST_NOISE = 0.8, 0.10
#: Below this retest correlation the labels are said to hold no signal, not little.
NO_RETEST_R = 0.3
#: Flagged above this difference between the levels of its passes,
MOST_PASS_BIAS = 0.03
#: this relative change of the reference latency, and this fraction of time stolen.
MOST_DRIFT, MOST_STOLEN = 0.10, 0.01
#: Runtimes that add the least of their own to what a network takes.
RUNTIMES_WITH_SIGNAL = ("keras", "litert", "onnxruntime")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class QuintileNoise:
    """Noise of a fifth of the architectures, by latency.

    Parameters
    ----------
    lowest, highest : float
        Range of their latencies, in seconds.
    n : int
        How many they are.
    noise, noise_floor : float
        As in `Reliability`, of these alone.
    """

    lowest: float
    highest: float
    n: int
    noise: float
    noise_floor: float


@dataclass(frozen=True)
class Reliability:
    """Agreement of a dataset with itself.

    Parameters
    ----------
    n_architectures, n_passes : int
        What was compared: the architectures with at least two passes, and the most passes.
    noise : float
        Relative standard deviation of one pass.
    noise_floor : float
        Mean absolute percentage error, as a fraction, that a perfect predictor would still show
        against the labels.
    retest_r, retest_spearman : float or None
        Pearson and Spearman correlation of two passes (mean over pairs); None with fewer than
        three architectures, or where all latencies of a pass are the same.
    retest_mape : float
        Mean absolute percentage difference of two passes, as a fraction (mean over pairs).
    pass_bias : float
        Largest factor between the levels of two passes, less 1, after each was divided by its
        own reference latency: how far models and reference were slowed differently. Passes that
        hold fewer than half of the architectures do not count.
    noise_interval : tuple of two floats or None
        95 % bootstrap interval of `noise`; None with fewer than ten architectures.
    noise_floor_rmse : float or None
        Root mean square error, in seconds, that a perfect predictor would show.
    noise_floor_r2 : float or None
        R² that it would show; None where all labels are the same.
    by_quintile : tuple of QuintileNoise
        The same by latency, the fastest first; empty with fewer than 25 architectures.
    reference_drift : float or None
        Largest relative change of the reference latency during the campaign, as a fraction.
    stolen_time : float or None
        Fraction of the time while timing that the hypervisor took away.
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
        """Take tuples as JSON gives them back."""
        quintiles = (QuintileNoise(**q) if isinstance(q, dict) else q for q in self.by_quintile)
        object.__setattr__(self, "by_quintile", tuple(quintiles))
        if self.noise_interval is not None:
            low, high = self.noise_interval
            object.__setattr__(self, "noise_interval", (low, high))

    def warnings(self, runtime: str | None = None) -> list[str]:
        """What is wrong with the labels, in plain words; empty where nothing is.

        Parameters
        ----------
        runtime : str or None, default=None
            What executed the models, where known; the advice then fits it.
        """
        return [
            *self._signal_warnings(runtime),
            *self._noise_warnings(),
            *self._machine_warnings(),
        ]

    def no_correlation_reason(self) -> str | None:
        """Why there is no retest correlation; None where there is one."""
        if self.retest_r is not None:
            return None
        if self.n_architectures < LEAST_COMPARED:
            return "too few architectures"
        if self.noise_floor_r2 is None:
            return "all architectures have the same latency"
        return "all latencies of a pass are the same, or too few architectures share two passes"

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    def _signal_warnings(self, runtime: str | None) -> list[str]:
        reason = self.no_correlation_reason()
        if reason is not None and self.n_architectures >= LEAST_COMPARED:
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

    def _noise_warnings(self) -> list[str]:
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
        return found

    def _machine_warnings(self) -> list[str]:
        found = []
        if self.reference_drift is not None and self.reference_drift > MOST_DRIFT:
            found.append(
                f"The reference latency changed by {self.reference_drift:.1%} during the campaign: "
                "the machine changed its speed, and dividing by the reference may not mend all of "
                "it. `fcnn-latency doctor` shows what may be the cause."
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

    The noise of one pass is s = 1.4826 median(|e|), e being the log latencies without their mean
    over passes and without the factor common to a pass, scaled by their degrees of freedom; for
    two passes it is 1.4826 MAD(d) / sqrt(2), d the differences of log latencies. A perfect
    predictor shows the mean absolute value of a normal variable, sqrt(2 / pi) s sqrt(c_K / K),
    against labels that are the median of K passes, c_K / K being the variance of the median of K
    standard normal variables. Its mean square error is the mean of the labels' own
    squared standard errors, each from the passes of its architecture alone: what one label gets
    wrong averages out over all, and noise that depends on the latency is accounted for.

    The interval is that of percentiles over architectures drawn with replacement (Efron and
    Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3). Of more than 1000
    architectures, m = 1000 are drawn and the interval is narrowed by sqrt(m / n) (Bickel, Götze
    and van Zwet, "Resampling fewer than n observations", 1997).

    Parameters
    ----------
    passes : array-like of shape (n_architectures, n_passes)
        Latencies in seconds; NaN where an architecture has fewer passes than others. One with a
        single pass does not count.
    drift : float or None, default=None
        Largest relative change of the reference latency during the campaign, as a fraction.
    stolen : float or None, default=None
        Fraction of the time while timing that the hypervisor took away.

    Returns
    -------
    Reliability or None
        None where no architecture has two passes, from which nothing can be said.
    """
    compared = _compared(np.asarray(passes, dtype=np.float64))
    if not compared.size:
        return None
    counts, labels = _counts(compared), combine_passes(compared)
    deviations = _deviations(np.log(compared))
    scaled = np.abs(_scaled(deviations))
    errors = labels**2 * _own_variance(deviations, counts) * _median_variance(counts)
    return Reliability(
        n_architectures=compared.shape[0],
        n_passes=compared.shape[1],
        noise=_noise(scaled),
        noise_floor=_noise_floor(scaled, counts),
        **_retest(compared),
        pass_bias=_pass_bias(np.log(compared)),
        noise_interval=_noise_interval(scaled),
        noise_floor_rmse=float(np.sqrt(errors.mean())),
        noise_floor_r2=float(1 - errors.mean() / labels.var()) if np.ptp(labels) else None,
        by_quintile=_by_quintile(labels, scaled, counts),
        reference_drift=drift,
        stolen_time=stolen,
    )


def combine_passes(passes: npt.ArrayLike) -> Floats:
    """The label of each architecture: the median over its passes.

    Copies of one model differ by where they lie in memory, a few of them by much, so the median
    repeats better than the mean; of two passes it is their mean. The factor common to a pass is
    taken out before, since the median of passes of two processes would else fall between these.

    Parameters
    ----------
    passes : array-like of shape (n_architectures, n_passes)
        Latencies in seconds; NaN where an architecture has fewer passes than others, at least one
        in each row.

    Returns
    -------
    ndarray of shape (n_architectures,)
        Seconds.
    """
    logs = np.log(np.asarray(passes, dtype=np.float64))
    logs = logs[:, np.isfinite(logs).any(axis=0)]
    told = np.isfinite(logs).sum(axis=0) >= LEAST_COMPARED
    return np.asarray(np.exp(np.nanmedian(logs - np.where(told, _pass_levels(logs), 0.0), axis=1)))


def standard_errors(passes: npt.ArrayLike) -> Floats:
    """Standard error of each label, the median over passes.

    A few passes of one architecture alone say little about its noise, so its variance is squeezed
    towards that of all architectures, as in Smyth, "Linear models and empirical Bayes methods for
    assessing differential expression" (2004), section 3, with four prior degrees of freedom.

    Parameters
    ----------
    passes : array-like of shape (n_architectures, n_passes)
        Latencies in seconds; NaN where an architecture has fewer passes than others, at least one
        in each row.

    Returns
    -------
    ndarray of shape (n_architectures,)
        Seconds; for a single pass from the noise of all, and NaN where none has two passes.
    """
    passes = np.asarray(passes, dtype=np.float64)
    counts = _counts(passes)
    variance = np.full(len(passes), np.nan)
    compared = _compared(passes)
    if compared.size:
        deviations = _deviations(np.log(compared))
        own, several = np.zeros(len(passes)), counts > 1
        own[several] = _own_variance(deviations, counts[several])
        prior, noise = PRIOR_DEGREES_OF_FREEDOM, _noise(np.abs(_scaled(deviations)))
        variance = (prior * noise**2 + (counts - 1) * own) / (prior + counts - 1)
    return np.asarray(combine_passes(passes) * np.sqrt(variance * _median_variance(counts)))


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


def _compared(passes: Floats) -> Floats:
    """The architectures with two passes or more, and the passes that those have."""
    rows = passes[_counts(passes) > 1]
    return np.asarray(rows[:, np.isfinite(rows).any(axis=0)])


def _counts(passes: Floats) -> npt.NDArray[np.int64]:
    return np.asarray(np.isfinite(passes).sum(axis=1))


def _deviations(logs: Floats) -> Floats:
    """Log latencies without what is the architecture's and what is common to the whole pass.

    A factor common to a pass is the machine's speed: a predictor learns it with the scale of the
    labels. One or two architectures cannot tell it from noise, so there it counts as noise.
    """
    told = np.isfinite(logs).sum(axis=0) >= LEAST_COMPARED
    deviations = _centred(logs - np.where(told, _pass_levels(logs), 0.0))
    return np.asarray(deviations - np.where(told, np.nanmedian(deviations, axis=0), 0.0))


def _centred(logs: Floats) -> Floats:
    return np.asarray(logs - np.nanmean(logs, axis=1, keepdims=True))


def _pass_levels(logs: Floats) -> Floats:
    """Log factor of each pass, their median 0.

    One step does where all architectures have all passes; otherwise the mean over passes of an
    architecture depends on which ones it has, and the levels are found by repetition.
    """
    levels = np.zeros(logs.shape[1])
    for _ in range(30):
        step = np.nanmedian(_centred(logs - levels), axis=0)
        step -= np.median(step)  # so that one odd pass does not move the others
        levels += step
        if np.abs(step).max() < 1e-9:
            break
    return levels


def _scaled(deviations: Floats) -> Floats:
    """Deviations as large as the noise: fitting means and levels has made them smaller."""
    passes, members = _counts(deviations)[:, None], np.isfinite(deviations).sum(axis=0)
    degrees = np.where(members >= LEAST_COMPARED, members / np.maximum(members - 1, 1), 1.0)
    return np.asarray(deviations * np.sqrt(degrees * passes / (passes - 1)))


def _noise(scaled: Floats) -> float:
    return float(MAD_TO_STD * np.nanmedian(scaled))


def _noise_floor(scaled: Floats, counts: npt.NDArray[np.int64]) -> float:
    errors = np.sqrt(_median_variance(counts))
    return float(MEAN_ABSOLUTE_NORMAL * _noise(scaled) * errors.mean())


def _own_variance(deviations: Floats, counts: npt.NDArray[np.int64]) -> Floats:
    """Variance of a pass from those of each architecture; robust where there are enough of them."""
    variance = np.nansum(deviations**2, axis=1) / (counts - 1)
    centre = np.nanmedian(deviations, axis=1, keepdims=True)
    mad = np.nanmedian(np.abs(deviations - centre), axis=1)
    robust = (MAD_TO_STD * mad * counts / (counts - 0.8)) ** 2  # small samples: Croux, Rousseeuw
    return np.asarray(np.where(counts >= LEAST_FOR_ROBUST, robust, variance))


def _median_variance(counts: npt.NDArray[np.int64]) -> Floats:
    """Variance of the median of so many standard normal variables."""
    known = np.array(MEDIAN_VARIANCES)
    factor = known[np.minimum(counts, len(known) - 1)]
    return np.asarray(factor / np.maximum(counts, 1))


def _noise_interval(scaled: Floats) -> tuple[float, float] | None:
    n = len(scaled)
    if n < LEAST_FOR_INTERVAL:
        return None
    drawn = min(n, MOST_DRAWN)
    rows = np.random.default_rng(0).integers(n, size=(RESAMPLES, drawn))
    resampled = scaled[rows].reshape(RESAMPLES, -1)
    noises = MAD_TO_STD * _medians(resampled)
    noise = _noise(scaled)
    low, high = noise + np.sqrt(drawn / n) * (np.percentile(noises, [2.5, 97.5]) - noise)
    return float(low), float(high)


def _medians(values: Floats) -> Floats:
    """Median of each row without its NaN, which sorting puts last."""
    counts = _counts(values)
    if (counts == values.shape[1]).all():
        return np.asarray(np.median(values, axis=1))
    ordered, rows = np.sort(values, axis=1), np.arange(len(values))
    return np.asarray((ordered[rows, (counts - 1) // 2] + ordered[rows, counts // 2]) / 2)


def _by_quintile(
    labels: Floats, scaled: Floats, counts: npt.NDArray[np.int64]
) -> tuple[QuintileNoise, ...]:
    if len(labels) < LEAST_FOR_QUINTILES:
        return ()
    parts = np.array_split(np.argsort(labels, kind="stable"), 5)
    return tuple(
        QuintileNoise(
            lowest=float(labels[part[0]]),
            highest=float(labels[part[-1]]),
            n=len(part),
            noise=_noise(scaled[part]),
            noise_floor=_noise_floor(scaled[part], counts[part]),
        )
        for part in parts
    )


def _pass_bias(logs: Floats) -> float:
    held = np.isfinite(logs).mean(axis=0) >= 0.5
    levels = _pass_levels(logs)[held]
    return float(np.expm1(np.ptp(levels))) if len(levels) > 1 else 0.0


def _retest(passes: Floats) -> dict[str, Any]:
    """Agreement of two passes, mean over pairs by how many architectures have both."""
    pairs = []
    for i, j in itertools.combinations(range(passes.shape[1]), 2):
        both = passes[np.isfinite(passes[:, [i, j]]).all(axis=1)][:, [i, j]]
        if len(both):
            pairs.append((both[:, 0], both[:, 1]))
    differences = [np.mean(np.abs(b - a) / a) for a, b in pairs]
    return {
        "retest_r": _mean_correlation(pearsonr, pairs),
        "retest_spearman": _mean_correlation(spearmanr, pairs),
        "retest_mape": float(np.average(differences, weights=[len(a) for a, _ in pairs])),
    }


def _mean_correlation(correlation: Any, pairs: list[tuple[Floats, Floats]]) -> float | None:
    pairs = [pair for pair in pairs if len(pair[0]) >= LEAST_COMPARED]
    if not pairs:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a constant pass has no correlation: None, below
        values = [float(correlation(a, b).statistic) for a, b in pairs]
    if not np.isfinite(values).all():
        return None
    return float(np.average(values, weights=[len(a) for a, _ in pairs]))
