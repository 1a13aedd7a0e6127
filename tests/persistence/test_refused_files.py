"""Model files that are damaged, foreign or forged: each is refused by a clear error."""

import gzip
import hashlib
import inspect
import io
import os
import pickle
import re
import zipfile

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import ensemble
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import (
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)

import fcnn_latency
from fcnn_latency import (
    FCNNSpace,
    LatencyRegressor,
    ModelFileError,
    load,
    read_manifest,
    save,
)
from fcnn_latency.persistence._file_format import FORMAT, read_model_file, write_model_file
from fcnn_latency.persistence._own_types import OWN_TYPES
from fcnn_latency.persistence._save_load import STATE
from fcnn_latency.persistence._tree_bounds import ENSEMBLES
from helpers.model_files import Foreign, X, Y, fitted, rewritten


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


def test_home_folder_of_nobody_is_a_missing_file():
    model = DummyRegressor().fit(X, Y)
    for use in (lambda path: save(model, path), load, read_manifest):
        with pytest.raises(FileNotFoundError, match="names no home folder"):
            use("~nobody-of-this-name/model.fcnn")


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
