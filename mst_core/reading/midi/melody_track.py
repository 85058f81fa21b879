"""Chooses the part of a MIDI file that is the melody, and the melody line within that part.

`find_melody_track` weighs several kinds of evidence, none of which is certain alone: name,
instrument, monophony, register, share of time that it sounds, notes per second. `find_skyline`
separates the top line of a part from the notes below it. Times are ticks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from statistics import fmean, median

from mst_core.errors import BadOption, NoMelody
from mst_core.reading.midi.notes import MidiNote
from mst_core.reading.midi.parts import MidiPart
from mst_core.reading.midi.tempo_map import TempoMap

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
_PROGRAM_FAMILY_WEIGHTS = {
    4: -2.5,  # bass
    6: -0.5,  # ensemble
    7: 0.5,  # brass
    8: 0.5,  # reed
    9: 1.0,  # pipe
    10: 1.0,  # synth lead
    11: -1.0,  # synth pad
    14: -2.0,  # percussion
    15: -3.0,  # sound effects
}
"""Evidence by the family of eight General MIDI programs."""
_FEW_NOTES = 8
_FEW_PITCHES = 4
_LOW_PITCH = 52  # mean MIDI number
_USUAL_PITCH = 72  # MIDI number; each octave of distance from it counts 1 against a part
_USUAL_SHARE = 0.6  # of the piece's duration in which a melody sounds
_USUAL_PACE = (0.4, 8.0)  # notes per second
_STATED_REASONS = 3  # at most, in the sentence for the user
_STATED_WEIGHT = 0.5  # at least
_LISTED_PARTS = 12
_BASS_DISTANCE = 14  # semitones below the median of its neighbors from which a note is bass
_MEDIAN_RADIUS = 8  # notes on either side


def find_melody_track(
    parts: Sequence[MidiPart], tempo: TempoMap, *, track: int | None
) -> tuple[int, tuple[str, ...]]:
    """Choose the part that is the melody.

    Args:
        parts: all parts of the file.
        tempo: of the file.
        track: the part that the user asked for, from 1; None chooses by evidence.

    Returns:
        The index of the part, and a warning that names the reasons if there was a choice.

    Raises:
        BadOption: when there is no such part, or it is the drums.
        NoMelody: when no part but drums has two notes.
    """
    if track is not None:
        if not 1 <= track <= len(parts) or parts[track - 1].drums:
            raise BadOption("track", track, f"tracks of this file are {list_parts(parts)}")
        return track - 1, ()
    candidates = [
        index for index, each in enumerate(parts) if not each.drums and len(each.notes) > 1
    ]
    if not candidates:
        raise NoMelody(list_parts(parts) if parts else "a MIDI file without notes")
    if len(candidates) == 1:
        return candidates[0], ()
    evidence = {index: [*_melody_evidence(parts[index], parts, tempo)] for index in candidates}
    best = max(candidates, key=lambda index: (sum(weight for weight, _ in evidence[index]), -index))
    strongest = sorted(evidence[best], key=lambda each: -each[0])
    reasons = [reason for weight, reason in strongest if weight >= _STATED_WEIGHT]
    why = ", ".join(reasons[:_STATED_REASONS] or ["it fits best of all"])
    return best, (
        f"Track {best + 1} of {len(parts)} ({parts[best].name}) was taken as the melody: "
        f"{why}. The tracks are {list_parts(parts)}.",
    )


def list_parts(parts: Sequence[MidiPart]) -> str:
    """Return the first dozen parts as text, such as ``1 Flute, 2 Piano, 3 Drums``."""
    names = [f"{number} {each.name}" for number, each in enumerate(parts[:_LISTED_PARTS], start=1)]
    more = len(parts) - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


def _melody_evidence(
    part: MidiPart, parts: Sequence[MidiPart], tempo: TempoMap
) -> Iterator[tuple[float, str]]:
    """Yield weights, above 0 in favor of a part being the melody, each with its reason in words."""
    pitched = [each for each in parts if not each.drums]
    start = min(each.notes[0].onset for each in pitched)
    end = max(max(note.end for note in each.notes) for each in pitched)
    sounding, alone = _sounding_ticks(part.notes)
    pitch = fmean(note.pitch for note in part.notes)
    highest = max(fmean(note.pitch for note in each.notes) for each in pitched)
    pace = len(part.notes) / max(1.0, tempo.seconds(end) - tempo.seconds(start))
    monophony = alone / sounding
    share = sounding / max(1, end - start)
    yield from _name_evidence(part)
    yield 4 * monophony - 2, "it goes one note at a time"
    yield 2 * min(1.0, share / _USUAL_SHARE) - 1, "it sounds most of the time"
    if pitch >= highest - 0.01:
        yield 1.5, "it lies highest"
    elif pitch < _LOW_PITCH:
        yield -3.0, "it lies low"
    yield -abs(pitch - _USUAL_PITCH) / 12, "its register"
    if not _USUAL_PACE[0] <= pace <= _USUAL_PACE[1]:
        yield -1.5, "its pace"
    if len(part.notes) < _FEW_NOTES:
        yield -3.0, "its few notes"
    if len({note.pitch for note in part.notes}) < _FEW_PITCHES:
        yield -2.0, "its few pitches"


def _name_evidence(part: MidiPart) -> Iterator[tuple[float, str]]:
    """Yield the evidence in the name and the program of a part."""
    name = part.name.lower().replace("_", " ")
    if _MELODY_NAME.search(name):
        yield 4.0, "its name says so"
    elif _SOLO_INSTRUMENT.search(name):
        yield 2.0, "its instrument often carries the tune"
    if _ACCOMPANIMENT_NAME.search(name):
        yield -3.0, "its name is that of an accompaniment"
    if part.program is not None:
        weight = _PROGRAM_FAMILY_WEIGHTS.get(part.program // 8, 0.0)
        yield weight, "its instrument often carries the tune"


def _sounding_ticks(notes: Sequence[MidiNote]) -> tuple[int, int]:
    """Ticks in which any note sounds (at least 1), and in which exactly one does."""
    edges = sorted([(each.onset, 1) for each in notes] + [(each.end, -1) for each in notes])
    sounding = alone = count = last = 0
    for tick, step in edges:
        if count:
            sounding += tick - last
        if count == 1:
            alone += tick - last
        count, last = count + step, tick
    return max(1, sounding), alone


def find_skyline(
    notes: Sequence[MidiNote], *, chord_spread: int
) -> tuple[list[MidiNote], list[MidiNote]]:
    """Separate the top line of a part from the notes below it.

    Of a chord the highest note is melody. A note that ends while a higher one still sounds is
    below; a note that only overlaps its neighbors is legato, and is cut where the next one begins.

    Args:
        notes: of one part.
        chord_spread: ticks by which the onsets of a chord may differ; 0 for notated music.

    Returns:
        The top line, notes that never overlap, in order; and all other notes but doublings,
        sorted.
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
        is_chord = note.onset - last.onset <= chord_spread and 2 * overlap >= shorter
        is_below = note.pitch < last.pitch and (is_chord or 2 * overlap >= note.end - note.onset)
        if is_below:
            below.append(note)
        elif is_chord and note.pitch > last.pitch:  # an arpeggiated chord, upwards
            below.append(line.pop())
            line.append(note)
        else:
            line[-1] = last._replace(end=note.onset)
            line.append(note)
    if below:
        line, bass = _split_bass(line)
        below.extend(bass)
    return line, sorted(below)


def _split_bass(line: list[MidiNote]) -> tuple[list[MidiNote], list[MidiNote]]:
    """Melody and bass notes of a line: where the melody rests, the bass is the top line."""
    melody: list[MidiNote] = []
    bass: list[MidiNote] = []
    for index, note in enumerate(line):
        neighbors = line[max(0, index - _MEDIAN_RADIUS) : index + _MEDIAN_RADIUS + 1]
        middle = median(each.pitch for each in neighbors)
        (bass if note.pitch < middle - _BASS_DISTANCE else melody).append(note)
    return melody, bass
