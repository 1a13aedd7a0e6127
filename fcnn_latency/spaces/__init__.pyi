from ._fcnn import FCNNSpace as FCNNSpace
from ._surface import surface_architectures as surface_architectures
from ._surface import surface_grid as surface_grid
from ._widths import pad_widths as pad_widths
from ._widths import trim_widths as trim_widths
