"""Measure time and memory of the sound of a long piece with many parts.

    .venv/bin/python -m tests.tools.bench_band [--minutes 20] [--parts 30] [--format mp3]

Prints the size of the file, the seconds of the processor and the largest resident memory.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Iterator
from fractions import Fraction

from mst_core.music import Key, Melody, Meter, Note, Part, PartNote
from mst_core.sound.band import perform_band, start_at_zero
from mst_core.sound.encoding import encode
from mst_core.sound.mastering import master
from mst_core.sound.mix import render_band
from mst_core.sound.soundfont import find_soundfont
from mst_core.studio import open_synth

TEMPO = 120.0


def write_melody(bars: int) -> Melody:
    """Quarter notes through an octave."""
    notes = tuple(Note(Fraction(n), Fraction(1), 60 + n % 12) for n in range(4 * bars))
    return Melody(notes, Meter(4, 4), Key(0), TEMPO, bars)


def write_parts(bars: int, count: int) -> Iterator[Part]:
    """Half notes on as many instruments, the last of them drums."""
    for number in range(count):
        drums = number == count - 1
        notes = (
            PartNote(Fraction(2 * n), Fraction(2), 36 + (number * 5 + n) % 40)
            for n in range(2 * bars)
        )
        yield Part(f"part {number}", 0 if drums else number * 7 % 128, drums, tuple(notes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--parts", type=int, default=30)
    parser.add_argument("--format", default="mp3")
    given = parser.parse_args()
    bars = round(given.minutes * TEMPO / 4)
    melody, parts = write_melody(bars), list(write_parts(bars, given.parts))
    synth = open_synth(find_soundfont(None))
    began = time.process_time()
    voices = start_at_zero(perform_band(melody, parts, swing=0.5, program=0))
    with render_band(synth, voices) as samples:
        recording = master(samples)
        size = len(encode(recording, given.format))
    seconds = time.process_time() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(
        f"{recording.seconds:.0f} s of sound in {seconds:.0f} s of the processor, "
        f"{size / 1e6:.1f} MB of {given.format}, {memory:.0f} MB resident at most\n"
    )


if __name__ == "__main__":
    main()
