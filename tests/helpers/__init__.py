"""What several tests share."""

from pathlib import Path

#: The folder that code run in another interpreter puts on its path, to import the helpers.
TESTS = str(Path(__file__).parents[1])
