"""How far labels can be trusted."""

import json
import time
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fcnn_latency.datasets._bunch import make_bunch, make_frame
from fcnn_latency.measurement.labels._noise import combine_passes, standard_errors
from fcnn_latency.measurement.labels._reliability import Reliability, assess_reliability

OLD_FIELDS = (
    "n_architectures",
    "n_passes",
    "noise",
    "noise_floor",
    "retest_r",
    "retest_spearman",
    "retest_mape",
    "pass_bias",
)


def simulated(n, n_passes, noise, *, seed=0, ragged=0.0):
    """True latencies and noisy passes; the last pass is missing in a fraction of the rows."""
    rng = np.random.default_rng(seed)
    true = rng.uniform(1e-4, 1e-3, size=n)
    errors = rng.standard_normal((n, n_passes)) * np.reshape(noise, (-1, 1))
    passes = true[:, None] * np.exp(errors)
    passes[rng.random(n) < ragged, -1] = np.nan
    return true, passes


def good(**changes):
    """A reliability of which nothing bad is to be said, but for the changes."""
    _, passes = simulated(100, 2, 0.01)
    return replace(assess_reliability(passes), **{"pass_bias": 0.0, **changes})


def test_stated_noise_is_the_noise_that_was_added():
    rng = np.random.default_rng(0)
    true = rng.uniform(1e-4, 1e-3, size=4000)
    passes = true[:, None] * np.exp(0.01 * rng.standard_normal((4000, 2)))
    reliability = assess_reliability(passes)
    assert reliability.noise == pytest.approx(0.01, rel=0.05)
    perfect = np.mean(np.abs(true - passes.mean(axis=1)) / passes.mean(axis=1))
    assert reliability.noise_floor == pytest.approx(perfect, rel=0.05)
    assert np.median(standard_errors(passes) / true) == pytest.approx(0.01 / 2**0.5, rel=0.1)


def test_common_factor_is_bias_and_not_noise():
    rng = np.random.default_rng(0)
    passes = np.exp(0.01 * rng.standard_normal((4000, 2))) * [1.0, 1.05]
    reliability = assess_reliability(passes)
    assert reliability.noise == pytest.approx(0.01, rel=0.05)
    assert reliability.pass_bias == pytest.approx(0.05, abs=0.002)
    assert any("in level" in warning for warning in reliability.warnings())


def test_single_architecture_has_a_noise():
    assert assess_reliability([[1.0, 1.01]]).noise > 0


def test_labels_without_signal_are_flagged():
    passes = np.random.default_rng(0).uniform(0.9, 1.1, size=(200, 2))
    assert any("no signal" in warning for warning in assess_reliability(passes).warnings())


@pytest.mark.parametrize(("n_passes", "ragged"), [(2, 0.0), (3, 0.0), (3, 0.9), (5, 0.5)])
def test_noise_is_recovered_from_any_number_of_passes(n_passes, ragged):
    _, passes = simulated(4000, n_passes, 0.02, ragged=ragged)
    passes[:5, 1:] = np.nan
    assert assess_reliability(passes).noise == pytest.approx(0.02, rel=0.05)
    assert assess_reliability(passes * np.linspace(1, 1.3, n_passes)).noise == pytest.approx(
        assess_reliability(passes).noise, rel=0.02
    )


@pytest.mark.parametrize(("n_passes", "ragged"), [(2, 0.0), (3, 0.0), (3, 0.7)])
@pytest.mark.parametrize("noise", [0.02, 0.3])
def test_floors_are_what_a_perfect_predictor_shows(n_passes, ragged, noise):
    true, passes = simulated(4000, n_passes, noise, ragged=ragged)
    labels, reliability = combine_passes(passes), assess_reliability(passes)
    squares = np.mean((labels - true) ** 2)
    assert reliability.noise_floor == pytest.approx(np.mean(np.abs(labels - true) / true), rel=0.1)
    assert reliability.noise_floor_rmse == pytest.approx(np.sqrt(squares), rel=0.1)
    unexplained = squares / labels.var()
    assert 1 - reliability.noise_floor_r2 == pytest.approx(unexplained, rel=0.2)
    assert reliability.noise_floor_r2 == pytest.approx(1 - unexplained, rel=0.1)


