# The words of the loop: the same in README, here and in CI. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup run test lint format bench eval figures models corpus docs lock clean

PYTHON ?= python3
BIN := .venv/bin
CODE := assistant ingest ui eval corpus scripts tests

help: ## list these words
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## make .venv with the pinned dependencies and the command piano (instant when it is there)
	@$(PYTHON) scripts/setup.py

run: setup ## ingest the bundled corpus if there is no index, start API and UI, print their addresses
	@$(BIN)/piano up

test: setup ## run the whole test suite, offline
	@$(BIN)/python -m pytest -rs

lint: setup ## ruff (rules and format), mypy, and docs that agree with the program
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/mypy
	@$(BIN)/python scripts/docs.py --check

format: setup ## put the code in ruff's format
	@$(BIN)/ruff check --fix --quiet $(CODE)
	@$(BIN)/ruff format $(CODE)

bench: setup ## print the speeds promised in docs, measured on this machine
	@$(BIN)/python -m eval.bench

eval: setup ## ask every golden question, write the report, hold it to its gates (eval/gates.toml)
	@$(BIN)/piano eval --gate

figures: setup ## measure the search step by step and write its tables in docs/valutazione.md
	@$(BIN)/python -m eval.documented

models: setup ## train the bundled embedding model from the texts that the project holds
	@$(BIN)/python -m assistant.embedding.train

corpus: setup ## build the bundled documents from their sources, byte for byte the same
	@$(BIN)/python -m corpus.build

docs: setup ## write again the parts of the docs that come from the program
	@$(BIN)/python scripts/docs.py

lock: setup ## resolve requirements.lock again from pyproject.toml
	@$(PYTHON) scripts/lock.py

clean: ## remove caches and build leftovers (never data/ nor .venv)
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +
