"""A score crosses between processes unchanged, and nothing else does."""

from __future__ import annotations

import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mst_core.music import (
    MODES,
    ChordSymbol,
    ControlEvent,
    GraceNotes,
    Key,
    KeyChange,
    Melody,
    Meter,
    MeterChange,
    Note,
    Part,
    PartNote,
    Repeat,
    TempoChange,
)
from mst_core.reading.parsed_score import ParsedScore, PartCandidate
from mst_core.reading.serialization import (
    VERSION,
    decode_score,
    encode_score,
    is_encoded_score,
    measure_score,
)
from tests.support.melodies import REEL, melodies

times = st.fractions(-(10**6), 10**6, max_denominator=10**6)
durations = st.fractions(Fraction(1, 10**6), 10**6, max_denominator=10**6)
midi_numbers = st.integers(0, 127)
part_notes = st.builds(PartNote, times, durations, midi_numbers, midi_numbers)
control_events = st.builds(
    ControlEvent, times, st.sampled_from(["program", "control", "bend"]), midi_numbers, midi_numbers
)
parts = st.builds(
    Part,
    st.text(max_size=20),
    midi_numbers,
    st.booleans(),
    st.lists(part_notes, max_size=5).map(tuple),
    st.lists(control_events, max_size=5).map(tuple),
)
candidates = st.builds(
    PartCandidate, st.integers(1, 99), st.text(max_size=20), st.integers(0, 999), st.floats(-9, 9)
)
keys = st.builds(Key, st.integers(0, 11), st.sampled_from([*MODES]))


@st.composite
def melodies_with_repeats(draw: st.DrawFn) -> Melody:
    """Draw a melody with up to five changes of meter and, sometimes, a repeat."""
    melody = draw(melodies())
    extra = draw(st.integers(0, 5))
    meters = st.sampled_from([Meter(3, 4), Meter(7, 8), Meter(11, 16)])
    changes = tuple(MeterChange(melody.bar_count + place, draw(meters)) for place in range(extra))
    bars = melody.bar_count + extra
    start = draw(st.integers(0, bars - 1))
    end = draw(st.integers(start + 1, bars))
    ending = draw(st.none() | st.integers(start, end))
    second_end = draw(st.none() | st.integers(end, bars))
    leads = st.fractions(0, 4, max_denominator=24)
    repeat = Repeat(start, end, ending, second_end, draw(leads), draw(leads))
    repeats = draw(st.sampled_from([(), (repeat,)]))
    onsets = draw(st.lists(st.fractions(-9, 99, max_denominator=24), unique=True, max_size=3))
    tempos, texts = st.floats(4, 1_000), st.text(min_size=1, max_size=9)
    indices = range(len(melody.notes))
    ornamented = draw(st.sets(st.sampled_from(indices), max_size=2)) if indices else set()
    pitches = st.lists(midi_numbers, min_size=1, max_size=3).map(tuple)
    key_bars = draw(st.sets(st.integers(0, bars), max_size=2))
    return replace(
        melody,
        bar_count=bars,
        meter_changes=changes,
        repeats=repeats,
        tempo_changes=tuple(TempoChange(onset, draw(tempos)) for onset in sorted(onsets)),
        key_changes=tuple(KeyChange(bar, draw(keys)) for bar in sorted(key_bars)),
        chords=tuple(ChordSymbol(onset, draw(texts)) for onset in sorted(onsets)),
        grace_notes=tuple(GraceNotes(note, draw(pitches)) for note in sorted(ornamented)),
    )


scores = st.builds(
    ParsedScore,
    st.text(max_size=20),
    melodies_with_repeats(),
    st.lists(parts, max_size=3).map(tuple),
    st.none() | midi_numbers,
    warnings=st.lists(st.text(max_size=20), max_size=3).map(tuple),
    controls=st.lists(control_events, max_size=3).map(tuple),
    velocity=st.none() | st.integers(1, 127),
    swing=st.none() | st.floats(0.5, 0.75),
    candidates=st.lists(candidates, max_size=3).map(tuple),
    track=st.none() | st.integers(1, 99),
    tunes=st.lists(st.text(max_size=20), max_size=3).map(tuple),
    tune=st.none() | st.integers(1, 99),
)


@settings(deadline=None, max_examples=60)
@given(scores)
def test_a_score_is_decoded_as_it_was_encoded(score: ParsedScore) -> None:
    assert decode_score(encode_score(score)) == score


SCORE = ParsedScore(
    "Reel",
    REEL,
    (Part("p", 3, drums=True, notes=(PartNote(Fraction(1, 3), Fraction(1), 60),)),),
)
ENCODED = encode_score(SCORE)


