from ._capstone2023 import fetch_capstone2023 as fetch_capstone2023
from ._design import select_architectures as select_architectures
from ._files import load_dataset as load_dataset
from ._files import save_dataset as save_dataset
from ._layer_table import load_layer_table as load_layer_table
from ._layer_table import make_layer_table as make_layer_table
from ._layer_table import save_layer_table as save_layer_table
from ._make import make_dataset as make_dataset
