"""Measure and predict the CPU inference latency of fully connected neural networks."""

import lazy_loader as _lazy

__version__ = "0.1.0.dev0"

# The stub next to this file is the only list of public names.
__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
