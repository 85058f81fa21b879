"""The bars, repeats, endings and sections of ABC tunes."""

from __future__ import annotations

from fractions import Fraction

from mst_core.music import Melody, Meter, MeterChange, Repeat
from mst_core.reading.abc.read import read_abc_score, read_tune
from mst_core.reading.abc.tune import AbcTune


def tune(music: str) -> AbcTune:
    return read_tune(f"X:1\nM:4/4\nL:1/4\nK:C\n{music}\n")


def melody(music: str) -> Melody:
    return read_abc_score(f"X:1\nM:4/4\nL:1/4\nK:C\n{music}\n").melody


def pitches(music: str) -> list[int | None]:
    return [event.pitch for event in tune(music).events]


def starts(music: str) -> list[float]:
    return [float(note.onset) for note in melody(music).notes]


def test_a_double_repeat_in_the_middle_loses_no_note() -> None:
    assert pitches("cAA::g|a4|") == [72, 69, 69, 79, 81]


def test_bars_begin_after_barlines_and_the_pickup_is_short() -> None:
    read = tune("A | BcBA | GABc |]")
    assert read.pickup == 1
    assert list(read.measure_onsets) == [0, 1, 5]
    assert read.irregular_measures == ()


def test_a_measure_that_does_not_fill_its_meter_is_irregular() -> None:
    assert tune("ABcd | ABc | ABcd | ABcd |]").irregular_measures == (1,)
    assert tune("A | Bcde | ABc :: d | ABcd | ABcde | ABc |]").irregular_measures == (5,)


def test_the_events_of_a_tune_have_its_last_ending_only() -> None:
    assert pitches("|: CD |1 EF :|2 GA |: B :|") == [60, 62, 67, 69, 71]
    assert pitches("|: CD [1 EF :| [2 GA |] B") == [60, 62, 67, 69, 71]


def test_a_melody_has_every_written_note_in_order() -> None:
    assert melody("|: CDEF |1 G4 :|2 A4 |]").pitches == (60, 62, 64, 65, 67, 69)


def test_a_repeat_without_a_beginning_goes_back_to_the_end_of_the_one_before() -> None:
    assert melody("C4 :| D4 :: E4 :|").repeats == (Repeat(0, 1), Repeat(1, 2), Repeat(2, 3))


def test_onset_0_is_the_first_downbeat() -> None:
    read = melody("G | ABcd | e3 |]")
    assert read.pickup == 1
    assert [note.onset for note in read.notes] == [-1, 0, 1, 2, 3, 4]
    assert read.bar_count == 2
    assert read.length == 8


def test_a_bar_that_a_repeat_sign_splits_stays_one_bar() -> None:
    assert starts("G | ABcd | e3 :: f | gabc' |]")[-5:] == [7, 8, 9, 10, 11]


def test_a_short_bar_within_a_section_has_a_meter_of_its_own() -> None:
    read = melody("ABcd | e3 | ABcd |")
    assert [note.onset for note in read.notes] == [0, 1, 2, 3, 4, 7, 8, 9, 10]
    assert read.meter_changes == (MeterChange(1, Meter(3, 4)), MeterChange(2, Meter(4, 4)))


def test_a_long_bar_has_a_meter_of_its_own_too() -> None:
    assert melody("ABcd | ABcde | A4 |").meter_changes == (
        MeterChange(1, Meter(5, 4)), MeterChange(2, Meter(4, 4)),
    )  # fmt: skip
    assert melody("ABcd ABcd | A4 |").meter_changes == ()  # two bars without the line between them


def test_a_bar_of_a_length_that_no_meter_has_is_rounded() -> None:
    assert starts("ABcd | (3:2:2AB c | ABcd |")[-4:] == [6.5, 7.5, 8.5, 9.5]


def test_the_last_bar_is_filled() -> None:
    assert (melody("ABcd | e3 |]").bar_count, melody("ABcd | e3 |]").meter_changes) == (2, ())


def test_a_short_bar_at_a_repeat_sign_is_filled_with_silence() -> None:
    assert starts("|: ABcd | e3 :|: gabc' :|")[-4:] == [8, 9, 10, 11]
    assert starts("|: ABcd | e4 :|: f | gabc' | a3 :|")[5:10] == [11, 12, 13, 14, 15]


def test_the_pickup_of_a_later_section_without_repeat_is_a_bar_of_its_own() -> None:
    read = melody("ABcd | e4 || f | gabc' |]")
    assert [note.onset for note in read.notes][-5:] == [8, 9, 10, 11, 12]
    assert read.meter_changes == (MeterChange(2, Meter(1, 4)), MeterChange(3, Meter(4, 4)))


def test_bars_of_rest_at_the_end_are_counted() -> None:
    assert melody("ABcd | z4 | Z2 |]").bar_count == 4


def test_free_meter_takes_the_most_common_length_of_a_measure() -> None:
    read = read_abc_score("X:1\nM:none\nL:1/4\nK:C\nABc|def|gabc'|abc'|]\n").melody
    assert (read.meter, read.meter_changes) == (
        Meter(3, 4), (MeterChange(2, Meter(4, 4)), MeterChange(3, Meter(3, 4))),
    )  # fmt: skip


