"""Searches of a small space under a made-up law of latency."""

import math

import numpy as np

from fcnn_latency import FCNNSpace, SearchResult, search
from fcnn_latency.nas._trial import Trial, trial_frame
from fcnn_latency.spaces._widths import trim_widths

SMALL = FCNNSpace(max_layers=3, max_width=6)


class SumOfWidths:
    """A latency of 1 µs for each neuron."""

    def predict(self, X):
        return 1e-6 * np.asarray(X).sum(axis=1)


class SumWithIntervals(SumOfWidths):
    """Intervals end 10 % above."""

    def predict_upper(self, X, confidence):
        return 1.1 * self.predict(X)


class Unteachable:
    """Can be cloned and fitted, which changes nothing."""

    def get_params(self, deep=True):
        return {}

    def fit(self, X, y):
        return self


class UnteachableSum(Unteachable, SumOfWidths):
    """Always 1 µs for each neuron."""


class UnteachableIntervals(Unteachable, SumWithIntervals):
    """The same with intervals."""


class Constant(Unteachable):
    """The same for all."""

    def predict(self, X):
        return np.full(len(X), 1e-6)


class Remembering(UnteachableSum):
    """Notes what it was fitted to."""

    def fit(self, X, y):
        self.known = dict(zip(trim_widths(X), y, strict=True))
        return self


class Improving:
    """A quality that is higher at each call; notes what it was called for."""

    def __init__(self):
        self.evaluated = []

    def __call__(self, widths):
        self.evaluated.append(widths)
        return float(len(self.evaluated))


def find(objective=sum, **changes):
    arguments = {"latency_model": SumOfWidths(), "space": SMALL, "n_trials": 15, "random_state": 0}
    return search(objective, **arguments | changes)


def result_of(qualities, direction="maximize"):
    """The result of a search that has evaluated these widths; NaN is a failed objective."""
    trials = [
        Trial(widths, quality, 1e-6 * sum(widths), math.nan)
        if not math.isnan(quality)
        else Trial(widths, quality, 1e-6 * sum(widths), math.nan, "failed", "no quality")
        for widths, quality in qualities.items()
    ]
    return SearchResult(
        trials=trial_frame(trials),
        space=SMALL,
        latency_model=SumOfWidths(),
        direction=direction,
        max_latency=None,
        confidence=None,
        exhausted=False,
        interrupted=False,
        study=None,
    )
