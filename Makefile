# `make` alone lists the targets. Everything runs from the checkout, in .venv, and needs bash and Python 3.11 to 3.13.
SHELL := bash
PYTHON ?= python3
PORT ?= 8080
WIRE_PORT ?= 8799
PY := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup run test faults check lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

setup: ## make .venv with what requirements.lock names (PYTHON=python3.12: with that one; remove .venv to change it)
	@PYTHON="$(PYTHON)" bash embedded/setup.sh

run: setup ## news from the sample wire, in Airflow (PORT=8080 WIRE_PORT=8799; FEEDS=config/feeds.toml: your feeds; ONCE=1: then stop)
	@$(PY) -m embedded --port "$(PORT)" --wire-port "$(WIRE_PORT)" $(if $(FEEDS),--feeds "$(FEEDS)") $(if $(ONCE),--once)

test: setup ## the tests: those without Airflow side by side, then those with
	$(PY) -m pytest -n 2 --dist worksteal -m "not airflow"
	$(PY) -m pytest -m airflow

faults: setup ## 15 minutes of kills, failing disks, power cuts and clocks apart: nothing lost (SEED=7 ONLY=kills:3: one case again)
	$(PY) -m tests.faults $(if $(SEED),--seed "$(SEED)") $(if $(ONLY),--only "$(ONLY)")

check: setup ## all that must hold before a change goes in
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	$(MAKE) test
	$(MAKE) run ONCE=1

lock: ## write requirements.lock anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --extra dev -o requirements.lock pyproject.toml

clean: ## remove caches and the sample wire's run; your own feeds' lakes stay
	rm -rf run/wire .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
