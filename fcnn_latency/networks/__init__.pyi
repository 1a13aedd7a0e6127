from ._kernels import register_tile as register_tile
from ._layers import layer_costs as layer_costs
from ._layers import layer_shapes as layer_shapes
from ._layers import signal_rows as signal_rows
