"""Model files: what goes in comes out, and nothing else is let in."""

import copy
import gzip
import hashlib
import inspect
import io
import json
import os
import pickle
import re
import subprocess
import sys
import zipfile

import joblib
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import ensemble
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
    VotingRegressor,
)
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, KFold, ShuffleSplit
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import fcnn_latency
from fcnn_latency import (
    SCORERS,
    ArchitectureEncoder,
    FCNNSpace,
    LatencyRegressor,
    ModelFileError,
    ModelFileWarning,
    load,
    make_latency_pipeline,
    read_manifest,
    save,
)
from fcnn_latency.estimators._pipeline import ESTIMATORS
from fcnn_latency.persistence._file_format import FORMAT, read_model_file, write_model_file
from fcnn_latency.persistence._own_types import OWN_TYPES
from fcnn_latency.persistence._save_load import STATE
from fcnn_latency.persistence._tree_bounds import ENSEMBLES

X = FCNNSpace().sample(60, random_state=0)
#: A made-up law, in seconds.
Y = 1e-4 * np.count_nonzero(X, axis=1) + 1e-7 * X.sum(axis=1)

#: What the prediction of "measured" is differs each time.
REPEATABLE = sorted(set(ESTIMATORS) - {"measured"})

IN_A_FRESH_PROCESS = """
import sys
from pathlib import Path
import numpy as np
from fcnn_latency import load
folder = Path(sys.argv[1])
models = {path.stem: load(path) for path in folder.glob("*.fcnn")}
if {"keras", "tensorflow"} & set(sys.modules):
    sys.exit("loading imported TensorFlow")
X = np.load(folder / "X.npy")
np.savez(folder / "predicted.npz", **{name: model.predict(X) for name, model in models.items()})
"""


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


