# Two commands for a newcomer: `make up`, then `.venv/bin/slipway`. `make help` lists the rest.
.DEFAULT_GOAL := help
SHELL := /bin/sh
STATE ?= $(CURDIR)/.slipway
PYTEST := .venv/bin/pytest -q
WORKERS ?= $(shell nproc 2>/dev/null || echo 2)

.PHONY: help
help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: venv venv-dev
venv: ## .venv with the command slipway
	@scripts/bootstrap

venv-dev: ## .venv with the test tools as well
	@scripts/bootstrap --dev

.PHONY: up down
up: venv ## three environments on this machine, released and trading (ARGS="--base-port 19080")
	@.venv/bin/slipway up $(ARGS)

down: venv ## stop everything that `make up` started
	@.venv/bin/slipway down $(ARGS)

.PHONY: hooks hooks-remove
hooks: ## check commit messages, and branches before a push, in this repository
	@scripts/hooks/install

hooks-remove: ## take those hooks out again
	@scripts/hooks/install --remove

.PHONY: test test-engine test-app test-checks test-acceptance test-faults test-browser test-installations
test: venv-dev app/.venv/made ## everything but whole installations; both suites at once
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target test-engine test-app

test-engine: venv-dev ## the delivery engine: unit, integration, target suite, documents
	@$(PYTEST) -n $(WORKERS) --dist loadfile tests/unit tests/docs tests/integration \
		tests/target_suite $(ARGS)

test-app: app/.venv/made ## the trading application
	@cd app && .venv/bin/pytest $(ARGS)

app/.venv/made: app/requirements-dev.lock | venv-dev
	@.venv/bin/uv venv --quiet --clear --python .venv/bin/python app/.venv
	@.venv/bin/uv pip install --quiet --compile-bytecode --python app/.venv/bin/python \
		--require-hashes -r app/requirements-dev.lock
	@.venv/bin/uv pip install --quiet --python app/.venv/bin/python --no-deps --editable app
	@touch $@

test-checks: venv-dev app/.venv/made ## whole checks: strategies examined, migrations rehearsed
	@$(PYTEST) -n $(WORKERS) --dist loadfile tests/checks $(ARGS)

test-acceptance: venv-dev ## a whole installation: up, build, promote, rollback
	@$(PYTEST) tests/acceptance $(ARGS)

test-faults: venv-dev ## kill -9 at failpoints and at random, planted bad builds
	@$(PYTEST) tests/faults $(ARGS)

test-browser: venv-dev ## the console in a real browser
	@$(PYTEST) tests/browser $(ARGS)

test-installations: venv-dev ## what needs whole installations, two suites at once: each often waits
	@$(MAKE) --no-print-directory --jobs 2 --keep-going --output-sync=target \
		test-acceptance test-faults test-browser

.PHONY: test-workflows
test-workflows: venv-dev ## the GitHub workflow: linted, and run by act (needs Go)
	@scripts/workflow-tools >/dev/null
	@$(PYTEST) tests/workflows $(ARGS)

.PHONY: images
images: venv-dev ## images of the newest release and of Slipway (Docker Engine; SLIPWAY_BASE_IMAGE=…, INTO=FOLDER)
	@.venv/bin/slipway image $(if $(INTO),--save "$(INTO)/application.tar") $(ARGS)
	@.venv/bin/slipway image --engine $(if $(INTO),--save "$(INTO)/engine.tar") $(ARGS)

.PHONY: cluster-tools cluster-up cluster-down test-kubernetes bench-kubernetes
cluster-tools: venv-dev ## build what a test cluster consists of, once, outside the checkout (needs Go)
	@.venv/bin/python -m tests.cluster build

cluster-up: venv-dev ## a real one-node Kubernetes for tests (root; the first time builds it)
	@.venv/bin/python -m tests.cluster up

cluster-down: venv-dev ## end it: processes, mounts, network
	@.venv/bin/python -m tests.cluster down

test-kubernetes: cluster-tools ## Kubernetes: client, syncer, charts, images, releases, Argo CD beside it
	@scripts/kubernetes-suites $(ARGS)

bench-kubernetes: cluster-tools ## the figures that need no installation but a cluster, peers beside them
	@.venv/bin/python -m bench $(addprefix --only ,$(KUBERNETES_BENCHES)) $(ARGS)

# Names of bench/: each starts or uses a cluster as tests/cluster/fixtures.py does.
KUBERNETES_BENCHES := plan render \
	kubernetes_first kubernetes_noop kubernetes_heal kubernetes_memory kubernetes_push \
	kubernetes_release kubernetes_rollback kubernetes_grow

.PHONY: infra-venv test-infra
infra-venv: .venv-infra/made ## .venv-infra with Pulumi and what judges infra/

.venv-infra/made: requirements-infra.lock | venv
	@.venv/bin/uv venv --quiet --clear --python .venv/bin/python .venv-infra
	@.venv/bin/uv pip install --quiet --compile-bytecode --python .venv-infra/bin/python \
		--require-hashes -r requirements-infra.lock
	@touch $@

test-infra: infra-venv ## the Pulumi program: types, and tests with Pulumi's mocks
	@.venv-infra/bin/mypy --strict --package infra
	@.venv-infra/bin/python -m pytest -q tests/infra $(ARGS)

.PHONY: lint format
lint: venv-dev app/.venv/made ## lint, types, import rules
	@.venv/bin/ruff check pipelines policies infra tests
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@cd app && .venv/bin/ruff check . && .venv/bin/mypy

format: venv-dev ## format and sort imports
	@.venv/bin/ruff format pipelines policies infra tests
	@.venv/bin/ruff check --fix pipelines policies infra tests

.PHONY: bench
bench: venv-dev ## the figures of docs/benchmarks.md, as a table and JSON
	@.venv/bin/python -m bench $(ARGS)

.PHONY: lock
COMPILE := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header --upgrade
# What only environments of one machine, builds and checks need.
NOT_IN_IMAGE := circus pip pyzmq tornado uv
lock: venv ## refresh the lock files (network)
	@$(COMPILE) pyproject.toml --output-file requirements.lock
	@$(COMPILE) pyproject.toml --extra kubernetes --constraints requirements.lock \
		--output-file requirements-kubernetes.lock
	@$(COMPILE) pyproject.toml --extra kubernetes --constraints requirements-kubernetes.lock \
		$(addprefix --no-emit-package ,$(NOT_IN_IMAGE)) --output-file requirements-image.lock
	@$(COMPILE) pyproject.toml --extra kubernetes --group dev \
		--constraints requirements-kubernetes.lock --output-file requirements-dev.lock
	@$(COMPILE) --group check --constraints requirements-dev.lock \
		--output-file requirements-check.lock
	@$(COMPILE) --group workflows --output-file requirements-workflows.lock
	@$(COMPILE) --group infra --constraints requirements-dev.lock \
		--output-file requirements-infra.lock
	@$(COMPILE) app/pyproject.toml --output-file app/requirements.lock
	@$(COMPILE) app/pyproject.toml --group app/pyproject.toml:dev \
		--constraints app/requirements.lock --output-file app/requirements-dev.lock
