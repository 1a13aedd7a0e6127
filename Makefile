PYTHON ?= python3

.PHONY: demo docs test

demo: .venv/installed
	.venv/bin/fcnn-latency demo

docs: .venv/installed
	.venv/bin/python -m sphinx -W --keep-going -b html docs docs/_build/html

test: .venv/installed
	.venv/bin/python -m pytest

.venv/installed: pyproject.toml
	test -d .venv || $(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --editable ".[dev]"
	touch $@
