"""The dataset that ships with the package."""

import pytest

from fcnn_latency import FCNNSpace, compare, load_example_dataset, make_latency_pipeline


@pytest.mark.parametrize("runtime", ["litert", "keras"])
def test_example_has_labels_that_repeat(runtime):
    dataset = load_example_dataset(runtime)
    assert dataset.runtime == runtime
    assert FCNNSpace().validate(dataset.data).shape == (300, 5)
    assert dataset.reliability.retest_r > 0.99
    assert dataset.noise_floor < 0.01
    assert not dataset.reliability.warnings(runtime)


def test_example_is_learnt_down_to_its_noise():
    # The labels are of a CPU with AVX-512, whichever runs the test.
    linear = make_latency_pipeline("linear").set_params(architectureencoder__tile=(7, 16))
    table = compare(load_example_dataset(), estimators={"linear": linear}, cv=5).table
    assert table.loc["linear", "mape"] < 0.02 < 0.1 < table.loc["mean", "mape"]


def test_example_as_arrays_and_frames():
    X, y = load_example_dataset(return_X_y=True)
    assert X.shape == (300, 5)
    assert y.shape == (300,)
    assert list(load_example_dataset(as_frame=True).data.columns) == [
        f"layer_{layer}" for layer in range(1, 6)
    ]


def test_unknown_example_is_refused():
    with pytest.raises(ValueError, match=r"runtime must be one of \['litert', 'keras'\]"):
        load_example_dataset("xla")
