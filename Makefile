# Leadline's one interface. `make help` lists what there is; `make run` is where to begin.

.DEFAULT_GOAL := help
.PHONY: help setup run lock clean check test cases prove texts clients pictures build deploy bench

# Where `make run` serves everything; FRESH=1 forgets all data first.
PORT ?= 8080
FRESH ?=

# The first of these that runs and is new enough (a name may be a shim that leads nowhere).
# `make PYTHON=/path/to/python3` takes another one.
PYTHONS := python3.13 python3.12 python3.14 python3.11 python3
IS_NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for name in $(PYTHONS); do \
	"$$name" -c "$(IS_NEW_ENOUGH)" 2>/dev/null && "$$name" -c "import sys; print(sys.executable)" && break; done)

# Unit tests also run on the oldest Python that Leadline supports, where there is one.
OLDEST ?= $(shell python3.11 -c "import sys; print(sys.executable)" 2>/dev/null)

UV := .local/uv/bin/uv
export UV_PYTHON_DOWNLOADS = never

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1	/' | expand -t 16

# ---- Setting up: three environments, from locks with hashes ----------------------------------------

setup: .venv/.ready .local/runtime/.ready .local/engine/.ready ## Install what is needed, all inside this folder
	@:

# Development, tests and everything of infra/local.
.venv/.ready: requirements/dev.txt .local/uv/.ready
	$(call environment,.venv,requirements/dev.txt)

# What a function sees: the layer and AWS's runtime client, nothing else.
.local/runtime/.ready: requirements/runtime.txt .local/uv/.ready
	$(call environment,.local/runtime,requirements/runtime.txt)

# The local AWS, alone because it pins botocore.
.local/engine/.ready: requirements/engine.txt .local/uv/.ready
	$(call environment,.local/engine,requirements/engine.txt)

# What capture is compared with: FastAPI, Mangum, Chalice.
.local/bench/.ready: requirements/bench.txt .local/uv/.ready
	$(call environment,.local/bench,requirements/bench.txt)

# What builds and deploys, and what reads templates: only for `make build`, `deploy` and `test`.
.local/sam/.ready: requirements/sam.txt .local/uv/.ready
	$(call environment,.local/sam,requirements/sam.txt)

.local/checkov/.ready: requirements/checkov.txt .local/uv/.ready
	$(call environment,.local/checkov,requirements/checkov.txt)

