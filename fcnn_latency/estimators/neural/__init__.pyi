from ._deep import LatencyRegressor as LatencyRegressor
from ._graph import GraphConvolutionRegressor as GraphConvolutionRegressor
