# make demo    the whole way on a sample of posts (or INPUT=your.jsonl): tables, forecast, page
# make live    the sample as a live stream, with its page; SPEED=600 is ten hours a minute,
#              PORT=8051 where 8050 is in use
# make test    the tests
# make drill   minutes-long tests: kills, outages, load
# make template, run-streaming, run-backfill, run-forecast, update-streaming, drain
#              on Google Cloud, see docs/launch.md; DRY_RUN=1 prints the commands only
# make lint    ruff, ruff format, mypy, the arrows between the packages
# make cover   the tests, and which lines they run
# make audit   what is known to be wrong with the packages that the images install (pip-audit)
# make mutate  changes what decides, bit by bit: does a test notice?
# Of 3.11, 3.12 and 3.13 the first that is here and starts; or name one: make demo PYTHON=python3.13
PYTHON ?= $(firstword $(foreach version,3.11 3.12 3.13,$(if $(shell python$(version) -c 1 2>/dev/null && echo yes),python$(version))) python3)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt

# What a person may give to `make demo`, e.g. make demo INPUT=posts.csv COLUMNS=text=tweet,author=user
INPUT ?=
COLUMNS ?=
TOPIC ?=
KEYWORDS ?=
OUT ?= demo
# How much faster than in life `make live` is
SPEED ?= 120
# Where its page is
PORT ?= 8050
export INPUT COLUMNS TOPIC KEYWORDS OUT SPEED PORT

.DEFAULT_GOAL := help
.PHONY: help install demo live test cover mutate audit drill lint format clean
.PHONY: template run-streaming run-backfill run-forecast update-streaming drain

help:
	@sed -n '/^# Of 3.11/q; s/^# //p' Makefile

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; (3, 11) <= sys.version_info[:2] <= (3, 13) or sys.exit( \
	    "mltox needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is " + sys.version.split()[0] \
	    + ": make demo PYTHON=python3.12, say")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "installing mltox and its pinned dependencies into $(VENV) (a minute or two)"
	$(PIP) --editable '.[dashboard]'
	$(BIN)/pip check
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "installing what the tests need"
	$(PIP) --editable '.[dashboard,dev,ingest,serve]'
	$(BIN)/pip check
	@touch $@

install: $(VENV)/.installed

demo: $(VENV)/.installed
	$(BIN)/mltox demo --out "$$OUT" $(if $(INPUT),--input "$$INPUT") $(if $(COLUMNS),--columns "$$COLUMNS") $(if $(TOPIC),--topic "$$TOPIC") $(if $(KEYWORDS),--keywords "$$KEYWORDS")

live: $(VENV)/.installed
	@$(BIN)/mltox live --speed "$$SPEED" --port "$$PORT"

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(PYTEST_ARGS)

cover: $(VENV)/.installed-dev
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --cov --cov-report=term:skip-covered $(PYTEST_ARGS)

# The pins are complete, with a hash for each: nothing is resolved, and only the list leaves.
audit: $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	for pins in templates/requirements*.txt; do \
	    echo "$$pins"; $(BIN)/pip-audit --disable-pip --require-hashes --requirement "$$pins" || exit; done

mutate: $(VENV)/.installed-dev
	$(BIN)/python -m tests.mutation

drill: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m drill $(PYTEST_ARGS)

# Variables of the command line reach the program as its environment.
template run-streaming run-backfill run-forecast update-streaming drain: $(VENV)/.installed
	@$(BIN)/python -m templates.launch $@

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	PYTHONPATH=. $(BIN)/lint-imports

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist *.egg-info demo live .mypy_cache .ruff_cache .pytest_cache .hypothesis
