#!/bin/sh
# Fuzz each reader for a number of seconds (default: 60), in the environment .venv-fuzz.
# Files that break a reader are left in .venv-fuzz/fuzz/found: correct the reader, and add the file to
# tests/cases.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}

if ! .venv-fuzz/bin/python -c 'import atheris' 2>/dev/null; then
    echo "Installing the fuzzer" >&2
    .venv/bin/python -m venv .venv-fuzz
    .venv-fuzz/bin/python -m pip install --quiet -c constraints.txt "$(sed -n 's/^fuzz = \["\(.*\)"\]$/\1/p' pyproject.toml)" msgspec mido hypothesis
fi
for kind in mid abc musicxml mxl grown; do
    PYTHONPATH=. .venv-fuzz/bin/python -m tests.tools.hostile.fuzz_readers "$kind" .venv-fuzz/fuzz \
        -artifact_prefix=".venv-fuzz/fuzz/found/$kind-" -max_total_time="$seconds" \
        -timeout=20 -rss_limit_mb=2048 -max_len=20000
done
ls .venv-fuzz/fuzz/found
