"""Small fitted models, and files made of them."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.pipeline import make_pipeline

from fcnn_latency import (
    ArchitectureEncoder,
    FCNNSpace,
    make_latency_pipeline,
)
from fcnn_latency.persistence._file_format import read_model_file, write_model_file
from fcnn_latency.persistence._save_load import STATE

X = FCNNSpace().sample(60, random_state=0)
#: A made-up law, in seconds.
Y = 1e-4 * np.count_nonzero(X, axis=1) + 1e-7 * X.sum(axis=1)


class Foreign(RegressorMixin, BaseEstimator):
    """An estimator of a module that is not trusted."""

    built = 0

    def __init__(self, value=2e-6):
        self.value = value

    def fit(self, X, y):
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X):
        return np.full(len(X), self.value)

    def __setstate__(self, state):
        Foreign.built += 1
        super().__setstate__(state)


def quick(name):
    """A pipeline of which no part trains for long."""
    pipeline = make_latency_pipeline(name, random_state=0)
    epochs = {key: 2 for key in pipeline.get_params() if key.endswith("__epochs")}
    return pipeline.set_params(**epochs)


def fitted(*steps, features="costs"):
    return make_pipeline(ArchitectureEncoder(features=features), *steps).fit(X, Y)


def rewritten(path, target, *, state=None, **changes):
    """A whole file with another content."""
    manifest, members = read_model_file(path)
    write_model_file(target, {**manifest, **changes}, {STATE: state or members[STATE]})
    return target
