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
from mst_core.reading.musicxml.part import XmlNote, XmlPart

_MELODY_NAMES = re.compile(
    r"\b(melod\w*|lead|tune|solo|vocals?|voice|voix|canto|cantus|superius|soprano|sopran|discant\w*"
    r"|singer|gesang|singstimme|theme|air)\b",
    re.IGNORECASE,
)
_MIN_MEDIAN_PITCH = 48  # a part whose middle pitch is below this C is a bass
_MIN_NOTE_SHARE = Fraction(1, 4)
"""A melody has at least this share of the notes of the busiest part."""
_MAX_CHORD_SHARE = Fraction(1, 3)
"""A part with more chords than this share of its onsets is an accompaniment, if others are not."""


class PartChoice(NamedTuple):
    """A part, by its place in the file, and why it was taken."""

    part_index: int
    reason: str


class SoundingNote(NamedTuple):
    """A note in its place in the piece; times in quarter notes from the first downbeat."""

    onset: Fraction
    duration: Fraction
    pitch: int
    tied: bool
    continues: bool


@dataclass(frozen=True, slots=True)
class MelodyLine:
    """The melody of a part, and all else that sounds in it."""

    notes: tuple[Note, ...]
    other_notes: tuple[PartNote, ...]
    chord_count: int
    """How many chords gave their top note."""
    voice_count: int
    """How many voices the part has."""
    shortened_count: int
    """How many notes were ended where the next one of their own voice begins."""


def choose_part(parts: Sequence[XmlPart], track: int | None) -> PartChoice:
    """Choose the part with the melody: by its name, then the first that is one line of its own.

    ``track`` asks for a part, counted from 1.

    Raises:
        BadOption: when the part asked for is not there.
        NoMelody: when there is no part with two notes that have a pitch.
    """
    if track is not None:
        if not 1 <= track <= len(parts):
            raise BadOption("track", track, f"the file has the parts 1 to {len(parts)}")
        if _onset_count(parts[track - 1]) < 2:
            raise NoMelody(f"part {track} of this MusicXML file")
        return PartChoice(track - 1, "as asked")
    sizes = {place: _onset_count(part) for place, part in enumerate(parts) if not part.drums}
    places = [place for place, size in sizes.items() if size >= 2]
    if not places:
        drums = any(part.note_count for part in parts if part.drums)
        raise NoMelody(
            "this MusicXML file, whose notes are all percussion" if drums else "this MusicXML file"
        )
    if len(places) == 1:
        return PartChoice(places[0], "the only one with a melody")
    busiest = max(sizes.values())
    places = [place for place in places if sizes[place] >= _MIN_NOTE_SHARE * busiest]
    named = [place for place in places if _MELODY_NAMES.search(parts[place].name)]
    if named:
        return PartChoice(named[0], "its name says so")
    lines = [place for place in places if _chord_share(parts[place]) <= _MAX_CHORD_SHARE]
    high = [place for place in lines if _median_pitch(parts[place]) >= _MIN_MEDIAN_PITCH]
    if high and len(lines) < len(places):
        return PartChoice(high[0], "the first that is a single line")
    if high:
        return PartChoice(high[0], "the first on the page")
    return PartChoice(places[0], "the first on the page")


def extract_melody(part: XmlPart, starts: Sequence[Fraction]) -> MelodyLine:
    """Part the melody of a part from what lies under it.

    Each of ``starts`` is the onset of a measure in quarter notes from the first downbeat.
    """
    voices = {note.voice for measure in part.measures for note in measure.notes if not note.drum}
    first = min(voices, key=_voice_order, default=("1", "1"))
    own: dict[Fraction, list[SoundingNote]] = {}
    others: list[SoundingNote] = []
    for note, onset in _with_onsets(part, starts):
        sounding = SoundingNote(onset, note.duration, note.pitch, note.tie_start, note.tie_stop)
        if note.drum or note.voice != first:
            others.append(sounding)
        else:
            own.setdefault(onset, []).append(sounding)
    line: list[SoundingNote] = []
    cut = 0
    for onset in sorted(own):
        top = max(own[onset], key=lambda each: (each.pitch, each.duration))
        others.extend(each for each in own[onset] if each is not top)
        if line and line[-1].onset + line[-1].duration > onset:
            line[-1] = line[-1]._replace(duration=onset - line[-1].onset, tied=False)
            cut += 1
        line.append(top)
    return MelodyLine(
        notes=tuple(Note(*each[:3]) for each in _join_tied(line)),
        other_notes=_to_part_notes(others),
        chord_count=sum(1 for struck in own.values() if len({each.pitch for each in struck}) > 1),
        voice_count=len(voices),
        shortened_count=cut,
    )


def extract_notes(part: XmlPart, starts: Sequence[Fraction]) -> tuple[PartNote, ...]:
    """All notes of an accompanying part."""
    return _to_part_notes(
        SoundingNote(onset, note.duration, note.pitch, note.tie_start, note.tie_stop)
        for note, onset in _with_onsets(part, starts)
    )


def _to_part_notes(notes: Iterable[SoundingNote]) -> tuple[PartNote, ...]:
    """Notes of any number of voices, in order, each once."""
    merged = sorted({each[:3] for each in _join_tied(sorted(notes))})
    return tuple(PartNote(*each) for each in merged)


def _join_tied(notes: Iterable[SoundingNote]) -> list[SoundingNote]:
    """Make one note of tied ones; they must come by onset, and keep that order."""
    merged: list[SoundingNote] = []
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


def _with_onsets(part: XmlPart, starts: Sequence[Fraction]) -> Iterable[tuple[XmlNote, Fraction]]:
    for measure, start in zip(part.measures, starts, strict=False):
        for note in measure.notes:
            yield note, start + note.onset


def _voice_order(voice: tuple[str, str]) -> tuple[tuple[int, str], ...]:
    """Staves and voices in the order of their numbers, unnumbered ones last."""
    return tuple((int(name) if name.isdecimal() else 10**6, name) for name in voice)


def _onset_count(part: XmlPart) -> int:
    """How many onsets of notes with a pitch a part has."""
    return sum(
        len({note.onset for note in measure.notes if not note.drum}) for measure in part.measures
    )


def _chord_share(part: XmlPart) -> Fraction:
    """The share of the onsets of a part on which several notes begin."""
    return 1 - Fraction(_onset_count(part), max(1, part.note_count))


def _median_pitch(part: XmlPart) -> float:
    return median(note.pitch for measure in part.measures for note in measure.notes)
