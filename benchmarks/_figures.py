"""Rendering of the documentation's tables from stored results.

Each table is between ``<!-- figures: NAME -->`` and ``<!-- /figures -->``. Figures of several
machines do not compare, so each machine has a table of its own. ``NAME, newest machine`` shows the
one measured last.
"""

import re
from pathlib import Path

import click

from benchmarks._results import FOLDER, read_result
from benchmarks._tables import TABLES

ROOT = Path(__file__).parents[1]
PAGES = (
    ROOT / "README.md",
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if "_build" not in page.parts),
)
MARKED = re.compile(
    r"(<!-- figures: (\w+)(, newest machine)? -->\n)(?:(?!<!-- figures).)*(<!-- /figures -->)",
    re.DOTALL,
)
#: Commands for figures that are not measured by an experiment.
COMMANDS = {"agreement": "python -m pytest benchmarks/test_agreement.py --save"}


def render(text, folder=FOLDER):
    """Return the page with each marked table rendered from the stored results.

    Raises
    ------
    ValueError
        If a marker has no partner, is not a line of its own, or names no table.
    """
    marks, tables = re.findall("<!-- ?/?figures.*", text), MARKED.findall(text)
    unknown = {name for _, name, _, _ in tables} - TABLES.keys()
    if len(marks) != 2 * len(tables) or unknown:
        raise ValueError(f"Markers of tables do not fit: {marks}. Known tables: {list(TABLES)}.")

    def table(match):
        name = match[2]
        make, found = TABLES[name], read_result(name, folder)
        command = COMMANDS.get(name, f"python -m benchmarks {name} --save")
        body = f"Not measured yet: `{command}`.\n"
        if found is not None and len(found):
            machines = [rows for _, rows in found.groupby("cpu", sort=False, dropna=False)]
            if match[3]:  # rows measured again move to the end of the file
                machines = [rows for rows in machines if found.index[-1] in rows.index]
            body = "\n".join(map(make, machines))
        return f"{match[1]}{body}{match[4]}"

    return MARKED.sub(table, text)


def outdated(folder=FOLDER, pages=PAGES):
    """Return pages whose tables differ from the stored results."""
    texts = {page: page.read_text("utf-8") for page in pages}
    return [page for page, text in texts.items() if render(text, folder) != text]


@click.command()
@click.option("--check", is_flag=True, help="Only say which pages are out of date.")
def figures(check):
    """Render the tables of README and docs from the stored results."""
    pages = outdated()
    for page in pages:
        if not check:
            page.write_text(render(page.read_text("utf-8")), "utf-8")
        click.echo(f"{'out of date' if check else 'wrote'}: {page.relative_to(ROOT)}")
    if check and pages:
        raise SystemExit(1)
