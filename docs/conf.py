"""Sphinx configuration; the API reference is generated from the package itself."""

import inspect
import re
from importlib import import_module
from pathlib import Path

from fcnn_latency import __version__

project = "fcnn_latency"
author = "fcnn_latency developers"
version = release = __version__

extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary"]
exclude_patterns = ["_build"]
default_role = "autolink"
html_theme = "furo"
html_title = f"fcnn_latency {version}"

autosummary_generate = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"
# scikit-learn's metadata routing writes these methods.
autodoc_default_options = {"exclude-members": "set_fit_request, set_score_request"}
numpydoc_show_class_members = False
myst_heading_anchors = 3

#: Subpackages and modules in the order in which the reference shows their public names.
ORDER = (
    *("spaces", "encoding", "datasets", "measurement", "estimators", "metrics", "evaluation"),
    *("persistence", "nas", "displays", "networks", "exceptions"),
)
REFERENCE = Path(__file__).parent / "reference.rst"


def reference_entries():
    """Full names of what is documented, by its home."""
    return {
        home: [
            f"fcnn_latency.{home}.{name}" for name in import_module(f"fcnn_latency.{home}").__all__
        ]
        for home in ORDER
    }


def reference_section(home, names):
    """One module: its docstring as heading, a table of its names, then each of them."""
    module = import_module(f"fcnn_latency.{home}")
    title, _, rest = inspect.getdoc(module).partition("\n")
    title = title.rstrip(".")
    lines = [title, "-" * len(title), rest, "", ".. autosummary::", ""]
    lines += [f"   ~{name}" for name in names]
    for full_name in names:
        path, _, name = full_name.rpartition(".")
        thing = getattr(import_module(path), name)
        if inspect.isclass(thing):
            lines += ["", f".. autoclass:: {full_name}", "   :members:"]
        elif inspect.isfunction(thing):
            lines += ["", f".. autofunction:: {full_name}"]
        else:
            lines += ["", f".. autodata:: {full_name}", "   :no-value:"]
    return "\n".join(lines)


def write_reference(app):
    """Write the reference page where it has changed."""
    sections = [reference_section(*entry) for entry in reference_entries().items()]
    text = "\n\n".join(["API reference\n=============", *sections]) + "\n"
    if not REFERENCE.exists() or REFERENCE.read_text(encoding="utf-8") != text:
        REFERENCE.write_text(text, encoding="utf-8")


def escape_bars(app, what, name, obj, options, lines):
    """Keep absolute values, |x|, from being read as reStructuredText substitutions."""
    for i, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            lines[i] = re.sub(r"(?<!\\)\|([^|\s][^|`]*)(?<!\\)\|", r"\|\1\|", line)


def setup(app):
    """Connect what is generated."""
    app.connect("builder-inited", write_reference)
    app.connect("autodoc-process-docstring", escape_bars, priority=900)
