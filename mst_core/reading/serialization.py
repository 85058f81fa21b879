"""A reading as bytes and back: from the parser's process to the bot, and on to the engine.

Msgpack, arrays without names, each time a pair of integers. The form is frozen: one that changes
takes another number. Who decodes trusts nobody: every size, range and order is checked.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Literal, cast

import msgspec
from msgspec import Meta

from mst_core.music import MODES, Key, Melody, Meter, MeterChange, Note, Part, PartNote, Repeat
from mst_core.reading.parsed_score import ParsedScore

MAX_ENCODED_BYTES = 8_000_000
"""Bytes of an encoded reading."""
_MAX_NOTES = 200_000
_MAX_CHANGES = 4_000  # of meter or section
MAX_TEMPO_CHANGES = 20_000
_MAX_BARS = 4_000

_Count = Annotated[int, Meta(ge=0, le=_MAX_BARS)]
_Seven = Annotated[int, Meta(ge=0, le=127)]
_Time = tuple[Annotated[int, Meta(ge=-(2**53), le=2**53)], Annotated[int, Meta(ge=1, le=2**31)]]
_Text = Annotated[str, Meta(max_length=1_000)]
_Tempo = Annotated[float, Meta(gt=0, le=1e6)]
# Powers of two, so that barlines have no monstrous denominators.
_Meter = tuple[
    Annotated[int, Meta(ge=1, le=10_000)], Literal[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
]


class InvalidScoreBytes(ValueError):
    """Bytes that are no reading, or one that cannot be."""


class _Repeat(msgspec.Struct, frozen=True, array_like=True):
    start: _Count
    end: _Count
    first_ending: _Count | None
    second_ending: _Count | None
    lead_in: _Time
    lead_out: _Time


class _Part(msgspec.Struct, frozen=True, array_like=True):
    name: _Text
    program: _Seven
    drums: bool
    notes: Annotated[list[tuple[_Time, _Time, _Seven, _Seven]], Meta(max_length=_MAX_NOTES)]


class _Form(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    number: Literal[1]
    title: _Text
    notes: Annotated[list[tuple[_Time, _Time, _Seven]], Meta(max_length=_MAX_NOTES)]
    meter: _Meter
    tonic: Annotated[int, Meta(ge=0, le=11)]
    mode: str
    tempo: _Tempo
    bars: _Count
    sections: Annotated[list[_Count], Meta(max_length=_MAX_CHANGES)]
    changes: Annotated[list[tuple[_Count, _Meter]], Meta(max_length=_MAX_CHANGES)]
    repeats: Annotated[list[_Repeat], Meta(max_length=_MAX_CHANGES)]
    parts: Annotated[list[_Part], Meta(max_length=1_000)]
    program: _Seven | None
    tempos: Annotated[
        list[tuple[Annotated[float, Meta(ge=-1e9, le=1e9)], _Tempo]],
        Meta(max_length=MAX_TEMPO_CHANGES),
    ]
    remarks: Annotated[list[_Text], Meta(max_length=100)]


_decoder = msgspec.msgpack.Decoder(_Form)


def encode_score(reading: ParsedScore) -> bytes:
    """Return the bytes that `decode_score` reads."""
    melody = reading.melody
    form = _Form(
        number=1,
        title=reading.title,
        notes=[(_pair(note.onset), _pair(note.duration), note.pitch) for note in melody.notes],
        meter=_meter_pair(melody.meter),
        tonic=melody.key.tonic,
        mode=melody.key.mode,
        tempo=float(melody.tempo),
        bars=melody.bar_count,
        sections=list(melody.sections),
        changes=[(change.bar, _meter_pair(change.meter)) for change in melody.meter_changes],
        repeats=[
            _Repeat(
                each.start,
                each.end,
                each.first_ending,
                each.second_ending,
                _pair(each.lead_in),
                _pair(each.lead_out),
            )
            for each in melody.repeats
        ],
        parts=[
            _Part(
                part.name,
                part.program,
                part.drums,
                [
                    (_pair(note.onset), _pair(note.duration), note.pitch, note.velocity)
                    for note in part.notes
                ],
            )
            for part in reading.parts
        ],
        program=reading.program,
        tempos=[(float(place), float(tempo)) for place, tempo in reading.tempos],
        remarks=list(reading.warnings),
    )
    return msgspec.msgpack.encode(form)


def decode_score(data: bytes) -> ParsedScore:
    """Return the reading that was encoded.

    Raises:
        BrokenReading: when the bytes are anything else.
    """
    if len(data) > MAX_ENCODED_BYTES:
        raise InvalidScoreBytes(f"{len(data)} bytes")
    try:
        form = _decoder.decode(data)
        return ParsedScore(
            title=form.title,
            melody=_melody(form),
            parts=tuple(_part(part) for part in form.parts),
            program=form.program,
            tempos=tuple(form.tempos),
            warnings=tuple(form.remarks),
        )
    except (msgspec.DecodeError, ValueError) as error:
        raise InvalidScoreBytes(str(error)) from error


def _melody(form: _Form) -> Melody:
    if form.mode not in MODES:
        raise ValueError(f"the mode {form.mode[:20]!r}")
    changes = tuple(MeterChange(bar, Meter(*meter)) for bar, meter in form.changes)
    _check_rising([change.bar for change in changes], form.bars)
    _check_rising(form.sections, form.bars)
    repeats = tuple(
        Repeat(
            each.start,
            each.end,
            each.first_ending,
            each.second_ending,
            Fraction(*each.lead_in),
            Fraction(*each.lead_out),
        )
        for each in form.repeats
    )
    for repeat in repeats:
        ending = repeat.end if repeat.first_ending is None else repeat.first_ending
        behind = repeat.end if repeat.second_ending is None else repeat.second_ending
        if not repeat.start < repeat.end <= behind <= form.bars:
            raise ValueError(f"a repeat from bar {repeat.start} to {repeat.end}")
        if not repeat.start <= ending <= repeat.end:
            raise ValueError(f"a first ending at bar {ending}")
    if any(first.end > second.start for first, second in pairwise(repeats)):
        raise ValueError("repeats within each other")
    return Melody(
        notes=tuple(
            Note(Fraction(*onset), Fraction(*duration), pitch)
            for onset, duration, pitch in form.notes
        ),
        meter=Meter(*form.meter),
        key=Key(form.tonic, form.mode),
        tempo=form.tempo,
        bar_count=form.bars,
        sections=tuple(form.sections),
        meter_changes=changes,
        repeats=repeats,
    )


def _part(form: _Part) -> Part:
    notes = tuple(
        PartNote(Fraction(*onset), Fraction(*duration), pitch, velocity)
        for onset, duration, pitch, velocity in form.notes
    )
    if any(note.duration <= 0 for note in notes):
        raise ValueError("a note needs a duration above 0")
    return Part(form.name, form.program, form.drums, notes)


def _check_rising(bars: list[int], most: int) -> None:
    """Raise ValueError unless the bars rise and are there."""
    if any(first >= second for first, second in pairwise(bars)) or (bars and bars[-1] > most):
        raise ValueError("bars that do not rise, or that are not there")


def _pair(time: Fraction) -> tuple[int, int]:
    return time.numerator, time.denominator


def _meter_pair(meter: Meter) -> _Meter:
    return cast(_Meter, (meter.numerator, meter.denominator))
