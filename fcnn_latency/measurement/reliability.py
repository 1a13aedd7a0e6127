"""How far labels can be trusted: agreement of passes, noise, noise floor."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import pearsonr, spearmanr

__all__ = ["Reliability", "assess_reliability", "standard_errors"]

#: Turns a median absolute deviation into a standard deviation, for normal noise.
MAD_TO_STD = 1.4826
#: Mean absolute deviation of a standard normal variable: sqrt(2 / pi).
MEAN_ABSOLUTE_NORMAL = float(np.sqrt(2 / np.pi))
#: Weight of the noise of all architectures in that of one, in degrees of freedom.
PRIOR_DEGREES_OF_FREEDOM = 4
#: A dataset is flagged below this retest correlation or above this noise of one pass.
LEAST_RETEST_R, MOST_NOISE = 0.8, 0.10
#: Or above this difference between the levels of its passes.
MOST_PASS_BIAS = 0.03


@dataclass(frozen=True)
class Reliability:
    """Agreement of a dataset with itself.

    Parameters
    ----------
    n_architectures, n_passes : int
        What was compared.
    noise : float
        Relative standard deviation of one pass.
    noise_floor : float
        Mean absolute percentage error, as a fraction, that a perfect predictor would still show
        against the labels.
    retest_r, retest_spearman : float or None
        Pearson and Spearman correlation of two passes (mean over pairs); None with fewer than
        three architectures.
    retest_mape : float
        Mean absolute percentage difference of two passes, as a fraction (mean over pairs).
    pass_bias : float
        Largest factor between the levels of two passes, less 1, after each was divided by its
        own reference latency: how far models and reference were slowed differently.
    """

    n_architectures: int
    n_passes: int
    noise: float
    noise_floor: float
    retest_r: float | None
    retest_spearman: float | None
    retest_mape: float
    pass_bias: float

    def warnings(self) -> list[str]:
        """What is wrong with the labels, in plain words; empty where nothing is."""
        found = []
        if self.retest_r is not None and self.retest_r < LEAST_RETEST_R:
            found.append(
                f"Two passes correlate at {self.retest_r:.2f} only: these labels hold little or no "
                "signal about the architecture, and no estimator can learn them. "
                "Try runtime='keras' with protocol='reliable'."
            )
        if self.noise > MOST_NOISE:
            found.append(
                f"One pass is uncertain by {self.noise:.0%}: the machine was disturbed, or the "
                "protocol is too short. `fcnn-latency doctor` shows what may disturb it."
            )
        if self.pass_bias > MOST_PASS_BIAS:
            found.append(
                f"The passes differ by {self.pass_bias:.1%} in level: the machine was disturbed, "
                "and the level of the labels is uncertain by that much."
            )
        return found

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def assess_reliability(passes: npt.ArrayLike) -> Reliability | None:
    """Compare the passes of a dataset.

    The noise of one pass is s = 1.4826 median(|e|), e being the log latencies without their mean
    over passes and without the factor common to a pass, scaled by their degrees of freedom; for
    two passes it is 1.4826 MAD(d) / sqrt(2), d the differences of log latencies. A perfect
    predictor shows the mean absolute value of a normal variable, sqrt(2 / pi) s / sqrt(K),
    against labels that average K passes.

    Parameters
    ----------
    passes : array-like of shape (n_architectures, n_passes)
        Latencies in seconds.

    Returns
    -------
    Reliability or None
        None with fewer than two passes, from which nothing can be said.
    """
    passes = np.asarray(passes, dtype=np.float64)
    n_architectures, n_passes = passes.shape
    if n_passes < 2 or n_architectures == 0:
        return None
    noise = _noise(np.log(passes))
    first, second = np.triu_indices(n_passes, k=1)
    pairs = [(passes[:, i], passes[:, j]) for i, j in zip(first, second, strict=True)]
    return Reliability(
        n_architectures=n_architectures,
        n_passes=n_passes,
        noise=noise,
        noise_floor=float(MEAN_ABSOLUTE_NORMAL * noise / np.sqrt(n_passes)),
        retest_r=_mean_correlation(pearsonr, pairs),
        retest_spearman=_mean_correlation(spearmanr, pairs),
        pass_bias=_pass_bias(np.log(passes)),
        retest_mape=float(np.mean([np.mean(np.abs(b - a) / a) for a, b in pairs])),
    )


def standard_errors(passes: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Standard error of each label, the mean over passes.

    Two or three passes of one architecture alone say little about its noise, so its variance is
    squeezed towards that of all architectures, as in Smyth, "Linear models and empirical Bayes
    methods for assessing differential expression" (2004), section 3, with four prior degrees of
    freedom.

    Parameters
    ----------
    passes : array-like of shape (n_architectures, n_passes >= 2)
        Latencies in seconds.

    Returns
    -------
    ndarray of shape (n_architectures,)
        Seconds.
    """
    passes = np.asarray(passes, dtype=np.float64)
    n_passes = passes.shape[1]
    logs = np.log(passes)
    prior, own = PRIOR_DEGREES_OF_FREEDOM, n_passes - 1
    variance = (prior * _noise(logs) ** 2 + (_deviations(logs) ** 2).sum(axis=1)) / (prior + own)
    return np.asarray(passes.mean(axis=1) * np.sqrt(variance / n_passes))


def _noise(logs: npt.NDArray[np.float64]) -> float:
    n_architectures, n_passes = logs.shape
    deviations, degrees = _deviations(logs), n_passes / (n_passes - 1)
    if n_architectures > 2:
        degrees *= n_architectures / (n_architectures - 1)
    return float(MAD_TO_STD * np.sqrt(degrees) * np.median(np.abs(deviations)))


def _pass_bias(logs: npt.NDArray[np.float64]) -> float:
    levels = np.median(logs - logs.mean(axis=1, keepdims=True), axis=0)
    return float(np.expm1(np.ptp(levels)))


def _deviations(logs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Log latencies without what is the architecture's and what is common to the whole pass.

    A factor common to a pass is the machine's speed: a predictor learns it with the scale of the
    labels. One or two architectures cannot tell it from noise, so there it counts as noise.
    """
    deviations = logs - logs.mean(axis=1, keepdims=True)
    if len(logs) > 2:
        deviations = deviations - np.median(deviations, axis=0)
    return np.asarray(deviations)


def _mean_correlation(correlation: Any, pairs: list[tuple[Any, Any]]) -> float | None:
    if len(pairs[0][0]) < 3:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a constant pass has no correlation: None, below
        values = [float(correlation(a, b).statistic) for a, b in pairs]
    return float(np.mean(values)) if np.isfinite(values).all() else None
