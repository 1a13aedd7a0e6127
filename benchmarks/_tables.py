"""Tables of the documentation, each from the stored figures of one experiment."""

import pandas as pd

from fcnn_latency._units import format_seconds

#: Names of estimators in the table, in this order.
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
#: Names of search samplers in the table, in this order.
SAMPLERS = {
    "gain": '`"gain"`',
    "tpe": '`"tpe"`',
    "nsga2": '`"nsga2"`',
    "random, depths uniform": "by chance, depths equally likely",
    "random, architectures uniform": "by chance, architectures equally likely",
}
#: Names of the variants of the graph convolution.
GRAPHS = {"paper": ", `paper()`", "one-way": ", one way", "linear": ", `linear_part=True`"}
WITHIN = {"within ±1 %": "within_1", "within ±5 %": "within_5", "within ±10 %": "within_10"}


def percent(fraction):
    """Format a fraction in per cent with two digits; a missing figure is empty."""
    if pd.isna(fraction):
        return ""
    value = 100 * fraction
    return f"{value:.0f} %" if value >= 10 else f"{value:.2g} %"


def share(fraction):
    """Format a fraction near 100 % in per cent with one decimal; a missing figure is empty."""
    return "" if pd.isna(fraction) else f"{100 * fraction:.1f} %"


def markdown(header, rows):
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


def origin(found):
    """Return a sentence on where and when figures were measured, by machine, date and commit."""
    runs = found[["cpu", "date", "commit"]].drop_duplicates().itertuples(index=False)
    return f"\nMeasured on {'; '.join(f'{r.cpu}, {r.date}, commit {r.commit}' for r in runs)}.\n"


def labels_of(row):
    """Return the name of labels: the runtime, and the space if it is not the default."""
    space = row["space"]
    return row["runtime"] + ("" if space == "default" else f", {space} space")


def listing(found, columns):
    """Return a table with one line per row; `columns` maps titles to cell functions."""
    rows = [[text(row) for text in columns.values()] for row in found.to_dict("records")]
    return markdown(list(columns), rows) + origin(found)


def grid(found, corner, line, column, text, best=None):
    """Return a table of `line` by `column`; the lowest `best` of each column is bold."""
    rows = {(row[line], row[column]): row for row in found.to_dict("records")}
    columns = list(dict.fromkeys(found[column]))
    least = found.groupby(column)[best].min().map(percent) if best else {}

    def cell(of, under):
        row = rows.get((of, under))
        if row is None:
            return ""
        bold = best and percent(row[best]) == least[under]
        return f"**{text(row)}**" if bold else text(row)

    lines = [[of, *(cell(of, under) for under in columns)] for of in dict.fromkeys(found[line])]
    return markdown([corner, *columns], lines) + origin(found)


def accuracy_table(found):
    """Tabulate the MAPE of estimators by set of labels; the best of each column is bold."""
    found = found.assign(labels=found.apply(labels_of, axis=1))
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
    """Tabulate the agreement of two campaigns over the same architectures, by runtime."""
    protocol = {"reliable": "", "paper": ", paper's"}
    columns = {
        "runtime": lambda row: (
            row["runtime"] + protocol.get(row["protocol"], f", {row['protocol']}")
        ),
        "latency, mean": lambda row: format_seconds(row["mean_latency"]),
        "retest r": lambda row: f"{row['r']:.4f}",
        "retest MAPE": lambda row: percent(row["mape"]),
        "without common factor": lambda row: percent(row["mape_aligned"]),
        "wall time of an architecture": lambda row: f"{1e3 * row['wall_time']:.0f} ms",
    }
    return listing(found, columns)


def intervals_table(found):
    """Tabulate coverage and width of intervals on unseen architectures."""
    shares = [f"within_{coverage}" for coverage in (50, 80, 95)]
    columns = {
        "labels": labels_of,
        "pipeline": lambda row: row["estimator"] + ("" if row["adaptive"] else ", constant"),
        "to learn": lambda row: f"{row['n_train']:,}",
        "MAPE": lambda row: percent(row["mape"]),
        "intervals of 90 % hold": lambda row: (
            f"{share(row['within_90'])} "
            f"({100 * row['within_90_min']:.1f} to {100 * row['within_90_max']:.1f})"
        ),
        "of 50, 80, 95 %": lambda row: ", ".join(f"{100 * row[s]:.1f}" for s in shares) + " %",
        "below the bound of 95 %": lambda row: share(row["upper_95"]),
        "median width of those of 90 %": lambda row: percent(row["width_90"]),
    }
    return listing(found[found["part"] == "all"], columns)