def test_rmse_floor_holds_where_noise_depends_on_latency():
    true, _ = simulated(4000, 2, 0.0)
    _, passes = simulated(4000, 2, 0.05 * 1e-4 / true)
    labels, reliability = combine_passes(passes), assess_reliability(passes)
    perfect = np.sqrt(np.mean((labels - true) ** 2))
    assert reliability.noise_floor_rmse == pytest.approx(perfect, rel=0.1)


@pytest.mark.parametrize(("n", "n_passes", "ragged"), [(150, 2, 0.0), (150, 3, 0.5), (600, 2, 0)])
def test_interval_covers_the_true_noise(n, n_passes, ragged):
    covered = 0
    for seed in range(200):
        _, passes = simulated(n, n_passes, 0.02, seed=seed, ragged=ragged)
        low, high = assess_reliability(passes).noise_interval
        covered += low <= 0.02 <= high
    assert covered >= 0.88 * 200


def test_interval_of_many_architectures_narrows():
    widths = []
    for n in (1000, 9000):
        low, high = assess_reliability(simulated(n, 2, 0.02)[1]).noise_interval
        widths.append(high - low)
    assert widths[1] == pytest.approx(widths[0] / 3, rel=0.2)


def test_noise_is_recovered_by_quintile():
    true, _ = simulated(5000, 2, 0.0)
    order = np.argsort(np.argsort(true)) * 5 // len(true)
    _, passes = simulated(5000, 2, np.array([0.05, 0.04, 0.03, 0.02, 0.01])[order])
    quintiles = assess_reliability(passes).by_quintile
    assert [quintile.n for quintile in quintiles] == [1000] * 5
    expected = [0.05, 0.04, 0.03, 0.02, 0.01]
    assert [quintile.noise for quintile in quintiles] == pytest.approx(expected, rel=0.1)
    floors = [quintile.noise_floor for quintile in quintiles]
    assert floors == pytest.approx(np.array(expected) / np.sqrt(np.pi), rel=0.1)
    highest = [quintile.highest for quintile in quintiles]
    assert highest == sorted(highest)
    assert highest[-1] == combine_passes(passes).max()


def test_many_architectures_are_assessed_quickly():
    _, passes = simulated(15_000, 3, 0.02, ragged=0.5)
    start = time.process_time()
    assess_reliability(passes)
    assert time.process_time() - start < 1.5  # 0.1 s on an idle machine


ragged_passes = hnp.arrays(
    float,
    st.tuples(st.integers(1, 30), st.integers(1, 4)),
    elements=st.floats(1e-7, 1.0) | st.just(np.nan),
).map(lambda a: np.where(np.isfinite(a).any(axis=1, keepdims=True), a, 1e-3))


@given(ragged_passes)
def test_anything_measured_can_be_assessed(passes):
    reliability, errors = assess_reliability(passes), standard_errors(passes)
    assert errors.shape == (len(passes),)
    several = np.isfinite(passes).sum(axis=1) > 1
    assert (reliability is None) == (not several.any())
    if reliability is None:
        assert np.isnan(errors).all()
        return
    assert (errors >= 0).all()
    assert reliability.n_architectures == several.sum()
    numbers = [reliability.noise, reliability.noise_floor, reliability.noise_floor_rmse]
    assert np.isfinite(numbers).all()
    assert min(numbers) >= 0
    assert Reliability(**json.loads(json.dumps(reliability.as_dict()))) == reliability
    assert all(isinstance(warning, str) for warning in reliability.warnings())


@given(ragged_passes, st.randoms(use_true_random=False))
def test_single_passes_and_order_of_passes_do_not_count(passes, random):
    first = assess_reliability(passes)
    columns = list(range(passes.shape[1]))
    random.shuffle(columns)
    single = np.full((2, passes.shape[1]), np.nan)
    single[:, 0] = 1e-3
    second = assess_reliability(np.concatenate([single, passes])[:, columns])
    assert (first is None) == (second is None)
    if first is not None:
        assert second.noise == pytest.approx(first.noise, rel=1e-6, abs=1e-9)
        assert second.noise_floor_rmse == pytest.approx(first.noise_floor_rmse, rel=1e-6, abs=1e-12)
        assert second.pass_bias == pytest.approx(first.pass_bias, rel=1e-6, abs=1e-9)


@given(ragged_passes, st.floats(1e-3, 1e3))
def test_unit_of_time_does_not_matter(passes, unit):
    first, second = assess_reliability(passes), assess_reliability(passes * unit)
    if first is not None:
        assert second.noise == pytest.approx(first.noise, rel=1e-6, abs=1e-9)
        rmse = unit * first.noise_floor_rmse
        assert second.noise_floor_rmse == pytest.approx(rmse, rel=1e-6, abs=1e-12)


