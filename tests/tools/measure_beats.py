"""Measure whether performances are read in the bars of their player.

``python -m tests.tools.measure_beats``

Plays tunes without a click (20 ms of unsteadiness and 5 % of drift unless told otherwise), reads
them and prints the F1 of the onsets: bar, position in the bar and pitch. Three kinds of recorders:
set to the tempo and meter of the tune, to the meter and 120, and one that names neither (then 2/4
is read as 4/4 and is left out). Takes about ten seconds.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator

from mst_core.music import Melody
from mst_core.reading.midi.read import read_midi
from tests.support.performances import Player, accompaniment_of, make_tune, onset_f1, play

TEMPOS = {
    "4/4": (76, 92, 104, 116, 126, 144),
    "3/4": (80, 96, 110, 126, 140, 160),
    "6/8": (120, 135, 150, 165, 172, 180),
    "2/4": (76, 88, 100, 108, 116, 126),
}
"""Quarters a minute of the tunes of each meter."""
RECORDERS = ("tempo and meter", "meter, 120", "neither")


def performances(count: int, jitter: float, drift: float) -> Iterator[tuple[str, Melody, bytes]]:
    """Yield a label, the tune, and the file of its performance."""
    for meter, tempos in TEMPOS.items():
        for seed in range(count):
            tune = make_tune(seed, meter, tempo=float(tempos[seed % len(tempos)]))
            player = Player(100 + seed, jitter=jitter, drift=drift, lead_in=0.2 + 0.17 * (seed % 6))
            for band in ("with band", "alone"):
                for recorder in RECORDERS:
                    if recorder == "neither" and meter == "2/4":
                        continue
                    file = play(
                        tune,
                        player,
                        accompaniment=accompaniment_of(tune) if band == "with band" else (),
                        named_tempo={"tempo and meter": tune.tempo, "meter, 120": 120.0}.get(
                            recorder
                        ),
                        names_meter=recorder != "neither",
                    )
                    yield f"{meter}, {band}, {recorder}", tune, file


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tunes", type=int, default=12, help="tunes of each meter")
    parser.add_argument("--jitter", type=float, default=0.02, help="seconds (standard deviation)")
    parser.add_argument("--drift", type=float, default=0.05, help="share of the tempo")
    options = parser.parse_args()
    found: defaultdict[str, list[float]] = defaultdict(list)
    for label, tune, file in performances(options.tunes, options.jitter, options.drift):
        f1 = onset_f1(tune, read_midi(file, track=1).melody)
        meter, band, recorder = label.split(", ", 2)
        for key in ("all", meter, band, recorder, label):
            found[key].append(f1)
    lines = []
    for key, values in sorted(found.items(), key=lambda each: (each[0].count(","), each[0])):
        good = sum(value >= 0.9 for value in values) / len(values)
        mean = sum(values) / len(values)
        lines.append(f"{key:40} F1 {mean:.3f}  at least .9: {good:5.0%} of {len(values)}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
