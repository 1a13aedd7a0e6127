"""A law for another machine from few measurements, with a source that may or may not be of use."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

from fcnn_latency import (
    FCNNSpace,
    TransferRegressor,
    make_latency_pipeline,
    select_for_transfer,
)
from fcnn_latency.networks._layers import layer_costs, signal_rows

SPACE = FCNNSpace()


def blocked(X, signal_length=50):
    """Latency of a machine that computes blocks of 7 x 16."""
    rows = signal_rows(X[:, 0], signal_length)[:, None]
    blocks = np.ceil(rows / 7) * np.ceil(X[:, 1:] / 16)
    return 3e-7 + 7e-8 * (X[:, 1:] > 0).sum(axis=1) + 1e-9 * (blocks * X[:, :-1]).sum(axis=1)


def odd(X):
    """Latency by a law that none of those tried contains."""
    return 1e-6 + 1e-9 * np.sqrt(layer_costs(X, 50)["bytes"].sum(axis=1)) * (2 + np.sin(X[:, 0]))


class Odd(RegressorMixin, BaseEstimator):
    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict(self, X):
        return odd(np.asarray(X, dtype=np.int64))


def mape(model, X, y):
    return np.mean(np.abs(model.predict(X) / y - 1))


@pytest.fixture(scope="module")
def data():
    X = SPACE.sample(600, random_state=0)
    chosen = select_for_transfer(X, 30, random_state=0)
    return X, X[chosen]


def test_thirty_measurements_find_the_block_of_the_kernel(data):
    X, few = data
    model = TransferRegressor().fit(few, blocked(few))
    assert model.tiles_.tolist() == [[7, 16]]
    assert mape(model, X, blocked(X)) < 1e-3


def test_a_source_that_knows_what_the_laws_do_not_is_used(data):
    X, few = data
    source = Odd().fit(few, None)
    adapted = TransferRegressor(source).fit(few, 1e-6 + 3 * odd(few))
    alone = TransferRegressor().fit(few, 1e-6 + 3 * odd(few))
    assert adapted.source_weight_ == pytest.approx(1, abs=0.01)
    assert mape(adapted, X, 1e-6 + 3 * odd(X)) < 0.1 * mape(alone, X, 1e-6 + 3 * odd(X))


def test_a_source_of_no_use_does_no_harm(data):
    X, few = data
    source = make_latency_pipeline("mean").fit(X, blocked(X))
    model = TransferRegressor(source).fit(few, blocked(few))
    assert mape(model, X, blocked(X)) < 1e-3


def test_prediction_scales_with_the_unit(data):
    X, few = data
    noise = np.exp(0.01 * np.random.RandomState(0).randn(30))
    one = TransferRegressor().fit(few, blocked(few) * noise).predict(X)
    other = TransferRegressor().fit(few, 1e3 * blocked(few) * noise).predict(X)
    assert np.allclose(other, 1e3 * one)


def test_ragged_architectures_are_padded(data):
    X, few = data
    ragged = [[int(w) for w in row if w] for row in few]
    source = make_latency_pipeline("flops").fit(X, blocked(X))
    one = TransferRegressor(source).fit(ragged, blocked(few))
    other = TransferRegressor(source).fit(few, blocked(few))
    assert np.allclose(one.predict([[41, 41]]), other.predict([[41, 41, 0, 0, 0]]))


def test_a_clone_keeps_the_fitted_source(data):
    X, few = data
    source = make_latency_pipeline("flops").fit(X, blocked(X))
    model = TransferRegressor(source, signal_length=60)
    copy = clone(model)
    assert copy.source is source
    assert copy.signal_length == 60
    assert clone(TransferRegressor(FrozenEstimator(source))).fit(few, blocked(few))


def test_a_search_over_its_parameters_keeps_the_source(data):
    X, few = data
    source = make_latency_pipeline("flops").fit(X, blocked(X))
    search = GridSearchCV(TransferRegressor(source), {"signal_length": [20, 50]}, cv=3)
    assert search.fit(few, blocked(few)).best_params_ == {"signal_length": 50}


def test_a_source_that_is_not_fitted_is_refused(data):
    _, few = data
    with pytest.raises(NotFittedError):
        TransferRegressor(make_latency_pipeline("flops")).fit(few, blocked(few))


def test_too_few_measurements_are_refused(data):
    _, few = data
    with pytest.raises(ValueError, match="minimum of 5 is required"):
        TransferRegressor().fit(few[:4], blocked(few[:4]))


def test_labels_must_be_positive(data):
    _, few = data
    with pytest.raises(ValueError, match=r"latencies above 0 seconds"):
        TransferRegressor().fit(few, np.arange(30.0))


def test_a_wrong_signal_length_is_refused(data):
    _, few = data
    with pytest.raises(ValueError, match="'signal_length' parameter of TransferRegressor"):
        TransferRegressor(signal_length=0).fit(few, blocked(few))


def test_the_chosen_are_distinct_and_of_every_depth(data):
    X, _ = data
    chosen = select_for_transfer(X, 30, random_state=0)
    assert len(set(chosen.tolist())) == 30
    assert set(np.count_nonzero(X[chosen], axis=1)) == {2, 3, 4, 5}


@pytest.mark.parametrize("n", [0, 601, 2.5])
def test_a_wrong_number_to_choose_is_refused(data, n):
    X, _ = data
    with pytest.raises(ValueError, match="600 candidates, must be a whole number from 1 to 600"):
        select_for_transfer(X, n)


@pytest.mark.parametrize("signal_length", [20, 80])
def test_rows_are_those_of_the_given_signal(data, signal_length):
    X, few = data
    model = TransferRegressor(signal_length=signal_length).fit(few, blocked(few, signal_length))
    assert mape(model, X, blocked(X, signal_length)) < 1e-3


def test_errors_are_relative():
    # One architecture with two latencies: sum (1 - t / y)^2 is least at sum 1/y / sum 1/y^2, which
    # is 1.2 µs; the sum of squares in seconds would be least at 1.5 µs.
    model = TransferRegressor().fit([[50, 50]] * 6, [1e-6, 2e-6] * 3)
    np.testing.assert_allclose(model.predict([[50, 50]]), 1.2e-6, rtol=1e-3)


def test_of_many_samples_only_the_likely_laws_are_kept(data):
    _, few = data
    noise = np.exp(0.01 * np.random.RandomState(0).randn(30))
    assert TransferRegressor().fit(few, blocked(few) * noise).tiles_.tolist() == [[7, 16]]


#: Two laws, with and without a source: tile, source, squared error, intercept, coefficients.
LAWS = [
    ((1, 1), False, 1e-4, 0.0, np.arange(7.0)),
    ((7, 16), True, 2e-4, 33.0, np.arange(10.0, 18.0)),
]


def test_laws_are_averaged_by_the_likelihood_of_all_samples():
    # Ten samples whose squared error is twice as large are 2 ** 5 times less likely.
    model = TransferRegressor()
    model._average(LAWS, 10)
    assert model.tiles_.tolist() == [[1, 1], [7, 16]]
    assert model.intercept_ == pytest.approx(1)
    shared = (32 * np.arange(5.0) + np.arange(10.0, 15.0)) / 33
    own = [32 * 5 / 33, 32 * 6 / 33, 15 / 33, 16 / 33]
    np.testing.assert_allclose(model.coef_, [*shared, *own])
    assert model.source_coef_ == pytest.approx(17 / 33)
    assert model.source_weight_ == pytest.approx(1 / 33)


@pytest.mark.parametrize(("n_samples", "n_kept"), [(12, 2), (14, 1)])
def test_laws_of_less_than_a_hundredth_of_the_weight_are_dropped(n_samples, n_kept):
    # The second law has the weight 1 / (1 + 2 ** 6) of twelve samples, 1 / (1 + 2 ** 7) of 14.
    model = TransferRegressor()
    model._average(LAWS, n_samples)
    assert len(model.tiles_) == n_kept
    assert (model.source_weight_ > 0) == (n_kept == 2)


def test_laws_of_the_same_blocks_share_their_coefficients():
    model = TransferRegressor()
    tile, *_ = LAWS[0]
    model._average([LAWS[0], (tile, True, 1e-4, 4.0, np.arange(10.0, 18.0))], 30)
    assert model.tiles_.tolist() == [[1, 1]]
    np.testing.assert_allclose(model.coef_, (np.arange(7.0) + np.arange(10.0, 17.0)) / 2)
    assert model.intercept_ == pytest.approx(2)
    assert model.source_weight_ == pytest.approx(0.5)
    assert model.source_coef_ == pytest.approx(17 / 2)


def test_a_law_without_error_takes_all_the_weight():
    model = TransferRegressor()
    model._average([LAWS[0], (*LAWS[1][:2], 0.0, *LAWS[1][3:])], 10)
    assert model.tiles_.tolist() == [[7, 16]]
    assert model.intercept_ == 33
