"""The types of this package that a model file may hold, and where each of them lives today."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

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
    with ZipFile(BytesIO(data)) as archive:
        schema = json.loads(archive.read(SCHEMA))
        if not _translate(schema):
            return data
        files = (node.get("file") for node in _nodes(schema))
        members = {name: archive.read(name) for name in files if isinstance(name, str)}
    translated = BytesIO()
    with ZipFile(translated, "w", ZIP_DEFLATED) as archive:
        archive.writestr(SCHEMA, json.dumps(schema))
        for name, member in members.items():
            archive.writestr(name, member)
    return translated.getvalue()


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """The nodes of a schema, outer ones first."""
    left = [schema]
    while left:
        node = left.pop()
        if isinstance(node, list):
            left += node
        elif isinstance(node, dict):
            yield node
            left += node.values()


def _translate(schema: Any) -> bool:
    """Put today's module into each node of an own type; whether anything had to change."""
    changed = False
    for node in _nodes(schema):
        module, name = node.get("__module__"), node.get("__class__")
        if str(module).partition(".")[0] == "fcnn_latency" and name in OWN_TYPES:
            changed |= module != OWN_TYPES[name]
            node["__module__"] = OWN_TYPES[name]
            # A class that is held as a value has no attributes of its own.
            for attribute in DROPPED.get(name, ()) if "content" in node else ():
                changed |= _drop(node["content"], attribute)
    return changed


def _drop(attributes: dict[str, Any], name: str) -> bool:
    """Cut an attribute out of a node that holds attributes by name; whether it was there."""
    if name not in attributes["content"]:
        return False
    del attributes["content"][name]
    attributes["key_types"]["content"].pop()  # all of them are str
    return True
