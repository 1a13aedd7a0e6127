from ._comparison import Comparison as Comparison
from ._comparison import compare as compare
from ._sample_efficiency import SampleEfficiency as SampleEfficiency
from ._sample_efficiency import sample_efficiency as sample_efficiency
