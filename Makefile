# From a bare Python 3.10 or newer to the running app: make app. `make help` lists the targets.

VENV := .venv
PY := $(VENV)/bin/python
# Python compiles what is imported when it is first imported: a seventh of the app's installation.
PIP := $(PY) -m pip install --no-compile

# Interpreter for a new environment; empty: the first suitable one on the PATH.
PYTHON ?=
# Where torch and torchvision come from; empty: the default index, on Linux the CUDA build.
TORCH_INDEX ?=
PORT ?= 8501
MINUTES ?= 10
ARGS ?=

# Each use installs what it needs, the pins of requirements.txt; .ready-NAME marks what is installed
# already: base, an extra of pyproject.toml, or all of requirements.txt, which includes the others.
ALL := $(VENV)/.ready-all
ready = $(if $(wildcard $(ALL)),$(ALL),$(VENV)/.ready-$(1))

.DEFAULT_GOAL := help
.PHONY: help setup app api predict docs test fuzz audit lint train clean distclean moved

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "Variables: ARGS='...' (app, api, predict, train, fuzz), PORT=8501 (app), MINUTES=10 (fuzz)"
	@echo "PYTHON=python3.12 (a new environment), TORCH_INDEX=https://download.pytorch.org/whl/cpu"
	@echo "(train, setup, test; a small PyTorch without CUDA)"

setup: $(ALL)  ## Create .venv and install everything in it

# Each viewer's threads would keep a heap of their own; a few shared ones don't grow with visits.
app: export MALLOC_ARENA_MAX ?= 2
app: $(call ready,app)  ## Start the live page and open the browser
	$(PY) -m streamlit run frontend/app.py --server.port $(PORT) $(ARGS)

api: $(call ready,api)  ## Start the HTTP and WebSocket service
	$(PY) backend/api.py $(ARGS)

predict: $(call ready,base)  ## Classify the faces of the photos and videos in ARGS
	$(PY) backend/inference.py $(ARGS)

docs: export NO_MKDOCS_2_WARNING ?= 1
docs: $(ALL)  ## Build the documentation in site/
	$(PY) -m mkdocs build --strict --quiet

# The quick tests come first, so that a mistake shows in seconds.
test: lint docs  ## Check style and types, build the documentation, run all tests
	$(PY) -m pytest -m "not slow and not browser" -n 2 --dist loadfile
	$(PY) -m pytest -m "slow and not browser" -n 2 --dist loadfile
	$(PY) -m pytest -m browser

fuzz: export PYTHONPATH := tests:tests/helpers
fuzz: $(ALL)  ## Feed damaged files and requests to everything that reads them, for MINUTES
	$(PY) -m fuzz --minutes $(MINUTES) $(ARGS)

audit: $(ALL)  ## Look up the installed packages in the database of known vulnerabilities
	$(PY) -m venv build/audit && build/audit/bin/pip install --quiet pip-audit && build/audit/bin/pip-audit --skip-editable --path $(VENV)/lib/python*/site-packages

lint: $(ALL)  ## Check style, imports and types
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(VENV)/bin/lint-imports
	$(PY) -m mypy

train: $(call ready,train)  ## Train on the folder images/; options in ARGS
	$(PY) backend/train.py $(ARGS)

clean:  ## Remove caches and test artefacts; data, runs and models stay
	rm -rf .pytest_cache .ruff_cache .mypy_cache .import_linter_cache artifacts build site *.egg-info
	find backend frontend utils tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean  ## Remove .venv as well
	rm -rf $(VENV)

# The installed package points at this folder: a checkout that was moved is installed again.
stale := $(foreach file,$(wildcard $(VENV)/.ready-*),$(if $(filter $(CURDIR),$(shell cat $(file))),,$(file)))
ifneq ($(stale),)
$(stale): moved
endif

$(VENV)/.ready-%: requirements.txt pyproject.toml
	@$(create_environment)
	$(PIP) --quiet --disable-pip-version-check --upgrade pip
	@sed -e '/^-e /d' -e 's/\[[a-z]*\]//' requirements.txt > $(CONSTRAINTS)
	$(if $(and $(TORCH_INDEX),$(filter train all,$*)),$(install_torch))
	$(PIP) $(if $(filter all,$*),--requirement requirements.txt,$(install_extra))
	@pwd -P > $@

# A file of constraints may neither name extras of packages nor the project itself.
CONSTRAINTS := $(VENV)/constraints.txt
install_extra = --constraint $(CONSTRAINTS) --editable '.$(if $(filter-out base,$*),[$*])'

define install_torch
$(PIP) --index-url '$(TORCH_INDEX)' --constraint $(CONSTRAINTS) torch torchvision
endef

# An environment that can't run pip is one that a missing venv module or a removed Python left behind.
define create_environment
set -eu; \
if $(PY) -m pip --version >/dev/null 2>&1; then exit 0; fi; \
for python in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python3.10); do \
	if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then \
		found=$$python; break; \
	fi; \
done; \
if [ -z "$${found:-}" ]; then \
	echo "error: no Python 3.10 or newer$(if $(PYTHON), at PYTHON=$(PYTHON)); install one, or name" \
		"one that is not on the PATH: make setup PYTHON=/path/to/python3" >&2; exit 2; \
fi; \
if ! "$$found" -c 'import venv, ensurepip' 2>/dev/null; then \
	echo "error: $$found can't create virtual environments; on Debian and Ubuntu:" \
		"sudo apt install python3-venv" >&2; exit 2; \
fi; \
echo "creating $(VENV) with $$found"; \
"$$found" -m venv --clear $(VENV)
endef
