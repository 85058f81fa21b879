"""Which part of a MusicXML score is the melody, and which notes of it are."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest

from mst_core.errors import BadOption, NoMelody
from mst_core.music import Meter
from mst_core.reading.bars import lay_out_bars
from mst_core.reading.measures import BarLayout, WrittenMeasure
from mst_core.reading.musicxml.elements import XmlBarlines
from mst_core.reading.musicxml.melody_part import choose_part
from mst_core.reading.musicxml.part import XmlMeasure, XmlNote, XmlPart


def note(
    onset: int, pitch: int, *, duration: int = 1, start: bool = False, stop: bool = False
) -> XmlNote:
    return XmlNote(Fraction(onset), Fraction(duration), pitch, ("1", "1"), start, stop, drum=False)


def part(*measures: list[XmlNote], name: str = "", drums: bool = False) -> XmlPart:
    written = tuple(
        XmlMeasure(
            notes=tuple(notes), length=Fraction(4), meter=Meter(4, 4), barlines=XmlBarlines(),
            implicit=False, opens_section=False, tempos=(),
        )
        for notes in measures
    )  # fmt: skip
    return XmlPart(name, None, drums, None, written, Counter())


def bars(count: int) -> BarLayout:
    return lay_out_bars([WrittenMeasure(Fraction(4), Meter(4, 4))] * count, max_bars=count)


CHORDS = part([note(0, 60), note(0, 64), note(1, 59), note(1, 65)])
BASS = part([note(0, 36), note(1, 43), note(2, 36), note(3, 43)])
LINE = part([note(0, 72), note(1, 74), note(2, 76)])


def test_a_single_high_line_is_chosen_before_chords_and_a_bass() -> None:
    assert choose_part([CHORDS, BASS, LINE], None) == (2, "the first that is a single line")


def test_the_name_of_a_part_decides_before_its_notes() -> None:
    named = part([note(0, 60), note(0, 64), note(1, 62)], name="Solo Violin")
    assert choose_part([LINE, named], None) == (1, "its name says so")


def test_a_part_with_few_notes_is_no_melody() -> None:
    bar = [note(beat, 60 + beat) for beat in range(4)]
    fill = part([note(0, 72), note(2, 74)])
    assert choose_part([fill, part(bar, bar)], None)[0] == 0
    assert choose_part([fill, part(bar, bar, bar)], None)[0] == 1


def test_a_part_that_is_asked_for_is_chosen_and_a_missing_one_rejected() -> None:
    assert choose_part([LINE, CHORDS], 2) == (1, "as asked")
    with pytest.raises(BadOption):
        choose_part([LINE], 2)
    with pytest.raises(NoMelody):
        choose_part([part([note(0, 60)])], None)
