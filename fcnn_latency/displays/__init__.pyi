from ._comparison import ComparisonDisplay as ComparisonDisplay
from ._deviations import AbsoluteDeviationDisplay as AbsoluteDeviationDisplay
from ._efficiency import SampleEfficiencyDisplay as SampleEfficiencyDisplay
from ._front import FrontDisplay as FrontDisplay
from ._loss import LossCurveDisplay as LossCurveDisplay
from ._predicted import PredictedLatencyDisplay as PredictedLatencyDisplay
from ._quintiles import QuintileErrorDisplay as QuintileErrorDisplay
from ._surface import LatencySurfaceDisplay as LatencySurfaceDisplay
