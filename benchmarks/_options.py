"""Options that experiments share, and helpers for labels and results."""

import click
import pandas as pd

from benchmarks._results import save_result
from fcnn_latency import FCNNSpace, load_dataset, make_dataset
from fcnn_latency.estimators import ESTIMATORS
from fcnn_latency.measurement import PROTOCOLS, RUNTIMES

SPACES = {"default": FCNNSpace(), "wide": FCNNSpace(max_layers=10, max_width=1024)}

FILE = click.Path(exists=True, dir_okay=False)


def _number(name, default, about, *names, least=None):
    kind = None if least is None else click.IntRange(min=least)
    return click.option(name, *names, default=default, type=kind, show_default=True, help=about)


def runtime_option(default="litert"):
    """Return the option ``--runtime`` for one runtime."""
    return click.option(
        "--runtime", default=default, show_default=True, type=click.Choice(list(RUNTIMES))
    )


def runtimes_option(default=(), about="Repeat for several; all without."):
    """Return the option ``--runtime`` for any number of runtimes."""
    return click.option(
        "--runtime",
        "runtimes",
        multiple=True,
        default=default,
        show_default=bool(default),
        type=click.Choice(list(RUNTIMES)),
        help=about,
    )


def space_option():
    """Return the option ``--space``, a name in `SPACES`."""
    return click.option(
        "--space", default="default", show_default=True, type=click.Choice(list(SPACES))
    )


def protocol_option():
    """Return the option ``--protocol``, a name."""
    return click.option(
        "--protocol", default="reliable", show_default=True, type=click.Choice(PROTOCOLS)
    )


def n_option(default, about="Architectures."):
    """Return the option ``-n``, for experiments that measure without training."""
    return _number("-n", default, about)


def train_option(default, about="Architectures to learn from."):
    """Return the option ``--train`` for one number."""
    return _number("--train", default, about)


def trains_option(default):
    """Return the option ``--train`` for any number of numbers."""
    return click.option(
        "--train",
        multiple=True,
        type=int,
        default=default,
        show_default=True,
        help="Architectures to learn from; repeat for several.",
    )


def test_option(default):
    """Return the option ``--test`` for one number."""
    return _number("--test", default, "Architectures unseen.", "n_test")


def repeats_option(default, about="Repeats.", least=1):
    """Return the option ``--repeats`` for one number of at least `least`."""
    return _number("--repeats", default, about, least=least)


def seed_option():
    """Return the option ``--seed`` for one number."""
    return _number("--seed", 0, "Of architectures, draws and fits.")


def store_option():
    """Return the option ``--store``, a file to create or resume."""
    return click.option("--store", help="Keeps the readings, or has them already.")


def data_option():
    """Return the option ``--data``, a file of labels."""
    return click.option("--data", type=FILE, help="A dataset's file, instead of measuring.")


def estimators_option(default=(), about="Repeat for several.", choices=tuple(ESTIMATORS)):
    """Return the option ``-e/--estimator`` for any number of estimators."""
    return click.option(
        "-e",
        "--estimator",
        "names",
        multiple=True,
        default=default,
        show_default=bool(default),
        type=click.Choice(choices),
        help=about,
    )


def save_option(name):
    """Return the option ``--save``, which stores results in the file of the experiment."""
    return click.option("--save", is_flag=True, help=f"Into benchmarks/results/{name}.csv.")


def label_options(command):
    """Add the options of `labels`: --runtime, --space, --seed, --store and --data."""
    for option in (data_option(), store_option(), seed_option(), space_option(), runtime_option()):
        command = option(command)
    return command


def labels(n, data=None, *, runtime="litert", space="default", store=None, seed=0, **more):
    """Load the dataset of a file, or measure one now."""
    if data:
        return load_dataset(data)
    return make_dataset(
        n,
        space=SPACES[space],
        runtime=runtime,
        store=store,
        random_state=seed,
        verbose=1,
        **more,
    )


def about_labels(dataset):
    """Return runtime, space and noise floor of a dataset, as columns of a result."""
    names = [name for name, space in SPACES.items() if space == dataset.space]
    return {
        "runtime": str(dataset.runtime),
        "space": names[0] if names else str(dataset.space),
        "noise_floor": dataset.noise_floor,
    }


def enough(dataset, *numbers):
    """Raise click.UsageError if the numbers add up to more architectures than there are."""
    if sum(numbers) > len(dataset.target):
        raise click.UsageError(f"{len(dataset.target)} architectures, {sum(numbers)} wanted")


def report(name, rows, key, save, columns=None):
    """Print rows as a table; with `save`, store them first and replace rows of the same `key`.

    What cannot be stored is printed all the same.
    """
    table = pd.DataFrame(rows)
    shown = table[list(columns)] if columns else table
    try:
        saved = f"\nsaved: {save_result(name, rows, key=key)}" if save else ""
    except BaseException:
        saved = "\nNOT saved"
        raise
    finally:
        click.echo(shown.to_string(index=False, float_format=lambda x: f"{x:.4g}") + saved)
