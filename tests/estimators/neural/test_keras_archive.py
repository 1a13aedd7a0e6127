"""KerasArchive: networks that estimators keep."""

import copy
import pickle

import keras
import numpy as np
import pytest

from fcnn_latency import LatencyRegressor, ModelFileError, load, save
from fcnn_latency.estimators.neural._keras_archive import KerasArchive, check_archive

X = np.random.default_rng(0).uniform(1, 50, (20, 3)).astype(np.float32)


class Halve(keras.layers.Layer):
    """A layer of one's own."""

    def call(self, inputs):
        return inputs / 2


def network(*layers, seed=0):
    """Compiled and trained a little, so that optimizer and normalization have a state."""
    dense = keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(seed))
    made = keras.Sequential([keras.Input((3,)), *layers, dense])
    made.compile("adam", "mse")
    # Shuffling asks for a seed, once another test has made TensorFlow deterministic.
    made.fit(X, X[:, :1], shuffle=False, verbose=0)
    return made


def outputs(made):
    return keras.ops.convert_to_numpy(made(X, training=False))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda a: pickle.loads(pickle.dumps(a))])
def test_a_copy_computes_the_same_and_leaves_the_optimizer_behind(copied):
    trained = network(keras.layers.BatchNormalization())
    kept = copied(KerasArchive(trained)).network()
    np.testing.assert_array_equal(outputs(kept), outputs(trained))
    assert not kept.compiled
    assert trained.compiled


def test_functional_networks_with_several_inputs_are_kept():
    nodes, edges = keras.Input((3,)), keras.Input((3,))
    joined = keras.layers.Concatenate()([keras.layers.Dense(2)(nodes), edges])
    made = keras.Model([nodes, edges], keras.ops.sum(joined, axis=1))
    archive = pickle.loads(pickle.dumps(KerasArchive(made)))
    check_archive(archive)
    np.testing.assert_array_equal(archive.network()([X, X]), made([X, X]))


def test_networks_in_lists_and_dictionaries_go_into_a_model_file(tmp_path):
    model = LatencyRegressor((2,), epochs=1, random_state=0).fit(X, X[:, 0])
    made = [network(seed=1), network(seed=2)]
    model.networks_ = [KerasArchive(part) for part in made]
    model.by_name_ = {"first": model.networks_[0], "none": []}
    kept = load(save(model, tmp_path / "model.fcnn"))
    assert len(kept.networks_) == 2
    for archive, trained in zip(
        [*kept.networks_, kept.by_name_["first"]], [*made, made[0]], strict=True
    ):
        np.testing.assert_array_equal(outputs(archive.network()), outputs(trained))


def test_layers_of_ones_own_are_refused_unless_trusted():
    archive = pickle.loads(pickle.dumps(KerasArchive(network(Halve()))))
    name = f"{Halve.__module__}.Halve"
    with pytest.raises(ModelFileError, match=f"not trusted: .*{name}"):
        check_archive(archive)
    check_archive(archive, [name])
    assert archive.network({"Halve": Halve}).layers[0].name == "halve"


def test_what_is_no_archive_is_refused():
    archive = KerasArchive.__new__(KerasArchive)
    archive.__setstate__({"archive": b"junk"})
    with pytest.raises(ModelFileError, match="no Keras archive"):
        check_archive(archive)