def test_standard_error_of_a_single_pass_is_the_noise():
    _, passes = simulated(1000, 3, 0.02)
    passes[:500, 1:] = np.nan
    relative = standard_errors(passes) / combine_passes(passes)
    assert relative[:500] == pytest.approx(assess_reliability(passes).noise)
    assert np.median(relative[500:]) == pytest.approx(0.02 * np.sqrt(1.346 / 3), rel=0.1)


def test_outlying_copies_hardly_move_a_label():
    true, passes = simulated(1000, 10, 0.01)
    passes[:, 3] *= np.where(np.arange(1000) % 5, 1.0, 1.15)
    reliability = assess_reliability(passes)
    errors = np.log(combine_passes(passes) / true)
    assert np.std(errors) < 0.005
    assert np.median(standard_errors(passes) / true) == pytest.approx(np.std(errors), rel=0.15)
    assert reliability.noise_floor == pytest.approx(np.mean(np.abs(errors)), rel=0.15)


def test_passes_of_processes_with_other_levels_have_one_label():
    true, passes = simulated(1000, 10, 0.01)
    passes[:, ::2] *= 1.05
    relative = combine_passes(passes) / true
    assert np.std(relative / relative.mean()) < 0.005


def test_one_odd_pass_moves_no_label():
    passes = np.array([[1.0, 1.0, np.nan]] * 6 + [[1.0, 1.0, 3.0]] * 4)
    assert combine_passes(passes) == pytest.approx(1.0)
    assert combine_passes([[1.0, 1.0, 1.0, 1.0, 2.0]] * 4) == pytest.approx(1.0)


def test_level_of_a_pass_that_few_have_is_no_bias():
    _, passes = simulated(100, 3, 0.01)
    passes[3:, 2] = np.nan
    passes[:, 2] *= 1.2
    assert assess_reliability(passes).pass_bias < 0.01


def test_older_records_load():
    old = {key: value for key, value in good().as_dict().items() if key in OLD_FIELDS}
    loaded = Reliability(**old)
    assert loaded.noise_interval is None
    assert loaded.by_quintile == ()
    assert loaded.warnings() == []
    assert "RMSE" not in described(loaded)


def test_quintiles_survive_json():
    reliability = good(reference_drift=0.01, stolen_time=0.0)
    assert len(reliability.by_quintile) == 5
    assert Reliability(**json.loads(json.dumps(asdict(reliability)))) == reliability


@pytest.mark.parametrize(
    ("field", "above", "not_above", "words"),
    [
        ("noise", 0.1001, 0.1, "One pass is uncertain"),
        ("pass_bias", 0.0301, 0.03, "in level"),
        ("reference_drift", 0.1001, 0.1, "reference latency changed"),
        ("stolen_time", 0.0101, 0.01, "hypervisor took"),
        ("retest_r", 0.7999, 0.8, "little signal"),
        ("retest_r", 0.2999, 0.3, "no signal"),
    ],
)
def test_flags_fire_above_their_threshold_only(field, above, not_above, words):
    assert good().warnings() == []
    [warning] = good(**{field: above}).warnings()
    assert words in warning
    assert not any(words in warning for warning in good(**{field: not_above}).warnings())


def test_each_flag_states_its_own_figure():
    figures = {"noise": 0.234, "pass_bias": 0.045, "reference_drift": 0.167, "stolen_time": 0.089}
    warnings = good(retest_r=0.56, **figures).warnings()
    assert len(warnings) == 5
    stated = zip(warnings, ["0.56", "23.4%", "4.5%", "16.7%", "8.9%"], strict=True)
    assert all(figure in warning for warning, figure in stated)


def test_three_architectures_without_a_correlation_are_flagged():
    [warning] = assess_reliability(np.full((3, 2), 0.1)).warnings("keras")
    assert "all architectures have the same latency: these labels tell no" in warning
    two = assess_reliability(np.full((2, 2), 0.1))
    assert two.warnings("keras") == []
    assert two.no_correlation_reason() == "too few architectures"


