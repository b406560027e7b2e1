# Everything that the project does, from a fresh clone. `make help` lists it.
# Needs Python >= 3.11 and git; kubectl or `make tools` to render. Nothing is installed outside of .venv and the cache.

PYTHON ?= python3
CACHE  := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/kre
BIN    := $(CACHE)/bin
VENV   := .venv
PY     := $(VENV)/bin/python
KRE    := $(VENV)/bin/kre
TYPES  := $(CACHE)/mypy

.DEFAULT_GOAL := help
.PHONY: help demo test mutants lint format validate docs bench bench-e2e rbac-answers e2e e2e-api e2e-argocd tools tools-helm tools-actionlint tools-promql clean set-up python-ok
export PATH := $(BIN):$(CURDIR)/$(VENV)/bin:$(PATH)

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

demo: $(VENV)/ready ## validate everything, then play recorded alerts through the engine; no cluster, under a minute
	@command -v kubectl >/dev/null || test -x $(BIN)/kustomize || { \
	  echo "make demo: kubectl is missing: install it (kubernetes.io/docs/tasks/tools), or run: make tools" >&2; exit 3; }
	@PYTHONPATH=tools $(PY) -m demo

test: $(VENV)/dev tools tools-promql ## every test that needs no cluster
	$(PY) -m pytest -q --numprocesses=auto --dist=loadfile
	@echo "NOT RUN: what needs a cluster: make e2e-api e2e e2e-argocd (docs/cluster-tests.md)"

MUTANTS ?= --budget 7200
mutants: $(VENV)/dev ## the engine's tests against each fault that can be made in its code: an hour; MUTANTS="--only guard.py"
	PYTHONPATH=tests:tools $(PY) -m safety.code.run $(MUTANTS)

validate: $(VENV)/ready tools ## this repository, by both engines
	$(KRE) validate --engine both

lint: $(VENV)/dev tools-actionlint ## ruff, mypy, yamllint, actionlint
	$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy --cache-dir $(TYPES)/tools
	cd base/responses/manifests/code && $(CURDIR)/$(VENV)/bin/mypy --config-file $(CURDIR)/pyproject.toml --cache-dir $(TYPES)/code .
	set -e; for code in base/*/options/*/code; do (cd $$code && MYPYPATH=../../../manifests/code $(CURDIR)/$(VENV)/bin/mypy --config-file $(CURDIR)/pyproject.toml --cache-dir $(TYPES)/code *.py); done
	cd base/responses/manifests/recorder/code && MYPYPATH=../../code $(CURDIR)/$(VENV)/bin/mypy --config-file $(CURDIR)/pyproject.toml --cache-dir $(TYPES)/recorder .
	$(VENV)/bin/yamllint --strict .
	actionlint

format: $(VENV)/dev ## ruff, in place
	$(VENV)/bin/ruff check --fix . && $(VENV)/bin/ruff format .

docs: $(VENV)/ready ## pages that are made from code
	$(KRE) rules --format markdown > docs/rules.md

bench: $(VENV)/dev tools $(BIN)/kre-authorizer ## kre beside its peers; writes docs/benchmarks.md
	$(PY) tests/bench/validate.py
	$(PY) tests/bench/promote.py
	$(PY) tests/bench/rbac.py

rbac-answers: $(VENV)/dev $(BIN)/kre-authorizer ## records anew what Kubernetes' own authorizer says (tests/authorizer; some minutes)
	PYTHONPATH=tests $(PY) -m support.rbac_record $(BIN)/kre-authorizer

# On the cluster that KUBECONFIG names, if it has opted in: docs/cluster-tests.md.
e2e-api: $(VENV)/dev ## tests on a real API server: some three minutes
	$(PY) -m pytest -q --durations=10 -m api tests/e2e

e2e: $(VENV)/dev tools-promql ## tests on a real node, with real Argo Events and Argo Workflows
	$(PY) -m pytest -q --durations=10 -m node tests/e2e

e2e-argocd: $(VENV)/dev ## Argo CD brings up dev, on a cluster that has it; takes away what else is there
	KRE_E2E_ARGOCD=required $(PY) -m pytest -q --durations=10 -m e2e tests/e2e/argocd

bench-e2e: $(VENV)/dev ## how fast, and what is lost when a part fails; writes docs/benchmarks.md
	$(PY) tests/bench/cluster.py

clean: ## what make made here (not the cache)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist

# ---- set-up

set-up: $(VENV)/ready

python-ok:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "make: Python 3.11 or newer is needed; name it: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 3; }

$(VENV)/ready: pyproject.toml | python-ok
	@command -v git >/dev/null || { echo "make: git is missing: install your system's package git" >&2; exit 3; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/dev: $(VENV)/ready
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# Tools in Go, pinned with checksums by tools/go.mod and tools/go.sum. A Go that will do, or one from PyPI.
GO_MOD  = tools/go.mod tools/go.sum
GO_WANT = $(shell sed -n 's/^go //p' tools/go.mod)
$(VENV)/go: tools/go.mod | $(VENV)/ready
	@if command -v go >/dev/null && printf '%s\n' "$(GO_WANT)" "$$(go env GOVERSION | sed 's/^go//; s/-.*//')" | sort -VC; then \
	  ln -sfn "$$(command -v go)" $@; \
	else \
	  $(VENV)/bin/pip install --quiet --disable-pip-version-check --editable '.[go]' && ln -sfn bin/go $@; \
	fi

version = $$($(CURDIR)/$(VENV)/go list -m -f '{{.Version}}' $(1))
build   = cd tools && GOFLAGS=-mod=readonly $(CURDIR)/$(VENV)/go build -trimpath -o $@ -ldflags "-s -w -X $(2)" $(1)

tools: $(BIN)/kustomize $(BIN)/kubeconform ## kustomize and kubeconform, pinned, into the cache
tools-helm: $(BIN)/helm ## helm, for whoever renders charts by hand
tools-actionlint: $(BIN)/actionlint
tools-promql: $(BIN)/kre-promql ## what tests ask about alerts and queries: Prometheus' own code

$(BIN)/kre-authorizer: $(wildcard tests/authorizer/*.go) tests/authorizer/go.mod tests/authorizer/go.sum | $(VENV)/go
	cd tests/authorizer && GOFLAGS=-mod=readonly $(CURDIR)/$(VENV)/go build -trimpath -o $@ .
$(BIN)/kustomize: $(GO_MOD) | $(VENV)/go
	$(call build,sigs.k8s.io/kustomize/kustomize/v5,sigs.k8s.io/kustomize/api/provenance.version=$(call version,sigs.k8s.io/kustomize/kustomize/v5))
$(BIN)/kubeconform: $(GO_MOD) | $(VENV)/go
	$(call build,github.com/yannh/kubeconform/cmd/kubeconform,main.version=$(call version,github.com/yannh/kubeconform))
$(BIN)/helm: $(GO_MOD) | $(VENV)/go
	$(call build,helm.sh/helm/v4/cmd/helm,helm.sh/helm/v4/internal/version.version=$(call version,helm.sh/helm/v4))
$(BIN)/actionlint: $(GO_MOD) | $(VENV)/go
	$(call build,github.com/rhysd/actionlint/cmd/actionlint,github.com/rhysd/actionlint.version=$(call version,github.com/rhysd/actionlint))
# In a module of its own: Prometheus wants other versions than the tools do.
$(BIN)/kre-promql: $(wildcard tests/promql/go.* tests/promql/*.go) | $(VENV)/go
	cd tests/promql && GOFLAGS=-mod=readonly $(CURDIR)/$(VENV)/go build -trimpath -o $@ -ldflags "-s -w" .