@settings(deadline=None, max_examples=150)
@given(st.integers(0, len(ENCODED) - 1), st.integers(0, 255), st.integers(0, 40))
def test_damaged_bytes_give_a_score_or_are_refused(position: int, value: int, cut: int) -> None:
    damaged = bytearray(ENCODED[5:])
    damaged[position % len(damaged)] = value
    try:
        score = decode_score(with_head(VERSION, bytes(damaged[: len(damaged) - cut])))
    except msgspec.DecodeError:
        return
    assert decode_score(encode_score(score)) == score


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=99))
def test_random_bytes_are_refused(noise: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_score(noise)


def encode_plainly(version: int, score: object) -> bytes:
    """Encode plain lists and dictionaries as `encode_score` encodes a score."""
    return with_head(version, msgspec.msgpack.encode(score))


def with_head(version: int, body: bytes) -> bytes:
    """Return a body after its version and its checksum."""
    return bytes([version]) + zlib.crc32(body).to_bytes(4) + body


def as_plain_values() -> dict[str, Any]:
    """The lists and dictionaries in which `SCORE` crosses."""
    score = msgspec.msgpack.decode(ENCODED[5:])
    assert encode_plainly(VERSION, score) == ENCODED
    return dict(score)


def note(onset: object, duration: object, pitch: int) -> dict[str, object]:
    return {"onset": onset, "duration": duration, "pitch": pitch}


def meter(numerator: int, denominator: int) -> dict[str, int]:
    return {"numerator": numerator, "denominator": denominator}


def repeat(start: int, end: int, **more: object) -> dict[str, object]:
    return {"start": start, "end": end, **more}


def tempo_change(onset: int, tempo: float) -> dict[str, object]:
    return {"onset": [onset, 1], "tempo": tempo}


def control(kind: str, number: int, value: int) -> dict[str, object]:
    return {"onset": [0, 1], "kind": kind, "number": number, "value": value}


HALF = {"meter": meter(3, 4), "bar": 3}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("title", "l" * 1_001),
        ("melody.notes", [note([0, 1], [1, 0], 60)]),
        ("melody.notes", [note([0, 1], [-1, 1], 60)]),
        ("melody.notes", [note([0, 1], [0, 1], 60)]),
        ("melody.notes", [note([0, 1], [2, 1], 60), note([1, 1], [1, 1], 60)]),
        ("melody.notes", [note([0, 1], [1, 1], 128)]),
        ("melody.notes", [note([0, 1], [999, 1], 60)]),
        ("melody.notes", [note([2**60, 1], [1, 1], 60)]),
        ("melody.notes", [note([0, 2**40], [1, 1], 60)]),
        ("melody.notes", [note("0", [1, 1], 60)]),
        ("melody.meter", meter(4, 3)),
        ("melody.meter", meter(0, 4)),
        ("melody.meter", meter(4, 0)),
        ("melody.key.tonic", 12),
        ("melody.key.mode", "sad"),
        ("melody.tempo", 0.0),
        ("melody.tempo", float("nan")),
        ("melody.tempo", float("inf")),
        ("melody.bar_count", 10**6),
        ("melody.bar_count", 2**62),
        ("melody.bar_count", -1),
        ("melody.sections", [8, 0]),
        ("melody.sections", [99]),
        ("melody.meter_changes", [HALF, HALF]),
        ("melody.meter_changes", [{"bar": 3, "meter": meter(3, 7)}]),
        ("melody.meter_changes", [{"bar": 99, "meter": meter(3, 4)}]),
        ("melody.repeats", [repeat(4, 2)]),
        ("melody.repeats", [repeat(-1, 2)]),
        ("melody.repeats", [repeat(0, 8, first_ending=9)]),
        ("melody.repeats", [repeat(0, 8, second_ending=99)]),
        ("melody.repeats", [repeat(0, 8, lead_out=[0, 0])]),
        ("melody.repeats", [repeat(start, 9) for start in (0, 4)]),
        ("parts.0.notes", [note([0, 1], [0, 1], 60)]),
        ("parts.0.notes", [note([0, 1], [1, 1], 128)]),
        ("parts.0.notes", [note([0, 1], [1, 1], 60) | {"velocity": 128}]),
        ("parts.0.program", 200),
        ("parts.0.name", "l" * 1_001),
        ("program", -1),
        ("melody.tempo_changes", [tempo_change(0, float("nan"))]),
        ("melody.tempo_changes", [tempo_change(1, 120.0), tempo_change(0, 90.0)]),
        ("melody.tempo_changes", [tempo_change(place, 120.0) for place in range(20_001)]),
        ("melody.key_changes", [{"bar": 99, "key": {"tonic": 0, "mode": "major"}}]),
        ("melody.key_changes", [{"bar": 1, "key": {"tonic": 12, "mode": "major"}}]),
        ("melody.chords", [{"onset": [0, 1], "text": "C"}] * 2),
        ("melody.chords", [{"onset": [0, 1], "text": "C" * 1_001}]),
        ("melody.grace_notes", [{"note": 9_999, "pitches": [60]}]),
        ("melody.grace_notes", [{"note": 0, "pitches": []}]),
        ("melody.grace_notes", [{"note": 0, "pitches": [128]}]),
        ("parts.0.controls", [control("control", 7, 128)]),
        ("parts.0.controls", [control("volume", 7, 100)]),
        ("parts.0.controls", [control("bend", 0, 9_000)]),
        ("parts.0.controls", [control("control", 7, 100)] * 120_001),
        ("controls", [control("program", 128, 0)]),
        ("velocity", 0),
        ("swing", 1.5),
        ("tunes", ["la"] * 10_001),
        ("warnings", ["la"] * 101),
        (
            "parts",
            [{"name": "", "program": 0, "drums": False, "notes": [], "controls": []}] * 1_001,
        ),
    ],
)
def test_a_value_that_no_reader_returns_is_refused(path: str, value: object) -> None:
    score = as_plain_values()
    *steps, last = path.split(".")
    place: Any = score
    for step in steps:
        place = place[int(step) if step.isdecimal() else step]
    assert last in place
    place[last] = value
    with pytest.raises(msgspec.DecodeError):
        decode_score(encode_plainly(VERSION, score))


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (
            ParsedScore,
            "title melody parts program controls velocity swing candidates track tunes"
            " tune warnings",
        ),
        (
            Melody,
            "notes meter key tempo bar_count sections meter_changes repeats tempo_changes"
            " key_changes chords grace_notes",
        ),
        (Repeat, "start end first_ending second_ending lead_in lead_out"),
        (MeterChange, "bar meter"),
        (Meter, "numerator denominator"),
        (Key, "tonic mode enharmonic"),
        (Note, "onset duration pitch"),
        (Part, "name program drums notes controls"),
        (PartNote, "onset duration pitch velocity"),
        (ControlEvent, "onset kind number value"),
        (TempoChange, "onset tempo"),
        (KeyChange, "bar key"),
        (ChordSymbol, "onset text"),
        (GraceNotes, "note pitches"),
        (PartCandidate, "number name notes score"),
    ],
)
def test_whoever_changes_a_field_raises_the_version_and_checks_its_range(
    kind: type, names: str
) -> None:
    """And then changes the names here."""
    assert [field.name for field in fields(kind)] == names.split()


