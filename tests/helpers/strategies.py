"""Hypothesis strategies: spaces, their architectures, latencies."""

from hypothesis import strategies as st

from fcnn_latency import FCNNSpace


@st.composite
def spaces(draw, most_layers=4, most_width=4):
    """Small spaces, so that all of their architectures can be gone through."""
    min_layers, max_layers = sorted(draw(st.tuples(*[st.integers(2, most_layers)] * 2)))
    min_width, max_width = sorted(draw(st.tuples(*[st.integers(1, most_width)] * 2)))
    return FCNNSpace(max_layers, max_width, min_layers, min_width, draw(st.booleans()))


@st.composite
def widths(draw, space):
    """One architecture of a space: the widths of its layers."""
    depth = draw(st.integers(space.min_layers, space.max_layers))
    layer = st.integers(space.min_width, space.max_width)
    drawn = draw(st.lists(layer, min_size=depth, max_size=depth))
    return [*drawn[:-1], drawn[0]] if space.tie_io else drawn


def ragged(space, min_size=1, max_size=6):
    """Architectures of a space as lists of unequal lengths."""
    return st.lists(widths(space), min_size=min_size, max_size=max_size)


def padded(space, min_size=1, max_size=6):
    """The same, zero-padded to the deepest that the space allows."""
    return ragged(space, min_size, max_size).map(lambda rows: zero_padded(rows, space.max_layers))


def zero_padded(rows, max_layers):
    """Rows with zeros appended: written apart from `pad_widths`, which it serves to test."""
    return [[*row, *[0] * (max_layers - len(row))] for row in rows]


def latencies(min_size=2, max_size=20):
    """Latencies in seconds, from nanoseconds to minutes."""
    return st.lists(st.floats(1e-9, 1e2), min_size=min_size, max_size=max_size)
