"""Which strand of a MIDI file is the melody.

No single sign is sure, so several are weighed: what the name says, whether it goes one note at a
time, lies high, sounds most of the time, moves neither too little nor too fast. Drums never sing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from mst_core.errors import BadOption, NoMelody
from mst_core.reading.midi.notes import MidiNote
from mst_core.reading.midi.parts import MidiPart
from mst_core.reading.midi.tempo_map import TempoMap

# The top line of notes that sound together. Times are ticks.
#
# Of a chord the highest note counts. A note that ends while a higher one still sounds lies under
# the
# melody; one that only overlaps its neighbours is legato, and ends where the next one begins.

_BASS_DISTANCE = 14  # semitones under its neighbours: a bass that shows where the melody rests
_MEDIAN_RADIUS = 8  # notes on either side


@dataclass(frozen=True, slots=True)
class Skyline:
    """A line of notes that never overlap, and the notes that lie under it."""

    melody: tuple[MidiNote, ...]
    lower_notes: tuple[MidiNote, ...]


def find_skyline(notes: Sequence[MidiNote], *, chord_spread: int) -> Skyline:
    """Part the melody from what lies under it.

    ``together`` is how many ticks the notes of a struck chord may lie apart: 0 for written music.
    """
    line: list[MidiNote] = []
    below: list[MidiNote] = []
    for note in sorted(notes, key=lambda each: (each.onset, -each.pitch, -each.end)):
        if not line or line[-1].end <= note.onset:
            line.append(note)
            continue
        last = line[-1]
        if (note.onset, note.pitch) == (last.onset, last.pitch):
            continue  # the same note again, shorter
        overlap = min(last.end, note.end) - note.onset
        shorter = min(last.end - last.onset, note.end - note.onset)
        chord = note.onset - last.onset <= chord_spread and 2 * overlap >= shorter
        under = note.pitch < last.pitch and (chord or 2 * overlap >= note.end - note.onset)
        if under:
            below.append(note)
        elif chord and note.pitch > last.pitch:  # a chord that is rolled upwards
            below.append(line.pop())
            line.append(note)
        else:
            line[-1] = last._replace(end=note.onset)
            line.append(note)
    if below:
        line, bass = _split_bass(line)
        below.extend(bass)
    return Skyline(tuple(line), tuple(sorted(below)))


def _split_bass(line: list[MidiNote]) -> tuple[list[MidiNote], list[MidiNote]]:
    melody: list[MidiNote] = []
    bass: list[MidiNote] = []
    for place, note in enumerate(line):
        around = line[max(0, place - _MEDIAN_RADIUS) : place + _MEDIAN_RADIUS + 1]
        middle = median(each.pitch for each in around)
        (bass if note.pitch < middle - _BASS_DISTANCE else melody).append(note)
    return melody, bass


_MELODY_NAME = re.compile(
    r"melod|\blead|vocal|\bvox\b|\bvoice|\bvoc\b|sing(?:er|t|stimme)?\b|sopran|cantus|\btune\b|"
    r"\btheme\b|gesang|\bchant\b|\bcanto\b|right hand|\br\.?h\.?\b|treble|\bdiscant"
)
_SOLO_INSTRUMENT = re.compile(
    r"flute|flöte|piccolo|recorder|whistle|violin(?!.*(?:2|ii))|fiddle|sax|trumpet|clarinet|oboe|"
    r"\bcornet|harmonica|bagpipe|chanter|\bsolo\b|ocarina"
)
_ACCOMPANIMENT_NAME = re.compile(
    r"bass|tuba|chord|pad\b|accomp|begleit|backing|harmony|rhythm|strum|comping|drum|perc|"
    r"left hand|\bl\.?h\.?\b|\balto\b|tenor|strings|continuo|cello|\bdrone|\bfx\b|effect"
)
# Families of eight General MIDI programs: who sings, who carries.
_PROGRAM_FAMILY_WEIGHTS = {
    4: -2.5,
    6: -0.5,
    7: 0.5,
    8: 0.5,
    9: 1.0,
    10: 1.0,
    11: -1.0,
    14: -2.0,
    15: -3.0,
}
_FEW_NOTES = 8


@dataclass(frozen=True, slots=True)
class _MelodyEvidence:
    """One reason for or against a strand."""

    weight: float
    reason: str


@dataclass(frozen=True, slots=True)
class MelodyTrack:
    """The strand that was taken, as its place in the list, and why."""

    index: int
    warnings: tuple[str, ...]


def find_melody_track(
    strands: Sequence[MidiPart], tempo: TempoMap, *, track: int | None
) -> MelodyTrack:
    """Take the strand asked for, counted from 1, or find the melody.

    Raises:
        BadOption: when there is no such strand, or it is the drums.
        NoMelody: when no strand but drums has two notes.
    """
    if track is not None:
        if not 1 <= track <= len(strands) or strands[track - 1].drums:
            raise BadOption("track", track, f"tracks of this file are {list_parts(strands)}")
        return MelodyTrack(track - 1, ())
    able = [place for place, each in enumerate(strands) if not each.drums and len(each.notes) > 1]
    if not able:
        raise NoMelody(list_parts(strands) if strands else "a MIDI file without notes")
    if len(able) == 1:
        return MelodyTrack(able[0], ())
    signs = {place: _melody_evidence(strands[place], strands, tempo) for place in able}
    best = max(able, key=lambda place: (sum(sign.weight for sign in signs[place]), -place))
    reasons = sorted(signs[best], key=lambda sign: -sign.weight)
    why = [sign.reason for sign in reasons if sign.weight >= 0.5][:3] or ["it fits best of all"]
    return MelodyTrack(
        best,
        (
            f"Track {best + 1} of {len(strands)} ({strands[best].name}) was taken as the melody: "
            f"{', '.join(why)}. The tracks are {list_parts(strands)}.",
        ),
    )


def list_parts(strands: Sequence[MidiPart]) -> str:
    """Such as ``1 Flute, 2 Piano, 3 Drums``; the first dozen."""
    names = [f"{number} {each.name}" for number, each in enumerate(strands[:12], start=1)]
    more = len(strands) - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


def _melody_evidence(
    part: MidiPart, parts: Sequence[MidiPart], tempo: TempoMap
) -> list[_MelodyEvidence]:
    tonal = [each for each in parts if not each.drums]
    start = min(each.notes[0].onset for each in tonal)
    end = max(max(note.end for note in each.notes) for each in tonal)
    sounding, alone = _sounding_ticks(part.notes)
    pitch = fmean(note.pitch for note in part.notes)
    highest = max(fmean(note.pitch for note in each.notes) for each in tonal)
    a_second = len(part.notes) / max(1.0, tempo.seconds(end) - tempo.seconds(start))
    mono = alone / sounding
    share = sounding / max(1, end - start)
    signs = [*_name_evidence(part)]
    signs.append(_MelodyEvidence(4 * mono - 2, "it goes one note at a time"))
    signs.append(_MelodyEvidence(2 * min(1.0, share / 0.6) - 1, "it sounds most of the time"))
    if pitch >= highest - 0.01:
        signs.append(_MelodyEvidence(1.5, "it lies highest"))
    elif pitch < 52:
        signs.append(_MelodyEvidence(-3.0, "it lies low"))
    signs.append(_MelodyEvidence(-abs(pitch - 72) / 12, "its register"))
    if not 0.4 <= a_second <= 8:
        signs.append(_MelodyEvidence(-1.5, "its pace"))
    if len(part.notes) < _FEW_NOTES:
        signs.append(_MelodyEvidence(-3.0, "its few notes"))
    if len({note.pitch for note in part.notes}) < 4:
        signs.append(_MelodyEvidence(-2.0, "its few pitches"))
    return signs


def _name_evidence(part: MidiPart) -> list[_MelodyEvidence]:
    name = part.name.lower().replace("_", " ")
    signs: list[_MelodyEvidence] = []
    if _MELODY_NAME.search(name):
        signs.append(_MelodyEvidence(4.0, "its name says so"))
    elif _SOLO_INSTRUMENT.search(name):
        signs.append(_MelodyEvidence(2.0, "its instrument often carries the tune"))
    if _ACCOMPANIMENT_NAME.search(name):
        signs.append(_MelodyEvidence(-3.0, "its name is that of an accompaniment"))
    if part.program is not None:
        weight = _PROGRAM_FAMILY_WEIGHTS.get(part.program // 8, 0.0)
        signs.append(_MelodyEvidence(weight, "its instrument often carries the tune"))
    return signs


def _sounding_ticks(notes: Sequence[MidiNote]) -> tuple[int, int]:
    """Ticks in which anything sounds, and in which one note sounds alone."""
    edges = sorted([(each.onset, 1) for each in notes] + [(each.end, -1) for each in notes])
    sounding = alone = voices = last = 0
    for tick, step in edges:
        if voices:
            sounding += tick - last
        if voices == 1:
            alone += tick - last
        voices, last = voices + step, tick
    return max(1, sounding), alone
