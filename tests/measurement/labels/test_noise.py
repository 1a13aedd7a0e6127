"""Statistics of passes, by hand."""

from math import comb, exp, log, pi, sqrt

import numpy as np
import pytest
from scipy.stats import norm

from fcnn_latency.measurement.labels._noise import (
    combine_passes,
    median_variance,
    noise_interval_of,
    own_variance,
    standard_errors,
)
from fcnn_latency.measurement.labels._reliability import assess_reliability

NAN = np.nan

#: From the median absolute deviation of normal noise to its standard deviation.
MAD = 1.4826
#: Three times the variance of the median of three standard normal variables.
OF_THREE = 1.346

#: Latencies, and the logarithms of what their passes differ by, in units of 0.01. The median of
#: each pass and of each architecture is 0.
LATENCIES = np.array([1e-4, 2e-4, 3e-4, 4e-4, 5e-4, 6e-4])
UNIT = 0.01
DEVIATIONS = np.array(
    [[-1, 0, 1], [1, 0, -1], [0, 0, 0], [-2, 2, NAN], [2, -2, NAN], [0, NAN, NAN]]
)
PASSES = LATENCIES[:, None] * np.exp(UNIT * DEVIATIONS)

#: Five of the thirteen deviations of architectures with two passes or more are 0. The next ones
#: are those of the first pass, which has five of them, of architectures with three passes. The
#: seventh is the median.
NOISE = MAD * UNIT * sqrt(5 / 4 * 3 / 2)
#: Variances of one pass of each architecture with two passes or more.
OWN = UNIT**2 * np.array([1.0, 1.0, 0.0, 8.0, 8.0])
#: Variances of a median, in units of the variance of one pass.
OF_MEDIAN = np.array([OF_THREE / 3] * 3 + [1 / 2] * 2)


def test_noise_is_the_median_deviation():
    assert assess_reliability(PASSES).noise == pytest.approx(NOISE)


def test_levels_of_passes_change_nothing_but_the_labels():
    faster = PASSES * [0.9, 1.0, 1.2]
    assert assess_reliability(faster).noise == pytest.approx(NOISE)
    relative = standard_errors(faster) / combine_passes(faster)
    assert relative == pytest.approx(standard_errors(PASSES) / LATENCIES)
    assert combine_passes(faster) == pytest.approx(LATENCIES)


def test_standard_errors_are_between_the_own_noise_and_that_of_all():
    degrees = np.array([2, 2, 2, 1, 1])
    variance = (4 * NOISE**2 + degrees * OWN) / (4 + degrees)
    several = LATENCIES[:5] * np.sqrt(variance * OF_MEDIAN)
    single = LATENCIES[5] * NOISE
    assert standard_errors(PASSES) == pytest.approx([*several, single])


def test_noisier_architectures_have_larger_errors():
    logs = np.array([[-0.3, 0.3], [-0.01, 0.01], [0.0, 0.0], [0.01, -0.01], [0.3, -0.3]])
    noise = MAD * 0.01 * sqrt(5 / 4 * 2)
    own = 2 * logs[:, 0] ** 2
    assert standard_errors(np.exp(logs)) == pytest.approx(np.sqrt((4 * noise**2 + own) / 5 / 2))


def test_labels_are_the_latencies_at_the_median():
    assert combine_passes(PASSES) == pytest.approx(LATENCIES)


def test_floors_follow_from_noise_and_number_of_passes():
    reliability = assess_reliability(PASSES)
    mape = sqrt(2 / pi) * NOISE * np.sqrt(OF_MEDIAN).mean()
    assert reliability.noise_floor == pytest.approx(mape)
    square = (LATENCIES[:5] ** 2 * OWN * OF_MEDIAN).mean()
    assert reliability.noise_floor_rmse == pytest.approx(sqrt(square))
    # The variance of 1, 2, 3, 4 and 5 is 2.
    assert 1 - reliability.noise_floor_r2 == pytest.approx(square / 2e-8)


def test_level_of_a_pass_is_the_median_of_its_deviations():
    # One odd copy in each pass: without it, the architectures agree.
    logs = 0.01 * np.array([[2, -1, -1], [-1, 2, -1], [-1, -1, 2]])
    assert assess_reliability(np.exp(logs)).noise == pytest.approx(0.0, abs=1e-12)


def test_only_architectures_with_two_passes_are_compared():
    reliability = assess_reliability(np.column_stack([PASSES, np.full(6, NAN)]))
    assert (reliability.n_architectures, reliability.n_passes) == (5, 3)


@pytest.mark.parametrize(
    ("n", "factor"), [(2, 2.0), (3, 3 / 2 * 2), (4, 4 / 3 * 2), (8, 8 / 7 * 2)]
)
def test_noise_of_few_architectures_counts_what_their_levels_took(n, factor):
    signs = np.where(np.arange(n) % 2, 1.0, -1.0)
    if n % 2:
        signs[-1] = 0.0
    passes = np.exp(0.01 * signs[:, None] * [-1, 1])
    assert assess_reliability(passes).noise == pytest.approx(MAD * 0.01 * sqrt(factor))


def test_factor_of_a_pass_is_noise_with_two_architectures_and_none_with_three():
    passes = np.array([[1.0, 1.1], [2.0, 2.2], [3.0, 3.3]])
    assert assess_reliability(passes[:2]).noise == pytest.approx(MAD * log(1.1) / sqrt(2))
    assert assess_reliability(passes).noise == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(("held", "label"), [(2, sqrt(3.0)), (3, 1.0)])
