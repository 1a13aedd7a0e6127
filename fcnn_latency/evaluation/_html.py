"""Display of results in notebooks."""

from __future__ import annotations

from html import escape

import pandas as pd


class ShownAsTable:
    """Mixin for results that notebooks show as a repr and a table."""

    def _shown(self) -> pd.DataFrame:
        raise NotImplementedError

    def _repr_html_(self) -> str:
        table: str = self._shown().to_html()
        return f"<p>{escape(repr(self))}</p>{table}"
