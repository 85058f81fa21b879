"""A `ParsedScore` as msgpack bytes and back, for pipes between processes and the cache of uploads.

The dataclasses of `mst_core.music` are encoded as they are, a Fraction as [numerator, denominator].
A parser process that a hostile file has taken over could send anything, so `decode_score` checks
sizes and ranges. A change of these dataclasses or of what the readers find takes a new `VERSION`:
kept bytes of an older one are refused, and the file is parsed again.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from mst_core.music import MODES, ControlEvent, Repeat
from mst_core.reading.parsed_score import ParsedScore

VERSION = 3
"""The first byte of an encoded score; a CRC-32 of four bytes and the msgpack come after it."""
_HEAD_BYTES = 5
MAX_ENCODED_BYTES = 8_000_000
MAX_TEMPO_CHANGES = 20_000
MAX_NOTES = 40_000
"""Of one part; twice what the readers accept of all parts together."""
MAX_CONTROLS = 120_000
"""Of one part, likewise."""
_MAX_ALL_NOTES, _MAX_ALL_CONTROLS = 2 * MAX_NOTES, 2 * MAX_CONTROLS
"""Of all parts together, however they are shared out: decoding takes some hundred bytes each."""
_MAX_TUNES = 10_000
_MAX_BARS = 4_000
_MAX_PARTS = 1_000
_MAX_SECONDS = 86_400.0  # that a score is said to last
_MAX_TEXT_LENGTH = 1_000
_MAX_WARNINGS = 100
_MAX_GRACE_NOTES = 1_000
_MAX_NUMERATOR, _MAX_DENOMINATOR = 2**53, 2**31  # of a time in quarter notes


class _MeterBounds(msgspec.Struct):
    """A meter whose denominator is a power of two, so that barlines are simple fractions."""

    numerator: Annotated[int, Meta(ge=1, le=10_000)]
    denominator: Literal[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]


class _MelodyBounds(msgspec.Struct):
    """Decoded before the score: a `Melody` adds up all its bars as soon as it is made.

    Lists of small items are bounded here too, before memory is allocated for each item.
    """

    bar_count: Annotated[int, Meta(ge=0, le=_MAX_BARS)]
    meter: _MeterBounds
    tempo: float
    sections: Annotated[list[msgspec.Raw], Meta(max_length=_MAX_BARS + 1)]
    meter_changes: Annotated[list[dict[str, int | _MeterBounds]], Meta(max_length=_MAX_BARS)]
    """Each a bar and a meter."""
    notes: Annotated[list[msgspec.Raw], Meta(max_length=MAX_NOTES)]
    tempo_changes: Annotated[list[msgspec.Raw], Meta(max_length=MAX_TEMPO_CHANGES)]
    key_changes: Annotated[list[msgspec.Raw], Meta(max_length=_MAX_BARS)]
    chords: Annotated[list[msgspec.Raw], Meta(max_length=MAX_NOTES)]
    grace_notes: Annotated[list[msgspec.Raw], Meta(max_length=MAX_NOTES)]


class _PartBounds(msgspec.Struct):
    notes: Annotated[list[msgspec.Raw], Meta(max_length=MAX_NOTES)]
    controls: Annotated[list[msgspec.Raw], Meta(max_length=MAX_CONTROLS)]


class _ScoreBounds(msgspec.Struct):
    melody: _MelodyBounds
    parts: Annotated[list[msgspec.Raw], Meta(max_length=_MAX_PARTS)]
    """Each a `_PartBounds`, decoded one after the other: all at once may take 600 MB."""
    controls: Annotated[list[msgspec.Raw], Meta(max_length=MAX_CONTROLS)]
    candidates: Annotated[list[msgspec.Raw], Meta(max_length=_MAX_PARTS)]
    tunes: Annotated[list[msgspec.Raw], Meta(max_length=_MAX_TUNES)]
    warnings: Annotated[list[msgspec.Raw], Meta(max_length=_MAX_WARNINGS)]


def _encode_fraction(value: object) -> tuple[int, int]:
    """The numerator and denominator of a Fraction, the only type that msgspec does not encode."""
    if not isinstance(value, Fraction):
        raise NotImplementedError(f"a {type(value).__name__} in a score")
    return value.numerator, value.denominator


def _decode_fraction(_: type, value: Any) -> Fraction:
    """A Fraction from [numerator, denominator], both of bounded size."""
    numerator, denominator = msgspec.convert(value, tuple[int, int])
    if not (abs(numerator) <= _MAX_NUMERATOR and 1 <= denominator <= _MAX_DENOMINATOR):
        raise ValueError(f"the time {numerator}/{denominator}")
    return Fraction(numerator, denominator)


_bounds_decoder = msgspec.msgpack.Decoder(_ScoreBounds)
_part_decoder = msgspec.msgpack.Decoder(_PartBounds)
_score_decoder = msgspec.msgpack.Decoder(ParsedScore, dec_hook=_decode_fraction)


def encode_score(score: ParsedScore) -> bytes:
    """Encode a score as msgpack.

    Args:
        score: what a reader found in a file.

    Returns:
        The bytes that `decode_score` reads; about 40 a note.
    """
    body = msgspec.msgpack.encode(score, enc_hook=_encode_fraction)
    return bytes([VERSION]) + zlib.crc32(body).to_bytes(4) + body


def is_encoded_score(data: bytes) -> bool:
    """Whether bytes have the size, the version and the checksum of an encoded score.

    It finds what a disk has damaged and what another version has written, without decoding; only
    `decode_score` checks the content.
    """
    return (
        len(data) <= MAX_ENCODED_BYTES
        and data[:1] == bytes([VERSION])
        and data[1:_HEAD_BYTES] == zlib.crc32(memoryview(data)[_HEAD_BYTES:]).to_bytes(4)
    )


def measure_score(data: bytes) -> tuple[int, float, int]:
    """Return the size of an encoded score without decoding its notes: for what its work will be.

    Args:
        data: what `encode_score` returned; it may come from a hostile process.

    Returns:
        Notes of the melody, seconds at its first meter and tempo, and number of the other parts.

    Raises:
        msgspec.DecodeError: when the bytes are damaged or out of range.
    """
    try:
        score = _decode_bounds(memoryview(data)[_HEAD_BYTES:])
    except (ValueError, RecursionError) as error:
        raise msgspec.ValidationError(str(error)) from error
    melody = score.melody
    quarters = melody.bar_count * melody.meter.numerator * 4 / melody.meter.denominator
    seconds = quarters * 60 / melody.tempo if melody.tempo > 0 else 0.0
    return len(melody.notes), min(_MAX_SECONDS, seconds), len(score.parts)


def decode_score(data: bytes) -> ParsedScore:
    """Decode and check the bytes of `encode_score`.

    Args:
        data: at most `MAX_ENCODED_BYTES`; they may come from a hostile process.

    Returns:
        A score equal to the one that was encoded.

    Raises:
        msgspec.DecodeError: when the bytes are damaged, of another version, or out of range.
    """
    if len(data) > MAX_ENCODED_BYTES:
        raise msgspec.ValidationError(f"{len(data)} bytes")
    if data[:1] != bytes([VERSION]):
        raise msgspec.ValidationError("another version")
    if not is_encoded_score(data):
        raise msgspec.ValidationError("another checksum")
    encoded = memoryview(data)[_HEAD_BYTES:]
    try:
        _decode_bounds(encoded)
        score = _score_decoder.decode(encoded)
        _check_score(score)
    except (ValueError, RecursionError) as error:
        raise msgspec.ValidationError(str(error)) from error
    return score


def _decode_bounds(encoded: memoryview) -> _ScoreBounds:
    """Check the size of a score in little memory; ValueError where it is too large."""
    score = _bounds_decoder.decode(encoded)
    n_notes = n_controls = 0
    for encoded_part in score.parts:
        part = _part_decoder.decode(encoded_part)
        n_notes, n_controls = n_notes + len(part.notes), n_controls + len(part.controls)
        if n_notes > _MAX_ALL_NOTES or n_controls > _MAX_ALL_CONTROLS:
            raise ValueError("too many notes or controls of all parts together")
    return score


def _check_score(score: ParsedScore) -> None:
    """Raise ValueError for what neither the types nor `Melody` forbid."""
    melody, parts = score.melody, score.parts
    texts = (
        score.title,
        *score.warnings,
        *score.tunes,
        *(part.name for part in parts),
        *(candidate.name for candidate in score.candidates),
        *(chord.text for chord in melody.chords),
    )
    _check_range("length of a text", map(len, texts), 0, _MAX_TEXT_LENGTH)
    _check_range("pitch", melody.pitches, 0, 127)
    for part in parts:
        _check_range("program", (part.program,), 0, 127)
        _check_range("pitch", (note.pitch for note in part.notes), 0, 127)
        _check_range("velocity", (note.velocity for note in part.notes), 0, 127)
        _check_controls(part.controls)
        if any(note.duration <= 0 for note in part.notes):
            raise ValueError("a note needs a duration above 0")
    _check_range("program", () if score.program is None else (score.program,), 0, 127)
    _check_controls(score.controls)
    _check_range("velocity", () if score.velocity is None else (score.velocity,), 1, 127)
    _check_range("swing", () if score.swing is None else (score.swing,), 0.3, 0.8)
    tempos = melody.tempo, *(change.tempo for change in melody.tempo_changes)
    _check_range("tempo", tempos, 1e-6, 1e6)
    _check_rising("tempo changes", [change.onset for change in melody.tempo_changes])
    _check_rising("chords", [chord.onset for chord in melody.chords])
    _check_rising("grace notes", [grace.note for grace in melody.grace_notes])
    _check_range(
        "grace notes", (grace.note for grace in melody.grace_notes), 0, len(melody.notes) - 1
    )
    for grace in melody.grace_notes:
        _check_range("grace notes", (len(grace.pitches),), 1, _MAX_GRACE_NOTES)
        _check_range("pitch", grace.pitches, 0, 127)
    for key in (melody.key, *(change.key for change in melody.key_changes)):
        _check_range("tonic", (key.tonic,), 0, 11)
        if key.mode not in MODES:
            raise ValueError(f"the mode {key.mode[:20]!r}")
    _check_increasing("sections", melody.sections, melody.bar_count)
    _check_increasing(
        "meter changes", [change.bar for change in melody.meter_changes], melody.bar_count
    )
    _check_increasing(
        "key changes", [change.bar for change in melody.key_changes], melody.bar_count
    )
    for repeat in melody.repeats:
        _check_repeat(repeat, melody.bar_count)
    if any(first.end > second.start for first, second in pairwise(melody.repeats)):
        raise ValueError("overlapping repeats")


def _check_range(name: str, values: Iterable[float], lowest: float, highest: float) -> None:
    """Raise ValueError unless all values are in the closed range; NaN never is."""
    for value in values:
        if not lowest <= value <= highest:
            raise ValueError(f"{name}: {value!r}")


def _check_controls(controls: Iterable[ControlEvent]) -> None:
    """Raise ValueError unless all numbers and values are those of MIDI."""
    for event in controls:
        lowest, highest = (-8192, 8191) if event.kind == "bend" else (0, 127)
        _check_range(event.kind, (event.number,), 0, 127)
        _check_range(event.kind, (event.value,), lowest, highest)


def _check_rising(name: str, places: Sequence[Fraction | int]) -> None:
    """Raise ValueError unless times or indices strictly rise."""
    if any(first >= second for first, second in pairwise(places)):
        raise ValueError(f"{name} do not rise")


def _check_increasing(name: str, bars: Iterable[int], last: int) -> None:
    """Raise ValueError unless bar numbers strictly increase and lie in 0..last."""
    bars = list(bars)
    _check_range(name, bars, 0, last)
    if any(first >= second for first, second in pairwise(bars)):
        raise ValueError(f"{name} do not increase")


def _check_repeat(repeat: Repeat, bars: int) -> None:
    """Raise ValueError unless a repeated section and its endings are in order within the bars."""
    first_ending = repeat.end if repeat.first_ending is None else repeat.first_ending
    end = repeat.end if repeat.second_ending is None else repeat.second_ending
    if not 0 <= repeat.start < repeat.end <= end <= bars:
        raise ValueError(f"a repeat from bar {repeat.start} to {repeat.end}")
    if not repeat.start <= first_ending <= repeat.end:
        raise ValueError(f"a first ending at bar {first_ending}")
