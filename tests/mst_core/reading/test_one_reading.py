"""MIDI, MusicXML and ABC of one piece give the same melody, bars and form.

MIDI has neither repeat signs nor sections. In it a repeated section stands once, with both of its
endings one after the other, as in the other two: that is the written form, in which all three are
compared. Repeats and sections are compared between MusicXML and ABC.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

import pytest

from mst_core.music import Key, Melody, Meter, MeterChange, Repeat
from tests.support.melodies import JIG, JIG_WITH_REPEATS, REEL, line
from tests.support.midi_files import bars_of, meta, midi, notes, track
from tests.support.one_reading import (
    bars_and_notes,
    form,
    make_piece,
    read_files,
    write_and_read,
)
from tests.support.xml_scores import (
    BACKWARD,
    DOUBLE,
    FORWARD,
    document,
    ending,
    measure,
    meter,
    part,
    signature,
)

N_PIECES = 45
PIECES = [*map(make_piece, range(N_PIECES)), REEL, JIG, JIG_WITH_REPEATS]


@pytest.mark.parametrize("tune", PIECES)
def test_the_three_files_that_are_written_of_a_piece_give_it_back(tune: Melody) -> None:
    read = write_and_read(tune)
    for melody in read:
        assert bars_and_notes(melody) == bars_and_notes(tune)
    assert form(read.abc) == form(read.musicxml) == form(tune)


# Files as people write them: each piece by hand in ABC and in MusicXML, and its notes for MIDI


class Piece(NamedTuple):
    """A piece in three hands."""

    abc: str
    """The music, in eighths."""
    musicxml: tuple[str, ...]
    """The measures, in quarters."""
    notes: str
    """Every written note once, in eighths, from the pickup on."""
    bars: int
    meter: str = "4/4"
    pickup: Fraction = Fraction(0)
    """Quarter notes."""
    changes: tuple[MeterChange, ...] = ()
    repeats: tuple[Repeat, ...] = ()


def signed(head: str, *content: str, implicit: bool = False) -> str:
    """A first measure in a meter."""
    return measure(signature(meter=head), *content, implicit=implicit)


F = Fraction
TWO_THREE = (MeterChange(2, Meter(3, 4)), MeterChange(3, Meter(2, 4)))
HAND_WRITTEN = {
    "a pickup": Piece(
        "G2 | c2d2e2f2 | g6 |]",
        (signed("4/4", "G4", implicit=True), "C5 D5 E5 F5", "G5*3"),
        "G4*2 C5*2 D5*2 E5*2 F5*2 G5*6", 2, pickup=F(1),
    ),
    "rests": Piece(
        "z2 c2 z4 | c4 z2 d2 |]",
        (signed("4/4", "z C5 z*2"), "C5*2 z D5"),
        "z*2 C5*2 z*4 C5*4 z*2 D5*2", 2,
    ),
    "triplets": Piece(
        "(3cde (3fed c4 | (3:2:2c2e g6 |]",
        (signed("4/4", "C5*1/3 D5*1/3 E5*1/3 F5*1/3 E5*1/3 D5*1/3 C5*2"), "C5*2/3 E5*1/3 G5*3"),
        "C5*2/3 D5*2/3 E5*2/3 F5*2/3 E5*2/3 D5*2/3 C5*4 C5*4/3 E5*2/3 G5*6", 2,
    ),
    "a tie over a barline": Piece(
        "c4 e4- | e2 d2 c4 |]",
        (signed("4/4", "C5*2 E5*2~"), "~E5 D5 C5*2"),
        "C5*4 E5*6 D5*2 C5*4", 2,
    ),
    "a change of meter": Piece(
        "c2d2 | e4 | [M:3/4] e2f2g2 | [M:2/4] c4 |]",
        (
            signed("2/4", "C5 D5"), "E5*2", measure(meter("3/4"), "E5 F5 G5"),
            measure(meter("2/4"), "C5*2"),
        ),
        "C5*2 D5*2 E5*4 E5*2 F5*2 G5*2 C5*4", 4, meter="2/4", changes=TWO_THREE,
    ),
    "a repeat that cuts a bar": Piece(
        "G2 | c4e4 | g6 :: a2 | g4e4 | c6 :|",
        (
            signed("4/4", "G4", implicit=True), "C5*2 E5*2", measure("G5*3", BACKWARD),
            measure(FORWARD, "A5"), "G5*2 E5*2", measure("C5*3", BACKWARD),
        ),
        "G4*2 C5*4 E5*4 G5*6 A5*2 G5*4 E5*4 C5*6", 4, pickup=F(1),
        repeats=(Repeat(0, 2, lead_in=F(1), lead_out=F(1)),
                 Repeat(2, 4, lead_in=F(1), lead_out=F(1))),
    ),
    "two endings": Piece(
        "|: c4e4 |1 g8 :|2 c8 |]",
        (
            signed("4/4", FORWARD, "C5*2 E5*2"), measure(ending("1"), "G5*4", BACKWARD),
            measure(ending("2"), "C5*4", ending("2", "stop")),
        ),
        "C5*4 E5*4 G5*8 C5*8", 3, repeats=(Repeat(0, 2, 1, 3),),
    ),
    "endings inside a bar": Piece(
        "|: c4e4 | g4 [1 e4 :|[2 c4 |]",
        (
            signed("4/4", FORWARD, "C5*2 E5*2"), measure("G5*2"),
            measure(ending("1"), "E5*2", BACKWARD),
            measure(ending("2"), "C5*2", ending("2", "stop")),
        ),
        "C5*4 E5*4 G5*4 E5*4 G5*4 C5*4", 3, repeats=(Repeat(0, 2, 1, 3),),
    ),
    "a short first ending": Piece(
        "G | c2e | g2e |1 c2 :|2 c3 |]",
        (
            signed("3/8", "G4*1/2", implicit=True), "C5 E5*1/2", "G5 E5*1/2",
            measure(ending("1"), "C5", BACKWARD),
            measure(ending("2"), "C5*3/2", ending("2", "stop")),
        ),
        "G4 C5*2 E5 G5*2 E5 C5*2 z C5*3", 4, meter="3/8", pickup=F(1, 2),
        repeats=(Repeat(0, 3, 2, 4, lead_in=F(1, 2), lead_out=F(1, 2)),),
    ),
    "a section that ends short": Piece(
        "c4e4 | g6 :|: c4e4 | c8 :|",
        (
            signed("4/4", "C5*2 E5*2"), measure("G5*3", BACKWARD),
            measure(FORWARD, "C5*2 E5*2"), measure("C5*4", BACKWARD),
        ),
        "C5*4 E5*4 G5*6 z*2 C5*4 E5*4 C5*8", 4,
        repeats=(Repeat(0, 2), Repeat(2, 4)),
    ),
    "a bar too long": Piece(
        "c4e4 | g8 | c2d2e2f2g2 | c8 |]",
        (signed("4/4", "C5*2 E5*2"), "G5*4", "C5 D5 E5 F5 G5", "C5*4"),
        "C5*4 E5*4 G5*8 C5*2 D5*2 E5*2 F5*2 G5*2 C5*8", 4,
        changes=(MeterChange(2, Meter(5, 4)), MeterChange(3, Meter(4, 4))),
    ),
    "a bar in two measures": Piece(
        "c4e4 | c4 || e4 | c8 |]",
        (signed("4/4", "C5*2 E5*2"), measure("C5*2", DOUBLE), "E5*2", "C5*4"),
        "C5*4 E5*4 C5*4 E5*4 C5*8", 3,
    ),
    "another meter than is written": Piece(
        "c2d2e2 | f2e2d2 | e2c2d2 | c6 | e2c2d2 | c6 |]",
        (
            signed("4/4", "C5 D5 E5"), "F5 E5 D5", "E5 C5 D5", "C5*3", "E5 C5 D5", "C5*3",
        ),
        "C5*2 D5*2 E5*2 F5*2 E5*2 D5*2 E5*2 C5*2 D5*2 C5*6 E5*2 C5*2 D5*2 C5*6", 6, meter="3/4",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HAND_WRITTEN)
def test_a_piece_in_three_hands_is_one_piece(name: str) -> None:
    piece = HAND_WRITTEN[name]
    expected = Melody(
        notes=line(piece.notes, start=-piece.pickup),
        meter=Meter.parse(piece.meter),
        key=Key(0),
        tempo=96.0,
        bar_count=piece.bars,
        meter_changes=piece.changes,
        repeats=piece.repeats,
    )
    written = {"another meter than is written": "4/4"}.get(name, piece.meter)
    tempo = '<sound tempo="96"/>'
    first, *others = piece.musicxml
    xml = document(part(first.replace("</attributes>", f"</attributes>{tempo}"), *others))
    abc = f"X:1\nM:{written}\nL:1/8\nQ:1/4=96\nK:C\n{piece.abc}\n"
    read = read_files(midi_of(expected), xml.encode(), abc.encode())
    assert bars_and_notes(read.abc) == bars_and_notes(expected)
    assert bars_and_notes(read.musicxml) == bars_and_notes(expected)
    assert read.abc.repeats == read.musicxml.repeats == expected.repeats
    assert read.abc.sections == read.musicxml.sections
    # A MIDI file cannot say whether silence at its beginning is a rest or the bar of a pickup.
    if name != "rests":
        assert bars_and_notes(read.midi) == bars_and_notes(expected)


def midi_of(tune: Melody) -> bytes:
    """Write a MIDI file by hand: a pickup ends a bar that is padded with silence."""
    padding = tune.meter.bar_length if tune.pickup else Fraction(0)
    shifted = [replace(note, onset=note.onset + padding) for note in tune.notes]
    lines = tune.barlines
    meters = [
        (
            round((lines[change.bar] + padding) * 480),
            meta(
                "time_signature",
                numerator=change.meter.numerator,
                denominator=change.meter.denominator,
            )[1],
        )
        for change in tune.meter_changes
    ]
    end = round((tune.length + padding) * 480)
    return midi(track([*bars_of(tune), *meters, *notes(shifted)], end=end))
