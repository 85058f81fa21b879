#!/bin/sh
# Writes the four combinations that the README shows and plays, with the shipped styles.
set -eu
cd "$(dirname "$0")/examples"
make_one() { # pitch rhythm seed
    ../../.venv/bin/mst transfer --pitch "$1" --rhythm "$2" --meter 4/4 --seed "$3" \
        -o "$1-$2.mp3" -o "$1-$2.png" -o "$1-$2.mid" -o "$1-$2.abc"
}
make_one folk folk 10
make_one folk jazz 10
make_one jazz jazz 8
make_one jazz folk 8