@pytest.fixture(scope="module")
def deep():
    return fitted(LatencyRegressor((4,), epochs=2, random_state=0))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The smallest of model files."""
    return save(quick("mean").fit(X, Y), tmp_path_factory.mktemp("small") / "small.fcnn")


def rewritten(path, target, *, state=None, **changes):
    """A whole file with another content."""
    manifest, members = read_model_file(path)
    write_model_file(target, {**manifest, **changes}, {STATE: state or members[STATE]})
    return target


def test_every_pipeline_predicts_the_same_bits_in_a_fresh_process(tmp_path):
    pipelines = {name: quick(name).fit(X, Y) for name in REPEATABLE}
    for name, pipeline in pipelines.items():
        save(pipeline, tmp_path / f"{name}.fcnn")
    np.save(tmp_path / "X.npy", X)
    command = [sys.executable, "-c", IN_A_FRESH_PROCESS, str(tmp_path)]
    subprocess.run(command, check=True)
    with np.load(tmp_path / "predicted.npz") as predicted:
        for name, pipeline in pipelines.items():
            np.testing.assert_array_equal(predicted[name], pipeline.predict(X), err_msg=name)


@pytest.mark.parametrize(
    "make",
    [
        lambda: GridSearchCV(
            quick("linear"),
            {"architectureencoder__features": ["widths", "costs"]},
            scoring=SCORERS["within_5"],
            cv=KFold(2),
        ).fit(X, Y),
        lambda: GridSearchCV(
            VotingRegressor([("deep", quick("deep")), ("linear", quick("linear"))]),
            {"deep__latencyregressor__hidden_layer_sizes": [(3,)]},
            cv=ShuffleSplit(1, random_state=0),
        ).fit(X, Y),
        lambda: TransformedTargetRegressor(quick("mean"), func=np.log, inverse_func=np.exp).fit(
            X, Y
        ),
        lambda: fitted(HistGradientBoostingRegressor(max_iter=5)),
        lambda: fitted(GradientBoostingRegressor(n_estimators=5)),
        lambda: fitted(RandomForestRegressor(5, random_state=np.random.RandomState(0))),
        lambda: fitted(FunctionTransformer(np.log1p), MLPRegressor(max_iter=500)),
        lambda: make_latency_pipeline("flops", space=FCNNSpace(6, 60)).fit(X, Y),
    ],
    ids=["search", "deep", "log", "hist", "gradient", "forest", "mlp", "space"],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_networks_and_trees_are_kept_wherever_they_are_nested(make, tmp_path):
    model = make()
    kept = load(save(model, tmp_path / "model.fcnn"))
    np.testing.assert_array_equal(kept.predict(X), model.predict(X))
    assert re.sub(" at 0x[0-9A-F]+", "", str(kept)) == re.sub(" at 0x[0-9A-F]+", "", str(model))


def test_a_loaded_model_can_be_saved_again_and_fitted_again(deep, tmp_path):
    twice = load(save(load(save(deep, tmp_path / "once.fcnn")), tmp_path / "twice.fcnn"))
    np.testing.assert_array_equal(twice.predict(X), deep.predict(X))
    np.testing.assert_array_equal(twice.fit(X, Y).predict(X), deep.predict(X))


@given(st.data())
@settings(max_examples=300)
def test_a_file_with_any_bit_flipped_is_refused(small, data):
    whole = small.read_bytes()
    # The first line is a small part of the file: it gets half of the flips.
    end = data.draw(st.sampled_from([whole.index(b"\n"), len(whole) - 1]))
    place, bit = data.draw(st.integers(0, end)), data.draw(st.integers(0, 7))
    damaged = bytearray(whole)
    damaged[place] ^= 1 << bit
    target = small.with_name("damaged.fcnn")
    target.write_bytes(damaged)
    for read in (load, read_manifest):
        with pytest.raises(ModelFileError, match=r"damaged|no model file|has format"):
            read(target)


@given(st.data())
def test_a_truncated_or_lengthened_file_is_refused(small, data):
    whole = small.read_bytes()
    target = small.with_name("cut.fcnn")
    for content in (
        whole[: data.draw(st.integers(0, len(whole) - 1))],
        whole + data.draw(st.binary(min_size=1, max_size=9)),
    ):
        target.write_bytes(content)
        with pytest.raises(ModelFileError, match=r"damaged|no model file"):
            load(target)


@given(st.data())
def test_a_state_of_another_hand_is_read_or_refused_and_never_crashes(small, data):
    state = bytearray(read_model_file(small)[1][STATE])
    for _ in range(data.draw(st.integers(1, 3))):
        state[data.draw(st.integers(0, len(state) - 1))] = data.draw(st.integers(0, 255))
    target = rewritten(small, small.with_name("forged.fcnn"), state=bytes(state))
    try:
        load(target)
    except ModelFileError:
        return


FOREIGN_FILES = {
    "empty": (b"", "is empty"),
    "pickle": (pickle.dumps(DummyRegressor()), "is a pickle, which could run any code"),
    "gzip": (gzip.compress(b"model"), "is compressed"),
    "keras": (b"PK\x03\x04", "is a zip archive, as skops and Keras write them"),
    "text": (b"layer_1,latency\n", "first line is another's"),
    "format 0": (b"fcnn-latency model 0 " + b"0" * 64 + b"\n", "first line is damaged"),
}


@pytest.mark.parametrize("name", FOREIGN_FILES)
def test_a_foreign_file_is_refused_by_its_kind(name, tmp_path):
    content, kind = FOREIGN_FILES[name]
    path = tmp_path / "foreign"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=f"no model file that fcnn-latency wrote: .*{kind}"):
        load(path)


def test_joblib_folders_and_nothing_are_refused(tmp_path):
    joblib.dump(DummyRegressor(), tmp_path / "model.joblib", compress=3)
    with pytest.raises(ModelFileError, match="joblib"):
        load(tmp_path / "model.joblib")
    with pytest.raises(ModelFileError, match="is a folder"):
        load(tmp_path)
    with pytest.raises(FileNotFoundError, match="There is no model file"):
        load(tmp_path / "none.fcnn")


def test_a_pickle_is_refused_without_being_run(tmp_path):
    class Harmful:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    path = tmp_path / "model.fcnn"
    path.write_bytes(pickle.dumps(Harmful()))
    with pytest.raises(ModelFileError, match="pickle"):
        load(path)
    assert not (tmp_path / "harm").exists()


def test_a_newer_format_is_refused_and_says_so(small, tmp_path):
    path = tmp_path / "newer.fcnn"
    newer = FORMAT + 1
    path.write_bytes(small.read_bytes().replace(b"model %d " % FORMAT, b"model %d " % newer, 1))
    with pytest.raises(ModelFileError, match=f"has format {newer}.*Install a newer one"):
        load(path)
    with pytest.raises(ModelFileError, match=f"manifest says format {newer}"):
        load(rewritten(small, path, format=newer))


def test_members_that_are_missing_or_no_archive_are_refused(small, tmp_path):
    path = tmp_path / "model.fcnn"
    write_model_file(path, {}, {"other": b""})
    with pytest.raises(ModelFileError, match=r"no member estimator\.skops"):
        load(path)
    digest = hashlib.sha256(b"junk").hexdigest()
    path.write_bytes(f"fcnn-latency model {FORMAT} {digest}\njunk".encode())
    with pytest.raises(ModelFileError, match=r"was not written by fcnn_latency\.save"):
        load(path)
    with pytest.raises(ModelFileError, match="skops cannot read"):
        load(rewritten(small, path, state=b"junk"))


def test_types_that_are_not_trusted_are_named_and_not_built(tmp_path):
    model = fitted(Foreign())
    path = save(model, tmp_path / "model.fcnn")
    built, name = Foreign.built, f"{Foreign.__module__}.Foreign"
    with pytest.raises(ModelFileError, match=re.escape(f"not trusted: ['{name}']")):
        load(path)
    assert Foreign.built == built
    kept = load(path, trusted=[name])
    np.testing.assert_array_equal(kept.predict(X), model.predict(X))


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (os.system, f"{os.name}.system"),
        (save, "fcnn_latency.persistence._save_load.save"),
        (os.path.exists, "genericpath.exists"),
    ],
    ids=["system", "own", "path"],
)
def test_functions_are_not_trusted_not_even_our_own(function, name, tmp_path):
    model = fitted(DummyRegressor())
    model[-1].function_ = function
    path = save(model, tmp_path / "model.fcnn")
    with pytest.raises(ModelFileError, match=re.escape(name)):
        load(path)


def test_a_foreign_type_under_a_name_of_ours_is_refused(small, tmp_path):
    path = forged(small, tmp_path, lambda schema: schema.replace("ArchitectureEncoder", "Evil"))
    with pytest.raises(ModelFileError, match="Evil"):
        load(path)


def test_a_type_is_found_by_its_name_wherever_it_lived(small, tmp_path):
    path = forged(small, tmp_path, lambda schema: schema.replace("encoding._architecture", "old"))
    np.testing.assert_array_equal(load(path).predict(X), load(small).predict(X))


def forged(path, folder, change):
    """A model file whose schema is changed as text, signed anew."""
    manifest, members = read_model_file(path)
    state = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(members[STATE])) as before,
        zipfile.ZipFile(state, "w") as after,
    ):
        for name in before.namelist():
            data = before.read(name)
            if name == "schema.json":
                assert change(data.decode()) != data.decode()
                data = change(data.decode()).encode()
            after.writestr(name, data)
    written = folder / "forged.fcnn"
    write_model_file(written, manifest, {**members, STATE: state.getvalue()})
    return written


def test_a_class_of_ours_as_a_value_is_no_estimator(tmp_path):
    model = fitted(DummyRegressor())
    model[-1].kind_ = LatencyRegressor
    assert load(save(model, tmp_path / "model.fcnn"))[-1].kind_ is LatencyRegressor


def test_every_public_estimator_is_trusted():
    for name in fcnn_latency.__all__:
        thing = getattr(fcnn_latency, name)
        if inspect.isclass(thing) and issubclass(thing, BaseEstimator | FCNNSpace):
            assert OWN_TYPES[name] == thing.__module__


@pytest.mark.parametrize("field", ["left", "right", "feature_idx"])
def test_a_tree_that_points_outside_is_refused(field, tmp_path):
    model = fitted(HistGradientBoostingRegressor(max_iter=2))
    nodes = model[-1]._predictors[1][0].nodes
    nodes[field][nodes["is_leaf"] == 0] = 10**6
    with pytest.raises(ModelFileError, match="points outside"):
        load(save(model, tmp_path / "model.fcnn"))


def test_a_forest_whose_trees_read_other_features_is_refused(tmp_path):
    model = fitted(RandomForestRegressor(2))
    wide = np.hstack([X] * 20)
    model[-1].estimators_[1] = RandomForestRegressor(1).fit(wide, Y).estimators_[0]
    with pytest.raises(ModelFileError, match="points outside"):
        load(save(model, tmp_path / "model.fcnn"))


def test_every_ensemble_of_unchecked_trees_is_listed():
    listed = {kind.__name__ for kind in ENSEMBLES}
    for name in ensemble.__all__:
        inherited = {base.__name__ for base in getattr(ensemble, name).__mro__}
        assert (name in listed) == bool(inherited & {"BaseForest", "BaseGradientBoosting"}), name


def test_trusted_is_a_sequence_of_names(small):
    for wrong in ("lightgbm.LGBMRegressor", [LinearRegression]):
        with pytest.raises(ValueError, match="must be a sequence of full names of types"):
            load(small, trusted=wrong)


def test_parameters_that_are_new_get_their_defaults(tmp_path, monkeypatch):
    path = save(fitted(Foreign(3e-6)), tmp_path / "model.fcnn")

    def newer(self, value=2e-6, scale=1.5):
        self.value, self.scale = value, scale

    monkeypatch.setattr(Foreign, "__init__", newer)
    kept = load(path, trusted=[f"{Foreign.__module__}.Foreign"])
    assert kept[-1].get_params() == {"value": 3e-6, "scale": 1.5}


def test_another_version_of_scikit_learn_warns_once_and_predicts(small, tmp_path):
    versions = {**read_manifest(small)["versions"], "scikit-learn": "1.0.2"}
    path = rewritten(small, tmp_path / "old.fcnn", versions=versions)
    with pytest.warns(ModelFileWarning, match=r"with scikit-learn 1\.0\.2, and is read") as seen:
        load(path).predict(X)
    assert len(seen) == 1


def test_a_file_says_what_it_holds(tmp_path, small):
    model, path = quick("flops").fit(X, Y), tmp_path / "deeper" / "model.fcnn"
    save(model, path, metrics={"training": {"mape": np.float64(0.01), "note": None}})
    manifest = read_manifest(path)
    assert manifest["format"] == FORMAT
    assert manifest["space"] == {
        **{"max_layers": 5, "max_width": 50, "min_layers": 2, "min_width": 1, "tie_io": True}
    }
    assert manifest["signal_length"] == 50
    assert manifest["metrics"] == {"training": {"mape": 0.01, "note": None}}
    assert manifest["environment"]["cores"] >= 1
    assert set(manifest["versions"]) >= {"fcnn-latency", "scikit-learn", "keras", "numpy"}
    assert "LinearRegression" in manifest["estimator"]
    assert read_manifest(small)["dataset"] is read_manifest(small)["metrics"] is None


def test_other_zip_readers_take_the_file(small):
    with zipfile.ZipFile(small) as archive:
        assert archive.testzip() is None
        assert json.loads(archive.read("manifest.json")) == read_manifest(small)


def test_no_member_is_a_pickle(deep, tmp_path):
    path = save(deep, tmp_path / "model.fcnn")
    with zipfile.ZipFile(path) as archive, archive.open(STATE) as state:
        names = zipfile.ZipFile(state).namelist()
    assert {name.rpartition(".")[2] for name in names} == {"json", "npy"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metrics": {"mape": np.nan}}, "'metrics' parameter of save must be .*finite"),
        ({"metrics": [1.0]}, "'metrics' parameter"),
        ({"metrics": {"mape": object()}}, "'metrics' parameter"),
        ({"dataset": {"data": X}}, "'dataset' parameter of save must be a Bunch"),
    ],
)
def test_wrong_company_is_refused(arguments, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        save(quick("mean").fit(X, Y), tmp_path / "model.fcnn", **arguments)
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_kept_is_refused_and_nothing_is_written(deep, tmp_path):
    path = tmp_path / "model.fcnn"
    with pytest.raises(ValueError, match="must be a fitted estimator with a method predict"):
        save(ArchitectureEncoder(), path)
    with pytest.raises(NotFittedError):
        save(quick("linear"), path)
    with pytest.raises(ModelFileError, match=r"<lambda>.*cannot import"):
        save(fitted(FunctionTransformer(lambda x: x), DummyRegressor()), path)
    callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None)
    model = copy.deepcopy(deep).set_params(latencyregressor__callbacks=[callback])
    with pytest.raises(ModelFileError, match=r"<lambda>.*only training needs to None"):
        save(model, path)
    assert not list(tmp_path.iterdir())


def test_an_interrupted_save_leaves_what_was_there(small, tmp_path, monkeypatch):
    path = rewritten(small, tmp_path / "model.fcnn")
    before = path.read_bytes()

    def full(_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        save(quick("flops").fit(X, Y), path)
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["model.fcnn"]


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_permissions_are_the_users(tmp_path):
    model, path = quick("mean").fit(X, Y), tmp_path / "model.fcnn"
    umask = os.umask(0o027)
    try:
        save(model, path)
        assert path.stat().st_mode & 0o777 == 0o640
        path.chmod(0o604)
        save(model, path)
    finally:
        os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o604
    link = tmp_path / "link.fcnn"
    link.symlink_to(path)
    save(quick("flops").fit(X, Y), link)
    assert link.is_symlink()
    assert "LinearRegression" in read_manifest(path)["estimator"]
