#!/bin/sh
# Write the examples of the README with the shipped styles: the four combinations of folk and jazz,
# one tune at five strengths, and its score before and after.
set -eu
cd "$(dirname "$0")/examples"
mst=../../.venv/bin/mst
make_one() { # pitch rhythm seed
    $mst transfer --pitch "$1" --rhythm "$2" --meter 4/4 --seed "$3" \
        -o "$1-$2.mp3" -o "$1-$2.png" -o "$1-$2.mid" -o "$1-$2.abc"
}
make_one folk folk 10
make_one folk jazz 10
make_one jazz jazz 8
make_one jazz folk 8
$mst rerhythm maid.abc --rhythm jazz --seed 3 --strength 0,0.25,0.5,0.75,1 \
    --out-dir . --formats mp3,png,mid,abc
$mst rerhythm maid.abc --rhythm jazz --seed 3 --compare -o maid-compared.png
