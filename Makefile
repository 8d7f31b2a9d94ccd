# `make` alone lists the targets. Everything runs from the checkout, in .venv, and needs bash and Python 3.11 to 3.13.
SHELL := bash
PYTHON ?= python3
PORT ?= 8080
WIRE_PORT ?= 8799
PY := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup run test faults cluster-test notebook notebook-test bench check env up down lock calendars clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## make .venv with what requirements.lock names (PYTHON=python3.12: with that one; remove .venv to change it)
	@PYTHON="$(PYTHON)" bash embedded/setup.sh

run: setup ## news from the sample wire, in Airflow (PORT=8080 WIRE_PORT=8799; FEEDS=central-banks, an address, OPML: your feeds; ONCE=1: then stop)
	@$(PY) -m embedded --port "$(PORT)" --wire-port "$(WIRE_PORT)" $(if $(FEEDS),--feeds "$(FEEDS)") $(if $(ONCE),--once)

test: setup ## the tests: those without Airflow side by side, then those with
	$(PY) -m pytest -n 2 --dist worksteal -m "not airflow"
	$(PY) -m pytest -m airflow

faults: setup ## 15 minutes of kills, failing disks, power cuts and clocks apart: nothing lost (SEED=7 ONLY=kills:3: one case again)
	$(PY) -m tests.faults $(if $(SEED),--seed "$(SEED)") $(if $(ONLY),--only "$(ONLY)")

cluster-test: ## docker-compose.yml's services as processes, the wire through them: the lake is that of `make run` (needs postgresql, redis-server)
	@PYTHON="$(PYTHON)" WITH=distributed bash embedded/setup.sh
	$(PY) -m tests.cluster

notebook: ## examples/notebook.py over the sample wire's lake, in a browser (fetches another 130 MB once)
	@PYTHON="$(PYTHON)" WITH=notebook bash embedded/setup.sh
	$(PY) -m marimo edit examples/notebook.py

notebook-test: ## frames of pandas and Polars, and examples/notebook.py, with what `make notebook` installs
	@PYTHON="$(PYTHON)" WITH=notebook bash embedded/setup.sh
	$(PY) -m pytest tests/test_notebook.py

bench: setup ## all benchmarks, each at most five minutes, a table for each (ARGS=--json; docs/benchmarks.md)
	$(PY) -m benchmarks $(ARGS)

bench-%: setup ## one room's: bench-pipeline (CPU against trafilatura, memory), bench-lake, bench-tag, bench-dedupe, bench-search, bench-fetch, bench-feeds, bench-airflow
	$(PY) -m benchmarks $* $(ARGS)

check: setup ## all that must hold before a change goes in
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	$(MAKE) test
	$(MAKE) run ONCE=1
	$(MAKE) cluster-test

env: ## write .env with secrets for the cluster, once; what is there stays
	@$(PYTHON) embedded/dot_env.py

up: env ## the cluster in containers, http://localhost:8080 (needs Docker with Compose; docs/how-to/scale-out.md)
	docker compose up --build --detach

down: ## stop the cluster; its volumes, and so the lake, stay
	docker compose down

# What an extra needs beyond requirements.lock, at its versions.
COMPILE = UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --extra dev
lock: ## write requirements.lock, requirements-distributed.lock and requirements-notebook.lock anew (needs uv)
	$(COMPILE) -o requirements.lock pyproject.toml
	for extra in distributed notebook; do \
	  $(COMPILE) --extra $$extra -c requirements.lock -o .both.lock pyproject.toml && \
	  awk 'NR == FNR { if (/^[a-z0-9]/) have[$$0] = 1; next } /^[a-z0-9]/ { skip = have[$$0] } !skip' requirements.lock .both.lock > requirements-$$extra.lock || exit 1; \
	done
	rm .both.lock

calendars: ## write the exchanges' holidays and early closes anew, once a year (needs uv)
	uv run --no-project --with exchange_calendars python -m tests.lake.calendars

clean: ## remove caches and the sample wire's run; your own feeds' lakes stay
	rm -rf run/wire run/cluster run/one-machine .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
