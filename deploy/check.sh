#!/bin/sh
# Lint, format, types and layers. Each has its say, then the whole fails if one did.
cd "$(dirname "$0")/.." || exit 1
status=0
look() { printf '\n%s\n' "-- $*"; "$@" || status=1; }

look .venv/bin/ruff check
look .venv/bin/ruff format --check
look .venv/bin/mypy
look .venv/bin/lint-imports
look .venv/bin/shellcheck deploy/*.sh .ci/run
exit $status