def test_another_version_or_anything_more_is_refused() -> None:
    score = as_plain_values()
    assert decode_score(encode_plainly(VERSION, score)) == SCORE
    for other in (
        encode_plainly(VERSION - 1, score),
        encode_plainly(VERSION + 1, score),
        encode_plainly(VERSION, score) + b"more",
        with_head(VERSION, encode_plainly(VERSION, score)[5:] + b"more"),
        msgspec.msgpack.encode(score),
    ):
        with pytest.raises(msgspec.DecodeError):
            decode_score(other)


def test_a_score_of_the_first_version_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_score(msgspec.msgpack.encode([1, "Reel", [], [4, 4], 0, "major", 120.0, 8]))


def sealed(body: bytes) -> bytes:
    """An encoded score as code that has taken over a reader could send it."""
    return bytes([VERSION]) + zlib.crc32(body).to_bytes(4) + body


@pytest.mark.parametrize("read", [decode_score, measure_score])
def test_a_million_notes_in_many_parts_are_refused_in_little_memory(
    read: Callable[[bytes], object],
) -> None:
    fields = msgspec.msgpack.decode(encode_score(ParsedScore("a reel", REEL))[5:])
    fields["parts"] = [{"notes": [None] * 39_000, "controls": []}] * 50
    data = sealed(msgspec.msgpack.encode(fields))
    del fields
    tracemalloc.start()
    try:
        with pytest.raises(msgspec.DecodeError, match="of all parts together"):
            read(data)
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("read", [decode_score, measure_score])
def test_lists_within_lists_without_end_are_refused(read: Callable[[bytes], object]) -> None:
    body = msgspec.msgpack.encode({"unknown": 0})[:-1] + b"\x91" * 1_000_000 + b"\xc0"
    with pytest.raises(msgspec.DecodeError):
        read(sealed(body))


def test_too_many_bytes_are_refused_unread() -> None:
    with pytest.raises(msgspec.DecodeError, match="bytes"):
        decode_score(bytes(9_000_000))


@pytest.mark.parametrize("start", [b"", b"\x81\xa1x"])
def test_deep_nesting_is_refused(start: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_score(with_head(VERSION, start + b"\x91" * 1_000_000))


@settings(deadline=None)
@given(st.integers(0, len(ENCODED) - 1), st.integers(1, 255))
def test_one_damaged_byte_is_found_without_decoding(position: int, change: int) -> None:
    damaged = bytearray(ENCODED)
    damaged[position] ^= change
    assert is_encoded_score(ENCODED)
    assert not is_encoded_score(bytes(damaged))
