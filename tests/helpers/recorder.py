"""An estimator that notes what it is given."""

from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin


class Recorder(RegressorMixin, BaseEstimator):
    """Notes which architectures it is fitted on and asked for; `quality` 1 is right."""

    log: ClassVar[list] = []

    def __init__(self, quality=0.0):
        self.quality = quality

    def fit(self, X, y):
        """Remember the mean."""
        self.known_ = {tuple(row) for row in X}
        self.mean_ = np.mean(y)
        Recorder.log.append(("fit", self.known_, self.known_))
        return self

    def predict(self, X):
        """The mean, or far from it."""
        Recorder.log.append(("predict", self.known_, {tuple(row) for row in X}))
        return np.full(len(X), self.mean_ if self.quality == 1 else 10 * self.mean_)