def transfer_table(found):
    """Tabulate MAPE on a target from few measurements, without and with sources."""
    alone = [model for model in dict.fromkeys(found["model"]) if model.endswith(" alone")]
    rows = []
    keys = ["target", "n_train", "architectures"]
    for (target, n, how), group in found.groupby(keys, sort=False):
        mape = group.set_index("model")["mape"]
        best = percent(mape.min())
        texts = {
            model: f"**{percent(one)}**" if percent(one) == best else percent(one)
            for model, one in mape.items()
        }
        adapted = [model for model in mape.index if model.startswith("from ")]
        sources = ", ".join(f"{texts[one]} ({one.removeprefix('from ')})" for one in adapted)
        rows.append([f"{target}, {how} {n}", *(texts.get(model, "") for model in alone), sources])
    return markdown(["target", *alone, "with the sources"], rows) + origin(found)


def layer_table_table(found):
    """Tabulate errors of rooflines and layer tables; the best for each set of labels is bold."""
    found = found.assign(labels=found.apply(labels_of, axis=1))
    best = found.groupby(["labels", "n_train"])["mape"].min().map(percent)

    def mape(row):
        text = percent(row["mape"])
        return f"**{text}**" if text == best[row["labels"], row["n_train"]] else text

    columns = {
        "labels": lambda row: row["labels"],
        "estimator": lambda row: row["estimator"],
        "MAPE": mape,
        **{title: lambda row, key=key: percent(row[key]) for title, key in WITHIN.items()},
        "error / noise floor": lambda row: f"{row['error_to_noise']:.3g}",
    }
    return listing(found, columns)


def noise_floor_table(found):
    """Tabulate the spread of labels between campaigns, and the errors that these state."""
    columns = {
        "labels": labels_of,
        "campaigns": lambda row: row["repeats"],
        "spread between them": lambda row: percent(row["spread_rms"]),
        "stated standard error": lambda row: percent(row["stated_rms"]),
        "ratio": lambda row: f"{row['ratio_rms']:.2f}",
        "ratio of medians": lambda row: f"{row['ratio_median']:.2f}",
        "noise floor stated": lambda row: percent(row["floor_stated"]),
        "noise floor shown": lambda row: percent(row["floor_shown"]),
    }
    return listing(found, columns)


def ablation_table(found):
    """Tabulate the difference between turns without their common factor, by way and labels."""
    found = found.assign(labels=found.apply(labels_of, axis=1))
    key = "difference_aligned"
    return grid(found, "way", "way", "labels", lambda row: percent(row[key]), best=key)


def sample_efficiency_table(found):
    """Tabulate MAPE and its standard deviation over draws, by design and number of labels."""
    column = found.apply(lambda row: f"{labels_of(row)}, {row['n_train']}", axis=1)
    design, several = found["design"], found["estimator"].nunique() > 1
    line = found["estimator"] + ", " + design if several else design
    found = found.assign(line=line, column=column)

    def text(row):
        return f"{percent(row['mape'])} ({100 * row['mape_std']:.2f})"

    return grid(found, "design", "line", "column", text, best="mape")


def search_table(found):
    """Tabulate the share of the true front's hypervolume that each sampler reaches."""
    order = [name for name in SAMPLERS if name in set(found["sampler"])]
    others = [name for name in dict.fromkeys(found["sampler"]) if name not in SAMPLERS]
    rank = {name: place for place, name in enumerate([*order, *others])}
    found = found.sort_values("sampler", key=lambda names: names.map(rank), kind="stable")
    best = found.groupby(["runtime", "n_trials"])["mean"].max().map(share)

    def mean(row):
        text = share(row["mean"])
        return f"**{text}**" if text == best[row["runtime"], row["n_trials"]] else text

    columns = {
        "proposals": lambda row: SAMPLERS.get(row["sampler"], row["sampler"]),
        "latencies of": lambda row: row["runtime"],
        "evaluations": lambda row: row["n_trials"],
        "mean": mean,
        "least": lambda row: share(row["least"]),
        "most": lambda row: share(row["most"]),
    }
    return listing(found, columns)


