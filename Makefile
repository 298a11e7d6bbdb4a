# KTRDR. `make` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:

BIN := .venv/bin
ARGS ?=
ifdef PORT
export KTRDR_PORT := $(PORT)
endif

.PHONY: help setup run test check bench chaos sabotage lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' Makefile

setup: .venv/.base ## virtual environment and what KTRDR needs to run

run: .venv/.base ## everything on this machine, with an account, data and a first research (PORT=8000)
	@exec $(BIN)/python manage.py up --first-run $(ARGS)

test: .venv/.dev ## all tests (ARGS="-k name" for some)
	@scripts/chromium
	@scripts/test $(ARGS)

check: .venv/.dev ## style, types, import contracts, migrations, deployment settings
	@scripts/check

bench: .venv/.dev ## figures beside their goals, on this machine (ARGS="platform" for some)
	@$(BIN)/python -m scripts.bench $(ARGS)

chaos: .venv/.dev ## kills, freezes and cuts at random, for long (SEED=1 KILLS=300)
	@$(BIN)/python -m tests.chaos --seed $(or $(SEED),1) --kills $(or $(KILLS),300) $(ARGS)

sabotage: .venv/.dev ## switch one mechanism off after the other and see its tests go red, for long (ARGS="--topic name")
	@$(BIN)/python -m tests.scenarios $(ARGS)

lock: ## pin requirements/*.in anew, with hashes
	@scripts/lock

clean: ## remove the virtual environment and caches; the data folder stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.base: requirements/base.txt
	@scripts/setup base

.venv/.dev: requirements/base.txt requirements/dev.txt
	@scripts/setup dev
