"""How notebooks show results."""

from __future__ import annotations

from html import escape

import pandas as pd


class ShownAsTable:
    """A result that a notebook shows as its repr and a table."""

    def _shown(self) -> pd.DataFrame:
        raise NotImplementedError

    def _repr_html_(self) -> str:
        table: str = self._shown().to_html()
        return f"<p>{escape(repr(self))}</p>{table}"
