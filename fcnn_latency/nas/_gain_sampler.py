"""Proposals of architectures by a model of their quality; their latency is known in advance."""

from __future__ import annotations

import warnings
from collections.abc import Set
from typing import Any

import numpy as np
import optuna
import pandas as pd
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from scipy.stats import norm
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
from sklearn.preprocessing import StandardScaler

from fcnn_latency._validation import Floats, Ints
from fcnn_latency.nas._candidates import Candidates
from fcnn_latency.nas._result import front_of
from fcnn_latency.nas._trial import parameters_of, widths_of
from fcnn_latency.spaces._fcnn import FCNNSpace
from fcnn_latency.spaces._widths import pad_widths, trim_widths

#: Random trials before the first one that the model proposes.
N_FIRST = 20
#: Size of the pool that the model chooses from. The pool of a smaller space is all of it.
POOL = 2_000
#: In a larger space, number of architectures of the pool that are mutations of the front.
N_CHANGED = 1_000
#: Maximum number of trials for fitting the kernel; the cost grows with the cube of this number.
MOST_FITTED = 200
#: Distance from the front to the reference point, as a fraction of the extent of the front.
MARGIN = 0.3

Taken = Set[tuple[int, ...]]


class GainSampler:
    """Inner sampler of `BudgetSampler` that maximizes the expected gain at known latency.

    A Gaussian process learns quality from depth and widths. Latency need not be learnt: the
    latency model predicts it for any architecture at once. The gain of an architecture is its
    expected improvement (Jones, Schonlau and Welch, "Efficient global optimization of expensive
    black-box functions", 1998, eq. 15) over the best known quality at each latency, summed over
    all latencies from its own upwards. This is the expected hypervolume improvement (Emmerich,
    "Single- and multiobjective evolutionary optimization assisted by Gaussian random field
    metamodels", 2006) if one of two objectives is certain. In a search with a single objective,
    the gain is the plain expected improvement over the best quality.

    Parameters
    ----------
    seed : int
        Seed of the random draws.
    candidates : Candidates
        Space, latency model and budget.
    taken : set of tuple of int
        Architectures that must not be proposed.
    """

    def __init__(self, seed: int, candidates: Candidates, taken: Taken) -> None:
        self.seed = seed
        self.candidates = candidates
        self.taken = taken

    def sample_relative(self, study: optuna.Study, *_: Any) -> dict[str, Any]:
        """Return parameters of the most promising architecture; none after too few trials."""
        trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if len(trials) < N_FIRST:
            return {}
        space, rng = self.candidates.space, np.random.RandomState(self.seed)
        known, qualities, latencies = _known(study, trials, space)
        front = _front(latencies, qualities)
        pool, seconds = self._pool(known[front], rng)
        if not len(pool):
            return {}
        mean, deviation = _predict_quality(known, qualities, pool, space, rng)
        if len(study.directions) == 1:
            seconds, latencies = np.zeros(len(pool)), np.zeros(len(known))
        gain = expected_gain(mean, deviation, seconds, qualities, latencies)
        proposed = trim_widths(pool[[int(gain.argmax())]])[0]
        self.taken = self.taken | {proposed}  # if it is rejected, propose the next best
        return parameters_of(proposed, space)

    def _pool(self, front: Ints, rng: np.random.RandomState) -> tuple[Ints, Floats]:
        """Return architectures within the budget that are not taken, and their latencies."""
        space = self.candidates.space
        if space.size <= POOL:
            rows = np.concatenate(list(space.chunks()))
        else:
            drawn = space.sample(POOL - N_CHANGED, random_state=rng)
            rows = np.unique(np.vstack([drawn, _changed(front, space, rng)]), axis=0)
        rows = rows[[widths not in self.taken for widths in trim_widths(rows)]]
        if not len(rows):
            return rows, np.empty(0)
        ends = self.candidates.predict(rows)
        within = self.candidates.keep(ends)
        return rows[within], ends[within, 0]


def _known(
    study: optuna.Study, trials: list[FrozenTrial], space: FCNNSpace
) -> tuple[Ints, Floats, Floats]:
    """Return architectures of complete trials, qualities (higher is better) and latencies."""
    rows = pad_widths([widths_of(trial.params, space) for trial in trials], space.max_layers)
    qualities = np.array([trial.values[0] for trial in trials])
    latencies = np.array([trial.user_attrs["latencies"][0] for trial in trials])
    sign = 1.0 if study.directions[0] is StudyDirection.MAXIMIZE else -1.0
    return rows, sign * qualities, latencies


def _front(latencies: Floats, qualities: Floats) -> Ints:
    """Return indices of the trials on the Pareto front, by ascending latency."""
    trials = pd.DataFrame({"quality": qualities, "predicted": latencies})
    return front_of(trials, "maximize").index.to_numpy()


