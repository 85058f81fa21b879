#!/bin/sh
# Print the newest Python from 3.11 on that can make a virtual environment; fail when there is none.
# Debian keeps the half of venv that matters (ensurepip) in a package of its own, so it is asked for.

for name in python3.13 python3.12 python3.11 python3; do
    if "$name" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        command -v "$name"
        exit 0
    fi
done
exit 1
