"""Types of this package that a model file may contain, with their current modules."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from zipfile import ZipFile

#: Types trusted in every model file. Files of earlier releases contain the module names of their
#: time, so types are found by class name. If you move a class, change its line here. Only reading
#: older files is guaranteed: releases before this list refuse current files, because they do not
#: trust the new module names.
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

#: Attributes of fitted estimators of earlier releases that no longer exist; removed unread.
DROPPED = {"LatencyRegressor": ("archives_",)}

SCHEMA = "schema.json"


def with_current_types(data: bytes) -> bytes:
    """Return a skops state in which types of this package have their current modules.

    Files of earlier releases contain the module names of their time, and attributes that no longer
    exist.
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
    """Update the module of a node of this package, and remove attributes that no longer exist."""
    module, name = node.get("__module__"), node.get("__class__")
    if str(module).partition(".")[0] == "fcnn_latency" and name in OWN_TYPES:
        node["__module__"] = OWN_TYPES[name]
        # A node that is a class, not an instance, has no attributes.
        for attribute in DROPPED.get(name, ()) if "content" in node else ():
            attributes = node["content"]
            if attributes["content"].pop(attribute, None) is not None:
                attributes["key_types"]["content"].pop()  # all of them are str
    return node