@pytest.mark.parametrize(
    "passes",
    [
        [[1.0, 1.0], [1.0, 1.01], [1.0, 1.02]],
        [[1.0, 1.01, np.nan], [2.0, np.nan, 2.01], [np.nan, 3.0, 3.01]],
    ],
)
def test_passes_that_cannot_be_correlated_are_flagged(passes):
    reliability = assess_reliability(passes)
    assert "all latencies of a pass are the same, or too few" in reliability.no_correlation_reason()
    assert "cannot be correlated" in reliability.warnings()[0]


@pytest.mark.parametrize(
    ("n", "sizes"), [(24, []), (25, [5, 5, 5, 5, 5]), (27, [6, 6, 5, 5, 5]), (29, [6, 6, 6, 6, 5])]
)
def test_quintiles_take_five_architectures_each(n, sizes):
    quintiles = assess_reliability(simulated(n, 2, 0.01)[1]).by_quintile
    assert [quintile.n for quintile in quintiles] == sizes


def test_quintiles_by_hand():
    """Twenty-five architectures; the five fastest have three passes, the others two."""
    sizes = np.array([0.05, 0.04, 0.03, 0.02, 0.01])
    deviations = np.outer(sizes, [-1, 1, 0, 1, -1]).ravel()  # the median of a pass is 0
    logs = np.column_stack([deviations, -deviations, deviations])
    logs[:5, 1], logs[:5, 2], logs[5:, 2] = 0.0, -deviations[:5], np.nan
    latencies = np.arange(1.0, 26.0)
    order = np.random.default_rng(0).permutation(25)
    passes = (latencies[:, None] * np.exp(logs))[order]
    quintiles = assess_reliability(passes).by_quintile
    assert [quintile.lowest for quintile in quintiles] == pytest.approx([1, 6, 11, 16, 21])
    assert [quintile.highest for quintile in quintiles] == pytest.approx([5, 10, 15, 20, 25])
    n_passes = np.array([3, 2, 2, 2, 2])
    noise = 1.4826 * sizes * np.sqrt(25 / 24 * n_passes / (n_passes - 1))
    assert [quintile.noise for quintile in quintiles] == pytest.approx(noise)
    of_median = np.array([1.346 / 3, 1 / 2, 1 / 2, 1 / 2, 1 / 2])
    floors = np.sqrt(2 / np.pi * of_median) * noise
    assert [quintile.noise_floor for quintile in quintiles] == pytest.approx(floors)


def test_drift_and_stolen_time_are_kept():
    reliability = assess_reliability([[1.0, 1.01]], drift=0.2, stolen=0.05)
    assert (reliability.reference_drift, reliability.stolen_time) == (0.2, 0.05)
    assert len(reliability.warnings()) == 2


@pytest.mark.parametrize(
    ("runtime", "words", "not_in"),
    [
        ("keras-predict", ["model.predict", "0.12", "runtime='keras' or 'litert'"], "thorough"),
        ("keras", ["Runtime 'keras'", "'thorough'", "('litert', 'onnxruntime')"], "predict"),
        (None, ["These labels", "0.12", "'keras', 'litert', 'onnxruntime'"], "None"),
    ],
)
def test_advice_fits_the_runtime(runtime, words, not_in):
    [warning] = good(retest_r=0.12).warnings(runtime)
    assert all(word in warning for word in words)
    assert not_in not in warning


def test_equal_latencies_are_told():
    reliability = assess_reliability(np.full((30, 2), 0.1))
    assert reliability.retest_r is None
    assert reliability.noise_floor_r2 is None
    [warning] = reliability.warnings("keras")
    assert "all architectures have the same latency" in warning
    assert "same latency" in described(reliability)


def described(reliability, runtime="keras"):
    padded = np.array([[5, 5], [7, 7]])
    provenance = {
        "runtime": runtime,
        "protocol": {"name": "reliable"},
        "environment": {},
        "signal_length": 50,
        "scale": None,
    }
    passes = np.array([[1e-4, 1e-4], [2e-4, 2e-4]])
    frame = make_frame(padded, passes, latency=passes[:, 0])
    return make_bunch(frame, reliability, provenance).DESCR


def test_description_states_noise_and_floors():
    text = described(good(retest_r=0.12), "keras-predict")
    for words in ("95 % interval", "Spearman", "a MAPE of", "an RMSE of", "an R² of", "up to"):
        assert words in text
    assert "Warning: model.predict in this space: no signal" in text
    assert "too few architectures" in described(assess_reliability([[1.0, 1.01]]))
