"""Chooses the voice of an ABC tune that is the melody, and follows it into another voice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mst_core.errors import BadOption
from mst_core.reading.abc.tempo import DEFAULT_TEMPO
from mst_core.reading.abc.tune import AbcMeasure, AbcTune
from mst_core.reading.melody_part import (
    PartDescription,
    describe_choice,
    find_continuation,
    rank_parts,
)
from mst_core.reading.parsed_score import PartCandidate

_VELOCITY = 80  # ABC names no loudness


@dataclass(frozen=True, slots=True)
class MelodyVoice:
    """The voice that was taken as the melody."""

    tune: AbcTune
    """Its music, with what it takes from another voice where it rests."""
    number: int
    """From 1."""
    candidates: tuple[PartCandidate, ...]
    """All voices, ranked; empty where there is only one."""
    remarks: tuple[str, ...]


def choose_voice(voices: Sequence[AbcTune], track: int | None) -> MelodyVoice:
    """Choose the voice that is the melody.

    Args:
        voices: All voices that have notes, at least one.
        track: The voice that was asked for, from 1; None finds it.

    Raises:
        BadOption: for a voice that is not there.
    """
    count = len(voices)
    if track is not None and not 1 <= track <= count:
        there = f"the tune has voices 1 to {count}" if count > 1 else "the tune has 1 voice"
        raise BadOption("track", track, there)
    if count == 1:
        return MelodyVoice(voices[0], 1, (), ())
    described = [_describe(voice, number) for number, voice in enumerate(voices, start=1)]
    tempo = voices[0].tempo or DEFAULT_TEMPO
    candidates, reasons = rank_parts(described, tempo=tempo)
    if track is not None or not candidates:
        number = track or 1
        return MelodyVoice(voices[number - 1], number, candidates, ())
    number = candidates[0].number
    remarks = list(describe_choice(candidates, reasons, noun="Voice", parts=described))
    tune = voices[number - 1]
    other = find_continuation(described, candidates)
    if other:
        followed = _follow(tune, voices[other.number - 1])
        tune = followed or tune
        remarks.append(
            f"Where it rests, the tune goes on in voice {other.number} ({other.name}), and was "
            f"taken from there."
            if followed
            else f"Where it rests, voice {other.number} ({other.name}) may go on with the tune: "
            f"to take that one, set the option track to {other.number}."
        )
    return MelodyVoice(tune, number, candidates, tuple(remarks))


def _describe(voice: AbcTune, number: int) -> PartDescription:
    """Describe a voice as every format can."""
    notes = sorted(_sounding(voice))
    onsets = len({onset for onset, *_ in notes})
    return PartDescription(
        label=voice.voice or f"voice {number}",
        name=voice.voice,
        program=voice.program,
        drums=voice.is_percussion,
        notes=notes,
        sung=min(1.0, voice.syllables / onsets) if onsets else 0.0,
    )


def _sounding(voice: AbcTune) -> Iterator[tuple[float, float, int, int]]:
    """Onset, end, MIDI number and velocity of each note, in the order of the text."""
    start = 0.0
    for measure in voice.measures:
        onset = start
        for note in measure.notes:
            end = onset + float(note.duration)
            for pitch in (note.pitch, *note.below):
                if pitch is not None:
                    yield onset, end, pitch, _VELOCITY
            onset = end
        start += float(measure.length)


def _follow(voice: AbcTune, other: AbcTune) -> AbcTune | None:
    """The voice with the measures of the other one where it rests; None where they do not match."""
    if [each.length for each in voice.measures] != [each.length for each in other.measures]:
        return None
    measures = tuple(
        replace(first, notes=second.notes) if _rests(first) and not _rests(second) else first
        for first, second in zip(voice.measures, other.measures, strict=True)
    )
    return replace(voice, measures=measures)


def _rests(measure: AbcMeasure) -> bool:
    """Whether no note sounds in a measure."""
    return all(note.pitch is None for note in measure.notes)
