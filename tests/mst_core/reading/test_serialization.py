"""A reading crosses between processes unchanged, and nothing else does."""

from __future__ import annotations

from dataclasses import fields, replace
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mst_core.music import Key, Melody, Meter, MeterChange, Note, Part, PartNote, Repeat
from mst_core.reading.parsed_score import ParsedScore
from mst_core.reading.serialization import InvalidScoreBytes, decode_score, encode_score
from tests.support.melodies import REEL, melodies

times = st.fractions(-(10**6), 10**6, max_denominator=10**6)
durations = st.fractions(Fraction(1, 10**6), 10**6, max_denominator=10**6)
sevens = st.integers(0, 127)
part_notes = st.builds(PartNote, times, durations, sevens, sevens)
parts = st.builds(
    Part, st.text(max_size=20), sevens, st.booleans(), st.lists(part_notes, max_size=5).map(tuple)
)


@st.composite
def varied(draw: st.DrawFn) -> Melody:
    """Draw a melody with changes of meter and a repeat."""
    melody = draw(melodies())
    extra = draw(st.integers(0, 5))
    meters = st.sampled_from([Meter(3, 4), Meter(7, 8), Meter(11, 16)])
    changes = tuple(MeterChange(melody.bar_count + place, draw(meters)) for place in range(extra))
    bars = melody.bar_count + extra
    start = draw(st.integers(0, bars - 1))
    end = draw(st.integers(start + 1, bars))
    ending = draw(st.none() | st.integers(start, end))
    behind = draw(st.none() | st.integers(end, bars))
    leads = st.fractions(0, 4, max_denominator=24)
    repeat = Repeat(start, end, ending, behind, draw(leads), draw(leads))
    repeats = draw(st.sampled_from([(), (repeat,)]))
    return replace(melody, bar_count=bars, meter_changes=changes, repeats=repeats)


readings = st.builds(
    ParsedScore,
    st.text(max_size=20),
    varied(),
    st.lists(parts, max_size=3).map(tuple),
    st.none() | sevens,
    st.lists(st.tuples(st.floats(-9, 1e6), st.floats(1, 1_000)), max_size=3).map(tuple),
    st.lists(st.text(max_size=20), max_size=3).map(tuple),
)


@settings(deadline=None, max_examples=60)
@given(readings)
def test_a_reading_comes_back_as_it_was(reading: ParsedScore) -> None:
    assert decode_score(encode_score(reading)) == reading


_SENT = encode_score(
    ParsedScore(
        "Reel",
        REEL,
        (Part("p", 3, drums=True, notes=(PartNote(Fraction(1, 3), Fraction(1), 60),)),),
    )
)


@settings(deadline=None, max_examples=150)
@given(st.integers(0, len(_SENT) - 1), st.integers(0, 255), st.integers(0, 40))
def test_what_is_changed_on_the_way_is_a_reading_or_refused(
    place: int, octet: int, cut: int
) -> None:
    changed = bytearray(_SENT)
    changed[place] = octet
    try:
        reading = decode_score(bytes(changed[: len(changed) - cut]))
    except InvalidScoreBytes:
        return
    assert decode_score(encode_score(reading)) == reading


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=99))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(InvalidScoreBytes):
        decode_score(noise)


_FIELDS = [
    "number", "title", "notes", "meter", "tonic", "mode", "tempo", "bars", "sections", "changes",
    "repeats", "parts", "program", "tempos", "remarks",
]  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", 2),
        ("title", "l" * 1_001),
        ("notes", [[[0, 1], [1, 0], 60]]),
        ("notes", [[[0, 1], [-1, 1], 60]]),
        ("notes", [[[0, 1], [0, 1], 60]]),
        ("notes", [[[0, 1], [2, 1], 60], [[1, 1], [1, 1], 60]]),
        ("notes", [[[0, 1], [1, 1], 128]]),
        ("notes", [[[0, 1], [999, 1], 60]]),
        ("notes", [[[2**60, 1], [1, 1], 60]]),
        ("meter", [4, 3]),
        ("meter", [0, 4]),
        ("tonic", 12),
        ("mode", "sad"),
        ("tempo", 0.0),
        ("tempo", float("nan")),
        ("tempo", float("inf")),
        ("bars", 10**6),
        ("sections", [8, 0]),
        ("sections", [99]),
        ("changes", [[3, [3, 4]], [3, [4, 4]]]),
        ("repeats", [[4, 2, None, None, [0, 1], [0, 1]]]),
        ("repeats", [[0, 8, 9, None, [0, 1], [0, 1]]]),
        ("repeats", [[0, 8, None, 99, [0, 1], [0, 1]]]),
        ("repeats", [[0, 8, None, None, [0, 1], [0, 0]]]),
        ("repeats", [[place, 9, None, None, [0, 1], [0, 1]] for place in (0, 4)]),
        ("parts", [["", 0, False, [[[0, 1], [0, 1], 60, 80]]]]),
        ("parts", [["", 200, False, []]]),
        ("program", -1),
        ("tempos", [[float("nan"), 120.0]]),
        ("remarks", ["la"] * 101),
    ],
)
def test_what_no_music_has_is_refused(field: str, value: object) -> None:
    form = msgspec.msgpack.decode(_SENT)
    assert len(form) == len(_FIELDS)
    form[_FIELDS.index(field)] = value
    with pytest.raises(InvalidScoreBytes):
        decode_score(msgspec.msgpack.encode(form))


@pytest.mark.parametrize(
    ("noun", "names"),
    [
        (ParsedScore, "title melody parts program tempos remarks"),
        (Melody, "notes meter key tempo bars sections changes repeats"),
        (Repeat, "start end first_ending second_ending lead_in lead_out"),
        (MeterChange, "bar meter"),
        (Meter, "numerator denominator"),
        (Key, "tonic mode"),
        (Note, "onset duration pitch"),
        (Part, "name program drums notes"),
        (PartNote, "onset duration pitch velocity"),
    ],
)
def test_whoever_adds_a_field_teaches_it_to_the_wire(noun: type, names: str) -> None:
    """And then adds it here."""
    assert [field.name for field in fields(noun)] == names.split()


def test_a_form_with_more_in_it_is_of_another_number() -> None:
    form = [*msgspec.msgpack.decode(_SENT), "more"]
    with pytest.raises(InvalidScoreBytes):
        decode_score(msgspec.msgpack.encode(form))
    with pytest.raises(InvalidScoreBytes, match="bytes"):
        decode_score(bytes(9_000_000))
