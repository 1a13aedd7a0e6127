"""Plan which models are timed together, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fcnn_latency._validation import Ints
from fcnn_latency.measurement._protocol import MeasurementProtocol
from fcnn_latency.networks._layers import FLOAT_BYTES


@dataclass(frozen=True)
class Group:
    """Models that one pass times together.

    Parameters
    ----------
    number : int
        Number of the group in its campaign, from 0.
    pass_number : int
        Number of the pass, from 0.
    members : tuple of int
        Rows of the architectures in the group.
    seed : int
        Seed of the order within the rounds.
    """

    number: int
    pass_number: int
    members: tuple[int, ...]
    seed: int


def plan_groups(
    architectures: Sequence[tuple[int, ...]],
    protocol: MeasurementProtocol,
    seed: int,
    rows: Sequence[int],
    passes: range,
    first_number: int,
) -> list[Group]:
    """Return the groups in the order of measurement: all passes over one, then the next one.

    Parameters
    ----------
    architectures : sequence of tuple of int
        All architectures of the campaign.
    protocol : MeasurementProtocol
        Protocol that sets the size of the groups and whether they are shuffled.
    seed : int
        Seed of the campaign; the same seed gives the same plan.
    rows : sequence of int
        Architectures to plan for.
    passes : range
        Passes to plan for.
    first_number : int
        Number of the first group.
    """
    chosen = np.asarray(rows, dtype=np.int64)
    rng = np.random.default_rng([seed, passes.start])
    if protocol.shuffle:
        chosen = rng.permutation(chosen)
    size = sum(_weight_bytes(architectures[row]) for row in chosen)
    n_chunks = max(-(-len(chosen) // protocol.group_size), -(-size // protocol.group_bytes))
    groups: list[Group] = []
    for members in _chunks(chosen, n_chunks):
        for pass_number in passes:
            # Each pass builds in a new order: the same order would place the models at the same
            # memory addresses.
            built = rng.permutation(members) if protocol.shuffle else members
            seed_of_orders = int(rng.integers(2**31))
            number = first_number + len(groups)
            groups.append(Group(number, pass_number, tuple(built.tolist()), seed_of_orders))
    return groups


def _weight_bytes(widths: tuple[int, ...]) -> int:
    return FLOAT_BYTES * sum(a * b for a, b in pairwise(widths))


def _chunks(rows: Ints, n_chunks: int) -> list[Ints]:
    """Split rows into chunks of even size: 101 models become 51 and 50, not 100 and 1."""
    return np.array_split(rows, min(n_chunks, len(rows))) if len(rows) else []
