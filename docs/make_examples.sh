#!/bin/sh
# Write the examples of the README with the shipped styles: the four combinations of folk and jazz,
# one tune at five strengths, and its score before and after.
set -eu
cd "$(dirname "$0")/examples"
mst=../../.venv/bin/mst
compose() { # style seed
    $mst compose "$1" --meter 4/4 --seed "$2" \
        -o "$1-$1.mp3" -o "$1-$1.png" -o "$1-$1.mid" -o "$1-$1.abc"
}
transfer() { # style of the melody, style of the rhythm, seed
    $mst rerhythm "$1-$1.abc" --rhythm "$2" --seed "$3" \
        -o "$1-$2.mp3" -o "$1-$2.png" -o "$1-$2.mid" -o "$1-$2.abc"
}
compose folk 10
transfer folk jazz 3
compose jazz 8
transfer jazz folk 1
$mst rerhythm maid.abc --rhythm jazz --seed 3 --strength 0,0.25,0.5,0.75,1 \
    --out-dir . --formats mp3,png,mid,abc
$mst rerhythm maid.abc --rhythm jazz --seed 3 --compare -o maid-compared.png
