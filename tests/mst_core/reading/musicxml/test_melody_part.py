"""Which part of a MusicXML score is the melody, and which notes of it are."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
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
    index, candidates, remarks = choose_part([CHORDS, BASS, LINE], None)
    assert index == 2
    assert candidates[0].number == 3
    assert candidates[0].name == "part 3"
    assert remarks[0].startswith("Part 3 of 3 (part 3) was taken as the melody: ")


def test_the_name_of_a_part_decides_before_its_notes() -> None:
    named = part([note(0, 60), note(1, 62), note(2, 64)], name="Voice")
    index, _, remarks = choose_part([LINE, named], None)
    assert index == 1
    assert "its name says so" in remarks[0]


@pytest.mark.parametrize(
    ("backing", "lead"),
    [
        ("Backing Vocals", "Lead Vocals"),
        ("Vocals (harmony)", "Vocals"),
        ("Soprano Saxophone", "Voice"),
        ("Solo Bass", "Voice"),
        ("Chor / Background Voice", "Voice"),
    ],
)
def test_backing_vocals_are_not_taken_for_the_lead(backing: str, lead: str) -> None:
    bar = [note(beat, 64) for beat in range(4)]
    tune = [note(beat, 60 + 2 * beat) for beat in range(4)]
    assert choose_part([part(bar, bar, name=backing), part(tune, tune, name=lead)], None)[0] == 1


def test_a_part_with_words_is_the_voice() -> None:
    tune = [note(beat, 60 + 2 * beat) for beat in range(4)]
    above = [note(beat, 79 - beat) for beat in range(4)]
    sung = replace(part(tune, tune), counts=Counter(sung=8))
    assert choose_part([part(above, above), sung], None)[0] == 1


def test_a_part_with_few_notes_is_no_melody() -> None:
    bar = [note(beat, 60 + beat) for beat in range(4)]
    rest: list[XmlNote] = []
    fill = part([note(0, 72), note(2, 74)], *[rest] * 11)
    assert choose_part([fill, part(*[bar] * 12)], None)[0] == 1


def test_a_part_that_is_asked_for_is_chosen_and_a_missing_one_rejected() -> None:
    index, candidates, remarks = choose_part([LINE, CHORDS], 2)
    assert (index, remarks) == (1, ())
    assert {each.number for each in candidates} == {1, 2}
    with pytest.raises(BadOption):
        choose_part([LINE], 2)
    with pytest.raises(NoMelody):
        choose_part([part([note(0, 60)])], None)
