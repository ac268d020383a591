# `make up` and `make test` are the two commands of the README; the rest serves them.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := uv==0.13.8
STACK ?= sandbox
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(UV)
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/python -m ensurepip --upgrade >/dev/null
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $@

venv: $(VENV)/.ready ## install the program with everything its tests need into .venv

up: venv ## a blank machine becomes a running platform
	$(BIN)/mlops-infra up -s $(STACK)

verify: venv ## train, register and find a model through the running platform
	$(BIN)/mlops-infra verify -s $(STACK)

down: venv ## take the platform and its cluster away and prove that nothing is left
	$(BIN)/mlops-infra down -s $(STACK)

.PHONY: help venv up verify down