def _changed(front: Ints, space: FCNNSpace, rng: np.random.RandomState) -> Ints:
    """Return architectures of the front with some widths, or the depth, changed."""
    rows = front[rng.randint(len(front), size=N_CHANGED)]
    others = space.sample(N_CHANGED, random_state=rng, unique=False)
    depths, other_depths = np.count_nonzero(rows, axis=1), np.count_nonzero(others, axis=1)
    depths = np.where(rng.rand(N_CHANGED) < 0.2, other_depths, depths)
    steps = np.exp(rng.normal(scale=0.2, size=rows.shape))
    near = np.clip(np.rint(rows * steps), space.min_width, space.max_width).astype(np.int64)
    fresh = np.where(others > 0, others, rows[:, :1])
    rows = np.where((rows > 0) & (rng.rand(*rows.shape) < 0.8), near, fresh)
    rows[np.arange(space.max_layers) >= depths[:, None]] = 0
    if space.tie_io:
        rows[np.arange(N_CHANGED), depths - 1] = rows[:, 0]
    return rows


def _features(rows: Ints, space: FCNNSpace) -> Floats:
    """Return standardized depth and log widths; absent layers get the width of the input."""
    widths = np.where(rows > 0, rows, rows[:, :1])
    free = widths[:, : space.max_layers - space.tie_io]
    features = np.column_stack([np.count_nonzero(rows, axis=1), np.log2(free)])
    return np.asarray(StandardScaler().fit_transform(features))


def _predict_quality(
    known: Ints, qualities: Floats, pool: Ints, space: FCNNSpace, rng: np.random.RandomState
) -> tuple[Floats, Floats]:
    """Predict mean and standard deviation of the quality of each architecture in the pool."""
    everything = _features(np.vstack([known, pool]), space)
    X, wanted = everything[: len(known)], everything[len(known) :]
    kernel = ConstantKernel(1.0, (1e-2, 1e2)) * Matern(
        np.ones(X.shape[1]), (1e-1, 3e1), nu=2.5
    ) + WhiteKernel(1e-2, (1e-5, 1e-1))
    some = rng.permutation(len(X))[:MOST_FITTED]
    with warnings.catch_warnings():
        # A kernel parameter at its bound only means that a layer hardly matters.
        warnings.simplefilter("ignore", ConvergenceWarning)
        process = GaussianProcessRegressor(kernel, normalize_y=True).fit(X[some], qualities[some])
        if len(some) < len(X):
            process = GaussianProcessRegressor(
                process.kernel_, optimizer=None, normalize_y=True
            ).fit(X, qualities)
        mean, deviation = process.predict(wanted, return_std=True)
    return mean, np.maximum(deviation, 1e-12)


def expected_gain(
    mean: Floats, deviation: Floats, seconds: Floats, qualities: Floats, latencies: Floats
) -> Floats:
    """Return the expected growth of the area between the front and a reference point behind it.

    Parameters
    ----------
    mean, deviation, seconds : ndarray of shape (n_candidates,)
        Expected quality, its standard deviation, and latency in seconds of each candidate.
    qualities, latencies : ndarray of shape (n_trials,)
        Known qualities (higher is better) and latencies in seconds. If all latencies are equal,
        the gain is the expected improvement over the best quality.

    Returns
    -------
    ndarray of shape (n_candidates,)
        Gain in units of quality times seconds, or of quality if all latencies are equal.

    Examples
    --------
    >>> import numpy as np
    >>> certain = np.array([1e-12, 1e-12])
    >>> expected_gain(
    ...     np.array([3.0, 2.0]), certain, np.zeros(2), np.array([1.0, 2.5]), np.zeros(2)
    ... ).round(6).tolist()
    [0.5, 0.0]
    """
    front = _front(latencies, qualities)
    heights, at = qualities[front], latencies[front]
    if np.ptp(latencies) == 0 and np.ptp(seconds) == 0:
        levels, lengths = heights[-1:], np.ones((len(mean), 1))
    else:
        end = at[-1] + MARGIN * (np.ptp(at) or at[-1])
        floor = heights[0] - MARGIN * (np.ptp(heights) or abs(heights[0]))
        levels = np.concatenate([[floor], heights])
        starts, ends = np.concatenate([[-np.inf], at]), np.concatenate([at, [end]])
        lengths = np.maximum(ends - np.maximum(starts, seconds[:, None]), 0)
    z = (mean[:, None] - levels) / deviation[:, None]
    improvement = deviation[:, None] * (z * norm.cdf(z) + norm.pdf(z))
    return np.asarray((lengths * improvement).sum(axis=1))
