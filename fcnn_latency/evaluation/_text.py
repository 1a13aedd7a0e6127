"""A comparison as text for people, 100 characters wide."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from fcnn_latency._units import format_percent, format_seconds

#: Line length of the text in characters.
WIDTH = 100

Format = Callable[[float], str]


def _fraction(value: float) -> str:
    return format_percent(value, 2 if value < 0.1 else 1)


def _share(value: float) -> str:
    return format_percent(value, 1)


#: Columns of the two printed tables: heading, column of `Comparison.table`, number format.
ACCURACY: tuple[tuple[str, str, Format], ...] = (
    ("MAPE", "mape", _fraction),
    ("±1 %", "within_1", _share),
    ("±5 %", "within_5", _share),
    ("±10 %", "within_10", _share),
    ("RMSE", "rmse", format_seconds),
    ("MAE", "mae", format_seconds),
    ("R²", "r2", "{:.4f}".format),
    ("Spearman", "spearman", "{:.4f}".format),
    ("error/floor", "error_to_noise", "{:.1f}".format),
)
COST: tuple[tuple[str, str, Format], ...] = (
    ("architectures", "n_train", "{:.0f}".format),
    ("measuring", "measuring_time", format_seconds),
    ("fit", "fit_time", format_seconds),
    ("predict one", "predict_time_single", format_seconds),
    ("predict many, each", "predict_time_batch", format_seconds),
)


def comparison_text(result: Any) -> str:
    """Return tables of accuracy and cost, best estimator first, and notes."""
    table = result.table.sort_values("mape", kind="stable")
    lines = [
        "Error on architectures not trained on; MAE is the average absolute deviation",
        _formatted(table, ACCURACY),
        "",
        "Cost of training (mean over folds) and of predicting",
        _formatted(table, COST),
        "",
    ]
    if result.noise_floor is not None:
        floor = _fraction(result.noise_floor)
        lines.append(f"Noise floor: a perfect predictor would show {floor}.")
    if result.n_jobs > 1:
        lines.append(f"{result.n_jobs} fits ran at a time: alone, each would have taken less time.")
    for name, chosen in result.best_params.items():
        lines.append(f"Chosen for {name}:")
        for parameters, folds in Counter(map(_parameters, chosen)).most_common():
            text = f"  {folds} of {len(chosen)} folds: {parameters}"
            lines += textwrap.wrap(text, WIDTH, subsequent_indent="    ")
    return "\n".join(lines).rstrip()


def _parameters(chosen: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in chosen.items())


def _formatted(table: pd.DataFrame, columns: tuple[tuple[str, str, Format], ...]) -> str:
    text = {
        heading: ["-" if np.isnan(value) else form(value) for value in table[column]]
        for heading, column, form in columns
        if column in table and table[column].notna().any()
    }
    return pd.DataFrame(text, index=table.index).to_string()
