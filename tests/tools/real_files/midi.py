"""Compares what is read from a MIDI file with what mido finds in it."""

from __future__ import annotations

import io
from collections import Counter

from mido import MidiFile

from mst_core.reading.parsed_score import ParsedScore
from tests.tools.real_files.comparison import Comparison, all_pitches, overlap


def compare(data: bytes, score: ParsedScore) -> Comparison | None:
    """Compare the pitches of all notes; None where mido refuses the file.

    Args:
        data: the file.
        score: what our reader found in it.
    """
    try:
        file = MidiFile(file=io.BytesIO(data), clip=True)
    except Exception:  # mido raises errors of many kinds
        return None
    drums: Counter[int] = Counter()
    pitched: Counter[int] = Counter()
    for track in file.tracks:
        for message in track:
            if message.type == "note_on" and message.velocity:
                (drums if message.channel == 9 else pitched)[message.note] += 1
    theirs = drums + pitched
    if not theirs:
        return None
    return Comparison(notes=overlap(all_pitches(score), theirs), melody=None)
