"""Proposals of architectures by a model of their quality, latency being known beforehand."""

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

#: Trials by chance before the first that the model proposes.
N_FIRST = 20
#: Architectures among which the model chooses: all of a space as small as this.
POOL = 2_000
#: Of larger spaces, how many of them are changed architectures of the front.
N_CHANGED = 1_000
#: Trials on which the kernel's parameters are fitted, at most: its cost grows with their cube.
MOST_FITTED = 200
#: How far behind its ends the front may still be extended, in shares of its extent.
MARGIN = 0.3

Taken = Set[tuple[int, ...]]


class GainSampler:
    """Proposes what promises the largest gain for its known latency; works in `BudgetSampler`.

    A Gaussian process learns quality from depth and widths; latency need not be learnt, since the
    latency model predicts that of any architecture at once. So the gain that an architecture
    promises is its expected improvement (Jones, Schonlau and Welch, "Efficient global
    optimization of expensive black-box functions", 1998, eq. 15) over what is known at each
    latency, summed over all latencies from its own on: the expected improvement of the
    hypervolume (Emmerich, "Single- and multiobjective evolutionary optimization assisted by
    Gaussian random field metamodels", 2006) where one of two objectives is certain. Without a
    front it is the plain expected improvement over the best.

    Parameters
    ----------
    seed : int
        Of what is drawn.
    candidates : Candidates
        Space, latency model and budget.
    taken : set of tuple of int
        Architectures that are not to be proposed.
    """

    def __init__(self, seed: int, candidates: Candidates, taken: Taken) -> None:
        self.seed = seed
        self.candidates = candidates
        self.taken = taken

    def sample_relative(self, study: optuna.Study, *_: Any) -> dict[str, Any]:
        """Parameters of the most promising architecture; none after too few trials."""
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
        self.taken = self.taken | {proposed}  # if it is turned down, the next best
        return parameters_of(proposed, space)

    def _pool(self, front: Ints, rng: np.random.RandomState) -> tuple[Ints, Floats]:
        """Architectures within the budget that no trial has had, and their latencies."""
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
    """Architectures of complete trials, their qualities (more is better) and latencies."""
    rows = pad_widths([widths_of(trial.params, space) for trial in trials], space.max_layers)
    qualities = np.array([trial.values[0] for trial in trials])
    latencies = np.array([trial.user_attrs["latencies"][0] for trial in trials])
    sign = 1.0 if study.directions[0] is StudyDirection.MAXIMIZE else -1.0
    return rows, sign * qualities, latencies


def _front(latencies: Floats, qualities: Floats) -> Ints:
    """Numbers of the trials that no other beats, by latency."""
    trials = pd.DataFrame({"quality": qualities, "predicted": latencies})
    return front_of(trials, "maximize").index.to_numpy()


def _changed(front: Ints, space: FCNNSpace, rng: np.random.RandomState) -> Ints:
    """Architectures of the front, each with some of its widths, or its depth, another one."""
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
    """Depth and log widths, standardized; a layer that is not there is as wide as the input."""
    widths = np.where(rows > 0, rows, rows[:, :1])
    free = widths[:, : space.max_layers - space.tie_io]
    features = np.column_stack([np.count_nonzero(rows, axis=1), np.log2(free)])
    return np.asarray(StandardScaler().fit_transform(features))


def _predict_quality(
    known: Ints, qualities: Floats, pool: Ints, space: FCNNSpace, rng: np.random.RandomState
) -> tuple[Floats, Floats]:
    """Mean and standard deviation of the quality of each architecture of the pool."""
    everything = _features(np.vstack([known, pool]), space)
    X, wanted = everything[: len(known)], everything[len(known) :]
    kernel = ConstantKernel(1.0, (1e-2, 1e2)) * Matern(
        np.ones(X.shape[1]), (1e-1, 3e1), nu=2.5
    ) + WhiteKernel(1e-2, (1e-5, 1e-1))
    some = rng.permutation(len(X))[:MOST_FITTED]
    with warnings.catch_warnings():
        # A parameter at its bound means a layer that hardly matters.
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
    """Expected growth of the area between the front and a reference point a little behind it.

    Parameters
    ----------
    mean, deviation, seconds : ndarray of shape (n_candidates,)
        Expected quality, its standard deviation and latency of each candidate.
    qualities, latencies : ndarray of shape (n_trials,)
        What is known; more quality is better. Where all latencies are equal, the gain is that over
        the best quality.

    Returns
    -------
    ndarray of shape (n_candidates,)
        Quality times seconds, or quality where all latencies are equal.

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
