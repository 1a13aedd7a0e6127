"""Figures, in the manner of scikit-learn's Display classes; they need matplotlib."""

from fcnn_latency.displays.comparison import ComparisonDisplay
from fcnn_latency.displays.deviations import AbsoluteDeviationDisplay
from fcnn_latency.displays.efficiency import SampleEfficiencyDisplay
from fcnn_latency.displays.front import FrontDisplay
from fcnn_latency.displays.loss import LossCurveDisplay
from fcnn_latency.displays.predicted import PredictedLatencyDisplay
from fcnn_latency.displays.quintiles import QuintileErrorDisplay
from fcnn_latency.displays.surface import LatencySurfaceDisplay

__all__ = [
    "AbsoluteDeviationDisplay",
    "ComparisonDisplay",
    "FrontDisplay",
    "LatencySurfaceDisplay",
    "LossCurveDisplay",
    "PredictedLatencyDisplay",
    "QuintileErrorDisplay",
    "SampleEfficiencyDisplay",
]
