#!/bin/sh
# Check lint, format, types and import contracts. All checks run; the script fails if one did.
cd "$(dirname "$0")/.." || exit 1
status=0
check() { printf '\n%s\n' "-- $*"; "$@" || status=1; }

check .venv/bin/ruff check
check .venv/bin/ruff format --check
check .venv/bin/mypy
check .venv/bin/lint-imports
check .venv/bin/shellcheck deploy/*.sh .ci/run
exit $status
