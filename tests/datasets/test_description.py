"""The file beside a table, and what reads tables."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fcnn_latency import load_dataset, load_example_dataset, load_layer_table, save_dataset
from fcnn_latency.datasets._description import FIELDS, ORIGIN
from fcnn_latency.datasets._files import as_numbers

DATASET = "layer_1,layer_2,latency\n5,5,1e-6\n7,7,2e-6\n"
LAYERS = "rows,fan_in,fan_out,latency\n0,0,0,1e-7\n1,50,50,3e-7\n"
READERS = {"dataset": (load_dataset, DATASET), "table": (load_layer_table, LAYERS)}

#: Of each type that JSON has.
VALUES = (None, True, -1, 0, 3, 2.5, "", "words", [], [1], {}, {"no such field": 1})
#: Those that a field may be; of the rest all are wrong.
RIGHT = {
    "runtime": ("", "words"),
    "protocol": ({}, {"no such field": 1}),
    "signal_length": (3,),
    "random_state": (None, 0, 3),
    "environment": ({}, {"no such field": 1}),
    "scale": (None,),
    "measuring_time": (None, 0, 3, 2.5),
    "noise_floor": (None, 0, 3, 2.5),
    "space": ({},),
    "reliability": (),
}
#: Fields of which reader.
OF = {"dataset": FIELDS.keys() - {"noise_floor"}, "table": {*ORIGIN, "noise_floor"}}


def is_right(name, value):
    return any(type(value) is type(right) and value == right for right in RIGHT[name])


def read(folder, what, about):
    reader, text = READERS[what]
    path = folder / "own.csv"
    path.write_text(text)
    path.with_suffix(".json").write_text(about if isinstance(about, str) else json.dumps(about))
    return reader(path)


@pytest.mark.parametrize("what", READERS)
@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize("name", FIELDS)
def test_each_field_is_read_or_refused_by_its_name(tmp_path, what, name, value):
    if name not in OF[what] or is_right(name, value):
        read(tmp_path, what, {name: value})
        return
    kinds = f"'{name}' must be|FCNNSpace|Reliability|Scale"
    with pytest.raises(ValueError, match=rf"own\.json does not say what the {what} .*({kinds})"):
        read(tmp_path, what, {name: value})


SAVED = {
    "scale": {"reference_latency": 1e-6, "campaign_latency": 2e-6, "set_at": "2026-01-01"},
    "protocol": {"name": "quick"},
    "space": {"max_layers": 5, "max_width": 50, "tie_io": True},
    "reliability": load_example_dataset().reliability.as_dict(),
}
PARTS = [(name, part) for name, parts in SAVED.items() for part in parts]


@pytest.mark.parametrize(("name", "part"), PARTS)
def test_wrong_part_of_an_object_is_refused_by_its_name(tmp_path, name, part):
    read(tmp_path, "dataset", {name: SAVED[name]})
    for wrong in ([], {"a": 1}, -1.5 if name == "space" else False):
        if part == "by_quintile" and wrong == []:
            continue
        with pytest.raises(ValueError, match=rf"own\.json does not say.*'{part}'.*must be"):
            read(tmp_path, "dataset", {name: {**SAVED[name], part: wrong}})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(name=st.sampled_from(list(FIELDS)), value=json_values, what=st.sampled_from(list(READERS)))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_else_is_raised_whatever_the_file_holds(tmp_path, name, value, what):
    try:
        read(tmp_path, what, {name: value})
    except ValueError as error:
        assert "own.json" in str(error)  # noqa: PT017


@pytest.mark.parametrize("text", ["[]", "3", "{", '"words"'])
@pytest.mark.parametrize("what", READERS)
def test_what_is_no_object_is_refused(tmp_path, what, text):
    with pytest.raises(ValueError, match=rf"own\.json does not say what the {what} beside it"):
        read(tmp_path, what, text)


def test_description_survives_a_file(tmp_path):
    dataset = load_example_dataset()
    path, _ = save_dataset(dataset, tmp_path / "saved.csv")
    again = load_dataset(path)
    for name in FIELDS:
        assert again.get(name) == dataset.get(name)
    assert again.DESCR == dataset.DESCR


def test_true_is_no_number(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("rows,fan_in,fan_out,latency\nFalse,0,0,1e-7\nTrue,50,50,3e-7\n")
    with pytest.raises(ValueError, match=r"are 0\. Got 0 of them"):
        load_layer_table(path)
    path.write_text("layer_1,layer_2,latency\n5,5,True\n")
    with pytest.raises(ValueError, match="row 0: latency"):
        load_dataset(path)
    path.write_text("layer_1,layer_2,latency\nTrue,5,1e-6\n")
    with pytest.raises(ValueError, match="Row 0, layer 1"):
        load_dataset(path)
    path.write_text("layer_1,layer_2,latency\n5.7,5,1e-6\n")
    with pytest.raises(ValueError, match="Row 0, layer 1"):
        load_dataset(path)


READING = """
import sys
from fcnn_latency import load_dataset, load_layer_table
load_dataset(sys.argv[1])
load_layer_table(sys.argv[2])
print(*(module.__file__ for name, module in sys.modules.items() if name.startswith("fcnn_latency")))
"""


def test_process_that_reads_a_table_needs_no_private_name_of_another_library(tmp_path):
    paths = [tmp_path / "dataset.csv", tmp_path / "layers.csv"]
    for path, text in zip(paths, (DATASET, LAYERS), strict=True):
        path.write_text(text)
    run = subprocess.run(
        [sys.executable, "-c", READING, *paths], capture_output=True, text=True, check=True
    )
    files = [Path(name) for name in run.stdout.split()]
    assert any(path.name == "_layer_table.py" for path in files)
    private = [(path.name, name) for path in files for name in imported(path) if is_private(name)]
    assert not private


def imported(path):
    """Modules and names that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def is_private(name):
    first, *rest = name.split(".")
    own = first in ("fcnn_latency", "__future__")
    return not own and any(part.startswith("_") for part in rest)


def test_numbers_of_columns():
    import pandas as pd

    frame = pd.DataFrame({"a": [1, 2], "b": ["3", "no"], "c": [True, 4.5]})
    expected = [[1, 3, np.nan], [2, np.nan, 4.5]]
    np.testing.assert_array_equal(as_numbers(frame, ["a", "b", "c"]), expected)
