"""Types of arrays, rules for parameters, and the errors if a rule is broken."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, get_type_hints

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

#: Largest seed that NumPy's legacy generator accepts.
LARGEST_SEED = 2**32 - 1


class Rule(NamedTuple):
    """A rule for the value of a parameter.

    Parameters
    ----------
    wanted : str
        The rule in words that follow "must be".
    holds : callable
        Returns whether a value satisfies the rule.
    """

    wanted: str
    holds: Callable[[Any], bool]


def is_whole(value: object) -> bool:
    """Return whether a value is a whole number of Python or NumPy; True and False are not."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool | np.bool_)


def are_whole(values: Any, count: int) -> bool:
    """Whether a tuple or list holds that many whole numbers of at least 1."""
    is_sized = isinstance(values, tuple | list) and len(values) == count
    return is_sized and all(whole(1).holds(value) for value in values)


def _is_number(value: object) -> bool:
    if not isinstance(value, numbers.Real) or isinstance(value, bool | np.bool_):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # 10**400 is no float
        return False


def whole(least: int = 1, most: int | None = None) -> Rule:
    """Return the rule for a whole number; both limits are included.

    Examples
    --------
    >>> whole(1).wanted, whole(2, 10).wanted
    ('a whole number of at least 1', 'a whole number from 2 to 10')
    """
    limits = f"of at least {least}" if most is None else f"from {least} to {most}"
    top = math.inf if most is None else most
    return Rule(
        f"a whole number {limits}", lambda value: is_whole(value) and least <= int(value) <= top
    )


def number(
    *,
    above: float | None = None,
    least: float | None = None,
    below: float | None = None,
    most: float | None = None,
) -> Rule:
    """Return the rule for a finite number; `above` and `below` exclude the limit itself.

    Examples
    --------
    >>> number(above=0).wanted, number(least=0, below=1).wanted
    ('a finite number above 0', 'a number in [0, 1)')
    """
    low, high = above if least is None else least, below if most is None else most
    if low is not None and high is not None:
        wanted = f"a number in {'(' if least is None else '['}{low}, {high}"
        wanted += ")" if most is None else "]"
    elif low is not None:
        wanted = f"a finite number {'above' if least is None else 'of at least'} {low}"
    else:
        wanted = "a finite number"

    def holds(value: Any) -> bool:
        return (
            _is_number(value)
            and (above is None or value > above)
            and (least is None or value >= least)
            and (below is None or value < below)
            and (most is None or value <= most)
        )

    return Rule(wanted, holds)


def choice(names: Iterable[str]) -> Rule:
    """Return the rule for one of several names."""
    valid = list(names)
    return Rule(f"one of {valid}", lambda value: isinstance(value, str) and value in valid)


def or_none(inner: Rule) -> Rule:
    """Return the rule for None or a value that another rule allows."""
    return Rule(f"{inner.wanted} or None", lambda value: value is None or inner.holds(value))


BOOLEAN = Rule("True or False", lambda value: isinstance(value, bool | np.bool_))
NAME = Rule("a name", lambda value: isinstance(value, str) and bool(value))
SEED = Rule(
    f"a whole number from 0 to {LARGEST_SEED}, a numpy.random.RandomState or None",
    lambda value: (
        value is None
        or isinstance(value, np.random.RandomState)
        or (is_whole(value) and 0 <= int(value) <= LARGEST_SEED)
    ),
)


VERBOSITY = Rule(
    "True, False, 0, 1 or 2", lambda value: BOOLEAN.holds(value) or whole(0, 2).holds(value)
)


def check(value: Any, allowed: Rule, name: str, owner: object = None) -> Any:
    """Return a value if a rule allows it.

    Parameters
    ----------
    value : object
        The value that was passed.
    allowed : Rule
        The rule.
    name : str
        Name of the parameter.
    owner : object or None, default=None
        The object with the parameter, such as an estimator or a space, or its name. None for a
        parameter of a function.

    Returns
    -------
    object
        `value`. Whole numbers are Python ints, which Keras and JSON require.

    Raises
    ------
    ValueError
        If the rule is broken; the message has the parameter, the rule and the value.
    """
    if not allowed.holds(value):
        whose = owner if isinstance(owner, str) else type(owner).__name__
        subject = name if owner is None else f"The '{name}' parameter of {whose}"
        raise ValueError(f"{subject} must be {allowed.wanted}. Got {value!r} instead.")
    return int(value) if is_whole(value) else value


def check_parameters(owner: Any, rules: Mapping[str, Rule]) -> None:
    """Check attributes of an object, such as the parameters of an estimator.

    Raises
    ------
    ValueError
        If an attribute breaks its rule.
    """
    for name, allowed in rules.items():
        check(getattr(owner, name), allowed, name, owner)


def refuse_first(bad: Bools, values: Array, message: str) -> None:
    """Raise an error for the first bad value.

    Parameters
    ----------
    bad : ndarray of bool
        Which values are bad.
    values : ndarray of the same shape
        The values.
    message : str
        The message. ``{place}`` is replaced by the index of the first bad value, ``{row}`` by its
        row, ``{layer}`` by its column from 1, and ``{value}`` by the value.

    Raises
    ------
    ValueError
        If a value is bad.
    """
    if bad.any():
        place = np.argwhere(bad)[0].tolist()
        value = values[tuple(place)]
        row, column = (place[0], place[-1]) if place else (0, 0)  # a single number has no place
        raise ValueError(message.format(place=place, row=row, layer=column + 1, value=value))


def rules_of(owner: type) -> dict[str, Rule]:
    """Return the rules in the annotations of a class, such as ``Annotated[int, whole(1)]``."""
    hints = get_type_hints(owner, include_extras=True)
    return {
        name: hint.__metadata__[0] for name, hint in hints.items() if hasattr(hint, "__metadata__")
    }


def check_latencies(latencies: Array, owner: object) -> None:
    """Check that latencies are positive; relative errors and logarithms require it.

    Raises
    ------
    ValueError
        If a latency is not positive; the message names the first.
    """
    name = type(owner).__name__
    message = f"{name} requires latencies above 0 seconds. Row {{row}} of y is {{value:g}}."
    refuse_first(latencies <= 0, latencies, message)
