"""A trained Keras network as bytes of Keras' own archive, checked before it is built again."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any

from fcnn_latency._keras import import_keras
from fcnn_latency.exceptions import ModelFileError

__all__ = ["KerasArchive", "check_archive"]

#: Keras modules whose classes only compute on what they are given.
MODULES = {
    "keras.constraints",
    "keras.dtype_policies",
    "keras.initializers",
    "keras.regularizers",
    "keras.src.ops.core",
    "keras.src.ops.linalg",
    "keras.src.ops.math",
    "keras.src.ops.nn",
    "keras.src.ops.numpy",
}
#: Layers likewise; others run code of the file or read further files.
LAYERS = (
    *("Activation", "Add", "Average", "BatchNormalization", "Concatenate", "Dense", "Dot"),
    *("Dropout", "EinsumDense", "ELU", "Embedding", "Flatten", "GaussianDropout", "GaussianNoise"),
    *("GlobalAveragePooling1D", "GlobalMaxPooling1D", "GroupNormalization", "InputLayer"),
    *("LayerNormalization", "LeakyReLU", "Masking", "Maximum", "Minimum", "MultiHeadAttention"),
    *("Multiply", "Normalization", "Permute", "PReLU", "ReLU", "RepeatVector", "Rescaling"),
    *("Reshape", "RMSNormalization", "Softmax", "Subtract", "UnitNormalization"),
)
CLASSES = {
    "keras.DTypePolicy",
    "keras.Functional",
    "keras.Sequential",
    "keras.src.models.functional.Functional",
    *(f"keras.layers.{name}" for name in LAYERS),
}
#: What Keras writes in the same form as classes, but reads as plain values.
VALUES = {"__bytes__", "__ellipsis__", "__keras_tensor__", "__numpy__", "__slice__", "__tensor__"}


class KerasArchive:
    """A trained Keras network that an estimator keeps, and that pickles and `save` can write.

    An estimator keeps its networks as fitted attributes of this class, alone or in lists and
    dictionaries. Its state is the bytes of Keras' own archive (``.keras``): architecture and
    weights, without the optimizer. After loading, TensorFlow is not imported until `network` is
    called.

    Parameters
    ----------
    network : keras.Model
        The trained network.

    Examples
    --------
    >>> from fcnn_latency._keras import import_keras
    >>> keras = import_keras()
    >>> network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> KerasArchive(network).network().count_params()
    3
    """

    def __init__(self, network: Any) -> None:
        self._network = network
        self._archive: bytes | None = None

    def network(self, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """The network, built from the archive when first called for.

        Parameters
        ----------
        custom_objects : mapping of str to class, or None
            The layers that the estimator itself defines, by their registered names.

        Returns
        -------
        keras.Model
            Not compiled.
        """
        if self._network is None:
            self._network = _load(self.archive, custom_objects)
        return self._network

    @property
    def archive(self) -> bytes:
        """What Keras would write to a ``.keras`` file."""
        if self._archive is None:
            self._archive = _dump(self._network)
        return self._archive

    def __getstate__(self) -> dict[str, Any]:
        """The bytes of the archive."""
        return {"archive": self.archive}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Keep the bytes; the network is built later."""
        self._archive = bytes(state["archive"])
        self._network = None


def _dump(network: Any) -> bytes:
    keras = import_keras()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.keras"
        copy = keras.models.clone_model(network)
        copy.set_weights(network.get_weights())
        # Neither loss nor optimizer, whose moments take twice the place of the weights.
        copy.compiled, copy.optimizer = False, None
        copy.save(path)
        return path.read_bytes()


def _load(archive: bytes, custom_objects: Mapping[str, Any] | None) -> Any:
    keras = import_keras()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.keras"
        path.write_bytes(archive)
        return keras.models.load_model(
            path, custom_objects=custom_objects, compile=False, safe_mode=True
        )


def check_archive(archive: KerasArchive, trusted: Container[str] = ()) -> None:
    """Refuse a network with anything but standard layers and our own, without building it.

    Keras' safe mode forbids stored Python code, yet runs what else is named, and was circumvented
    several times.

    Parameters
    ----------
    archive : KerasArchive
        As loaded.
    trusted : container of str
        Full names of further classes.

    Raises
    ------
    ModelFileError
        If it is no such archive, or names what is not allowed.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(archive.archive)) as file:
            config = json.loads(file.read("config.json"))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        msg = f"A network in the file is no Keras archive: {error}"
        raise ModelFileError(msg) from error
    named = set(_named(config))
    foreign = sorted(name for name in named if name not in trusted and not _is_standard(name))
    if foreign:
        msg = (
            f"A network in the file is made of classes that are not trusted: {foreign}. It was not "
            f"built. If you trust their code and the file, pass trusted={foreign} to "
            "fcnn_latency.load."
        )
        raise ModelFileError(msg)


def _named(config: Any) -> Iterator[str]:
    """Full name of every class and function in a Keras configuration."""
    if isinstance(config, list):
        for part in config:
            yield from _named(part)
    elif isinstance(config, dict):
        if "class_name" in config and config["class_name"] not in VALUES:
            name = config["config"] if config["class_name"] == "function" else config["class_name"]
            yield f"{config.get('module')}.{name}"
        for part in config.values():
            yield from _named(part)


def _is_standard(name: str) -> bool:
    return name in CLASSES or name.rpartition(".")[0] in MODULES or name.startswith("fcnn_latency.")
