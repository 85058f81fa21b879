#!/bin/sh
# Every check, then every test, on two processes.
set -eu
cd "$(dirname "$0")/.."
deploy/check.sh
exec .venv/bin/python -m pytest -n 2