def test_level_of_a_pass_is_known_from_three_architectures_on(held, label):
    passes = [[1.0, 1.0, NAN]] * 6 + [[NAN, 1.0, 3.0]] * held
    assert combine_passes(passes)[-1] == pytest.approx(label)


@pytest.mark.parametrize(("held", "bias"), [(4, 0.0), (5, 0.1), (6, 0.1), (10, 0.1)])
def test_pass_that_half_of_the_architectures_have_counts_in_the_bias(held, bias):
    passes = np.arange(1.0, 11.0)[:, None] * [1.0, 1.0, 1.1]
    passes[held:, 2] = NAN
    assert assess_reliability(passes).pass_bias == pytest.approx(bias, abs=1e-7)


def test_bias_is_between_the_slowest_and_the_fastest_pass():
    passes = np.arange(1.0, 11.0)[:, None] * [1.0, 1.2, 0.9, 1.1]
    assert assess_reliability(passes).pass_bias == pytest.approx(1.2 / 0.9 - 1)


def test_retest_mape_weighs_pairs_of_passes_by_their_architectures():
    passes = [[10, 11, 12], [20, 20, 22], [40, 44, NAN], [50, 45, NAN]]
    first_second = [0.1, 0.0, 0.1, 0.1]
    first_third, second_third = [0.2, 0.1], [1 / 11, 0.1]
    expected = np.mean([*first_second, *first_third, *second_third])
    assert assess_reliability(passes).retest_mape == pytest.approx(expected)


#: The fourth pass shares two architectures with the first two, which is too few to correlate.
RANKED = [[1, 2, 1, 7], [2, 1, 3, NAN], [3, 4, 2, NAN], [4, 3, NAN, 5]]


def test_retest_correlations_weigh_pairs_of_passes_by_their_architectures():
    reliability = assess_reliability(RANKED)
    first_second, first_third = 0.6, 0.5
    second_third = -1 / sqrt(42 / 9 * 2)
    mean = (4 * first_second + 3 * first_third + 3 * second_third) / 10
    assert reliability.retest_r == pytest.approx(mean)
    ranks = (4 * 0.6 + 3 * 0.5 + 3 * -0.5) / 10
    assert reliability.retest_spearman == pytest.approx(ranks)


def test_retest_correlation_takes_three_architectures_of_a_pair():
    assert assess_reliability([[1.0, 1.1], [2.0, 1.9]]).retest_r is None
    assert assess_reliability([[1.0, 2.0], [2.0, 1.0], [3.0, 3.0]]).retest_r == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("deviations", "variance"),
    [
        ([-3.0, 3.0, NAN, NAN, NAN], 18.0),
        ([-2.0, -1.0, 2.0, 6.0, NAN], 45 / 3),
        # The median is 3, and the deviations from it 2, 1, 0, 1 and 7.
        ([1.0, 2.0, 3.0, 4.0, 10.0], (MAD * 1.0 * 5 / 4.2) ** 2),
    ],
)
def test_variance_of_an_architecture_is_robust_from_five_passes_on(deviations, variance):
    deviations = np.array([deviations])
    counts = np.isfinite(deviations).sum(axis=1)
    assert own_variance(deviations, counts) == pytest.approx([variance])


def test_odd_copies_hardly_move_the_error_of_five_passes():
    errors = UNIT * np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    passes = np.exp([np.roll(errors, shift) for shift in range(5)])
    odd = passes.copy()
    odd[0, 0] *= exp(1.0)
    assert standard_errors(odd)[0] < 5 * standard_errors(passes)[0]


def variance_of_median(n):
    """Of n standard normal variables, by integration over the middle one or two of them."""
    x, step = np.linspace(-8, 8, 401, retstep=True)
    density, below, above = norm.pdf(x) * step, norm.cdf(x), norm.sf(x)
    half = (n - 1) // 2
    lower, upper = below**half * density, above**half * density
    if n % 2:
        return n * comb(n - 1, half) * np.sum(x**2 * lower * above**half)
    ordered = np.triu(np.ones((len(x), len(x))), 1) + np.eye(len(x)) / 2
    square = ((x[:, None] + x) / 2) ** 2
    ways = n * (n - 1) * comb(n - 2, half)
    return ways * np.sum(ordered * square * np.outer(lower, upper))


@pytest.mark.parametrize("n", range(1, 12))
def test_variance_of_a_median_is_that_of_normal_variables(n):
    assert median_variance(np.array([n]))[0] == pytest.approx(variance_of_median(n), rel=0.005)


@pytest.mark.parametrize("n", [12, 13, 20, 41])
def test_variance_of_the_median_of_many_is_nearly_that_of_normal_variables(n):
    assert median_variance(np.array([n]))[0] == pytest.approx(variance_of_median(n), rel=0.08)


def test_interval_covers_95_per_cent():
    # How many of 301 draws lie below a value is binomial, with a standard deviation of
    # sqrt(301) / 2 near the median, which is 151.
    values, half = np.arange(1.0, 302.0)[:, None], 1.96 * sqrt(301) / 2
    orders = [np.random.default_rng(seed).permutation(values) for seed in range(6)]
    low, high = np.mean([noise_interval_of(order) for order in orders], axis=0) / MAD
    assert low == pytest.approx(151 - half, abs=1.3)
    assert high == pytest.approx(151 + half, abs=1.3)


@pytest.mark.parametrize(("n", "known"), [(9, False), (10, True)])
def test_interval_takes_ten_architectures(n, known):
    passes = np.arange(1.0, n + 1)[:, None] * np.exp(0.01 * np.ones((n, 1)) * [-1, 1])
    assert (assess_reliability(passes).noise_interval is not None) == known
