"""Of parts described alike for all formats, the one that is the tune ranks first."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mst_core.reading.melody_part import (
    PartDescription,
    describe_choice,
    find_continuation,
    rank_parts,
    sung_share,
)

BARS = 32
TUNE = (67, 69, 71, 72, 74, 71, 67, 64)
RHYTHM = (1.0, 0.5, 0.5, 1.0, 0.5, 0.5, 2.0, 2.0)  # two bars
Notes = list[tuple[float, float, int, int]]


def tune(*, bars: Sequence[int] = range(0, BARS, 2), lowered: int = 0) -> Notes:
    notes: Notes = []
    for bar in bars:
        onset = 4.0 * bar
        for pitch, length in zip(TUNE, RHYTHM, strict=True):
            notes.append((onset, onset + length, pitch + bar % 3 - lowered, 90))
            onset += length
    return notes


def arpeggio() -> Notes:
    pitches = (52, 59, 64, 67, 71, 67, 64, 59)
    return [(step / 2, step / 2 + 0.5, pitches[step % 8], 90) for step in range(8 * BARS)]


def chords() -> Notes:
    return [
        (4.0 * bar + beat, 4.0 * bar + beat + 1, pitch, 90)
        for bar in range(BARS)
        for beat in range(4)
        for pitch in (60, 64, 67)
    ]


def figure(*, raised: int = 12) -> Notes:
    """A figure above the tune in every bar."""
    return [
        (4.0 * bar + place, 4.0 * bar + place + 0.5, 72 + raised + step, 90)
        for bar in range(BARS)
        for place, step in ((0.0, 0), (0.5, 4), (1.0, 7), (1.5, 4))
    ]


def part(
    notes: Notes, *, name: str = "", program: int | None = None, drums: bool = False,
    sung: float = 0.0,
) -> PartDescription:  # fmt: skip
    return PartDescription(name or "Piano", name, program, drums, notes, sung)


def first(*parts: PartDescription) -> int:
    candidates, _ = rank_parts(parts, tempo=120.0)
    return candidates[0].number


def test_a_fiddle_without_a_name_is_the_tune_beside_a_guitar_without_a_name() -> None:
    for fiddle in (110, 40, 105, 73, 65):
        assert first(part(arpeggio(), program=24), part(tune(), program=fiddle)) == 2
        assert first(part(tune(), program=fiddle), part(arpeggio(), program=24)) == 1


def test_a_flourish_of_a_synth_lead_is_not_the_tune_of_a_song() -> None:
    flourish = [(60 + step / 4, 60.25 + step / 4, 80 + step, 110) for step in range(8)]
    assert first(part(flourish, program=81), part(tune(), program=0), part(chords())) == 2
    assert first(part(flourish, program=81, name="Lead"), part(tune(), program=0)) == 2


def test_the_part_that_has_the_words_is_the_tune_though_a_flute_plays_above_it() -> None:
    flute = part(figure(), program=73)
    for program in (0, 52, 65, 127, None):
        assert first(flute, part(tune(lowered=7), program=program, sung=0.95), part(chords())) == 2
    assert first(part(tune(lowered=12)), flute, part(chords(), sung=0.4)) != 3


@pytest.mark.parametrize(
    ("other", "lead"),
    [
        ("Backing Vocals", "Lead Vocals"),
        ("Vocals (harmony)", "Vocals"),
        ("Soprano Saxophone", "Voice"),
        ("Solo Bass", "Voice"),
        ("Lead Synth Pad", "Voice"),
        ("Chor / Background Voice", "Voice"),
        ("Melody Rhythm", "Melody"),
        ("コーラス", "メロディ"),
    ],
)
def test_the_lead_is_taken_though_another_name_has_words_of_a_tune(other: str, lead: str) -> None:
    above = [(on, end, pitch + 4, velocity) for on, end, pitch, velocity in tune()]
    assert first(part(above, name=other), part(tune(), name=lead)) == 2
    assert first(part(tune(), name=lead), part(above, name=other)) == 1


def test_a_part_of_a_few_bars_is_not_the_tune() -> None:
    solo = tune(bars=range(12, 16, 2), lowered=-12)
    assert first(part(solo, program=73), part(tune(lowered=12)), part(chords())) == 2


def test_a_bass_and_a_pad_are_not_the_tune_and_drums_are_no_candidates() -> None:
    bass = [(float(beat), beat + 1.0, 36 + beat % 5, 100) for beat in range(4 * BARS)]
    pad = [(4.0 * bar, 4.0 * bar + 4, pitch, 90) for bar in range(BARS) for pitch in (72, 76, 79)]
    beat = [(step / 2, step / 2 + 0.25, 42, 110) for step in range(8 * BARS)]
    candidates, _ = rank_parts(
        [part(beat, drums=True), part(bass, program=33), part(pad, program=89), part(tune())],
        tempo=120.0,
    )
    assert candidates[0].number == 4
    assert sorted(each.number for each in candidates) == [2, 3, 4]
    assert sum(each.score for each in candidates) == pytest.approx(1.0, abs=0.01)


def test_a_signal_on_one_or_two_pitches_is_no_tune() -> None:
    for pitches in ((85,), (89, 91)):
        signal = [
            (beat / 2, beat / 2 + 0.25, pitches[beat % len(pitches)], 100)
            for beat in range(8 * BARS)
        ]
        assert first(part(tune(), program=0), part(signal, program=78), part(chords())) == 1


def test_of_four_voices_the_soprano_is_the_tune_and_a_tenor_may_be_one() -> None:
    voices = [
        part([(on, end, pitch - lower, 90) for on, end, pitch, _ in tune()], name=name)
        for name, lower in (("Bass", 24), ("Tenor", 12), ("Alto", 5), ("Soprano", 0))
    ]
    assert first(*voices) == 4
    assert first(part(chords(), name="Piano"), voices[1]) == 2


def test_two_that_are_near_are_both_named() -> None:
    late = [(on + 0.25, end + 0.25, pitch, 90) for on, end, pitch, _ in tune()]
    parts = [part(tune(), name="Flute", program=73), part(late, name="Oboe", program=68)]
    candidates, reasons = rank_parts(parts, tempo=120.0)
    remarks = [*describe_choice(candidates, reasons, noun="Part", parts=parts)]
    assert remarks[0].startswith("Part 1 of 2 (Flute) was taken as the melody: ")
    assert remarks[1] == (
        "It may also be part 2 (Oboe): to take that one, set the option track to 2."
    )


def test_a_part_that_doubles_the_tune_is_not_offered_as_another() -> None:
    octave = [(on, end, pitch + 12, 90) for on, end, pitch, _ in tune()]
    for double in (tune(), octave):
        parts = [part(tune(), name="Horn", program=60), part(double, name="Strings", program=60)]
        candidates, reasons = rank_parts(parts, tempo=120.0)
        assert len([*describe_choice(candidates, reasons, noun="Track", parts=parts)]) == 1


def test_a_clear_choice_names_no_other() -> None:
    parts = [part(chords()), part(tune(), name="Vocals")]
    candidates, reasons = rank_parts(parts, tempo=120.0)
    (remark,) = describe_choice(candidates, reasons, noun="Voice", parts=parts)
    assert remark.startswith("Voice 2 of 2 (Vocals) was taken as the melody: its name says so")


def test_a_single_part_needs_no_remark_and_no_part_has_no_candidates() -> None:
    candidates, reasons = rank_parts([part(tune())], tempo=120.0)
    assert [*describe_choice(candidates, reasons, noun="Part", parts=[part(tune())])] == []
    assert rank_parts([part(tune(), drums=True)], tempo=120.0) == ((), ())
    assert rank_parts([part([(0.0, 1.0, 60, 80)])], tempo=120.0) == ((), ())


def test_a_part_that_plays_where_the_melody_rests_goes_on_with_it() -> None:
    halves = [part(tune(bars=range(0, 16, 2))), part(tune(bars=range(16, 32, 2)), program=73)]
    candidates, _ = rank_parts([*halves, part(chords())], tempo=120.0)
    found = find_continuation([*halves, part(chords())], candidates)
    assert found is not None
    assert {found.number, candidates[0].number} == {1, 2}
    whole = [part(tune()), part(chords()), part(arpeggio())]
    assert find_continuation(whole, rank_parts(whole, tempo=120.0)[0]) is None


def test_words_that_stand_at_the_notes_are_sung() -> None:
    onsets = [float(step) for step in range(32)]
    assert sung_share(onsets, onsets) == 1.0
    assert sung_share(onsets, [onset + 0.5 for onset in onsets]) == 0.0
    letters = [onset + each / 64 for onset in onsets for each in range(4)]
    assert sung_share(onsets, letters) == 1.0
    assert sung_share(onsets, onsets[16:]) == 1.0  # only the refrain has words
    assert sung_share(onsets[:2], onsets) < 0.5  # a figure of two notes
    assert sung_share(onsets, onsets[:4]) == 0.0  # four words are no song