.local/uv/.ready: requirements/uv.txt
	@test -n "$(PYTHON)" && "$(PYTHON)" -c "$(IS_NEW_ENOUGH)" || { \
		echo "error: Leadline needs Python 3.11 or newer; tried: $(or $(PYTHON),$(PYTHONS))."; \
		echo "Install one, or name it: make $(or $(MAKECMDGOALS),setup) PYTHON=/path/to/python3"; exit 1; }
	@echo "setup: uv, with $(PYTHON)"
	@"$(PYTHON)" -m venv --clear .local/uv || { \
		echo "error: this Python cannot make environments; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@.local/uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

# $(1): folder of the environment, $(2): its lock. Only what differs is installed.
define environment
	@echo "setup: $(1), from $(2)"
	@$(1)/bin/python -c "$(IS_NEW_ENOUGH)" 2>/dev/null || $(UV) venv --quiet --clear --python "$(PYTHON)" $(1)
	@$(UV) pip sync --quiet --require-hashes --python $(1)/bin/python $(2)
	@touch $(1)/.ready
endef

# ---- Running ---------------------------------------------------------------------------------------

run: setup ## Run everything on http://127.0.0.1:8080 (PORT=8090, FRESH=1 to start empty, EMAIL_FROM=a@b.example for SES)
	@exec .venv/bin/python -m infra.local.run --port $(PORT) $(if $(filter-out 0 no,$(FRESH)),--fresh) \
		$(if $(EMAIL_FROM),--email-from "$(EMAIL_FROM)")

# ---- Deploying -------------------------------------------------------------------------------------

# Options for `sam deploy`; ARGS=--guided asks for parameters and keeps the answers in samconfig.toml.
ARGS ?=

build: .local/sam/.ready ## Build what ships into .aws-sam/build, and print its sizes
	@.local/sam/bin/python -m infra.build

deploy: build ## Build and deploy to your AWS account (the first time: make deploy ARGS=--guided)
	@.local/sam/bin/sam deploy $(ARGS)

# ---- Checking --------------------------------------------------------------------------------------

check: setup ## Format, lint, types, arrows, template and unit tests: about a minute
	@.venv/bin/python -m tests.run --quick

test: setup .local/sam/.ready .local/checkov/.ready $(if $(OLDEST),.local/oldest/.ready) ## Everything that CI runs, with one summary at the end
	@.venv/bin/python -m tests.run

# Cases of form clients, in the format that docs/form-clients.md describes.
FORM_CASES ?= tests/cases

cases: setup ## Send cases of form clients to the local stack and compare (FORM_CASES=folder, yours or ours)
	@PYTHONPATH=.:functions .venv/bin/python -m tests.form_cases.run "$(FORM_CASES)"

prove: setup ## Break it: new examples for all properties, all pairs of faults, all interleavings, a long soak, all planted bugs (half an hour or more)
	@for round in 1 2 3 4 5; do \
		.venv/bin/python -m pytest tests/unit -q -n 2 -m hypothesis --hypothesis-profile explore || exit 1; done
	@.venv/bin/python -m pytest tests/crash -q -n 2 --show-capture=no --pairs all
	@PYTHONPATH=.:functions .venv/bin/python -m tests.crash.soak
	@.venv/bin/python -m tests.crash.planted_bugs

.local/oldest/.ready: requirements/dev.txt .local/uv/.ready
	@$(UV) venv --quiet --clear --python "$(OLDEST)" .local/oldest
	$(call environment,.local/oldest,requirements/dev.txt)

bench: setup .local/bench/.ready ## Measure capture beside boto3, FastAPI and Chalice into docs/performance.md (ROUNDS=11)
	@.venv/bin/python -m tests.load.bench --write --rounds $(or $(ROUNDS),11)

# ---- Keeping ---------------------------------------------------------------------------------------

LOCK = $(UV) pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 $(if $(UPGRADE),--upgrade)

lock: .local/uv/.ready ## Write the locks anew from pyproject.toml (UPGRADE=1 takes newer versions)
	$(LOCK) pyproject.toml -o shared/requirements.txt
	$(LOCK) pyproject.toml --group runtime -c shared/requirements.txt -o requirements/runtime.txt
	$(LOCK) pyproject.toml --group dev -c shared/requirements.txt -o requirements/dev.txt
	$(LOCK) --group engine -o requirements/engine.txt
	$(LOCK) --group sam -o requirements/sam.txt
	$(LOCK) --group checkov -o requirements/checkov.txt
	$(LOCK) pyproject.toml --group bench -c shared/requirements.txt -o requirements/bench.txt
	echo uv | $(LOCK) - -o requirements/uv.txt

texts: setup ## Collect the sentences of code and pages, update and compile the translations
	@.venv/bin/pybabel --quiet extract --mapping shared/texts/locale/babel.cfg --keywords mark \
		--add-location file --sort-by-file --project Leadline --version 1 \
		--output .local/leadline.pot shared functions
	@.venv/bin/pybabel --quiet update --input-file .local/leadline.pot --output-dir shared/texts/locale \
		--domain leadline --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width 96
	@.venv/bin/pybabel --quiet compile --directory shared/texts/locale --domain leadline

clients: setup ## Write what form clients tell of themselves into docs/form-clients.md
	@.venv/bin/python -m docs.make_form_clients

pictures: setup ## Take the pictures of the READMEs anew from a running Leadline
	@.venv/bin/python -m docs.make_pictures --port $(PORT)

clean: ## Remove the environments, the caches and the local data
	rm -rf .venv .local .aws-sam .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
