"""Chooses the part of a MusicXML score that has the melody."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from statistics import median

from mst_core.errors import BadOption, NoMelody
from mst_core.reading.musicxml.part import XmlPart

_MELODY_NAMES = re.compile(
    r"\b(melod\w*|lead|tune|solo|vocals?|voice|voix|canto|cantus|superius|soprano|sopran|discant\w*"
    r"|singer|gesang|singstimme|theme|air)\b",
    re.IGNORECASE,
)
_MIN_MEDIAN_PITCH = 48  # a part whose median pitch is below this C is a bass
_MIN_NOTE_SHARE = Fraction(1, 4)
"""A melody has at least this share of the onsets of the part that has most."""
_MAX_CHORD_SHARE = Fraction(1, 3)
"""A part with a larger share of chords is an accompaniment, unless all parts have as many."""


def choose_part(parts: Sequence[XmlPart], track: int | None) -> tuple[int, str]:
    """Choose the part with the melody: by its name, else the first that is a single high line.

    Args:
        parts: All parts of the score.
        track: The number of the part, counted from 1; None to choose one.

    Returns:
        The index of the part, and the reason for the choice.

    Raises:
        BadOption: when there is no part ``track``.
        NoMelody: when there is no part with at least two pitched notes.
    """
    if track is not None:
        if not 1 <= track <= len(parts):
            raise BadOption("track", track, f"the file has the parts 1 to {len(parts)}")
        if _onset_count(parts[track - 1]) < 2:
            raise NoMelody(f"part {track} of this MusicXML file")
        return track - 1, "as asked"
    sizes = {index: _onset_count(part) for index, part in enumerate(parts) if not part.drums}
    candidates = [index for index, size in sizes.items() if size >= 2]
    if not candidates:
        played = [part for part in parts if part.note_count]
        drums = bool(played) and all(part.drums for part in played)
        raise NoMelody(
            "this MusicXML file, whose notes are all percussion" if drums else "this MusicXML file"
        )
    if len(candidates) == 1:
        return candidates[0], "the only one with a melody"
    largest = max(sizes.values())
    candidates = [index for index in candidates if sizes[index] >= _MIN_NOTE_SHARE * largest]
    named = [index for index in candidates if _MELODY_NAMES.search(parts[index].name)]
    if named:
        return named[0], "its name says so"
    lines = [index for index in candidates if _chord_share(parts[index]) <= _MAX_CHORD_SHARE]
    high = [index for index in lines if _median_pitch(parts[index]) >= _MIN_MEDIAN_PITCH]
    if high and len(lines) < len(candidates):
        return high[0], "the first that is a single line"
    return (high or candidates)[0], "the first on the page"


def _onset_count(part: XmlPart) -> int:
    """Number of onsets of pitched notes."""
    return sum(
        len({note.onset for note in measure.notes if not note.drum}) for measure in part.measures
    )


def _chord_share(part: XmlPart) -> Fraction:
    """1 - onsets / notes of a part: 0 in a single line, 2/3 in chords of three notes."""
    return 1 - Fraction(_onset_count(part), max(1, part.note_count))


def _median_pitch(part: XmlPart) -> float:
    """Median MIDI number of the notes of a part."""
    return median(note.pitch for measure in part.measures for note in measure.notes)
