"""Tables of the documentation, rendered from stored results between markers.

A table stands between ``<!-- figures: NAME -->`` and ``<!-- /figures -->``.
"""

import re
from pathlib import Path

import click
import pandas as pd

from benchmarks._results import FOLDER, read_result

ROOT = Path(__file__).parents[1]
PAGES = ("README.md",)
MARKED = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- /figures -->)", re.DOTALL)

#: Estimators in the order of the table, and what they are called there.
ESTIMATORS = {
    "mean": "mean",
    "flops": "FLOPs",
    "paper": "the paper's network",
    "roofline": "roofline",
    "boosting": "boosting",
    "lookup": "lookup table, estimated",
    "graph": "graph convolution",
    "linear": "linear on tile costs",
    "mixed": "mixed",
    "deep": "deep (default)",
}


def percent(fraction):
    """A fraction in per cent with two digits, or what a missing figure shows."""
    if pd.isna(fraction):
        return ""
    value = 100 * fraction
    return f"{value:.0f} %" if value >= 10 else f"{value:.2g} %"


def markdown(header, rows):
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


def origin(found):
    """Where and when figures were measured, as a sentence."""
    last = found.iloc[-1]
    return f"\nMeasured on {last['cpu']}, {last['date']}, commit {last['commit']}.\n"


def accuracy_table(found):
    """MAPE of each estimator on each set of labels; the best of a column in bold."""
    found = found.assign(
        labels=found["runtime"] + found["space"].map({"default": "", "wide": ", wide space"})
    )
    sets = found.drop_duplicates(["labels", "n_train"])[["labels", "n_train", "noise_floor"]]
    header = ["labels of", *sets["labels"]]
    rows = [["architectures to learn from", *(f"{n:,}" for n in sets["n_train"])]]
    mape = found.pivot_table(index="estimator", columns=["labels", "n_train"], values="mape")
    for name, title in ESTIMATORS.items():
        if name not in mape.index:
            continue
        cells = []
        for labels, n in zip(sets["labels"], sets["n_train"], strict=True):
            value, best = mape.loc[name, (labels, n)], mape[labels, n].min()
            text = percent(value)
            cells.append(f"**{text}**" if text and text == percent(best) else text)
        rows.append([title, *cells])
    rows.append(["*noise floor of the labels*", *(f"*{percent(f)}*" for f in sets["noise_floor"])])
    return markdown(header, rows) + origin(found)


def retest_table(found):
    """How two campaigns over the same architectures agree, by runtime."""
    header = ["runtime", "latency, mean", "retest r", "retest MAPE", "without common factor"]
    header += ["wall time of an architecture"]
    rows = [
        [
            row["runtime"] if row["protocol"] == "reliable" else f"{row['runtime']}, paper's",
            f"{1e6 * row['mean_latency']:.3g} µs",
            f"{row['r']:.4f}",
            percent(row["mape"]),
            percent(row["mape_aligned"]),
            f"{1e3 * row['wall_time']:.0f} ms",
        ]
        for _, row in found.iterrows()
    ]
    return markdown(header, rows) + origin(found)


TABLES = {"accuracy": accuracy_table, "retest": retest_table}


def render(text, folder=FOLDER):
    """The page with each marked table as the stored results have it."""

    def table(match):
        name = match[2]
        found = read_result(name, folder)
        body = f"Not measured yet: `python -m benchmarks {name} --save`.\n"
        if found is not None:
            body = TABLES[name](found)
        return f"{match[1]}{body}{match[3]}"

    return MARKED.sub(table, text)


def outdated(folder=FOLDER):
    """Pages whose tables are not those of the stored results."""
    texts = {ROOT / page: (ROOT / page).read_text("utf-8") for page in PAGES}
    return [page for page, text in texts.items() if render(text, folder) != text]


@click.command()
@click.option("--check", is_flag=True, help="Only say which pages are out of date.")
def figures(check):
    """Render the tables of README and docs from the stored results."""
    for page in outdated():
        if not check:
            page.write_text(render(page.read_text("utf-8")), "utf-8")
        click.echo(f"{'out of date' if check else 'wrote'}: {page.relative_to(ROOT)}")
    if check and outdated():
        raise SystemExit(1)
