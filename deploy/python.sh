#!/bin/sh
# Print the path of the newest Python, 3.11 or newer, that can make a virtual environment; fail if
# there is none. venv needs ensurepip, which Debian has in a package of its own, so both are tried.

for name in python3.13 python3.12 python3.11 python3; do
    if "$name" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        command -v "$name"
        exit 0
    fi
done
exit 1
