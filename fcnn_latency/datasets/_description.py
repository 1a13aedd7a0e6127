"""Read the description of a table: the JSON file next to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, NamedTuple

from fcnn_latency._validation import Rule, check, number, or_none, whole
from fcnn_latency.measurement.labels._reliability import QuintileNoise, Reliability
from fcnn_latency.measurement.labels._scale import Scale
from fcnn_latency.spaces._fcnn import FCNNSpace

#: Fields that all descriptions have.
ORIGIN = ("runtime", "protocol", "signal_length", "random_state", "environment", "scale")

OBJECT = Rule("a JSON object", lambda value: isinstance(value, dict))
TEXT = Rule("a text", lambda value: isinstance(value, str))
#: NaN is allowed, since a statistic of few latencies may be NaN.
NUMBER = Rule(
    "a number",
    lambda value: type(value) is float or (type(value) is int and number().holds(value)),
)
SECONDS = number(above=0)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(NUMBER.holds, value))


def _are_quintiles(value: Any) -> bool:
    names = {field.name for field in fields(QuintileNoise)}
    return isinstance(value, list) and all(
        isinstance(part, dict) and part.keys() == names and all(map(NUMBER.holds, part.values()))
        for part in value
    )


#: Rule for a field of `Reliability`, by its annotation.
BY_ANNOTATION = {
    "int": whole(0),
    "float": NUMBER,
    "float | None": or_none(NUMBER),
    "tuple[float, float] | None": or_none(Rule("two numbers", _is_pair)),
    "tuple[QuintileNoise, ...]": Rule(
        "a list of objects with the numbers lowest, highest, n, noise and noise_floor",
        _are_quintiles,
    ),
}


class Field(NamedTuple):
    """A field of a description; all fields are optional.

    Parameters
    ----------
    allowed : Rule
        Rule for the value.
    parts : dict of str to Rule
        Rules for the fields of an object; the fields may be missing.
    build : callable
        Called with the fields of an object; its error names missing or unknown fields.
    """

    allowed: Rule
    parts: dict[str, Rule] = {}  # noqa: RUF012
    build: Callable[..., Any] = dict


#: All fields that a description may have.
FIELDS = {
    "runtime": Field(TEXT),
    "protocol": Field(OBJECT, {"name": TEXT}),
    "signal_length": Field(whole(1)),
    "random_state": Field(or_none(whole(0))),
    "environment": Field(OBJECT),
    "scale": Field(
        or_none(OBJECT),
        {"reference_latency": SECONDS, "campaign_latency": SECONDS, "set_at": TEXT},
        lambda **parts: asdict(Scale(**parts)),
    ),
    "measuring_time": Field(or_none(number(least=0))),
    "noise_floor": Field(or_none(number(least=0))),
    "space": Field(OBJECT, build=FCNNSpace),
    "reliability": Field(
        OBJECT,
        {field.name: BY_ANNOTATION[str(field.type)] for field in fields(Reliability)},
        Reliability,
    ),
}


def read_description(table: Path, names: Iterable[str], what: str) -> dict[str, Any]:
    """Return the fields of the file next to a table; empty if there is no file.

    Parameters
    ----------
    table : Path
        Path of the table itself.
    names : iterable of str
        Names of the `FIELDS` to read; others are ignored.
    what : str
        Name of the table in error messages.

    Raises
    ------
    ValueError
        If the file is no JSON object or a field is invalid; the message says what is expected.
    """
    path = table.with_suffix(".json")
    if not path.exists():
        return {}
    try:
        found = check(json.loads(path.read_text(encoding="utf-8")), OBJECT, "it")
        return {name: _read_field(name, found[name]) for name in names if name in found}
    except (OverflowError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} does not say what the {what} beside it was measured with: "
            f"{str(error).rstrip('.')}. Correct it, or remove it to read the table alone."
        ) from error


def _read_field(name: str, value: Any) -> Any:
    field = FIELDS[name]
    check(value, field.allowed, f"'{name}'")
    if not isinstance(value, dict):
        return value
    for part, allowed in field.parts.items():
        if part in value:
            check(value[part], allowed, f"'{part}' of '{name}'")
    return field.build(**value)
