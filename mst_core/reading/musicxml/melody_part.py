"""The melody of a MusicXML score: which part it is in, and its line there.

Of a part it is the first voice, of a chord the top note. What lies under it is kept as a part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from typing import NamedTuple

from mst_core.errors import BadOption, NoMelody
from mst_core.music import Note, PartNote
from mst_core.reading.musicxml.part import WrittenNote, WrittenPart

_LEADING = re.compile(
    r"\b(melod\w*|lead|tune|solo|vocals?|voice|voix|canto|cantus|superius|soprano|sopran|discant\w*"
    r"|singer|gesang|singstimme|theme|air)\b",
    re.IGNORECASE,
)
_LOWEST = 48  # a part whose middle pitch is below this C is a bass
_SHARE = Fraction(1, 4)
"""A melody has at least this share of the notes of the busiest part."""
_CHORDS = Fraction(1, 3)
"""A part with more chords than this share of its onsets is an accompaniment, if others are not."""


class Choice(NamedTuple):
    """A part, by its place in the file, and why it was taken."""

    place: int
    reason: str


class Sounding(NamedTuple):
    """A note in its place in the piece; times in quarter notes from the first downbeat."""

    onset: Fraction
    duration: Fraction
    pitch: int
    tied: bool
    continues: bool


@dataclass(frozen=True, slots=True)
class Line:
    """The melody of a part, and all else that sounds in it."""

    notes: tuple[Note, ...]
    below: tuple[PartNote, ...]
    chords: int
    """How many chords gave their top note."""
    voices: int
    """How many voices the part has."""
    cut: int
    """How many notes were ended where the next one of their own voice begins."""


def choose_part(parts: Sequence[WrittenPart], track: int | None) -> Choice:
    """Choose the part with the melody: by its name, then the first that is one line of its own.

    ``track`` asks for a part, counted from 1.

    Raises:
        BadOption: when the part asked for is not there.
        NoMelody: when there is no part with two notes that have a pitch.
    """
    if track is not None:
        if not 1 <= track <= len(parts):
            raise BadOption("track", track, f"the file has the parts 1 to {len(parts)}")
        if _tunes(parts[track - 1]) < 2:
            raise NoMelody(f"part {track} of this MusicXML file")
        return Choice(track - 1, "as asked")
    sizes = {place: _tunes(part) for place, part in enumerate(parts) if not part.drums}
    places = [place for place, size in sizes.items() if size >= 2]
    if not places:
        drums = any(part.size for part in parts if part.drums)
        raise NoMelody(
            "this MusicXML file, whose notes are all percussion" if drums else "this MusicXML file"
        )
    if len(places) == 1:
        return Choice(places[0], "the only one with a melody")
    busiest = max(sizes.values())
    places = [place for place in places if sizes[place] >= _SHARE * busiest]
    named = [place for place in places if _LEADING.search(parts[place].name)]
    if named:
        return Choice(named[0], "its name says so")
    lines = [place for place in places if _chords(parts[place]) <= _CHORDS]
    high = [place for place in lines if _middle(parts[place]) >= _LOWEST]
    if high and len(lines) < len(places):
        return Choice(high[0], "the first that is a single line")
    if high:
        return Choice(high[0], "the first on the page")
    return Choice(places[0], "the first on the page")


def find_line(part: WrittenPart, starts: Sequence[Fraction]) -> Line:
    """Part the melody of a part from what lies under it.

    Each of ``starts`` is the onset of a measure in quarter notes from the first downbeat.
    """
    voices = {note.voice for measure in part.measures for note in measure.notes if not note.drum}
    first = min(voices, key=_order, default=("1", "1"))
    own: dict[Fraction, list[Sounding]] = {}
    others: list[Sounding] = []
    for note, onset in _placed(part, starts):
        sounding = Sounding(onset, note.duration, note.pitch, note.tied, note.continues)
        if note.drum or note.voice != first:
            others.append(sounding)
        else:
            own.setdefault(onset, []).append(sounding)
    line: list[Sounding] = []
    cut = 0
    for onset in sorted(own):
        top = max(own[onset], key=lambda each: (each.pitch, each.duration))
        others.extend(each for each in own[onset] if each is not top)
        if line and line[-1].onset + line[-1].duration > onset:
            line[-1] = line[-1]._replace(duration=onset - line[-1].onset, tied=False)
            cut += 1
        line.append(top)
    return Line(
        notes=tuple(Note(*each[:3]) for each in merge_ties(line)),
        below=part_notes(others),
        chords=sum(1 for struck in own.values() if len({each.pitch for each in struck}) > 1),
        voices=len(voices),
        cut=cut,
    )


def find_notes(part: WrittenPart, starts: Sequence[Fraction]) -> tuple[PartNote, ...]:
    """All notes of an accompanying part."""
    return part_notes(
        Sounding(onset, note.duration, note.pitch, note.tied, note.continues)
        for note, onset in _placed(part, starts)
    )


def part_notes(notes: Iterable[Sounding]) -> tuple[PartNote, ...]:
    """Notes of any number of voices, in order, each once."""
    merged = sorted({each[:3] for each in merge_ties(sorted(notes))})
    return tuple(PartNote(*each) for each in merged)


def merge_ties(notes: Iterable[Sounding]) -> list[Sounding]:
    """Make one note of tied ones; they must come by onset, and keep that order."""
    merged: list[Sounding] = []
    held: dict[int, int] = {}  # pitch: place in merged of the note that is tied on
    for note in notes:
        place = held.pop(note.pitch, None)
        before = merged[place] if place is not None else None
        joins = before and note.continues and before.onset + before.duration == note.onset
        if before and place is not None and joins:
            merged[place] = before._replace(duration=before.duration + note.duration)
        else:
            place = len(merged)
            merged.append(note)
        if note.tied:
            held[note.pitch] = place
    return merged


def _placed(
    part: WrittenPart, starts: Sequence[Fraction]
) -> Iterable[tuple[WrittenNote, Fraction]]:
    for measure, start in zip(part.measures, starts, strict=False):
        for note in measure.notes:
            yield note, start + note.onset


def _order(voice: tuple[str, str]) -> tuple[tuple[int, str], ...]:
    """Staves and voices in the order of their numbers, unnumbered ones last."""
    return tuple((int(name) if name.isdecimal() else 10**6, name) for name in voice)


def _tunes(part: WrittenPart) -> int:
    """How many onsets of notes with a pitch a part has."""
    return sum(
        len({note.onset for note in measure.notes if not note.drum}) for measure in part.measures
    )


def _chords(part: WrittenPart) -> Fraction:
    """The share of the onsets of a part on which several notes begin."""
    return 1 - Fraction(_tunes(part), max(1, part.size))


def _middle(part: WrittenPart) -> float:
    return median(note.pitch for measure in part.measures for note in measure.notes)
