from ._architecture_encoder import FEATURES as FEATURES
from ._architecture_encoder import ArchitectureEncoder as ArchitectureEncoder
from ._graph_encoder import GraphEncoder as GraphEncoder
from ._graphs import graphs_to_matrix as graphs_to_matrix
from ._graphs import matrix_to_graphs as matrix_to_graphs
from ._tiles import TILE_FEATURES as TILE_FEATURES
from ._tiles import tile_costs as tile_costs
