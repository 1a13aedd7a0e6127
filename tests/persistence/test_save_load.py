"""Model files: what goes in comes out, and nothing else is let in."""

import copy
import json
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import asdict
from functools import partial

import keras
import numpy as np
import pytest
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
from sklearn.utils import Bunch

from fcnn_latency import (
    SCORERS,
    ArchitectureEncoder,
    FCNNSpace,
    GraphEncoder,
    ModelFileError,
    ModelFileWarning,
    TransferRegressor,
    load,
    make_latency_pipeline,
    read_manifest,
    save,
)
from fcnn_latency.estimators._pipeline import ESTIMATORS
from fcnn_latency.persistence._file_format import FORMAT
from fcnn_latency.persistence._save_load import STATE
from helpers.model_files import Foreign, X, Y, fitted, quick, rewritten

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


@pytest.mark.parametrize("encode", [partial(ArchitectureEncoder, features="flops"), GraphEncoder])
def test_manifest_has_space_and_signal_of_the_encoder(encode, tmp_path):
    space = FCNNSpace(max_layers=6, max_width=60, tie_io=False)
    model = make_pipeline(encode(space=space, signal_length=80), DummyRegressor()).fit(X, Y)
    manifest = read_manifest(save(model, tmp_path / "model.fcnn"))
    assert manifest["signal_length"] == 80
    assert manifest["space"] == asdict(space)


def test_manifest_of_an_adapted_model_has_the_signal_that_it_was_adapted_to(tmp_path):
    source = quick("flops").fit(X, Y)
    adapted = TransferRegressor(source, signal_length=80).fit(X, Y)
    assert read_manifest(save(adapted, tmp_path / "model.fcnn"))["signal_length"] == 80


def test_manifest_has_what_the_dataset_was_measured_with(small, tmp_path):
    measured = {
        "noise_floor": 0.02,
        "runtime": "onnxruntime",
        "protocol": {"name": "quick"},
        "signal_length": 80,
        "random_state": 7,
        "environment": {"cpu": "another CPU"},
        "scale": {"reference_latency": 1e-6, "campaign_latency": 2e-6, "set_at": "2026-01-01"},
        "measuring_time": 12.5,
    }
    space = FCNNSpace(max_width=60)
    dataset = Bunch(data=X[:7], DESCR="Words.", space=space, reliability=None, **measured)
    manifest = read_manifest(save(load(small), tmp_path / "model.fcnn", dataset=dataset))
    described = {"n_architectures": 7, "description": "Words.", "space": asdict(space)}
    assert manifest["dataset"] == described | measured
