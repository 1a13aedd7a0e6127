"""The types of this package that a model file may hold, and where each of them lives today."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from zipfile import ZipFile

#: Trusted in every model file. Files of earlier releases name the modules of their time: a type is
#: found by its own name, so moving one means changing its line here. Reading is promised backward
#: only: releases before this list refuse the modules that files name now, as types not trusted.
OWN_TYPES = {
    "ArchitectureEncoder": "fcnn_latency.encoding._architecture_encoder",
    "DenseNetwork": "fcnn_latency.estimators.neural._dense_network",
    "FCNNSpace": "fcnn_latency.spaces._fcnn",
    "GraphConvolutionRegressor": "fcnn_latency.estimators.neural._graph",
    "GraphEncoder": "fcnn_latency.encoding._graph_encoder",
    "IntervalRegressor": "fcnn_latency.estimators._intervals",
    "LatencyRegressor": "fcnn_latency.estimators.neural._deep",
    "LookupTableRegressor": "fcnn_latency.estimators._lookup",
    "MeasuredLatency": "fcnn_latency.estimators._measured",
    "MixedLatencyRegressor": "fcnn_latency.estimators._mixed",
    "RelativeLinearRegressor": "fcnn_latency.estimators._linear",
    "RooflineRegressor": "fcnn_latency.estimators._roofline",
    "TransferRegressor": "fcnn_latency.estimators._transfer",
}

#: What fitted estimators of earlier releases held and no longer do: cut out unread.
DROPPED = {"LatencyRegressor": ("archives_",)}

SCHEMA = "schema.json"


def with_current_types(data: bytes) -> bytes:
    """A state of skops whose own types are those of today.

    Files of earlier releases name the modules of their time, and hold attributes that are gone.
    """
    translated = BytesIO()
    with ZipFile(BytesIO(data)) as archive, ZipFile(translated, "w") as current:
        for name in archive.namelist():
            member = archive.read(name)
            if name == SCHEMA:
                member = json.dumps(json.loads(member, object_hook=_translate)).encode()
            current.writestr(name, member)
    return translated.getvalue()


def _translate(node: dict[str, Any]) -> dict[str, Any]:
    """Give a node of an own type its module of today, and cut out what it no longer holds."""
    module, name = node.get("__module__"), node.get("__class__")
    if str(module).partition(".")[0] == "fcnn_latency" and name in OWN_TYPES:
        node["__module__"] = OWN_TYPES[name]
        # A class that is held as a value has no attributes of its own.
        for attribute in DROPPED.get(name, ()) if "content" in node else ():
            attributes = node["content"]
            if attributes["content"].pop(attribute, None) is not None:
                attributes["key_types"]["content"].pop()  # all of them are str
    return node