def verification_table(found):
    """Tabulate how many finalists meet their budget, and what killed searches lose."""
    columns = {
        "runtime": lambda row: row["runtime"],
        "protocol": lambda row: row["protocol"],
        "searches": lambda row: row["searches"],
        "measured within the budget": lambda row: f"{row['within_budget']} of {row['finalists']}",
        "reported as keeping it": lambda row: row["reported_keeping"],
        "of these over it again": lambda row: row["over_again"],
        "the best use of the budget": lambda row: (
            f"{100 * row['budget_used_least']:.0f} to {percent(row['budget_used_most'])}"
        ),
        "trials lost": lambda row: f"{row['trials_lost']} in {row['kills']} kills",
    }
    return listing(found, columns)


def endurance_table(found):
    """Tabulate memory and time per architecture at four points of each campaign."""
    rows = []
    keys = ["runtime", "space", "protocol", "n"]
    for (_, _, protocol, n), group in found.groupby(keys, sort=False):
        group = group.sort_values("architectures")
        last = len(group) - 1
        places = {"first": 0, "third": last // 3, "two thirds": 2 * last // 3, "last": last}
        usual = "" if protocol == "reliable" else f", protocol `{protocol}`"
        about = f"{labels_of(group.iloc[0])}{usual}, {n:,}"
        for name, place in places.items():
            rows.append({**group.iloc[place], "place": name, "campaign": about})

    def text(row):
        time = 1e3 * row["seconds_per_architecture"]
        return f"{row['memory'] / 1e6:.0f} MB, {time:.1f} ms"

    return grid(pd.DataFrame(rows), "part of the campaign", "place", "campaign", text)


def kills_table(found):
    """Tabulate readings lost, doubled and missing after kills."""
    columns = {
        "runtime": lambda row: row["runtime"],
        "architectures": lambda row: f"{row['n']:,}",
        "kills of the campaign": lambda row: row["kills_of_parent"],
        "of a measuring process": lambda row: row["kills_of_worker"],
        "readings lost": lambda row: row["lost"],
        "doubled": lambda row: row["doubled"],
        "missing": lambda row: row["missing"],
        "labels from uninterrupted ones": lambda row: percent(row["difference"]),
    }
    return listing(found, columns)


def graphs_table(found):
    """Tabulate errors of the graph convolution on cells and architectures."""

    def labels(row):
        wide = "" if row["space"] in ("default", "cells") else f", {row['space']} space"
        return row["labels"] + wide + GRAPHS.get(row["estimator"], "")

    columns = {
        "labels": labels,
        "to learn": lambda row: f"{row['n_train']:,}",
        "MAPE": lambda row: percent(row["mape"]),
        **{title: lambda row, key=key: percent(row[key]) for title, key in WITHIN.items()},
        "R²": lambda row: f"{row['r2']:.3f}",
        "fit": lambda row: f"{row['fit_seconds']:.0f} s",
    }
    return listing(found, columns)


def processes_table(found):
    """Tabulate differences between processes with identical work, and of a busy second core."""
    columns = {
        "runtime": lambda row: row["runtime"],
        "processes": lambda row: row["processes"],
        "standard deviation of their levels": lambda row: percent(row["standard_deviation"]),
        "second core busy / idle": lambda row: f"{row['busy_to_idle']:.4f}",
    }
    return listing(found, columns)


def reductions_table(found):
    """Tabulate the difference between campaigns, by reference and statistic of readings."""
    labels = found.apply(labels_of, axis=1)
    found = found.assign(line=labels + ", " + found["reference"])
    corner = "labels, divided by"
    return grid(found, corner, "line", "statistic", lambda row: percent(row["difference"]))


def agreement_table(found):
    """Tabulate our labels against the medians of pytest-benchmark."""
    columns = {
        "runtime, space": lambda row: f"{row['runtime']}, {row['space']}",
        "Spearman": lambda row: f"{row['spearman']:.4f}",
        "its own repeats": lambda row: f"{row['spearman_own']:.4f}",
        "median ratio to its least disturbed repeat": lambda row: f"{row['ratio']:.3f}",
        "to the middle one": lambda row: f"{row['ratio_middle']:.3f}",
    }
    return listing(found, columns)


TABLES = {
    "ablation": ablation_table,
    "accuracy": accuracy_table,
    "agreement": agreement_table,
    "endurance": endurance_table,
    "graphs": graphs_table,
    "intervals": intervals_table,
    "kills": kills_table,
    "layer_table": layer_table_table,
    "noise_floor": noise_floor_table,
    "processes": processes_table,
    "reductions": reductions_table,
    "retest": retest_table,
    "sample_efficiency": sample_efficiency_table,
    "search": search_table,
    "transfer": transfer_table,
    "verification": verification_table,
}
