"""What mst writes as ABC comes back note for note, with all that belongs to the melody."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mst_core.music import (
    ChordSymbol,
    GraceNotes,
    Key,
    KeyChange,
    Melody,
    Meter,
    MeterChange,
    Note,
    Repeat,
    TempoChange,
)
from mst_core.notation.abc import write_abc
from mst_core.reading.abc.read import read_abc_score

QUARTERS = tuple(Note(Fraction(n), Fraction(1), 60 + n % 12) for n in range(16))


def melody(**values: object) -> Melody:
    fields: dict[str, object] = {
        "notes": QUARTERS, "meter": Meter(4, 4), "key": Key(0), "tempo": 100.0, "bar_count": 4,
    }  # fmt: skip
    return Melody(**{**fields, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "written",
    [
        melody(chords=(ChordSymbol(Fraction(0), "Am7"), ChordSymbol(Fraction(5, 2), "F#m7b5/E"))),
        melody(chords=(ChordSymbol(Fraction(4), "N.C."), ChordSymbol(Fraction(8), "Bb"))),
        melody(grace_notes=(GraceNotes(0, (67,)), GraceNotes(5, (70, 61)))),
        melody(key_changes=(KeyChange(2, Key(2)),)),
        melody(key=Key.parse("F#"), key_changes=(KeyChange(1, Key.parse("Gb")),)),
        melody(tempo_changes=(TempoChange(Fraction(0), 100.0), TempoChange(Fraction(12), 72.0))),
        melody(tempo=97.5),
        melody(
            notes=tuple(Note(n.onset - 1, n.duration, n.pitch) for n in QUARTERS[:-1]),
            repeats=(Repeat(0, 4, lead_in=Fraction(1), lead_out=Fraction(1)),),
        ),
        melody(
            meter_changes=(MeterChange(1, Meter(3, 4)), MeterChange(3, Meter(4, 4))),
            notes=QUARTERS[:14],
        ),
        melody(repeats=(Repeat(0, 3, 2, 4),), sections=(0,)),
    ],
)
def test_all_of_a_melody_comes_back(written: Melody) -> None:
    score = read_abc_score(write_abc(written, title="Probe"))
    assert score.melody == written
    assert score.warnings == ()


@pytest.mark.parametrize(
    "title",
    ["100% Proof", "Café", 'The "Best" Reel', "It's", "A & B", "Fish <&> Chips", "Straße", "X: 1"],
)
def test_a_title_comes_back(title: str) -> None:
    assert read_abc_score(write_abc(melody(), title=title)).title == title


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 60), st.integers(0, 12), st.integers(48, 90)),
        min_size=2, max_size=30,
    ),
    st.sampled_from([Meter(4, 4), Meter(6, 8), Meter(3, 4), Meter(2, 2), Meter(7, 8)]),
    st.sampled_from([Key(0), Key(7), Key(10, "minor"), Key(4, "dorian"), Key.parse("C#")]),
)  # fmt: skip
def test_any_notes_on_the_grid_come_back(
    steps: list[tuple[int, int, int]], meter: Meter, key: Key
) -> None:
    notes, onset = [], Fraction(0)
    for duration, rest, pitch in steps:
        notes.append(Note(onset, Fraction(duration, 24), pitch))
        onset += Fraction(duration + rest, 24)
    bars = int(notes[-1].end // meter.bar_length) + 1
    written = Melody(tuple(notes), meter, key, 120.0, bars)
    assert read_abc_score(write_abc(written)).melody.notes == written.notes
