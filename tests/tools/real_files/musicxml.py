"""Compares what is read from a MusicXML file with what music21 finds in it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from music21 import converter, stream
from music21.chord import Chord
from music21.harmony import ChordSymbol as HarmonySymbol
from music21.note import Note

from mst_core.reading.parsed_score import ParsedScore
from tests.tools.real_files.comparison import Comparison, all_pitches, overlap, similarity


def compare(path: str, score: ParsedScore) -> Comparison | None:
    """Compare all pitches, the top line of the melody's part, and the number of measures.

    Args:
        path: the file.
        score: what our reader found in it.

    Returns:
        None where music21 refuses the file.
    """
    try:
        parsed = converter.parse(path, format="musicxml", forceSource=True)
    except Exception:  # music21 raises errors of many kinds
        return None
    if not isinstance(parsed, stream.Score):
        return None
    parts = _group_staves(parsed)
    theirs: Counter[int] = Counter()
    for staves in parts:
        for staff in staves:
            theirs.update(pitch for _, pitch in _sounding(staff))
    index = (score.track or 1) - 1
    melody = measures = None
    if index < len(parts):
        line = [pitch for staff in parts[index] for pitch in _top_line(staff)]
        lines = [_top_line(staff) for staff in parts[index]]
        ours = score.melody.pitches
        melody = max((similarity(ours, each) for each in (line, *lines)), default=None)
        measures = max(len(staff.getElementsByClass("Measure")) for staff in parts[index])
    pickup = score.melody.pickup > 0
    bars = None if measures is None else score.melody.bar_count in (measures, measures - pickup)
    return Comparison(overlap(all_pitches(score), theirs), melody, bars)


def _group_staves(score: stream.Score) -> list[list[Any]]:
    """music21 makes a part of each staff; staves of one part share the first half of their id."""
    groups: dict[str, list[Any]] = {}
    for part in score.parts:
        groups.setdefault(str(part.id).partition("-Staff")[0], []).append(part)
    return list(groups.values())


def _sounding(part: Any) -> list[tuple[Any, int]]:
    """(onset, MIDI number) of all notes of a part, ties merged, grace notes included."""
    found = []
    for element in part.stripTies().recurse().notes:
        if isinstance(element, HarmonySymbol):
            continue
        onset = element.getOffsetInHierarchy(part) if element.activeSite else 0
        if isinstance(element, Note):
            found.append((onset, element.pitch.midi))
        elif isinstance(element, Chord):
            found += [(onset, pitch.midi) for pitch in element.pitches]
    return found


def _top_line(part: Any) -> list[int]:
    """The highest pitch of each onset, grace notes left out."""
    highest: dict[Any, int] = {}
    for element in part.stripTies().recurse().notes:
        if isinstance(element, HarmonySymbol) or element.duration.isGrace:
            continue
        onset = element.getOffsetInHierarchy(part)
        pitches = [pitch.midi for pitch in getattr(element, "pitches", ())]
        if pitches:
            highest[onset] = max(highest.get(onset, 0), *pitches)
    return [highest[onset] for onset in sorted(highest)]
