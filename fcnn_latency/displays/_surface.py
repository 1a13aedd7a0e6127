"""Latency over the widths of two layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fcnn_latency._validation import Floats, Ints
from fcnn_latency.displays._axes import axes_of, show_seconds
from fcnn_latency.spaces._surface import describe_surface, surface_architectures, surface_grid

#: Valid values of `kind`.
KINDS = ("heatmap", "surface")
#: Red is slow and blue is fast, as in the figure of the paper.
COLOURS = "coolwarm"


class LatencySurfaceDisplay:
    """Latency over the widths of two layers, with the other layers fixed.

    Fig. 1 of Beglaryan and Ringhofer (2023) shows the latency of a convolution over its channels
    in the same way: red is slow, blue is fast.

    Parameters
    ----------
    first_widths, second_widths : ndarray of int
        Widths of the two layers.
    latencies : ndarray of shape (n_second, n_first)
        Latencies in seconds; NaN where there is none.
    layers : tuple of two int
        The two layers, counted from 1.
    title : str or None, default=None
        Title of the figure. `from_predictions` states the fixed widths in it.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the figure, after `plot`.
    figure_ : matplotlib Figure
        The figure, after `plot`.
    """

    def __init__(
        self,
        first_widths: Ints,
        second_widths: Ints,
        latencies: Floats,
        *,
        layers: tuple[int, int],
        title: str | None = None,
    ) -> None:
        self.first_widths = first_widths
        self.second_widths = second_widths
        self.latencies = latencies
        self.layers = layers
        self.title = title

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        architecture: Any,
        *,
        layers: tuple[int, int],
        space: Any = None,
        widths: Any = None,
        kind: str = "heatmap",
        ax: Any = None,
    ) -> LatencySurfaceDisplay:
        """Vary two layers of an architecture, predict latencies and draw them.

        Parameters
        ----------
        estimator : estimator
            A fitted pipeline from architectures to latencies in seconds.
        architecture, layers, space, widths
            As in `fcnn_latency.spaces.surface_architectures`. If `space` is None, the space of the
            pipeline's encoder is used.
        kind : {"heatmap", "surface"}, default="heatmap"
            As in `plot`.
        ax : matplotlib Axes or None, default=None
            As in `plot`.
        """
        if space is None and hasattr(estimator, "steps"):
            space = getattr(estimator[0], "space_", None)
        rows = surface_architectures(architecture, layers=layers, space=space, widths=widths)
        return cls.from_predictions(rows, estimator.predict(rows), layers=layers, kind=kind, ax=ax)

    @classmethod
    def from_predictions(
        cls,
        X: Any,
        latencies: npt.ArrayLike,
        *,
        layers: tuple[int, int],
        kind: str = "heatmap",
        ax: Any = None,
    ) -> LatencySurfaceDisplay:
        """Draw predicted or measured latencies of architectures that differ in two layers.

        Parameters
        ----------
        X : sequence of sequences, array or DataFrame of shape (n_samples, <= max_layers)
            Architectures, as from `fcnn_latency.spaces.surface_architectures`.
        latencies : array-like of shape (n_samples,)
            Their latencies in seconds.
        layers : tuple of two int
            The layers that differ, counted from 1.
        kind : {"heatmap", "surface"}, default="heatmap"
            As in `plot`.
        ax : matplotlib Axes or None, default=None
            As in `plot`.
        """
        first, second, grid = surface_grid(X, latencies, layers=layers)
        title = f"architectures {describe_surface(X)}"
        return cls(first, second, grid, layers=layers, title=title).plot(kind=kind, ax=ax)

    def plot(self, *, kind: str = "heatmap", ax: Any = None) -> LatencySurfaceDisplay:
        """Draw on `ax`, or on a new figure if `ax` is None.

        Parameters
        ----------
        kind : {"heatmap", "surface"}, default="heatmap"
            A 2D heatmap, or a 3D surface, which requires axes with ``projection="3d"``.
        ax : matplotlib Axes or None, default=None
            Axes to draw on. None creates a new figure.

        Raises
        ------
        ValueError
            If `kind` is unknown.
        """
        if kind not in KINDS:
            raise ValueError(f"Unknown kind {kind!r}. Valid ones: {list(KINDS)}.")
        projection = {"projection": "3d"} if kind == "surface" else None
        self.ax_ = axes_of(ax, subplot_kw=projection)
        self.figure_ = self.ax_.figure
        grid = np.meshgrid(self.first_widths, self.second_widths)
        if kind == "heatmap":
            drawn = self.ax_.pcolormesh(*grid, self.latencies, cmap=COLOURS, shading="nearest")
            show_seconds(self.figure_.colorbar(drawn, ax=self.ax_, label="latency").ax.yaxis)
        else:
            self.ax_.plot_surface(*grid, self.latencies, cmap=COLOURS)
            self.ax_.set_zlabel("latency", labelpad=16)
            self.ax_.tick_params(axis="z", pad=8)
            show_seconds(self.ax_.zaxis)
            self.ax_.set_box_aspect(None, zoom=0.85)  # otherwise the label is cut off
        first, second = self.layers
        if self.title is not None:
            self.ax_.set_title(self.title)
        self.ax_.set(xlabel=f"neurons of layer {first}", ylabel=f"neurons of layer {second}")
        return self
