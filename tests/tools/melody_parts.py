"""Measures how often the right part of real files is taken as the melody, by collection.

    python -m tests.tools.melody_parts --real FOLDER [--no-names]

The labels stand in ``melody_part_labels.json``, with how each was judged; the files are not part of
the project. ``--no-names`` hides the names of the parts, so that the notes alone decide.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

from mido import MidiFile

from mst_core.errors import MstError
from mst_core.reading.load import load_score
from mst_core.reading.midi.melody_track import find_melody_track
from mst_core.reading.midi.parts import read_midi_parts
from mst_core.reading.midi.tempo_map import TempoMap
from mst_core.reading.parsed_score import Limits

LABELS = Path(__file__).with_name("melody_part_labels.json")
SAME_NOTES = 0.8
"""Share of the notes of a part that stand in a labeled place where it is that place."""


def labeled_notes(path: Path, places: list[list[int]]) -> set[tuple[int, int]]:
    """Tick and pitch of the notes in the labeled tracks and channels, as mido reads them.

    Args:
        path: the MIDI file.
        places: index of the track and number of the channel, each.

    Returns:
        The notes of all places together.
    """
    found = set()
    tracks = MidiFile(path, clip=True).tracks
    for track, channel in places:
        tick = 0
        for message in tracks[track]:
            tick += message.time
            if message.type == "note_on" and message.velocity and message.channel == channel - 1:
                found.add((tick, message.note))
    return found


def taken_part(path: Path, places: list[list[int]], *, names: bool) -> tuple[bool, str]:
    """Whether a labeled part of a file is taken as the melody.

    Args:
        path: the file.
        places: where its melody is: as above, or the number of a MusicXML part.
        names: whether the names of the parts may be used.

    Returns:
        Whether it is right, and the name of what was taken, or the error.
    """
    try:
        if path.suffix.lower() != ".mid":
            score = load_score(path.name, path.read_bytes())
            return [score.track] in places, score.candidates[0].name if score.candidates else ""
        midi = read_midi_parts(path.read_bytes(), Limits(notes=1_000_000, events=10_000_000))
        if not names:
            parts = tuple(replace(part, own_name="") for part in midi.parts)
            midi = replace(midi, parts=parts)
        tempo = TempoMap(midi.tempos, midi.ticks_per_quarter)
        index, _, _ = find_melody_track(midi, tempo, track=None)
    except MstError as error:
        return False, str(error)
    part = midi.parts[index]
    labeled = labeled_notes(path, places)
    same = sum((note.onset, note.pitch) in labeled for note in part.notes)
    return same >= SAME_NOTES * len(part.notes), part.name


def main() -> None:
    """Print the precision by collection, and every file that is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path, required=True, help="the folder of real files")
    parser.add_argument("--no-names", action="store_true", help="hide the names of the parts")
    options = parser.parse_args()
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for label in json.loads(LABELS.read_text(encoding="utf-8"))["labels"]:
        path = options.real / label["file"]
        collection = path.parent.name
        is_right, taken = taken_part(path, label["melody"], names=not options.no_names)
        total[collection] += 1
        right[collection] += is_right
        if not is_right:
            sys.stdout.write(f"wrong: {label['file']}: took {taken} (label by {label['basis']})\n")
    for collection, count in total.items():
        sys.stdout.write(f"{collection:14}{right[collection]:4} of {count}\n")
    sys.stdout.write(f"precision {right.total() / total.total():.3f} of {total.total()} files\n")


if __name__ == "__main__":
    main()
