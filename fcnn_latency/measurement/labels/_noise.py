"""Statistics of passes: labels, their standard errors, noise and its floor."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import pearsonr, spearmanr

from fcnn_latency._validation import Floats, Ints

#: Factor from the median absolute deviation to the standard deviation of normal noise.
MAD_TO_STD = 1.4826


#: Mean absolute deviation of a standard normal variable: sqrt(2 / pi).
MEAN_ABSOLUTE_NORMAL = float(np.sqrt(2 / np.pi))


#: Prior degrees of freedom: weight of the common noise in the noise of one architecture.
PRIOR_DEGREES_OF_FREEDOM = 4


#: Minimum number of architectures for a correlation, or to separate a pass factor from noise.
LEAST_COMPARED = 3


#: Minimum number of passes for a robust estimate of their variance.
LEAST_FOR_ROBUST = 5


#: n times the variance of the median of n standard normal variables, starting at n = 0. From
#: n = 12 on it is close to pi / 2. By simulation (two million variables each).
MEDIAN_VARIANCES = (1, 1, 1, 1.346, 1.194, 1.434, 1.286, 1.474, 1.348, 1.49, 1.392, 1.506, 1.45)


#: Minimum number of architectures for a noise interval: resamples of fewer say little.
LEAST_FOR_INTERVAL = 10


#: Number of bootstrap resamples, and maximum number of architectures drawn in each.
RESAMPLES, MOST_DRAWN = 999, 1000


def combine_passes(passes: npt.ArrayLike) -> Floats:
    """Return the label of each architecture: the median over its passes.

    Copies of one model differ by their place in memory, and a few copies differ a lot. The median
    is therefore more repeatable than the mean; with two passes it is their mean. The factor common
    to a pass is removed first. Otherwise, with passes from two processes, the median could fall
    between the levels of the processes.

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
    """Return the standard error of each label, which is the median over passes.

    A few passes of one architecture say little about its noise. Its variance is therefore shrunk
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
        Seconds. With a single pass, the noise of all architectures is used; NaN if no architecture
        has two passes.
    """
    passes = np.asarray(passes, dtype=np.float64)
    counts = count_passes(passes)
    variance = np.full(len(passes), np.nan)
    compared = compared_passes(passes)
    if compared.size:
        deviations = log_deviations(np.log(compared))
        own, several = np.zeros(len(passes)), counts > 1
        own[several] = own_variance(deviations, counts[several])
        prior, noise = PRIOR_DEGREES_OF_FREEDOM, noise_of(np.abs(scaled_to_noise(deviations)))
        variance = (prior * noise**2 + (counts - 1) * own) / (prior + counts - 1)
    return np.asarray(combine_passes(passes) * np.sqrt(variance * median_variance(counts)))


def compared_passes(passes: Floats) -> Floats:
    """Return the architectures with two passes or more, and the passes that any of them has."""
    rows = passes[count_passes(passes) > 1]
    return np.asarray(rows[:, np.isfinite(rows).any(axis=0)])


def count_passes(passes: Floats) -> Ints:
    return np.asarray(np.isfinite(passes).sum(axis=1))


def log_deviations(logs: Floats) -> Floats:
    """Return log latencies without the mean of the architecture and the factor of the pass.

    The factor common to a pass is the machine's speed: a predictor learns it with the scale of the
    labels. With one or two architectures it cannot be separated from noise, so it counts as noise.
    """
    told = np.isfinite(logs).sum(axis=0) >= LEAST_COMPARED
    deviations = _centred(logs - np.where(told, _pass_levels(logs), 0.0))
    return np.asarray(deviations - np.where(told, np.nanmedian(deviations, axis=0), 0.0))


def _centred(logs: Floats) -> Floats:
    return np.asarray(logs - np.nanmean(logs, axis=1, keepdims=True))


def _pass_levels(logs: Floats) -> Floats:
    """Return the log factor of each pass; the median of the factors is 0.

    One step is enough if all architectures have all passes. Otherwise the mean over the passes of
    an architecture depends on which passes it has, and the levels are found by iteration.
    """
    levels = np.zeros(logs.shape[1])
    for _ in range(30):
        step = np.nanmedian(_centred(logs - levels), axis=0)
        step -= np.median(step)  # so that one odd pass does not move the others
        levels += step
        if np.abs(step).max() < 1e-9:
            break
    return levels


def scaled_to_noise(deviations: Floats) -> Floats:
    """Rescale deviations to the size of the noise: fitting means and levels has shrunk them."""
    passes, members = count_passes(deviations)[:, None], np.isfinite(deviations).sum(axis=0)
    degrees = np.where(members >= LEAST_COMPARED, members / np.maximum(members - 1, 1), 1.0)
    return np.asarray(deviations * np.sqrt(degrees * passes / (passes - 1)))


def noise_of(scaled: Floats) -> float:
    return float(MAD_TO_STD * np.nanmedian(scaled))


def noise_floor_of(scaled: Floats, counts: Ints) -> float:
    errors = np.sqrt(median_variance(counts))
    return float(MEAN_ABSOLUTE_NORMAL * noise_of(scaled) * errors.mean())


def own_variance(deviations: Floats, counts: Ints) -> Floats:
    """Return the variance of one pass of each architecture; robust from five passes on."""
    variance = np.nansum(deviations**2, axis=1) / (counts - 1)
    centre = np.nanmedian(deviations, axis=1, keepdims=True)
    mad = np.nanmedian(np.abs(deviations - centre), axis=1)
    robust = (MAD_TO_STD * mad * counts / (counts - 0.8)) ** 2  # small samples: Croux, Rousseeuw
    return np.asarray(np.where(counts >= LEAST_FOR_ROBUST, robust, variance))


def median_variance(counts: Ints) -> Floats:
    """Return the variance of the median of `counts` standard normal variables."""
    known = np.array(MEDIAN_VARIANCES)
    factor = known[np.minimum(counts, len(known) - 1)]
    return np.asarray(factor / np.maximum(counts, 1))


def noise_interval_of(scaled: Floats) -> tuple[float, float] | None:
    n = len(scaled)
    if n < LEAST_FOR_INTERVAL:
        return None
    drawn = min(n, MOST_DRAWN)
    rows = np.random.default_rng(0).integers(n, size=(RESAMPLES, drawn))
    resampled = scaled[rows].reshape(RESAMPLES, -1)
    noises = MAD_TO_STD * np.nanmedian(resampled, axis=1)
    noise = noise_of(scaled)
    low, high = noise + np.sqrt(drawn / n) * (np.percentile(noises, [2.5, 97.5]) - noise)
    return float(low), float(high)


def pass_bias_of(logs: Floats) -> float:
    held = np.isfinite(logs).mean(axis=0) >= 0.5
    levels = _pass_levels(logs)[held]
    return float(np.expm1(np.ptp(levels))) if len(levels) > 1 else 0.0


def retest_of(passes: Floats) -> dict[str, Any]:
    """Return the agreement of two passes.

    It is the mean over pairs of passes, weighted by the architectures that have both passes.
    """
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
