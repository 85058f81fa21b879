"""Finds the melody of a MusicXML score: the part that has it, and its notes there.

The melody is the first voice of the part, of a chord the top note. The other notes of the part are
returned beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median

from mst_core.errors import BadOption, NoMelody
from mst_core.music import Note, PartNote
from mst_core.reading.bars import ROUNDING
from mst_core.reading.measures import BarLayout
from mst_core.reading.musicxml.part import XmlNote, XmlPart

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


@dataclass(frozen=True, slots=True)
class MelodyLine:
    """The melody of a part, and all other notes of the part."""

    notes: tuple[Note, ...]
    other_notes: tuple[PartNote, ...]
    chord_count: int
    """Chords of which the top note was taken."""
    voice_count: int
    """Voices of the part."""
    shortened_count: int
    """Notes that were ended where the next note of the voice begins."""


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


def extract_melody(part: XmlPart, layout: BarLayout) -> MelodyLine:
    """Separate the melody of a part from its other notes.

    Args:
        part: The part with the melody.
        layout: The bars in which its measures are placed.

    Returns:
        The melody, in which no notes overlap, and the other notes.
    """
    voices = {note.voice for measure in part.measures for note in measure.notes if not note.drum}
    first_voice = min(voices, key=_voice_order, default=("1", "1"))
    chords: dict[Fraction, list[XmlNote]] = {}  # of the first voice, by onset
    others: list[XmlNote] = []
    for note in _from_first_downbeat(part, layout):
        if note.drum or note.voice != first_voice:
            others.append(note)
        else:
            chords.setdefault(note.onset, []).append(note)
    line: list[XmlNote] = []
    shortened = 0
    for onset in sorted(chords):
        top = max(chords[onset], key=lambda each: (each.pitch, each.duration))
        others.extend(each for each in chords[onset] if each is not top)
        if line and line[-1].onset + line[-1].duration > onset:
            line[-1] = line[-1]._replace(duration=onset - line[-1].onset, tie_start=False)
            shortened += 1
        line.append(top)
    return MelodyLine(
        notes=tuple(Note(each.onset, each.duration, each.pitch) for each in _join_tied(line)),
        other_notes=_to_part_notes(others),
        chord_count=sum(len({each.pitch for each in chord}) > 1 for chord in chords.values()),
        voice_count=len(voices),
        shortened_count=shortened,
    )


def extract_notes(part: XmlPart, layout: BarLayout) -> tuple[PartNote, ...]:
    """Return all notes of a part, tied notes joined.

    Args:
        part: An accompanying part.
        layout: The bars in which its measures are placed.

    Returns:
        Notes by onset; of several that are equal, one.
    """
    return _to_part_notes(_from_first_downbeat(part, layout))


def _to_part_notes(notes: Iterable[XmlNote]) -> tuple[PartNote, ...]:
    """Join the tied notes of any number of voices; of several equal notes keep one."""
    in_order = sorted(
        notes,
        key=lambda each: (each.onset, each.duration, each.pitch, each.tie_start, each.tie_stop),
    )
    distinct = {(each.onset, each.duration, each.pitch) for each in _join_tied(in_order)}
    return tuple(PartNote(*each) for each in sorted(distinct))


def _join_tied(notes: Iterable[XmlNote]) -> list[XmlNote]:
    """Make one note of tied notes; ``notes`` must be in order of onset, and the result is too."""
    joined: list[XmlNote] = []
    open_ties: dict[int, int] = {}  # pitch: index in ``joined`` of the note that is tied onward
    for note in notes:
        index = open_ties.pop(note.pitch, None)
        before = joined[index] if index is not None else None
        joins = before and note.tie_stop and before.onset + before.duration == note.onset
        if before and index is not None and joins:
            joined[index] = before._replace(duration=before.duration + note.duration)
        else:
            index = len(joined)
            joined.append(note)
        if note.tie_start:
            open_ties[note.pitch] = index
    return joined


def _from_first_downbeat(part: XmlPart, layout: BarLayout) -> Iterator[XmlNote]:
    """Yield the notes of a part with onsets counted from the first downbeat.

    A note that a rounding error leads beyond its bar ends with the bar.
    """
    for index, start, length in layout.placements:
        for note in part.measures[index].notes if index < len(part.measures) else ():
            over = note.onset + note.duration - length
            short = note.duration - over if 0 < over <= ROUNDING else note.duration
            yield note._replace(onset=start + note.onset, duration=short)


def _voice_order(voice: tuple[str, str]) -> tuple[tuple[int, str], ...]:
    """Sort key of staff and voice: by number, names without a number last."""
    return tuple((int(name) if name.isdecimal() else 10**6, name) for name in voice)


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
