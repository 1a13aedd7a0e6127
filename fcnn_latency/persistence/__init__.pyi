from ._save_load import load as load
from ._save_load import read_manifest as read_manifest
from ._save_load import save as save
