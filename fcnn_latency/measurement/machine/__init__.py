"""The machine that measures: its environment, cores and lock."""
