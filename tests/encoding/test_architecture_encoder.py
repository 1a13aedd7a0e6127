"""Every column of an encoding, worked out by hand."""

import numpy as np
import pytest

from fcnn_latency import ArchitectureEncoder, FCNNSpace
from fcnn_latency.encoding import TILE_FEATURES, tile_costs

SPACE = FCNNSpace(max_layers=3, max_width=90, tie_io=False)
#: A signal of 80 values is cut into 3, 4, 1 and 80 rows; one of 50 into 2, 3, 1 and 50.
SIGNAL_LENGTH = 80
ARCHITECTURES = [[30, 1, 7], [20, 9], [85, 3, 5], [1, 4, 1]]
WIDTHS = {"layer_1": [30, 20, 85, 1], "layer_2": [1, 9, 3, 4], "layer_3": [7, 0, 5, 1]}

COSTS = {
    **WIDTHS,
    "depth": [3, 2, 3, 3],
    "rows": [3, 4, 1, 80],
    "single_1": [0, 0, 0, 1],
    "single_2": [1, 0, 0, 0],
    "single_3": [0, 0, 0, 1],
    "macs_2": [90, 720, 255, 320],
    "macs_3": [21, 0, 15, 320],
    "parameters_2": [31, 189, 258, 8],
    "parameters_3": [14, 0, 20, 5],
    "activations_2": [3, 36, 3, 320],
    "activations_3": [21, 0, 5, 80],
    # Four bytes for each parameter, each value written and each value read.
    "bytes_2": [4 * (31 + 3 + 90), 4 * (189 + 36 + 80), 4 * (258 + 3 + 85), 4 * (8 + 320 + 80)],
    "bytes_3": [4 * (14 + 21 + 3), 0, 4 * (20 + 5 + 3), 4 * (5 + 80 + 320)],
    "macs": [111, 720, 270, 640],
    "parameters": [45, 189, 278, 13],
    "activations": [24, 36, 8, 400],
    "bytes": [648, 1220, 1496, 3252],
}

LAYERS = {
    "rows_2": [3, 4, 1, 80],
    "fan_in_2": [30, 20, 85, 1],
    "fan_out_2": [1, 9, 3, 4],
    "rows_3": [3, 0, 1, 80],
    "fan_in_3": [1, 0, 3, 4],
    "fan_out_3": [7, 0, 5, 1],
}

#: Blocks of 2 rows by 4 columns.
TILE = (2, 4)
TILES = {
    **WIDTHS,
    "layers": [2, 1, 2, 2],
    "inputs": [90 + 3, 80, 85 + 3, 80 + 320],
    "outputs": [3 + 21, 36, 3 + 5, 320 + 80],
    "weights": [30 + 7, 180, 255 + 15, 4 + 4],
    "macs": [111, 720, 270, 640],
    "fan_in": [31, 20, 88, 5],
    "fan_out": [8, 9, 8, 5],
    "rows": [6, 4, 2, 160],
    "single_in": [1, 0, 0, 1],
    "single_out": [1, 0, 0, 1],
    "tiles": [2 * 1 + 2 * 2, 2 * 3, 1 + 2, 40 + 40],
    "tile_steps": [2 * 30 + 4 * 1, 6 * 20, 1 * 85 + 2 * 3, 40 * 1 + 40 * 4],
    "panels": [1 + 2, 3, 1 + 2, 1 + 1],
    "panels_in": [8 + 1, 5, 22 + 1, 1 + 1],
    "panel_steps": [30 + 2, 60, 85 + 6, 1 + 4],
    "panel_inputs": [24 + 3, 20, 22 + 1, 80 + 80],
    "panel_outputs": [3 + 6, 12, 1 + 2, 80 + 80],
    "bands": [2 + 2, 2, 1 + 1, 40 + 40],
    "band_inputs": [60 + 2, 40, 85 + 3, 40 + 160],
    "band_outputs": [2 + 14, 18, 3 + 5, 160 + 40],
    # Only the third architecture has products of a single row.
    "vector_layers": [0, 0, 2, 0],
    "vector_inputs": [0, 0, 88, 0],
    "vector_outputs": [0, 0, 8, 0],
    "vector_weights": [0, 0, 270, 0],
    "vector_panels": [0, 0, 3, 0],
    "vector_steps": [0, 0, 91, 0],
    "odd_vector_layers": [0, 0, 1, 0],
    "odd_vector_steps": [0, 0, 85, 0],
    "odd_vector_panels": [0, 0, 1, 0],
    "odd_tile_steps": [60, 120, 0, 40 + 160],
    "odd_tiles": [2, 6, 0, 40 + 40],
    # Weights this small stay in any cache.
    **{name: [0, 0, 0, 0] for name in TILE_FEATURES if "beyond" in name},
}

FEATURES = {
    "widths": WIDTHS,
    "costs": COSTS,
    "flops": {"flops": [222, 1440, 540, 1280]},
    "layers": LAYERS,
    "tiles": TILES,
}


@pytest.mark.parametrize("features", FEATURES)
def test_columns_are_those_worked_out_by_hand(features):
    encoder = ArchitectureEncoder(SPACE, features, SIGNAL_LENGTH, TILE).fit(ARCHITECTURES)
    encoded = encoder.transform(ARCHITECTURES)
    names = encoder.get_feature_names_out().tolist()
    assert names == list(FEATURES[features])
    for name, column in zip(names, encoded.T.tolist(), strict=True):
        assert column == FEATURES[features][name], name


@pytest.mark.parametrize("features", ["widths", "costs", "layers", "tiles"])
def test_untied_widths_are_read_back(features):
    encoder = ArchitectureEncoder(SPACE, features, SIGNAL_LENGTH).fit(ARCHITECTURES)
    widths = encoder.inverse_transform(encoder.transform(ARCHITECTURES))
    assert widths.T.tolist() == list(WIDTHS.values())


def test_bytes_beyond_a_cache_are_split_by_the_parity_of_their_panels():
    # In panels of one column, the 255 of the first layer are odd and hold two thirds of all bytes.
    held = 4 * (512 * 255 + 255 * 256)
    (costs,) = tile_costs(np.array([[512, 255, 256]]), 50, (1, 1)).tolist()
    beyond = dict(zip(TILE_FEATURES, costs, strict=True))
    for kibibytes in (256, 512, 1024, 16384):
        expected = max(held - 1024 * kibibytes, 0)
        assert beyond[f"beyond_{kibibytes}KiB"] == expected
        assert beyond[f"odd_beyond_{kibibytes}KiB"] == pytest.approx(expected * 2 / 3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("space", 3),
        ("features", "pixels"),
        ("signal_length", 0),
        ("signal_length", True),
        ("tile", (4, 0)),
        ("tile", (4, 8, 16)),
    ],
)
def test_wrong_parameter_is_named_with_what_is_right(name, value):
    message = f"The '{name}' parameter of ArchitectureEncoder must be .*Got"
    with pytest.raises(ValueError, match=message):
        ArchitectureEncoder(**{name: value}).fit([[5, 5]])


def test_a_signal_of_one_value_is_one_row():
    encoder = ArchitectureEncoder(features="layers", signal_length=1, tile=(1, 1))
    assert encoder.fit_transform([[5, 5]])[0, :3].tolist() == [1, 5, 5]
