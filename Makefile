# `make up` and `make test` are the two commands of the README; the rest serves them.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := uv==0.13.8
STACK ?= sandbox
export UV_CACHE_DIR ?= $(or $(MLOPS_INFRA_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/mlops-infra)/packages/uv
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-cache-dir --disable-pip-version-check $(UV)
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/python -m ensurepip --upgrade >/dev/null
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $@

venv: $(VENV)/.ready ## install the program with everything its tests need into .venv

# once for the many processes of the tests; a single command compiles what it imports by itself
$(VENV)/.compiled: $(VENV)/.ready
	$(BIN)/python -m compileall -q -j 0 -x 'pulumi_aws|/tests?/' $(VENV)/lib mlops_infra offline_bundle stacks
	touch $@

up: venv ## a blank machine becomes a running platform
	$(BIN)/mlops-infra up -s $(STACK)

verify: venv ## train, register and find a model through the running platform
	$(BIN)/mlops-infra verify -s $(STACK)

down: venv ## take the platform and its cluster away and prove that nothing is left
	$(BIN)/mlops-infra down -s $(STACK)

test: lint tools $(VENV)/.compiled ## lint, then every tier that this machine can run: unit charts graph engine e2e faults
	$(BIN)/python -m tests.tiers

tools: venv ## fetch or build what the tests need; what cannot be had is named and its tests are skipped
	-$(BIN)/mlops-infra toolchain install $$($(BIN)/python -m tests.made tools)
	-$(BIN)/mlops-infra images build $$($(BIN)/python -m tests.made images)

unit: $(VENV)/.compiled ## the quick tier alone
	$(BIN)/python -m tests.tiers unit

lint: venv ## format, lint, types and the layers of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# these are one long test each; the rest of the tests end within the limit of pyproject.toml
storm examples air-gap aws-lab kubeflow upstream upgrade: export PYTEST_TIMEOUT := 7200

storm: venv ## the long form of the fault tier: kill -9 again and again, hostile requests without end
	MLOPS_INFRA_STORM=1 $(BIN)/python -m pytest tests/unit/lifecycle/gateway/test_hostile.py
	MLOPS_INFRA_STORM=1 $(BIN)/python -m pytest tests/e2e/test_images.py tests/kubeflow/test_images.py -k different_days
	MLOPS_INFRA_STORM=1 $(BIN)/python -m tests.tiers faults

examples: venv ## the example stacks for big clusters, up and down whole with simulated Pods
	MLOPS_INFRA_EXAMPLES=1 $(BIN)/python -m pytest tests/e2e/test_examples.py

air-gap: venv ## bundles alone: sandbox and kubeflow with no packet leaving, the core on your cluster
	MLOPS_INFRA_AIRGAP=1 $(BIN)/python -m pytest -s tests/e2e/test_own_cluster.py tests/e2e/test_air_gap.py

aws-lab: venv ## the aws stacks under the real Terraform provider and an emulator; needs $AWS_LAB
	$(BIN)/python -W ignore -m pytest -s tests/lab

kubeflow: $(VENV)/.compiled ## Katib, Trainer, CloudNativePG, SeaweedFS, Envoy in real Pods; compiles what few stacks have, for minutes
	$(BIN)/python -m tests.tiers kubeflow

upstream: $(VENV)/.compiled ## Kubeflow Pipelines, Seldon, Kubeflow's notebooks in real Pods, from REGISTRY=HOST:PORT
	MLOPS_INFRA_UPSTREAM=$(REGISTRY) $(BIN)/python -m tests.tiers upstream

upgrade: venv ## from the foundation's release to this one, and on to the next, with a model that serves
	MLOPS_INFRA_UPGRADE=1 $(BIN)/python -m pytest -s tests/e2e/test_upgrade.py

checkov: venv ## the aws stacks as exported by $AWS_LAB, under Checkov (in an environment of its own)
	$(BIN)/python -W ignore -m pytest -s tests/lab -k checkov

bench: venv ## measure and write docs/measured.json (BENCH_COLD=1 compiles everything again)
	$(BIN)/python -m bench

docs: venv ## write what is generated: the reference of commands, the figures of the READMEs
	$(BIN)/python docs/generate.py

align: venv ## let the Go modules in go/ share their libraries after a version has changed
	$(BIN)/python -m scripts.align

lock: ## resolve all dependencies again and write requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-cache-dir --disable-pip-version-check $(UV)
	$(BIN)/uv pip compile --quiet --no-header --universal --python-version 3.11 \
	  --all-extras --generate-hashes --upgrade --output-file requirements.lock pyproject.toml

clean: ## remove what tools left in this folder; caches and data are elsewhere and stay
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +

.PHONY: help venv up verify down test tools unit lint storm examples air-gap aws-lab kubeflow upstream \
  upgrade checkov bench docs align lock clean