def test_a_change_of_meter_begins_with_its_bar() -> None:
    read = melody("A | BcBA | [M:3/4] Bcd | e3 | [M:C] f3 |]")
    assert read.meter_changes == (MeterChange(1, Meter(3, 4)), MeterChange(3, Meter(4, 4)))
    assert melody("[M:3/4] Bcd | e3 |]").meter == Meter(3, 4)


# Repeats


def test_repeats_are_given_in_bars_and_their_notes_are_read_once() -> None:
    read = melody("|: ABcd | e4 :| f4 |: gabc' :|")
    assert read.repeats == (Repeat(0, 2), Repeat(3, 4))
    assert len(read.notes) == 10


def test_a_repeat_sign_within_a_bar_has_a_distance_to_the_barline() -> None:
    assert melody("G | ABcd | e3 :: f | gabc' | a3 :|").repeats == (
        Repeat(0, 2, lead_in=Fraction(1), lead_out=Fraction(1)),
        Repeat(2, 4, lead_in=Fraction(1), lead_out=Fraction(1)),
    )
    assert melody("G |: ABcd | e4 :|").repeats == (Repeat(0, 2),)


def test_first_and_second_endings_are_marked() -> None:
    assert melody("|: ABcd |1 e4 :|2 f4 || g4 |]").repeats == (Repeat(0, 2, 1, 3),)
    assert melody("G | ABcd | B4 |1 e3 :|2 f4 |]").repeats == (
        Repeat(0, 3, 2, 4, lead_in=Fraction(1), lead_out=Fraction(1)),
    )


def test_a_section_that_is_played_more_than_twice_is_read_without_its_repeat_signs() -> None:
    read = melody("|: A4 |1,3 B4 :|2 c4 :|4 d4 |] e4 |: f4 :|")
    assert read.repeats == (Repeat(5, 6),)
    assert len(read.notes) == 6


def test_an_ending_of_no_pass_is_read_once_and_repeats_nothing() -> None:
    read = melody("[0 ABcd |]")
    assert (read.pitches, read.repeats) == ((69, 71, 72, 74), ())


def test_both_endings_that_begin_inside_a_bar_complete_it() -> None:
    read = melody("ABcd | AB [1 cd :| [2 ef |]")
    assert (read.bar_count, read.meter_changes) == (3, ())
    assert read.repeats == (Repeat(0, 2, 1, 3),)
    assert [note.pitch for note in read.notes] == [69, 71, 72, 74, 69, 71, 72, 74, 69, 71, 76, 77]
    assert starts("AB [1 cd :| [2 ef |]") == [0, 1, 2, 3, 4, 5, 6, 7]


def test_sections_begin_at_double_bars_and_repeat_signs() -> None:
    assert melody("A | BcBA | G3 :: A | BcBA | G4 || A4 |]").sections == (0, 2, 4)


def test_a_tie_before_a_bracket_leads_into_both_endings() -> None:
    read = melody("|: A4 | AB- [1 Bc :| [2 B2 |]")
    assert [(note.pitch, int(note.duration)) for note in read.notes] == [
        (69, 4), (69, 1), (71, 2), (72, 1), (69, 1), (71, 3),
    ]  # fmt: skip


def test_a_number_after_a_barline_inside_a_bar_is_a_bracket_too() -> None:
    with_bracket = melody("|: ABcd | AB [1 cd :| [2 ef |]")
    assert melody("|: ABcd | AB |1 cd :|2 ef |]") == with_bracket


def test_a_tune_in_other_bars_than_its_meter_has_keeps_its_bars() -> None:
    read = melody("|: AB | cd |1 ef :|2 ga || ab | c'2 | ab | c'2 |]")
    assert (read.meter, read.meter_changes, read.bar_count) == (Meter(2, 4), (), 8)
    assert read.repeats == (Repeat(0, 3, 2, 4),)


def test_a_second_ending_without_a_double_bar_is_as_long_as_the_first() -> None:
    repeats = melody("|:C4|1 D4:|2 E4|F4|G4:|A4|]").repeats
    assert [(each.start, each.end, each.second_ending) for each in repeats] == [
        (0, 2, 3),
        (3, 5, None),
    ]
    # With its double bar it may be longer.
    assert melody("|:C4|1 D4:|2 E4|F4||G4:|").repeats[0].second_ending == 4


def test_parts_begin_sections_and_are_repeated_as_their_order_says() -> None:
    head, music = "X:1\nM:4/4\nL:1/4\nQ:1/4=90\n", "P:A\nC4|D4|\nP:B\nE4|F4|\n"
    plain = read_abc_score(f"{head}K:C\n{music}")
    assert (plain.melody.sections, plain.melody.repeats, plain.warnings) == ((0, 2), (), ())
    for order in ("AABB", "A2B2", "A.A.B.B"):
        score = read_abc_score(f"{head}P:{order}\nK:C\n{music}")
        assert score.melody.repeats == (Repeat(0, 2), Repeat(2, 4))
        assert score.warnings == ()
    other = read_abc_score(f"{head}P:ABA\nK:C\n{music}")
    assert other.melody.repeats == ()
    assert other.warnings == ("The order of parts, ABA, is not played; each part stands once.",)
