"""The types of this package that a model file may hold, and where each of them lives today."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

__all__ = ["OWN_TYPES", "with_current_modules"]

#: Trusted in every model file. Files of earlier releases name the modules of their time: a type is
#: found by its own name, so moving one means changing its line here.
OWN_TYPES = {
    "ArchitectureEncoder": "fcnn_latency.encoding._architecture_encoder",
    "DenseNetwork": "fcnn_latency.estimators.neural._dense_network",
    "FCNNSpace": "fcnn_latency.spaces._fcnn",
    "GraphConvolutionRegressor": "fcnn_latency.estimators.neural._graph",
    "GraphEncoder": "fcnn_latency.encoding._graph_encoder",
    "IntervalRegressor": "fcnn_latency.estimators._intervals",
    "KerasArchive": "fcnn_latency.estimators.neural._keras_archive",
    "LatencyRegressor": "fcnn_latency.estimators.neural._deep",
    "LookupTableRegressor": "fcnn_latency.estimators._lookup",
    "MeasuredLatency": "fcnn_latency.estimators._measured",
    "MixedLatencyRegressor": "fcnn_latency.estimators._mixed",
    "RelativeLinearRegressor": "fcnn_latency.estimators._linear",
    "RooflineRegressor": "fcnn_latency.estimators._roofline",
    "TransferRegressor": "fcnn_latency.estimators._transfer",
}

SCHEMA = "schema.json"


def with_current_modules(data: bytes) -> bytes:
    """A state of skops whose own types have the modules in which they live today."""
    with ZipFile(BytesIO(data)) as archive:
        schema = json.loads(archive.read(SCHEMA))
        if not _rename(schema):
            return data
        members = {name: archive.read(name) for name in archive.namelist()}
    members[SCHEMA] = json.dumps(schema).encode()
    renamed = BytesIO()
    with ZipFile(renamed, "w", ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return renamed.getvalue()


def _rename(schema: Any) -> bool:
    """Put the current module into each node of an own type; whether any had another one."""
    changed = False
    left = [schema]
    while left:
        node = left.pop()
        if isinstance(node, list):
            left += node
        elif isinstance(node, dict):
            left += node.values()
            module, name = node.get("__module__"), node.get("__class__")
            if str(module).partition(".")[0] == "fcnn_latency" and name in OWN_TYPES:
                changed |= module != OWN_TYPES[name]
                node["__module__"] = OWN_TYPES[name]
    return changed
