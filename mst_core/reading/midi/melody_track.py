"""Chooses the part of a MIDI file that is the melody, and the melody line within that part.

`find_melody_track` describes the parts for the ranking that all formats share
(`mst_core.reading.melody_part`). `find_skyline` separates the top line of a part from the notes
below it. Times are ticks.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from statistics import median

from mst_core.errors import BadOption, NoMelody
from mst_core.reading.melody_part import (
    PartDescription,
    describe_choice,
    describe_continuation,
    rank_parts,
    sung_share,
)
from mst_core.reading.midi.notes import MidiNote
from mst_core.reading.midi.parts import MidiPart, MidiScore
from mst_core.reading.midi.tempo_map import TempoMap
from mst_core.reading.parsed_score import PartCandidate

_LISTED_PARTS = 12
_TEMPO_WITHOUT_NOTES = 120.0  # quarter notes a minute
_SHORTEST_PIECE = 0.001  # seconds
_MAX_SYLLABLES = 5_000  # that are compared with every part
_BASS_DISTANCE = 14  # semitones below the median of its neighbors from which a note is bass
_FEW_STRIKES = 12
_SINGLE_NOTES = 1.2
"""Notes to a strike up to which a part strikes one note at a time."""
_RINGING_SHARE = 0.5
"""Of the notes that sound through two later ones, from which strings ring on."""
_MEDIAN_RADIUS = 8  # notes on either side


def find_melody_track(
    score: MidiScore, tempo: TempoMap, *, track: int | None
) -> tuple[int, tuple[PartCandidate, ...], tuple[str, ...]]:
    """Choose the part that is the melody.

    Args:
        score: all parts of the file, and its words.
        tempo: of the file.
        track: the part that the user asked for, from 1; None chooses by evidence.

    Returns:
        The index of the part; the parts ranked by how likely each is the melody; and remarks about
        the choice, if there was one.

    Raises:
        BadOption: when there is no such part, or it is the drums.
        NoMelody: when no part but drums has two notes.
    """
    parts = score.parts
    if track is not None and (not 1 <= track <= len(parts) or parts[track - 1].drums):
        raise BadOption("track", track, f"tracks of this file are {list_parts(parts)}")
    quarter = score.ticks_per_quarter
    syllables = sorted({tick / quarter for tick, _ in score.syllables[:_MAX_SYLLABLES]})
    described = [_describe(part, quarter, syllables) for part in parts]
    pitched = [part for part in parts if not part.drums]
    average = _TEMPO_WITHOUT_NOTES
    if pitched:
        start = min(part.notes[0].onset for part in pitched)
        end = max(note.end for part in pitched for note in part.notes)
        seconds = tempo.seconds(end) - tempo.seconds(start)
        average = (end - start) / quarter * 60 / max(seconds, _SHORTEST_PIECE)
    candidates, reasons = rank_parts(described, tempo=average)
    if track is not None:
        return track - 1, candidates, ()
    if not candidates:
        raise NoMelody(list_parts(parts) if parts else "a MIDI file without notes")
    remarks = (
        *describe_choice(candidates, reasons, noun="Track", parts=described),
        *describe_continuation(described, candidates, noun="Track"),
    )
    return candidates[0].number - 1, candidates, remarks


def _describe(part: MidiPart, quarter: int, syllables: Sequence[float]) -> PartDescription:
    """A part as the ranking of parts wants it: times in quarter notes of ``quarter`` ticks."""
    onsets = sorted({note.onset / quarter for note in part.notes})
    return PartDescription(
        label=part.name,
        name=part.own_name,
        program=part.program,
        drums=part.drums,
        notes=[
            (note.onset / quarter, note.end / quarter, note.pitch, note.velocity)
            for note in part.notes
        ],
        sung=sung_share(onsets, syllables),
    )


def list_parts(parts: Sequence[MidiPart]) -> str:
    """Return the first dozen parts as text, such as ``1 Flute, 2 Piano, 3 Drums``."""
    names = [f"{number} {each.name}" for number, each in enumerate(parts[:_LISTED_PARTS], start=1)]
    more = len(parts) - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


def find_skyline(
    notes: Sequence[MidiNote], *, chord_spread: int
) -> tuple[list[MidiNote], list[MidiNote]]:
    """Separate the top line of a part from the notes below it.

    Of a chord the highest note is melody. A note that ends while a higher one still sounds is
    below; a note that only overlaps its neighbors is legato, and is cut where the next one begins.
    Where all strings ring on, as on a guitar or a harp, each note lasts to the next.

    Args:
        notes: of one part.
        chord_spread: ticks by which the onsets of a chord may differ; 0 for notated music.

    Returns:
        The top line, notes that never overlap, in order; and all other notes but doublings,
        sorted.
    """
    line: list[MidiNote] = []
    below: list[MidiNote] = []
    if _rings_on(notes, chord_spread):
        notes = list(_damped(notes, chord_spread))
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


def _strikes(notes: Sequence[MidiNote], chord_spread: int) -> list[int]:
    """Onsets of single notes and chords, rising."""
    strikes: list[int] = []
    for onset in sorted({note.onset for note in notes}):
        if not strikes or onset - strikes[-1] > chord_spread:
            strikes.append(onset)
    return strikes


def _rings_on(notes: Sequence[MidiNote], chord_spread: int) -> bool:
    """Whether most notes of a part that strikes one at a time sound through two later ones."""
    strikes = _strikes(notes, chord_spread)
    if len(strikes) < _FEW_STRIKES or len(notes) > _SINGLE_NOTES * len(strikes):
        return False
    through = 0
    for note in notes:
        index = bisect_right(strikes, note.onset) + 1
        through += index < len(strikes) and strikes[index] < note.end
    return through >= _RINGING_SHARE * len(notes)


def _damped(notes: Sequence[MidiNote], chord_spread: int) -> Iterator[MidiNote]:
    """Yield the notes, each cut at the next strike."""
    strikes = _strikes(notes, chord_spread)
    for note in notes:
        index = bisect_right(strikes, note.onset)
        yield note._replace(end=min(note.end, strikes[index])) if index < len(strikes) else note


def _split_bass(line: list[MidiNote]) -> tuple[list[MidiNote], list[MidiNote]]:
    """Melody and bass notes of a line: where the melody rests, the bass is the top line."""
    melody: list[MidiNote] = []
    bass: list[MidiNote] = []
    for index, note in enumerate(line):
        neighbors = line[max(0, index - _MEDIAN_RADIUS) : index + _MEDIAN_RADIUS + 1]
        middle = median(each.pitch for each in neighbors)
        (bass if note.pitch < middle - _BASS_DISTANCE else melody).append(note)
    return melody, bass
